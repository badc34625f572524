/* Rows of the ledger become jobs. For
 * scan*.c only. */
#ifndef WORKFLOW_SCAN_QUEUE_H
#define WORKFLOW_SCAN_QUEUE_H

#include "workflow/jobs/scan_run.h"

/* Rows that were claimed and never got their job. Then `then`. */
void wf_scan_recover(struct wf_scan *scan, wf_scan_step *then);
/* Adds a job for each row that the statement returned; then goes on. What could not be
 * added is marked in the ledger, and the scan ends as failed. */
void wf_scan_enqueue(struct wf_scan *scan, wf_scan_step *then);

#endif
