/* Telegram, HTTP and the queue, stood in for: its members of the table of effects. */
#ifndef WORKFLOW_AUTHORING_DRY_CALLS_H
#define WORKFLOW_AUTHORING_DRY_CALLS_H

#include "workflow/authoring/dry/dry.h"

void dry_calls_effects(struct wf_effects *effects);

#endif
