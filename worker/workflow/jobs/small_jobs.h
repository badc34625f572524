/* Jobs that run no workflow. worker/workflow/spec/workflow.md §1.5 */
#ifndef WORKFLOW_SMALL_JOBS_H
#define WORKFLOW_SMALL_JOBS_H

struct wf_run;

/* user_variables_update: the customer's cached variables, anew. */
void wf_small_refresh(struct wf_run *run);
/* statistics_aggregation: nothing to do. */
void wf_small_acknowledge(struct wf_run *run);

#endif
