#include "base/latch.h"

void wk_latch_init(struct wk_latch *latch)
{
    latch->done = false;
    bw_mutex_init(&latch->mtx);
    bw_cond_init(&latch->open);
}

void wk_latch_fini(struct wk_latch *latch)
{
    bw_cond_fini(&latch->open);
    bw_mutex_fini(&latch->mtx);
}

void wk_latch_open(struct wk_latch *latch)
{
    bw_mutex_lock(&latch->mtx);
    latch->done = true;
    bw_cond_signal(&latch->open);
    bw_mutex_unlock(&latch->mtx);
}

bool wk_latch_wait(struct wk_latch *latch, int64_t timeout_ms)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);
    bool done;

    bw_mutex_lock(&latch->mtx);
    while (!latch->done && bw_cond_wait_until(&latch->open, &latch->mtx, deadline))
        ;
    done = latch->done;
    bw_mutex_unlock(&latch->mtx);
    return done;
}
