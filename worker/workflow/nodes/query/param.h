/* Parameters of a named query, which are run->scratch while it runs, and its results. */
#ifndef WORKFLOW_PARAM_H
#define WORKFLOW_PARAM_H

#include "workflow/run/run.h"

/* New text: a string or number, trimmed; NULL when it is absent, null or blank. */
char *wf_param(const struct wf_run *run, const char *name);
/* New text: an id given as text or as an object with `id`. */
char *wf_param_id(const struct wf_run *run, const char *name);
/* New text: a phone given as text or as an object with `phoneNumber`. */
char *wf_param_phone(const struct wf_run *run, const char *name);
/* New text: an id of a messenger, NULL unless it is a number
 * (worker/workflow/spec/workflow.md §8.1). */
char *wf_param_messenger_id(const struct wf_run *run, const char *name);
bool wf_param_is_max(const struct wf_run *run);

/* New text: the forms a phone may be stored in (§8.3), the best first, as PostgreSQL
 * writes an array; NULL for NULL. */
char *wf_phone_forms(const char *phone);

/* --- results */

/* The node is done with this result, which is taken; NULL is JSON null. */
enum wf_action wf_query_result(struct wf_run *run, json_t *result);
/* The node is done with the JSON value of the batch's cell, or null without a row. */
enum wf_action wf_query_result_cell(struct wf_run *run, size_t index, size_t column);
/* The node waits for a contact and runs again after it (§5.3.1). */
enum wf_action wf_query_wait_contact(struct wf_run *run);
enum wf_action wf_query_no_user(struct wf_run *run, const char *user_id);

#endif
