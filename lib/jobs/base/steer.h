/* What the program says about fetching from one queue: quiet, held, and how many jobs are
 * let through a hold. Any thread. */
#ifndef BW_JOBS_BASE_STEER_H
#define BW_JOBS_BASE_STEER_H

#include <stdatomic.h>
#include <stdbool.h>

struct bw_steer {
    _Atomic bool quiet;
    /* By the handler: it can run none. */
    _Atomic bool held;
    /* Jobs that may be fetched all the same. */
    _Atomic unsigned let;
};

void bw_steer_quiet(struct bw_steer *steer, bool quiet);
/* What was let through so far is over. */
void bw_steer_hold(struct bw_steer *steer, bool held);
void bw_steer_let(struct bw_steer *steer, unsigned jobs);

/* May any job be fetched? */
bool bw_steer_allows(const struct bw_steer *steer);
/* How many of `take` jobs may be fetched; and so many were asked for. */
unsigned bw_steer_limit(const struct bw_steer *steer, unsigned take);
void bw_steer_count(struct bw_steer *steer, unsigned taken);

static inline bool bw_steer_is_quiet(const struct bw_steer *steer)
{
    return atomic_load(&steer->quiet);
}

#endif
