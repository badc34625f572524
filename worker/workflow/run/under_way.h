/* The operation of a run that is under way, so that a cancelled job need not wait for it:
 * its query, its call of the Bot API, its request or its pause ends at once, and the run
 * with it. */
#ifndef WORKFLOW_UNDER_WAY_H
#define WORKFLOW_UNDER_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/thread.h>

#include "workflow/engine/effects.h"

struct bw_job;
struct wf_engine;
struct wf_run;

/* Whom a cancellation reaches, and what it gives up. */
struct wf_under_way {
    struct wf_run *next, **prevp; /* guarded by the engine's runs_mutex */
    struct bw_mutex mutex;        /* guards the rest */
    enum wf_call_kind kind;
    wf_call call; /* 0: none */
    bool pausing, told;
};

/* A run that may be told to stop, from its start until before it answers its job. */
void wf_under_way_enter(struct wf_run *run);
void wf_under_way_leave(struct wf_run *run);

/* Around the call that begins an operation: its completion, on whichever thread, waits at
 * wf_under_way_over() for the second one, so that it finds what was begun. After that the
 * run must not be touched. */
void wf_under_way_lock(struct wf_run *run);
void wf_under_way_begun(struct wf_run *run, enum wf_call_kind kind, wf_call call);
/* First thing in a completion: the operation cannot be cancelled any more. */
void wf_under_way_over(struct wf_run *run);

/* A pause: run->task is posted for later. True at its end: the run was told to stop. */
void wf_under_way_pause(struct wf_run *run, int64_t delay_ms);
bool wf_under_way_resume(struct wf_run *run);

/* The run goes on although it was told to stop: for its last words. */
void wf_under_way_last(struct wf_run *run);

/* The job should stop: gives up what its run waits for. Any thread; does not block. */
void wf_under_way_stop(struct wf_engine *engine, const struct bw_job *job);

#endif
