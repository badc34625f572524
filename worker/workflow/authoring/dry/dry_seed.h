/* From the state to what a dry run remembers. */
#ifndef WORKFLOW_AUTHORING_DRY_SEED_H
#define WORKFLOW_AUTHORING_DRY_SEED_H

#include "workflow/authoring/dry/dry.h"

/* Time, project, variables and store. */
void dry_state_seed(struct wf_dry *dry);

#endif
