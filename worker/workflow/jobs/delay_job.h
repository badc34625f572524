/* Executions that wait for time to pass: the job that wakes them, and what it does.
 * worker/workflow/spec/workflow.md §3.9.4, §5.5 */
#ifndef WORKFLOW_DELAY_JOB_H
#define WORKFLOW_DELAY_JOB_H

#include "workflow/run/run.h"

/* A `delay-task`. */
void wf_delay_start(struct wf_run *run);

#endif
