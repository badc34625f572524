/* What the node types do (worker/workflow/spec/workflow.md §5): one row a
 * type here, and a function that starts it in the file of its kind.
 *
 * `start` runs the run's current node: it returns what comes next, or starts an
 * operation, returns WF_PENDING, and ends in a continuation with run->resume(). What
 * it needs across operations it keeps in run->scratch. */
#ifndef WORKFLOW_NODES_H
#define WORKFLOW_NODES_H

#include "workflow/run/run.h"

/* Type, name in error texts, whether it needs a configuration, its start. */
#define WF_NODE_TYPES(X)                                                                 \
    X("trigger.command", "Command trigger", false, wf_start_trigger)                     \
    X("trigger.message", "Message trigger", false, wf_start_trigger)                     \
    X("trigger.callback", "Callback trigger", false, wf_start_trigger)                   \
    X("trigger.contact", "Contact trigger", false, wf_start_trigger)                     \
    X("trigger.schedule", "Schedule trigger", false, wf_start_trigger)                   \
    X("trigger.webhook", "Webhook trigger", false, wf_start_trigger)                     \
    X("message", "Message", false, wf_start_message)                                     \
    X("message.keyboard.inline", "Inline keyboard", true, wf_start_message)              \
    X("message.keyboard.reply", "Reply keyboard", true, wf_start_message)                \
    X("message.photo", "Photo message", true, wf_start_media)                            \
    X("message.video", "Video message", true, wf_start_media)                            \
    X("message.document", "Document message", true, wf_start_media)                      \
    X("message.edit", "Edit message", true, wf_start_edit)                               \
    X("message.delete", "Delete message", true, wf_start_delete)                         \
    X("condition", "Condition", true, wf_start_condition)                                \
    X("flow.switch", "Switch", true, wf_start_switch)                                    \
    X("flow.loop", "Loop", true, wf_start_loop)                                          \
    X("flow.delay", "Delay", true, wf_start_delay)                                       \
    X("flow.wait", "Wait", true, wf_start_wait)                                          \
    X("flow.sub_workflow", "Sub-workflow", true, wf_start_sub_workflow)                  \
    X("flow.jump", "Jump", false, wf_start_jump)                                         \
    X("flow.end", "End", false, wf_start_end)                                            \
    X("action.set_variable", "Set variable", true, wf_start_set_variable)                \
    X("action.get_variable", "Get variable", true, wf_start_get_variable)                \
    X("action.request_contact", "Request contact", false, wf_start_request_contact)      \
    X("action.get_user_balance", "Get user balance", false, wf_start_user_balance)       \
    X("action.link_telegram_account", "Link Telegram account", true,                     \
      wf_start_link_account)                                                             \
    X("action.check_user_linked", "Check user linked", true, wf_start_check_linked)      \
    X("action.find_user_by_contact", "Find user by contact", true, wf_start_find_user)   \
    X("action.check_channel_subscription", "Check channel subscription", true,           \
      wf_start_check_channel)                                                            \
    X("action.menu_command", "Menu command", true, wf_start_menu)                        \
    X("action.partner_home", "Partner home", false, wf_start_partner_home)               \
    X("action.partner_team", "Partner team", false, wf_start_partner_team)               \
    X("action.partner_subject_stats", "Partner subject stats", false,                    \
      wf_start_partner_subject)                                                          \
    X("action.partner_payouts", "Partner payouts", false, wf_start_partner_payouts)      \
    X("action.partner_link", "Partner link", false, wf_start_partner_link)               \
    X("action.partner_org_summary", "Partner organisation summary", false,               \
      wf_start_partner_organization)                                                     \
    X("action.api_request", "API request", true, wf_start_api_request)                   \
    X("action.send_notification", "Notification", true, wf_start_notification)           \
    X("integration.webhook", "Webhook integration", true, wf_start_webhook)              \
    X("integration.analytics", "Analytics integration", true, wf_start_analytics)        \
    X("action.database_query", "Database query", true, wf_start_query)

#define X(type, name, needs_config, start) enum wf_action start(struct wf_run *run);
WF_NODE_TYPES(X)
#undef X

struct wf_node_handler {
    const char *type;
    const char *name;
    bool needs_config;
    enum wf_action (*start)(struct wf_run *run);
};

/* Borrowed, constant; NULL: there is none. */
const struct wf_node_handler *wf_nodes_find(const char *type);
/* All of them, one after the other; NULL past the end. */
const struct wf_node_handler *wf_nodes_at(size_t index);

#endif
