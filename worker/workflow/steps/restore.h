/* worker/workflow/spec/workflow.md §3.9.2: going on where an attempt before stopped. */
#ifndef WORKFLOW_RESTORE_H
#define WORKFLOW_RESTORE_H

#include "workflow/run/run.h"

/* Goes on where run->attempt.restored stopped, or where its row is, if that is further; a
 * run whose execution was ended since begins anew with `anew`. */
void wf_restore(struct wf_run *run, wf_step *anew);
/* The same from the further of run->attempt.restored and what stands in the payload of
 * the row, which is known to be this job's. */
void wf_restore_row(struct wf_run *run, const json_t *payload);

#endif
