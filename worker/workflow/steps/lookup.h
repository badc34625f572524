/* worker/workflow/spec/workflow.md §3.6: which execution the event belongs to, and the
 * claim on it. */
#ifndef WORKFLOW_LOOKUP_H
#define WORKFLOW_LOOKUP_H

#include "workflow/run/run.h"

/* Keys whose values help the lookup, into the group that is begun. */
void wf_lookup_keys(struct wf_run *run);
/* With that group answered. */
void wf_lookup(struct wf_run *run);

#endif
