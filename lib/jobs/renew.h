/* Lock renewal: one call a queue for all its jobs that are due (lib/spec/bullmq.md §6.2).
 * On the reactor. */
#ifndef BW_JOBS_RENEW_H
#define BW_JOBS_RENEW_H

#include <stdint.h>

#include <bulwark/error.h>

struct bw_lane;
struct bw_timer;

struct bw_renewing { /* of a lane */
    struct bw_timer *timer;
    /* Calls made: their numbers. */
    uint64_t calls;
};

BW_MUSTCHECK int bw_renew_init(struct bw_lane *lane);
void bw_renew_fini(struct bw_lane *lane);
/* All jobs held, due or not: after a reconnect. The timer renews from now on. */
void bw_renew_all(struct bw_lane *lane);

#endif
