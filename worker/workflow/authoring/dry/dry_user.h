/* A customer as queries give him: U-JSON. */
#ifndef WORKFLOW_AUTHORING_DRY_USER_H
#define WORKFLOW_AUTHORING_DRY_USER_H

#include "workflow/authoring/dry/dry_store.h"

/* New reference. worker/workflow/spec/workflow.md §8.2. */
json_t *dry_user_json(const json_t *row);

#endif
