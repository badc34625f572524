/* The engine of one queue: what its runs share. Any thread unless said otherwise.
 *
 * Life: create → watch, runs (wf_engine_start) → stop → destroy. */
#ifndef WORKFLOW_ENGINE_H
#define WORKFLOW_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/job.h>
#include <bulwark/log.h>
#include <bulwark/thread.h>

#include "workflow/engine/chats.h"
#include "workflow/engine/effects.h"
#include "workflow/engine/held.h"
#include "workflow/engine/kv.h"
#include "workflow/engine/locks.h"
#include "workflow/engine/memory.h"
#include "workflow/engine/projects.h"
#include "workflow/engine/settings.h"
#include "workflow/engine/trouble.h"

/* What is counted for /status and /metrics. */
enum wf_cache_class {
    WF_CACHE_VERSION,
    WF_CACHE_PROJECT,
    WF_CACHE_WAITING,
    WF_CACHE_VARIABLES,
    WF_CACHE_CLASSES
};

struct wf_counters {
    atomic_uint_fast64_t messages;          /* inbound updates answered, once each */
    atomic_uint_fast64_t db_trips;          /* batches sent for them */
    atomic_uint_fast64_t db_statements;     /* in these batches */
    atomic_uint_fast64_t trips_over;        /* messages that took more than five */
    atomic_uint_fast64_t patterns_exceeded; /* messages a pattern was given up for */
    atomic_uint_fast64_t sends; /* calls of the Bot API that a run waited for */
    atomic_uint_fast64_t steps;
    /* messages an attempt before may have sent, by what was done about them */
    atomic_uint_fast64_t unknown_resent, unknown_dropped, unknown_marked;
    /* calls of the Bot API that were refused: by the person, by the chat, for the token,
     * for anything else; and those put off by a 429 */
    atomic_uint_fast64_t refused_blocked, refused_forbidden, refused_token, refused_other;
    atomic_uint_fast64_t token_holds, pauses;
    atomic_uint_fast64_t unclear_answers, chats_moved;
    atomic_uint_fast64_t notices_dropped;    /* for want of a place in the limits */
    atomic_uint_fast64_t handed_back;        /* jobs, because of the database */
    atomic_uint_fast64_t statements_refused; /* that only some nodes need */
    atomic_uint_fast64_t redis_away;         /* commands answered from memory */
    atomic_uint_fast64_t scans; /* minutes in which schedule triggers were looked for */
    atomic_uint_fast64_t hits[WF_CACHE_CLASSES], misses[WF_CACHE_CLASSES];
};

struct wf_run;
struct wf_scan;

struct wf_engine {
    const struct wf_effects *effects;
    const char *queue; /* borrowed */
    struct wf_settings settings;
    const struct bw_log *log;
    struct wf_memory *memory; /* stands in for Redis */
    struct wf_memory *local;  /* what only this process remembers: ids of customers */
    struct wf_chats chats;
    struct wf_locks locks;
    struct wf_projects projects;
    struct wf_held held;
    struct wf_trouble trouble;
    atomic_int_fast64_t db_heard_at; /* monotonic ns: the last answer; 0: none yet */
    struct wf_scan *scan;            /* or NULL */
    struct wf_counters counters;
    atomic_int_fast64_t
        redis_closed_until; /* monotonic ns: not asked before; 0: usable */
    atomic_uint redis_failures;
    atomic_int_fast64_t redis_failed_at;    /* monotonic ns, the last time; 0: never */
    atomic_int_fast64_t redis_missed_since; /* monotonic ns; 0: it worked since */

    struct bw_mutex runs_mutex; /* guards the list; taken before that of a run */
    struct wf_run *runs;

    struct bw_mutex mutex; /* guards what follows */
    struct bw_cond idle;
    unsigned busy; /* runs and detached operations */
    bool stopping;
    struct bw_task tick;
    bool ticking;
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
/* Whether wf_engine_watch() has something to do. */
bool wf_engine_scans(const struct wf_engine *engine);
/* The worker has started: begins what needs no job. At most once. */
void wf_engine_watch(struct wf_engine *engine);
/* Takes the job and answers it in time. On a processor thread. */
void wf_engine_start(struct wf_engine *engine, struct bw_job *job);
/* Waits until no run and no operation is left; false: the time was too short. */
bool wf_engine_stop(struct wf_engine *engine, int64_t timeout_ms);
void wf_engine_destroy(struct wf_engine **enginep);

/* --- for the engine's own parts */

/* One more, one less thing the engine must not be freed under. */
void wf_engine_enter(struct wf_engine *engine);
void wf_engine_leave(struct wf_engine *engine);
/* The engine's tick goes on, or begins again. */
void wf_engine_keep_ticking(struct wf_engine *engine);
bool wf_engine_is_stopping(struct wf_engine *engine);

/* worker/workflow/spec/workflow.md §10.6: after a failure Redis is left alone for 50 ms ×
 * n, at most 2 s. */
bool wf_engine_redis_usable(struct wf_engine *engine);
void wf_engine_redis_failed(struct wf_engine *engine);
void wf_engine_redis_worked(struct wf_engine *engine);
/* Within the last minute: what it holds may be older than what memory has heard. */
bool wf_engine_redis_failed_lately(const struct wf_engine *engine);
/* Asked when Redis was missed: whether it is worth waiting for. No longer when it has not
 * worked for 2 s from the first time on. */
bool wf_engine_redis_hiccups(struct wf_engine *engine);

void wf_engine_count(atomic_uint_fast64_t *counter);
void wf_engine_cache(struct wf_engine *engine, enum wf_cache_class class, bool hit);

struct bw_mono wf_engine_mono(const struct wf_engine *engine);
int64_t wf_engine_now_ms(const struct wf_engine *engine);

#endif
