/* Statements of variables, and the flush. What each gives says the store. */
#ifndef WORKFLOW_AUTHORING_DRY_VARIABLES_H
#define WORKFLOW_AUTHORING_DRY_VARIABLES_H

#include "workflow/authoring/dry/dry_store.h"

dry_statement dry_sql_preload, dry_sql_set_variable, dry_sql_flush;

#endif
