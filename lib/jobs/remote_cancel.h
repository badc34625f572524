/* Jobs cancelled from elsewhere: requests stand in the hash `P::bulwark:Q:cancel`, id →
 * reason, whose empty segment keeps it out of every queue (lib/spec/bullmq.md §1). Each
 * second a worker that runs jobs of a queue with `remoteCancel` reads it, and takes out
 * what it stops. On the reactor. */
#ifndef BW_JOBS_REMOTE_CANCEL_H
#define BW_JOBS_REMOTE_CANCEL_H

#include <stdbool.h>

struct bw_lane;

struct bw_remote_cancel { /* of a lane */
    /* The answer is awaited. */
    bool asked;
};

/* Asks, if there is a reason to. */
void bw_remote_cancel_ask(struct bw_lane *lane);

#endif
