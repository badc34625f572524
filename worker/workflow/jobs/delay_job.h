/* Executions that wait for time to pass: the job that wakes them, and what it does.
 * worker/workflow/spec/workflow.md §3.9.4, §5.5 */
#ifndef WORKFLOW_DELAY_JOB_H
#define WORKFLOW_DELAY_JOB_H

#include "workflow/run/run.h"

/* Adds the job that continues this execution, whose row waits; then goes on. The job of
 * an attempt before is not added twice. */
void wf_delay_add(struct wf_run *run, wf_step *then);
/* A job for the queue of delays about this execution. `data` is taken; ids it lacks are
 * added. */
void wf_delay_enqueue(struct wf_run *run, const char *id, int64_t delay_ms, json_t *data,
                      wf_step *then);
/* A `delay-task`. */
void wf_delay_start(struct wf_run *run);

#endif
