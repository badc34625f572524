/* Jobs for the queue of delays: they wake an execution that waits for time to pass, or
 * end a wait that has lasted too long. worker/workflow/spec/workflow.md §3.8, §3.9.4,
 * §5.5 */
#ifndef WORKFLOW_DELAYS_H
#define WORKFLOW_DELAYS_H

#include "workflow/run/run.h"

/* Adds the job that continues this execution, whose row waits; then goes on. The job of
 * an attempt before is not added twice. */
void wf_delay_add(struct wf_run *run, wf_step *then);

/* The run is about to wait, and not for ever. */
bool wf_timeout_set(const struct wf_run *run);
/* Adds the job that ends the wait; then goes on. */
void wf_timeout_add(struct wf_run *run, wf_step *then);
/* The claimed wait is over its time. */
bool wf_timeout_passed(const struct wf_run *run);

#endif
