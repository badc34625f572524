/* PostgreSQL, stood in for: its members of the table of effects. */
#ifndef WORKFLOW_AUTHORING_DRY_DB_H
#define WORKFLOW_AUTHORING_DRY_DB_H

#include "workflow/authoring/dry/dry.h"

void dry_db_effects(struct wf_effects *effects);

#endif
