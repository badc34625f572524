/* The stalled check: once at the start, then each stalledInterval (lib/spec/bullmq.md
 * §6.3, BMQ-107 to 112). On the reactor. */
#ifndef BW_JOBS_STALLED_H
#define BW_JOBS_STALLED_H

#include <bulwark/error.h>

struct bw_lane;
struct bw_timer;

struct bw_stalling { /* of a lane */
    struct bw_timer *timer;
};

BW_MUSTCHECK int bw_stalled_init(struct bw_lane *lane);
void bw_stalled_fini(struct bw_lane *lane);
/* Checks at once and starts the timer, if it does not run yet. */
void bw_stalled_start(struct bw_lane *lane);

#endif
