/* worker/workflow/spec/workflow.md §3.3: node after node. */
#ifndef WORKFLOW_LOOP_H
#define WORKFLOW_LOOP_H

#include "workflow/run/run.h"

/* After variables and customer are there: runs from `node`. */
void wf_loop_start(struct wf_run *run, const struct wf_node *node);

#endif
