/* A bot token that Telegram refuses (401, 404): the project's jobs wait in delayed,
 * without an attempt, until getMe is answered again. All replicas keep the hold; one job
 * at a time tries. worker/workflow/spec/workflow.md §9.6, WF-167 */
#ifndef WORKFLOW_TOKEN_H
#define WORKFLOW_TOKEN_H

#include "workflow/run/run.h"

/* New text: the key of the project's hold. */
char *wf_token_key(const struct wf_run *run);
/* Before a job starts anything: `held` is what stands under that key, or NULL. Goes on
 * with `then`, or puts the job off. */
void wf_token_admit(struct wf_run *run, const char *held, wf_step *then);

/* Whether the reply of the call that just ended may be the token's fault. */
bool wf_token_suspected(const struct wf_run *run);
/* Such a call: the token is read anew and the call made once more with `again`; refused
 * again, getMe is asked. It was the call's own fault, or patience is over: `refused`.
 * Else the job is put off at the node it is at, or goes on with `instead` (NULL: that),
 * run->outbox.hold_until saying when to come again. The call's parameters are in
 * run->outbox.call.params again. */
void wf_token_check(struct wf_run *run, wf_step *again, wf_step *refused,
                    wf_step *instead);

#endif
