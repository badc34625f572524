/* What happens later in a dry run: time passes by being moved on. */
#ifndef WORKFLOW_AUTHORING_DRY_LATER_H
#define WORKFLOW_AUTHORING_DRY_LATER_H

#include "workflow/authoring/dry/dry.h"

void dry_later(struct wf_dry *dry, dry_call *call, void *arg, int64_t delay_ms);
/* The next thing happens; time moves on to it. There must be one. */
void dry_step(struct wf_dry *dry);

#endif
