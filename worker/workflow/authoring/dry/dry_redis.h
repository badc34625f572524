/* Redis, stood in for: its members of the table of effects. */
#ifndef WORKFLOW_AUTHORING_DRY_REDIS_H
#define WORKFLOW_AUTHORING_DRY_REDIS_H

#include "workflow/authoring/dry/dry.h"

void dry_redis_effects(struct wf_effects *effects);

#endif
