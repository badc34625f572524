/* worker/workflow/spec/workflow.md §3.4, §3.5: a new execution. */
#ifndef WORKFLOW_BEGIN_H
#define WORKFLOW_BEGIN_H

#include "workflow/run/run.h"

/* `id`: the row to use, or NULL; `adopt`: it is there already. `reuse`: session to go on
 * with, or NULL. */
void wf_begin(struct wf_run *run, const char *id, bool adopt, const char *reuse);

#endif
