/* What a customer's rows of money come to. */
#ifndef WORKFLOW_AUTHORING_DRY_SUMS_H
#define WORKFLOW_AUTHORING_DRY_SUMS_H

#include "workflow/authoring/dry/dry_store.h"

struct dry_sums {
    int64_t balance, expiring, earned, spent, referral, referral_month; /* cents */
    json_int_t bonuses, transactions;
};

bool dry_bonus_is_active(const struct wf_dry *dry, const json_t *bonus);
void dry_sum(const struct wf_dry *dry, const char *user_id, struct dry_sums *sums);
/* New reference: the person's rows of a table, the newest first, at most `limit`. */
json_t *dry_newest(const struct wf_dry *dry, const char *table, const char *user_id,
                   size_t limit);

#endif
