/* Leave to send a message: Telegram's limits a bot, a chat and a group, which hold in any
 * window of time for all replicas together, as the one who is sent to counts them. Not
 * counted: the client's own attempts after the first. §9.6, §10.4 */
#ifndef WORKFLOW_THROTTLE_H
#define WORKFLOW_THROTTLE_H

#include "workflow/run.h"

/* Waits for its turn, at most `telegram.throttle_wait_ms`: then the job is put back to
 * delayed. The checkpoint says that the message is about to go out when `granted` is
 * called. */
void wf_throttle(struct wf_run *run, wf_step *granted);
/* Telegram asked for a pause: all replicas keep it. */
void wf_throttle_pause(struct wf_run *run, int64_t ms);
/* The message was answered: its windows begin now. */
void wf_throttle_sent(struct wf_run *run);

#endif
