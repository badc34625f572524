#include "workflow/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/run/run.h"
#include "workflow/jobs/scan.h"

#define TICK_MS            250
#define REDIS_PAUSE_MS     50
#define REDIS_PAUSE_MAX_MS 2000
#define REDIS_DISTRUST_MS  60000
#define REDIS_GRACE_MS     2000

/* Renews the locks of the chats while anything runs, and looks after the schedule; stops
 * by itself when there is neither, so that a task never outlives the engine. */
static void tick(struct bw_task *task)
{
    struct wf_engine *engine =
        (struct wf_engine *)(void *)((char *)task - offsetof(struct wf_engine, tick));
    bool again, holds;

    wf_locks_renew(&engine->locks, engine);
    wf_trouble_tick(engine);
    holds = wf_trouble_holds(engine);
    bw_mutex_lock(&engine->mutex);
    again = (engine->busy > 0 || engine->scan != NULL || holds) && !engine->stopping;
    engine->ticking = again;
    if (!again)
        bw_cond_broadcast(&engine->idle);
    bw_mutex_unlock(&engine->mutex);
    if (!again)
        return;
    if (engine->scan != NULL)
        wf_scan_tick(engine->scan);
    engine->effects->post_after(engine->effects->arg, &engine->tick, TICK_MS);
}

int wf_engine_create(struct wf_engine **enginep, const struct wf_engine_options *options,
                     struct bw_error *err)
{
    struct wf_engine *engine = wf_alloc(sizeof(*engine));
    int rc = wf_settings_parse(&engine->settings, options->config, err);

    if (rc != BW_OK) {
        free(engine);
        return rc;
    }
    engine->effects = options->effects;
    engine->queue = options->queue;
    engine->log = options->log;
    engine->memory = wf_memory_create((size_t)engine->settings.memory_entries,
                                      options->effects->clock);
    engine->local = wf_memory_create((size_t)engine->settings.memory_entries,
                                     options->effects->clock);
    wf_chats_init(&engine->chats);
    wf_locks_init(&engine->locks);
    wf_projects_init(&engine->projects, options->effects->clock);
    wf_held_init(&engine->held);
    wf_trouble_init(&engine->trouble);
    bw_mutex_init(&engine->runs_mutex);
    bw_mutex_init(&engine->mutex);
    bw_cond_init(&engine->idle);
    engine->tick.run = tick;
    /* the queue of delays may have an engine of its own; one of them is enough */
    if (engine->settings.scan &&
        strcmp(engine->queue, engine->settings.queue_delays) != 0)
        engine->scan = wf_scan_create(engine);
    *enginep = engine;
    return BW_OK;
}

static void start_tick(struct wf_engine *engine, unsigned more)
{
    bool start;

    bw_mutex_lock(&engine->mutex);
    engine->busy += more;
    start = !engine->ticking && !engine->stopping;
    if (start)
        engine->ticking = true;
    bw_mutex_unlock(&engine->mutex);
    if (start)
        engine->effects->post_after(engine->effects->arg, &engine->tick, TICK_MS);
}

void wf_engine_keep_ticking(struct wf_engine *engine)
{
    start_tick(engine, 0);
}

bool wf_engine_scans(const struct wf_engine *engine)
{
    return engine->scan != NULL;
}

void wf_engine_watch(struct wf_engine *engine)
{
    if (engine->scan != NULL)
        start_tick(engine, 0);
}

void wf_engine_start(struct wf_engine *engine, struct bw_job *job)
{
    start_tick(engine, 1);
    wf_run_start(engine, job);
}

bool wf_engine_stop(struct wf_engine *engine, int64_t timeout_ms)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);
    bool done;

    bw_mutex_lock(&engine->mutex);
    engine->stopping = true;
    bw_mutex_unlock(&engine->mutex);
    if (engine->scan != NULL)
        wf_scan_stop(engine->scan);
    bw_mutex_lock(&engine->mutex);
    while (engine->busy > 0 || engine->ticking) {
        if (!bw_cond_wait_until(&engine->idle, &engine->mutex, deadline))
            break;
    }
    done = engine->busy == 0 && !engine->ticking;
    bw_mutex_unlock(&engine->mutex);
    return done;
}

void wf_engine_destroy(struct wf_engine **enginep)
{
    struct wf_engine *engine = *enginep;

    if (engine == NULL)
        return;
    *enginep = NULL;
    wf_scan_destroy(&engine->scan);
    wf_trouble_fini(&engine->trouble);
    wf_held_fini(&engine->held);
    wf_projects_fini(&engine->projects);
    wf_locks_fini(&engine->locks);
    wf_chats_fini(&engine->chats);
    wf_memory_destroy(&engine->local);
    wf_memory_destroy(&engine->memory);
    wf_settings_fini(&engine->settings);
    bw_cond_fini(&engine->idle);
    bw_mutex_fini(&engine->mutex);
    bw_mutex_fini(&engine->runs_mutex);
    free(engine);
}

void wf_engine_enter(struct wf_engine *engine)
{
    bw_mutex_lock(&engine->mutex);
    engine->busy++;
    bw_mutex_unlock(&engine->mutex);
}

void wf_engine_leave(struct wf_engine *engine)
{
    bw_mutex_lock(&engine->mutex);
    if (--engine->busy == 0)
        bw_cond_broadcast(&engine->idle);
    bw_mutex_unlock(&engine->mutex);
}

bool wf_engine_is_stopping(struct wf_engine *engine)
{
    bool stopping;

    bw_mutex_lock(&engine->mutex);
    stopping = engine->stopping;
    bw_mutex_unlock(&engine->mutex);
    return stopping;
}

bool wf_engine_redis_usable(struct wf_engine *engine)
{
    int64_t until =
        atomic_load_explicit(&engine->redis_closed_until, memory_order_relaxed);

    return until == 0 || wf_engine_mono(engine).ns >= until;
}

/* What is in flight fails together: that is one failure. */
static void leave_redis_alone(struct wf_engine *engine, int64_t now)
{
    unsigned failures =
        atomic_fetch_add_explicit(&engine->redis_failures, 1, memory_order_relaxed) + 1;
    int64_t pause = failures < REDIS_PAUSE_MAX_MS / REDIS_PAUSE_MS
                        ? (int64_t)failures * REDIS_PAUSE_MS
                        : REDIS_PAUSE_MAX_MS;

    atomic_store_explicit(&engine->redis_closed_until, now + pause * 1000000,
                          memory_order_relaxed);
}

void wf_engine_redis_failed(struct wf_engine *engine)
{
    int64_t now = wf_engine_mono(engine).ns;

    if (wf_engine_redis_usable(engine))
        leave_redis_alone(engine, now);
    atomic_store_explicit(&engine->redis_failed_at, now, memory_order_relaxed);
}

bool wf_engine_redis_failed_lately(const struct wf_engine *engine)
{
    int64_t at = atomic_load_explicit(&engine->redis_failed_at, memory_order_relaxed);

    return at != 0 &&
           wf_engine_mono(engine).ns < at + (int64_t)REDIS_DISTRUST_MS * 1000000;
}

bool wf_engine_redis_hiccups(struct wf_engine *engine)
{
    int64_t now = wf_engine_mono(engine).ns, since = 0;

    return atomic_compare_exchange_strong(&engine->redis_missed_since, &since, now) ||
           now < since + (int64_t)REDIS_GRACE_MS * 1000000;
}

void wf_engine_redis_worked(struct wf_engine *engine)
{
    if (atomic_load_explicit(&engine->redis_missed_since, memory_order_relaxed) != 0)
        atomic_store_explicit(&engine->redis_missed_since, 0, memory_order_relaxed);
    if (atomic_load_explicit(&engine->redis_failures, memory_order_relaxed) == 0)
        return;
    atomic_store_explicit(&engine->redis_failures, 0, memory_order_relaxed);
    atomic_store_explicit(&engine->redis_closed_until, 0, memory_order_relaxed);
}

void wf_engine_count(atomic_uint_fast64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void wf_engine_cache(struct wf_engine *engine, enum wf_cache_class class, bool hit)
{
    wf_engine_count(hit ? &engine->counters.hits[class]
                        : &engine->counters.misses[class]);
}

struct bw_mono wf_engine_mono(const struct wf_engine *engine)
{
    return bw_mono_now(engine->effects->clock);
}

int64_t wf_engine_now_ms(const struct wf_engine *engine)
{
    return bw_wall_now(engine->effects->clock).ms;
}
