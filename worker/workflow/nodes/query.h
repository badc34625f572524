/* Named database queries of action.database_query (worker/workflow/spec/workflow.md §8).
 * While one runs, run->scratch is its parameters, resolved. */
#ifndef WORKFLOW_QUERY_H
#define WORKFLOW_QUERY_H

#include "workflow/run/run.h"

struct wf_query {
    const char *name;
    enum wf_action (*start)(struct wf_run *run); /* NULL: not available yet */
};

enum wf_action wf_query_by_platform(struct wf_run *run);
enum wf_action wf_query_by_contact(struct wf_run *run);
enum wf_action wf_query_create_user(struct wf_run *run);
enum wf_action wf_query_activate_user(struct wf_run *run);
enum wf_action wf_query_update_user(struct wf_run *run);
enum wf_action wf_query_update_contact(struct wf_run *run);
enum wf_action wf_query_update_birthday(struct wf_run *run);
enum wf_action wf_query_get_metadata(struct wf_run *run);
enum wf_action wf_query_update_metadata(struct wf_run *run);
enum wf_action wf_query_add_bonus(struct wf_run *run);
enum wf_action wf_query_spend_bonus(struct wf_run *run);
enum wf_action wf_query_balance(struct wf_run *run);
enum wf_action wf_query_transactions(struct wf_run *run);
enum wf_action wf_query_stats(struct wf_run *run);
enum wf_action wf_query_profile(struct wf_run *run);
enum wf_action wf_query_referral_link(struct wf_run *run);
enum wf_action wf_query_welcomed(struct wf_run *run);

/* One of the named queries. */
/* All of them, one after the other; NULL past the end. `arg` is not used. */
const char *wf_query_name(const void *arg, size_t index);
bool wf_query_known(const char *name);

/* --- parameters */

/* New text: a string or number, trimmed; NULL when it is absent, null or blank. */
char *wf_param(const struct wf_run *run, const char *name);
/* New text: an id given as text or as an object with `id`. */
char *wf_param_id(const struct wf_run *run, const char *name);
/* New text: a phone given as text or as an object with `phoneNumber`. */
char *wf_param_phone(const struct wf_run *run, const char *name);
/* New text: an id of a messenger, NULL unless it is a number (§8.1). */
char *wf_param_messenger_id(const struct wf_run *run, const char *name);
bool wf_param_is_max(const struct wf_run *run);

/* New text: the forms a phone may be stored in (§8.3), the best first, as PostgreSQL
 * writes an array; NULL for NULL. */
char *wf_phone_forms(const char *phone);

/* New text: how many rows get_transactions gives. */
char *wf_query_limit(const json_t *value);

/* --- results */

/* The node is done with this result, which is taken; NULL is JSON null. */
enum wf_action wf_query_result(struct wf_run *run, json_t *result);
/* The node is done with the JSON value of the batch's cell, or null without a row. */
enum wf_action wf_query_result_cell(struct wf_run *run, size_t index, size_t column);
/* The node waits for a contact and runs again after it (§5.3.1). */
enum wf_action wf_query_wait_contact(struct wf_run *run);
enum wf_action wf_query_no_user(struct wf_run *run, const char *user_id);

#endif
