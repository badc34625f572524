/* What an engine must not be freed under: its runs, its detached operations, and the tick
 * that looks after both. Any thread. */
#ifndef WORKFLOW_BUSY_H
#define WORKFLOW_BUSY_H

#include <stdbool.h>

#include <bulwark/thread.h>
#include <bulwark/time.h>
#include <bulwark/worker.h>

#include "workflow/engine/effects.h"

struct wf_busy {
    const struct wf_effects *effects;
    struct bw_mutex mutex; /* guards what follows */
    struct bw_cond idle;
    /* runs and detached operations */
    unsigned count;
    bool stopping;
    struct bw_task tick;
    bool ticking;
};

/* `tick` runs as long as wf_busy_tick_again() says so. */
void wf_busy_init(struct wf_busy *busy, const struct wf_effects *effects,
                  void (*tick)(struct bw_task *task));
void wf_busy_fini(struct wf_busy *busy);

/* One more, one less. */
void wf_busy_enter(struct wf_busy *busy);
void wf_busy_leave(struct wf_busy *busy);
/* The tick goes on, or begins again; `more` enter with it. */
void wf_busy_keep_ticking(struct wf_busy *busy, unsigned more);
/* At the end of a tick: whether there will be another one. Not when nothing is busy and
 * there is no other `reason`: after that the engine may be gone. */
bool wf_busy_ticks_on(struct wf_busy *busy, bool reason);
/* Posts the next tick. */
void wf_busy_tick_again(struct wf_busy *busy);
/* No tick begins any more. Waits until nothing is left; false: the time was too short. */
bool wf_busy_stop(struct wf_busy *busy, int64_t timeout_ms);

#endif
