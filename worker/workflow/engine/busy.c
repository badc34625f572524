#include "workflow/engine/busy.h"

#include "base/assert.h"

#define TICK_MS 250

void wf_busy_init(struct wf_busy *busy, const struct wf_effects *effects,
                  void (*tick)(struct bw_task *task))
{
    *busy = (struct wf_busy){ .effects = effects, .tick.run = tick };
    bw_mutex_init(&busy->mutex);
    bw_cond_init(&busy->idle);
}

void wf_busy_fini(struct wf_busy *busy)
{
    bw_cond_fini(&busy->idle);
    bw_mutex_fini(&busy->mutex);
}

void wf_busy_enter(struct wf_busy *busy)
{
    bw_mutex_lock(&busy->mutex);
    busy->count++;
    bw_mutex_unlock(&busy->mutex);
}

void wf_busy_leave(struct wf_busy *busy)
{
    bw_mutex_lock(&busy->mutex);
    BW_ASSERT(busy->count > 0);
    if (--busy->count == 0)
        bw_cond_broadcast(&busy->idle);
    bw_mutex_unlock(&busy->mutex);
}

void wf_busy_tick_again(struct wf_busy *busy)
{
    busy->effects->post_after(busy->effects->arg, &busy->tick, TICK_MS);
}

void wf_busy_keep_ticking(struct wf_busy *busy, unsigned more)
{
    bool start;

    bw_mutex_lock(&busy->mutex);
    busy->count += more;
    start = !busy->ticking && !busy->stopping;
    if (start)
        busy->ticking = true;
    bw_mutex_unlock(&busy->mutex);
    if (start)
        wf_busy_tick_again(busy);
}

bool wf_busy_ticks_on(struct wf_busy *busy, bool reason)
{
    bool again;

    bw_mutex_lock(&busy->mutex);
    BW_ASSERT(busy->ticking);
    again = (busy->count > 0 || reason) && !busy->stopping;
    busy->ticking = again;
    if (!again)
        bw_cond_broadcast(&busy->idle);
    bw_mutex_unlock(&busy->mutex);
    return again;
}

bool wf_busy_stop(struct wf_busy *busy, int64_t timeout_ms)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);
    bool done;

    bw_mutex_lock(&busy->mutex);
    busy->stopping = true;
    while (busy->count > 0 || busy->ticking) {
        if (!bw_cond_wait_until(&busy->idle, &busy->mutex, deadline))
            break;
    }
    done = busy->count == 0 && !busy->ticking;
    bw_mutex_unlock(&busy->mutex);
    return done;
}
