/* A run on the worker's threads: its next step, now or later. */
#ifndef WORKFLOW_TASK_H
#define WORKFLOW_TASK_H

#include "workflow/run/run.h"

void wf_run_post(struct wf_run *run, wf_step *step);
/* A run that is told to stop meanwhile ends there. */
void wf_run_after(struct wf_run *run, int64_t delay_ms, wf_step *step);

#endif
