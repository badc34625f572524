/* How a sub-workflow ends. worker/workflow/spec/workflow.md §5.5 */
#ifndef WORKFLOW_SUB_WORKFLOW_H
#define WORKFLOW_SUB_WORKFLOW_H

#include "workflow/run/run.h"

/* Writes the row of the execution inside, and goes on in the one that called it: with the
 * node's success, or its failure. `status` as of any run; waiting is a failure here. */
void wf_sub_end(struct wf_run *run, enum wf_status status);

#endif
