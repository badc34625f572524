/* Leave to send a message: Telegram's limits a bot, a chat and a group, counted in Redis
 * for all replicas together. §9.6, §10.4 */
#ifndef WORKFLOW_THROTTLE_H
#define WORKFLOW_THROTTLE_H

#include "workflow/run.h"

/* Waits for its turn, at most `telegram.throttle_wait_ms`: then the job is put back to
 * delayed. The checkpoint says that the message is about to go out when `granted` is
 * called. */
void wf_throttle(struct wf_run *run, wf_step *granted);
/* Telegram asked for a pause: all replicas keep it. */
void wf_throttle_pause(struct wf_run *run, int64_t ms);
/* The message was answered: from now on the chat's next one is `ratelimit.chat_ms` away.
 */
void wf_throttle_sent(struct wf_run *run);

#endif
