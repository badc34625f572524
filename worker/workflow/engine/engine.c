#include "workflow/engine/engine.h"

#include <stddef.h>
#include <stdlib.h>

#include "workflow/base/mem.h"

/* Renews the locks of the chats while anything runs, and looks after the schedule; stops
 * by itself when there is neither, so that a task never outlives the engine. */
static void tick(struct bw_task *task)
{
    struct wf_engine *engine =
        (struct wf_engine *)(void *)((char *)task -
                                     offsetof(struct wf_engine, busy.tick));

    wf_locks_renew(&engine->locks, &engine->keys, engine->settings.lock_ttl_ms,
                   wf_engine_mono(engine));
    wf_trouble_tick(engine);
    if (!wf_busy_ticks_on(&engine->busy,
                          engine->on_tick != NULL || wf_trouble_holds(engine)))
        return;
    if (engine->on_tick != NULL)
        engine->on_tick(engine->tick_arg);
    wf_busy_tick_again(&engine->busy);
}

int wf_engine_create(struct wf_engine **enginep, const struct wf_engine_options *options,
                     struct bw_error *err)
{
    struct wf_engine *engine = wf_alloc(sizeof(*engine));
    const struct wf_effects *effects = options->effects;
    int rc = wf_settings_parse(&engine->settings, options->config, err);
    size_t entries;

    if (rc != BW_OK) {
        free(engine);
        return rc;
    }
    entries = (size_t)engine->settings.memory_entries;
    engine->effects = effects;
    engine->queue = options->queue;
    engine->log = options->log;
    wf_busy_init(&engine->busy, effects, tick);
    wf_keys_init(&engine->keys, effects, &engine->busy, entries);
    engine->local = wf_memory_create(entries, effects->clock);
    wf_chats_init(&engine->chats);
    wf_locks_init(&engine->locks);
    wf_projects_init(&engine->projects, effects->clock);
    wf_held_init(&engine->held);
    wf_trouble_init(&engine->trouble);
    bw_mutex_init(&engine->runs_mutex);
    *enginep = engine;
    return BW_OK;
}

void wf_engine_watch(struct wf_engine *engine, void (*on_tick)(void *arg), void *arg)
{
    engine->on_tick = on_tick;
    engine->tick_arg = arg;
    wf_busy_keep_ticking(&engine->busy, 0);
}

bool wf_engine_stop(struct wf_engine *engine, int64_t timeout_ms)
{
    return wf_busy_stop(&engine->busy, timeout_ms);
}

void wf_engine_destroy(struct wf_engine **enginep)
{
    struct wf_engine *engine = *enginep;

    if (engine == NULL)
        return;
    *enginep = NULL;
    wf_trouble_fini(&engine->trouble);
    wf_held_fini(&engine->held);
    wf_projects_fini(&engine->projects);
    wf_locks_fini(&engine->locks);
    wf_chats_fini(&engine->chats);
    wf_memory_destroy(&engine->local);
    wf_keys_fini(&engine->keys);
    wf_settings_fini(&engine->settings);
    wf_busy_fini(&engine->busy);
    bw_mutex_fini(&engine->runs_mutex);
    free(engine);
}
