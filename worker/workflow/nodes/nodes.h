/* What the node types do (worker/workflow/spec/workflow.md §5): one constant row a type,
 * listed in nodes.c.
 *
 * `start` runs the run's current node: it returns what comes next, or starts an
 * operation, returns WF_PENDING, and ends in a continuation with wf_loop_resume(). What
 * it needs across operations it keeps in run->scratch. */
#ifndef WORKFLOW_NODES_H
#define WORKFLOW_NODES_H

#include "workflow/run/run.h"

struct wf_node_handler {
    const char *type;
    const char *name; /* in error texts */
    bool needs_config;
    enum wf_action (*start)(struct wf_run *run);
};

/* Borrowed, constant; NULL: there is none. */
const struct wf_node_handler *wf_nodes_find(const char *type);
/* All of them, one after the other; NULL past the end. */
const struct wf_node_handler *wf_nodes_at(size_t index);

enum wf_action wf_start_trigger(struct wf_run *run);
enum wf_action wf_start_message(struct wf_run *run);
enum wf_action wf_start_media(struct wf_run *run);
enum wf_action wf_start_edit(struct wf_run *run);
enum wf_action wf_start_delete(struct wf_run *run);
enum wf_action wf_start_condition(struct wf_run *run);
enum wf_action wf_start_switch(struct wf_run *run);
enum wf_action wf_start_loop(struct wf_run *run);
enum wf_action wf_start_delay(struct wf_run *run);
enum wf_action wf_start_wait(struct wf_run *run);
enum wf_action wf_start_sub_workflow(struct wf_run *run);
enum wf_action wf_start_jump(struct wf_run *run);
enum wf_action wf_start_end(struct wf_run *run);
enum wf_action wf_start_set_variable(struct wf_run *run);
enum wf_action wf_start_get_variable(struct wf_run *run);
enum wf_action wf_start_request_contact(struct wf_run *run);
enum wf_action wf_start_user_balance(struct wf_run *run);
enum wf_action wf_start_link_account(struct wf_run *run);
enum wf_action wf_start_check_linked(struct wf_run *run);
enum wf_action wf_start_find_user(struct wf_run *run);
enum wf_action wf_start_check_channel(struct wf_run *run);
enum wf_action wf_start_menu(struct wf_run *run);
enum wf_action wf_start_partner_home(struct wf_run *run);
enum wf_action wf_start_partner_team(struct wf_run *run);
enum wf_action wf_start_partner_subject(struct wf_run *run);
enum wf_action wf_start_partner_payouts(struct wf_run *run);
enum wf_action wf_start_partner_link(struct wf_run *run);
enum wf_action wf_start_partner_organization(struct wf_run *run);
enum wf_action wf_start_api_request(struct wf_run *run);
enum wf_action wf_start_notification(struct wf_run *run);
enum wf_action wf_start_webhook(struct wf_run *run);
enum wf_action wf_start_analytics(struct wf_run *run);
enum wf_action wf_start_query(struct wf_run *run);

/* New reference: the payload of a wait of the current node (§3.8). `keyboard` may be
 * NULL. */
json_t *wf_wait_payload(const struct wf_run *run, const json_t *keyboard,
                        const char *reason);

#endif
