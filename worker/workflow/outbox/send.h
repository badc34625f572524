/* Telegram, as a run uses it (worker/workflow/spec/workflow.md §9). */
#ifndef WORKFLOW_SEND_H
#define WORKFLOW_SEND_H

#include "workflow/run/run.h"

/* Sends one message of the current node and goes on with `then`, unless an attempt before
 * did so; a refusal is a node error. Takes `params`; `method` is static. The answer is in
 * run->outbox.reply. */
void wf_send(struct wf_run *run, const char *method, json_t *params, wf_step *then);
/* Asks Telegram something that changes nothing, and goes on with `then` whatever becomes
 * of it; the answer is in run->outbox.reply, its result too. Takes `params`; `method` is
 * static.
 */
void wf_ask(struct wf_run *run, const char *method, json_t *params, wf_step *then);
/* A notice of the engine's own, not part of a node. It takes its place in the limits like
 * any message (WF-175); `then` is called whatever becomes of it, except that a job that
 * has claimed a wait and done nothing else is put off where the chat or the bot is. */
void wf_send_notice(struct wf_run *run, const char *text, wf_step *then);
void wf_answer_callback(struct wf_run *run);
/* The chat `from` is `to` from now on, for what the run sends and for its row. WF-168 */
void wf_moved(struct wf_run *run, const char *from, const char *to);

#endif
