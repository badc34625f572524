/* The engine of one queue: what its runs share. Any thread unless said otherwise.
 *
 * Life: create → watch, runs (jobs/kinds.h) → stop → destroy. */
#ifndef WORKFLOW_ENGINE_H
#define WORKFLOW_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/log.h>
#include <bulwark/thread.h>

#include "workflow/engine/busy.h"
#include "workflow/engine/chats.h"
#include "workflow/engine/counters.h"
#include "workflow/engine/effects.h"
#include "workflow/engine/held.h"
#include "workflow/engine/kv.h"
#include "workflow/engine/locks.h"
#include "workflow/engine/memory.h"
#include "workflow/engine/projects.h"
#include "workflow/engine/settings.h"
#include "workflow/engine/trouble.h"

struct wf_run;

struct wf_engine {
    const struct wf_effects *effects;
    const char *queue; /* borrowed */
    struct wf_settings settings;
    const struct bw_log *log;
    /* Redis, and the memory that stands in for it */
    struct wf_keys keys;
    /* what only this process remembers: ids of customers */
    struct wf_memory *local;
    struct wf_chats chats;
    struct wf_locks locks;
    struct wf_projects projects;
    struct wf_held held;
    struct wf_trouble trouble;
    /* monotonic ns: the database's last answer; 0: none yet */
    atomic_int_fast64_t db_heard_at;
    struct wf_counters counters;
    struct wf_busy busy;

    struct bw_mutex runs_mutex; /* guards the list; taken before that of a run */
    struct wf_run *runs;

    /* with each tick, from wf_engine_watch() on; or NULL */
    void (*on_tick)(void *arg);
    void *tick_arg;
};

struct wf_engine_options {
    const struct wf_effects *effects; /* outlive the engine */
    const char *queue;
    const json_t *config; /* or NULL */
    const struct bw_log *log;
};

BW_MUSTCHECK int wf_engine_create(struct wf_engine **enginep,
                                  const struct wf_engine_options *options,
                                  struct bw_error *err);
/* The worker has started: the tick goes on until the engine is stopped, and calls this
 * last. At most once, before the first job. */
void wf_engine_watch(struct wf_engine *engine, void (*on_tick)(void *arg), void *arg);
/* Waits until no run and no operation is left; false: the time was too short. */
bool wf_engine_stop(struct wf_engine *engine, int64_t timeout_ms);
void wf_engine_destroy(struct wf_engine **enginep);

static inline struct bw_mono wf_engine_mono(const struct wf_engine *engine)
{
    return bw_mono_now(engine->effects->clock);
}

static inline int64_t wf_engine_now_ms(const struct wf_engine *engine)
{
    return bw_wall_now(engine->effects->clock).ms;
}

#endif
