/* The operator's problems (worker/workflow/spec/workflow.md §1.4.1): the database is
 * away, or refuses what every message needs. Then the engine takes no jobs, gives back
 * those it has without an attempt, and tries now and again: first whether the statements
 * would be carried out, then with one job. When that has gone well, all goes on. Any
 * thread. */
#ifndef WORKFLOW_TROUBLE_H
#define WORKFLOW_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/thread.h>
#include <bulwark/time.h>

#include "workflow/engine/effects.h"
#include "workflow/engine/held.h"

#define WF_TROUBLE_TEXT_MAX 320

struct wf_engine;

enum wf_trouble_phase {
    WF_TROUBLE_NONE,
    WF_TROUBLE_PAUSE,  /* until `next` */
    WF_TROUBLE_ASKING, /* the database, by a batch of plans */
    WF_TROUBLE_OPEN,   /* for one job, until `next` */
    WF_TROUBLE_TRYING  /* that job runs */
};

struct wf_trouble {
    struct bw_mutex mutex; /* guards all below */
    enum wf_trouble_phase phase;
    enum wf_held_reason reason;
    char text[WF_TROUBLE_TEXT_MAX]; /* "schema: relation "projects" does not exist" */
    int64_t pause_ms;
    struct bw_mono next;
};

void wf_trouble_init(struct wf_trouble *trouble);
void wf_trouble_fini(struct wf_trouble *trouble);

/* A job has come. False: it goes back, none is to be run. `*tried` is set for the one
 * with which the engine tries whether all is well. */
bool wf_trouble_admit(struct wf_engine *engine, bool *tried);
/* A run's batch has failed. True: it is the operator's problem, the engine is held
 * because of it, and the run is to be given back. */
bool wf_trouble_is(struct wf_engine *engine, const struct wf_batch *batch, bool *tried);
/* Any run has come to its end by itself. */
void wf_trouble_ended(struct wf_engine *engine, bool tried);
/* Now and again. */
void wf_trouble_tick(struct wf_engine *engine);
bool wf_trouble_holds(struct wf_engine *engine);
/* Why the engine is held; false: it is not. */
bool wf_trouble_text(struct wf_engine *engine, char *text, size_t size);

#endif
