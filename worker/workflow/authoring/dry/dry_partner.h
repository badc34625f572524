/* Statements of referrals and partners. What each gives says the store. */
#ifndef WORKFLOW_AUTHORING_DRY_PARTNER_H
#define WORKFLOW_AUTHORING_DRY_PARTNER_H

#include "workflow/authoring/dry/dry_store.h"

dry_statement dry_sql_referral, dry_sql_user_referral, dry_sql_partner_viewer,
    dry_sql_partner_subject, dry_sql_partner_payouts;

#endif
