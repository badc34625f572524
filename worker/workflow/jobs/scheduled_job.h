/* One customer's run of a workflow that a clock started, by its row of the ledger.
 * worker/workflow/spec/workflow.md §11.4
 */
#ifndef WORKFLOW_SCHEDULED_JOB_H
#define WORKFLOW_SCHEDULED_JOB_H

#include "workflow/run/run.h"

/* A `scheduled_workflow_execution`. */
void wf_scheduled_start(struct wf_run *run);

#endif
