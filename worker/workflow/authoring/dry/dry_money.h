/* Statements of money and orders. What each gives says the store. */
#ifndef WORKFLOW_AUTHORING_DRY_MONEY_H
#define WORKFLOW_AUTHORING_DRY_MONEY_H

#include "workflow/authoring/dry/dry_store.h"

dry_statement dry_sql_balance, dry_sql_transactions, dry_sql_stats, dry_sql_welcomed,
    dry_sql_user_welcome, dry_sql_add_bonus, dry_sql_spend_bonus, dry_sql_orders;

#endif
