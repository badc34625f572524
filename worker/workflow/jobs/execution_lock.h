/* Jobs that are not about a chat's update take the lock of their execution.
 * worker/workflow/spec/workflow.md §10.5 */
#ifndef WORKFLOW_EXECUTION_LOCK_H
#define WORKFLOW_EXECUTION_LOCK_H

#include "workflow/run/run.h"

/* Obtains `lock:execution:{id}` and reads what an attempt before left:
 * run->attempt.restored, or NULL. Then goes on with `then`. Held by somebody else for
 * five seconds: the job goes back to the queue. */
void wf_execution_enter(struct wf_run *run, const char *id, wf_step *then);

#endif
