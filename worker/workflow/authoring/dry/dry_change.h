/* Statements that make or change a customer. What each gives says the store. */
#ifndef WORKFLOW_AUTHORING_DRY_CHANGE_H
#define WORKFLOW_AUTHORING_DRY_CHANGE_H

#include "workflow/authoring/dry/dry_store.h"

dry_statement dry_sql_user_create, dry_sql_user_adopt, dry_sql_user_lock,
    dry_sql_user_detach, dry_sql_user_activate, dry_sql_user_update, dry_sql_user_contact,
    dry_sql_user_birthday, dry_sql_user_metadata_set;

#endif
