/* Jobs cancelled from elsewhere: requests stand in the hash `P::bulwark:Q:cancel`, id →
 * reason, whose empty segment keeps it out of every queue (lib/spec/bullmq.md §1). Each
 * second a worker that runs jobs of a queue with `remoteCancel` reads it, and takes out
 * what it stops. On the reactor. */
#ifndef BW_JOBS_REMOTE_CANCEL_H
#define BW_JOBS_REMOTE_CANCEL_H

struct bw_lane;

/* Asks, if there is a reason to. */
void bw_remote_cancel_ask(struct bw_lane *lane);

#endif
