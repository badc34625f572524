/* Whose something is: a job's prefix, queue, id, timestamp, project and update. Ids come
 * again, the rest with them does not. */
#ifndef WORKFLOW_JOB_KEY_H
#define WORKFLOW_JOB_KEY_H

#include "workflow/run/run.h"

/* Made at the first call; borrowed from the run. */
const char *wf_job_key(struct wf_run *run);
/* New text: its attempts made, as a parameter of SQL. */
char *wf_job_atm(const struct wf_run *run);
/* The id of an execution that this attempt begins: all that begin it make the same. */
void wf_job_execution_id(struct wf_run *run, char id[WF_ID_SIZE]);

/* The member `job` of a checkpoint; and whether one that was read is this job's. */
json_t *wf_job_owner(const struct wf_run *run);
bool wf_job_owns(const struct wf_run *run, const json_t *checkpoint);

#endif
