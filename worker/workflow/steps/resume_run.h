/* worker/workflow/spec/workflow.md §3.7: an execution that waited was claimed. */
#ifndef WORKFLOW_RESUME_RUN_H
#define WORKFLOW_RESUME_RUN_H

#include "workflow/run/run.h"

/* With run->execution and the claimed wait: what the event means for it, and on. */
void wf_resume(struct wf_run *run);

#endif
