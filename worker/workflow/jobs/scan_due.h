/* Which versions are due at scan->minute: their entry node is a schedule trigger. For
 * scan*.c only. */
#ifndef WORKFLOW_SCAN_DUE_H
#define WORKFLOW_SCAN_DUE_H

#include "workflow/jobs/scan_run.h"

/* Reads the answer of the statement `scan_versions` into scan->dues. */
void wf_scan_take_versions(struct wf_scan *scan);
void wf_scan_drop_versions(struct wf_scan *scan);

#endif
