/* Waits that have lasted too long: a job of the queue of delays finds the execution still
 * waiting, or an event comes after the time. worker/workflow/spec/workflow.md §3.8 */
#ifndef WORKFLOW_WAIT_TIMEOUT_H
#define WORKFLOW_WAIT_TIMEOUT_H

#include "workflow/run/run.h"

/* Goes on at the waiting node's edge for that. False: there is none, and nothing was
 * done; the execution is to be cancelled with WF_TIMEOUT_ERROR. */
bool wf_timeout_go(struct wf_run *run);

#define WF_TIMEOUT_ERROR "Wait timeout"

#endif
