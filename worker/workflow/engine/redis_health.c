#include "workflow/engine/redis_health.h"

#define PAUSE_MS     50
#define PAUSE_MAX_MS 2000
#define DISTRUST_MS  60000
#define GRACE_MS     2000

void wf_redis_health_init(struct wf_redis_health *health, const struct bw_clock *clock)
{
    *health = (struct wf_redis_health){ .clock = clock };
}

static int64_t now_ns(const struct wf_redis_health *health)
{
    return bw_mono_now(health->clock).ns;
}

bool wf_redis_usable(struct wf_redis_health *health)
{
    int64_t until = atomic_load_explicit(&health->closed_until, memory_order_relaxed);

    return until == 0 || now_ns(health) >= until;
}

/* What is in flight fails together: that is one failure. */
static void leave_alone(struct wf_redis_health *health, int64_t now)
{
    unsigned failures =
        atomic_fetch_add_explicit(&health->failures, 1, memory_order_relaxed) + 1;
    int64_t pause =
        failures < PAUSE_MAX_MS / PAUSE_MS ? (int64_t)failures * PAUSE_MS : PAUSE_MAX_MS;

    atomic_store_explicit(&health->closed_until, now + pause * 1000000,
                          memory_order_relaxed);
}

void wf_redis_failed(struct wf_redis_health *health)
{
    int64_t now = now_ns(health);

    if (wf_redis_usable(health))
        leave_alone(health, now);
    atomic_store_explicit(&health->failed_at, now, memory_order_relaxed);
}

bool wf_redis_failed_lately(const struct wf_redis_health *health)
{
    int64_t at = atomic_load_explicit(&health->failed_at, memory_order_relaxed);

    return at != 0 && now_ns(health) < at + (int64_t)DISTRUST_MS * 1000000;
}

bool wf_redis_hiccups(struct wf_redis_health *health)
{
    int64_t now = now_ns(health), since = 0;

    return atomic_compare_exchange_strong(&health->missed_since, &since, now) ||
           now < since + (int64_t)GRACE_MS * 1000000;
}

void wf_redis_worked(struct wf_redis_health *health)
{
    if (atomic_load_explicit(&health->missed_since, memory_order_relaxed) != 0)
        atomic_store_explicit(&health->missed_since, 0, memory_order_relaxed);
    if (atomic_load_explicit(&health->failures, memory_order_relaxed) == 0)
        return;
    atomic_store_explicit(&health->failures, 0, memory_order_relaxed);
    atomic_store_explicit(&health->closed_until, 0, memory_order_relaxed);
}
