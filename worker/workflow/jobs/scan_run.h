/* One scan under way: a chain of functions as a run is (run.h), of no job. For scan*.c
 * only. worker/workflow/spec/workflow.md §11 */
#ifndef WORKFLOW_SCAN_RUN_H
#define WORKFLOW_SCAN_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workflow/engine/engine.h"
#include "workflow/base/map.h"
#include "workflow/jobs/scan.h"
#include "workflow/language/schedule.h"

typedef void wf_scan_step(struct wf_scan *scan);

/* A trigger whose minute it is. Texts are owned. */
struct wf_due {
    char *version, *workflow, *project;
    bool birthdays;
    struct wf_minute birthday;
    char bucket[WF_BUCKET_SIZE];
};

struct wf_scan {
    struct bw_task task;
    wf_scan_step *step; /* what the task runs */
    struct wf_engine *engine;
    atomic_bool busy; /* the chain owns all below; else the tick does */
    struct bw_mono not_before;
    unsigned failures; /* in a row */
    int64_t last;      /* the last minute (since the epoch) known to be done; 0: none */
    struct wf_map warned; /* versions whose trigger was complained about */

    struct bw_mutex mutex; /* guards the next two, and nothing else */
    wf_call call;          /* of the database, under way; 0: none */
    bool stopped;

    /* operations under way */
    struct wf_lock lock;
    struct wf_kv kv;
    struct wf_batch *batch;
    wf_scan_step *db_then, *on_refused;

    int64_t minute; /* that is scanned */
    size_t queued;  /* jobs of it */

    /* the page of versions, and where in it the scan is */
    struct wf_due dues[WF_NUM_scan_versions];
    size_t due_count, due_at;
    char *after_version;
    bool more_versions;

    /* the page of customers, or of the ledger */
    char *after;
    bool more;

    /* jobs on their way */
    json_t *ids;  /* of their rows */
    json_t *lost; /* of those that were not added */
    char *error;
    wf_scan_step *after_add, *recovered;

    /* the scan ends, to be tried again; set at its start */
    wf_scan_step *failed;
};

#endif
