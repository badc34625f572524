/* Statements of projects, versions and executions. What each gives says the store. */
#ifndef WORKFLOW_AUTHORING_DRY_EXECUTION_H
#define WORKFLOW_AUTHORING_DRY_EXECUTION_H

#include "workflow/authoring/dry/dry_store.h"

dry_statement dry_sql_project, dry_sql_versions, dry_sql_version, dry_sql_sub_workflow,
    dry_sql_lookup, dry_sql_claim, dry_sql_insert, dry_sql_delayed, dry_sql_expired,
    dry_sql_witness;

#endif
