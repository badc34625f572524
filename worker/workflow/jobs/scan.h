/* The scan that starts scheduled runs: each minute it finds the schedule triggers whose
 * time it is, claims their customers in the ledger, and adds a job for each.
 * worker/workflow/spec/workflow.md §11.2, §11.3
 *
 * One replica at a time scans, held by a lock in Redis, and a key beside it says which
 * minute was scanned last, so that each is scanned once. Where Redis fails, the ledger's
 * unique key decides. A minute that was begun and not finished (its replica died, the
 * database or Redis was away) is scanned again by whoever comes next: what is claimed is
 * not claimed twice, and a job is added under its row's id, so not twice either. Minutes
 * in which nobody could scan are made up for, some of them. */
#ifndef WORKFLOW_SCAN_H
#define WORKFLOW_SCAN_H

#include <stdbool.h>

struct wf_engine;
struct wf_scan;

/* By the engine's settings, and its queue. */
bool wf_scan_is_wanted(const struct wf_engine *engine);
struct wf_scan *wf_scan_create(struct wf_engine *engine);
/* Nothing of it is under way any more. NULL-safe; empties the pointer. */
void wf_scan_destroy(struct wf_scan **scanp);

/* The engine ends: what is under way is given up. Any thread; does not wait. */
void wf_scan_stop(struct wf_scan *scan);

/* Begins what is due and returns; `arg` is the scan. One thread at a time, from the
 * engine's tick. */
void wf_scan_tick(void *arg);

#endif
