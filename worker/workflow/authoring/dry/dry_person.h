/* Statements that look a customer up. What each gives says the store. */
#ifndef WORKFLOW_AUTHORING_DRY_PERSON_H
#define WORKFLOW_AUTHORING_DRY_PERSON_H

#include "workflow/authoring/dry/dry_store.h"

dry_statement dry_sql_customer, dry_sql_blocked, dry_sql_user_by_platform,
    dry_sql_user_by_contact, dry_sql_user_any_contact, dry_sql_user_found,
    dry_sql_user_json, dry_sql_user_metadata, dry_sql_notify;

#endif
