/* Statements of teams. What each gives says the store. */
#ifndef WORKFLOW_AUTHORING_DRY_TEAM_H
#define WORKFLOW_AUTHORING_DRY_TEAM_H

#include "workflow/authoring/dry/dry_store.h"

dry_statement dry_sql_partner_team, dry_sql_partner_organization;

#endif
