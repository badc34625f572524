#include "jobs/base/steer.h"

void bw_steer_quiet(struct bw_steer *steer, bool quiet)
{
    atomic_store(&steer->quiet, quiet);
}

void bw_steer_hold(struct bw_steer *steer, bool held)
{
    atomic_store(&steer->let, 0);
    atomic_store(&steer->held, held);
}

void bw_steer_let(struct bw_steer *steer, unsigned jobs)
{
    atomic_store(&steer->let, jobs);
}

bool bw_steer_allows(const struct bw_steer *steer)
{
    return !atomic_load(&steer->quiet) &&
           (!atomic_load(&steer->held) || atomic_load(&steer->let) > 0);
}

unsigned bw_steer_limit(const struct bw_steer *steer, unsigned take)
{
    unsigned let;

    if (!atomic_load(&steer->held))
        return take;
    let = atomic_load(&steer->let);
    return take < let ? take : let;
}

void bw_steer_count(struct bw_steer *steer, unsigned taken)
{
    unsigned let = atomic_load(&steer->let);

    while (let > 0 && !atomic_compare_exchange_weak(&steer->let, &let,
                                                    let > taken ? let - taken : 0))
        continue;
}
