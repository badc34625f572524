/* Leave to send a message: Telegram's limits a bot, a chat and a group, which hold in any
 * window of time for all replicas together, as the one who is sent to counts them. Not
 * counted: the client's own attempts after the first. worker/workflow/spec/workflow.md
 * §9.6, §10.4 */
#ifndef WORKFLOW_THROTTLE_H
#define WORKFLOW_THROTTLE_H

#include "workflow/run/run.h"

/* Waits for its turn, at most `telegram.throttle_wait_ms`: then the job is put off. The
 * checkpoint says that the message is about to go out when `granted` is called. */
void wf_throttle(struct wf_run *run, const char *chat, wf_step *granted);
/* The same for what is no message of a node: `none` when there is no turn for it within
 * `patience_ms`, run->outbox.hold_until saying when there may be. */
void wf_throttle_notice(struct wf_run *run, const char *chat, wf_step *granted,
                        wf_step *none, int64_t patience_ms);
/* Telegram asked for a pause in that chat: all replicas keep it, and jobs
 * of the chat that come meanwhile are put off to run->outbox.hold_until, too. */
void wf_throttle_pause(struct wf_run *run, const char *chat);
/* New text: the key of the chat's pause. */
char *wf_pause_key(const struct wf_run *run, const char *chat);
/* The end of the pause with that value (NULL: none), wall clock in ms; 0: it is over. */
int64_t wf_pause_until(const struct wf_run *run, const char *value);
/* The message was answered: its windows in the chat it went to begin now. */
void wf_throttle_sent(struct wf_run *run, const char *chat);

#endif
