/* worker/workflow/spec/workflow.md §3.1 steps 1 to 7: from the queue to a run that
 * knows its project, its graph and that it may go on. */
#ifndef WORKFLOW_ARRIVE_H
#define WORKFLOW_ARRIVE_H

#include "workflow/run/run.h"

/* A message's job. */
void wf_arrive(struct wf_run *run);

#endif
