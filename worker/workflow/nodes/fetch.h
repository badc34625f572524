/* HTTP requests of nodes. worker/workflow/spec/workflow.md §5.3.4
 *
 * The request lies in run->scratch: {"url", "method", "headers": {name: text}, "body"?:
 * text, "timeout": ms}. The answer is in run->work.fetched. */
#ifndef WORKFLOW_FETCH_H
#define WORKFLOW_FETCH_H

#include "workflow/run/run.h"

struct wf_fetch_rules {
    const char *missing; /* the error without a URL */
    const char *method;  /* when the node names none */
    int64_t timeout_ms;  /* likewise; 0: the operator's default */
};

/* Renders the node's url, method, headers, body and timeout. False: the node has failed.
 */
bool wf_fetch_prepare(struct wf_run *run, const struct wf_fetch_rules *rules);
/* A request of the node's own making: to `url` with this JSON body, which is taken.
 * `timeout_ms` as above. False: the node has failed. */
bool wf_fetch_post(struct wf_run *run, const char *url, json_t *body, int64_t timeout_ms);
/* Sends what was prepared, as often as wanted, and goes on with `then`. `chosen`: by the
 * operator, so that it may be anywhere. */
void wf_fetch(struct wf_run *run, bool chosen, wf_step *then);
/* An answer of 2xx. */
bool wf_fetch_ok(const struct wf_run *run);
/* The node error for an answer that is not. */
enum wf_action wf_fetch_fail(struct wf_run *run);
/* New reference: the answer as JSON, or as text. */
json_t *wf_fetch_value(const struct wf_run *run);
/* Puts request and answer into the step's log row. */
void wf_fetch_log(struct wf_run *run, const json_t *output);

#endif
