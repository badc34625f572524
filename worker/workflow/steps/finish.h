/* The end of an execution, or of its way to the next wait. */
#ifndef WORKFLOW_FINISH_H
#define WORKFLOW_FINISH_H

#include "workflow/run/run.h"

/* Flushes with run->ending.status, run->out.text as the error if it failed, and the wait
 * in run->out; ends the run with run->ending.result. */
void wf_finish(struct wf_run *run);

#endif
