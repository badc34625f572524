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
};

/* --- scan_io.c */

void wf_scan_post(struct wf_scan *scan, wf_scan_step *step);
/* Sends scan->kv, whose results stay until the next group is begun. */
struct wf_kv *wf_scan_keys(struct wf_scan *scan);
void wf_scan_kv(struct wf_scan *scan, wf_scan_step *step);
/* One statement, one batch. A failure ends the scan, to be tried again; `refused`: what
 * to do where the database will not have it, or NULL for the same. */
void wf_scan_db_list(struct wf_scan *scan, wf_scan_step *then, wf_scan_step *refused,
                     enum wf_sql sql, const char *const *params, size_t count);
#define wf_scan_db(scan, then, refused, sql, ...)                                        \
    wf_scan_db_list((scan), (then), (refused), (sql),                                    \
                    (const char *const[]){ __VA_ARGS__ },                                \
                    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
size_t wf_scan_rows(const struct wf_scan *scan);
const char *wf_scan_value(const struct wf_scan *scan, size_t row, size_t column);

/* --- scan.c */

/* Lets the lock go. `failed`: not before a pause; what was begun is begun again then. */
void wf_scan_end(struct wf_scan *scan, bool failed);

/* --- scan_due.c: versions whose trigger is due at scan->minute */

/* Reads the answer of the statement `scan_versions` into scan->dues. */
void wf_scan_take_versions(struct wf_scan *scan);
void wf_scan_drop_versions(struct wf_scan *scan);

/* --- scan_queue.c: rows of the ledger become jobs */

/* Rows that were claimed and never got their job. Then `then`. */
void wf_scan_recover(struct wf_scan *scan, wf_scan_step *then);
/* Adds a job for each row that the statement returned; then goes on. What could not be
 * added is marked in the ledger, and the scan ends as failed. */
void wf_scan_enqueue(struct wf_scan *scan, wf_scan_step *then);

#endif
