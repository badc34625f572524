#include "workflow/authoring/dry/dry_sums.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

#define MONTH_CHARS 7 /* of an ISO text */

static int64_t amount_of(const json_t *row)
{
    return dry_cents(json_object_get(row, "amount"));
}

bool dry_bonus_is_active(const struct wf_dry *dry, const json_t *bonus)
{
    const char *ends = wf_member(bonus, "expiresAt", NULL);
    char now[WF_ISO_SIZE];

    dry_now(dry, now);
    return !json_is_true(json_object_get(bonus, "isUsed")) &&
           (ends == NULL || strcmp(ends, now) > 0);
}

static void sum_bonuses(const struct wf_dry *dry, const char *user_id,
                        struct dry_sums *sums)
{
    char soon[WF_ISO_SIZE];
    const json_t *row;
    size_t i;

    dry_in(dry, 30 * DRY_DAY_MS, soon);
    json_array_foreach(dry_table(dry, DRY_BONUSES), i, row)
    {
        const char *ends = wf_member(row, "expiresAt", NULL);

        if (!dry_is(row, "userId", user_id) || !dry_bonus_is_active(dry, row))
            continue;
        sums->balance += amount_of(row);
        sums->bonuses++;
        if (ends != NULL && strcmp(ends, soon) <= 0)
            sums->expiring += amount_of(row);
    }
}

static void sum_transactions(const struct wf_dry *dry, const char *user_id,
                             struct dry_sums *sums)
{
    char now[WF_ISO_SIZE];
    const json_t *row;
    size_t i;

    dry_now(dry, now);
    json_array_foreach(dry_table(dry, DRY_TRANSACTIONS), i, row)
    {
        bool earned = dry_is(row, "type", "EARN");
        bool referral = earned && json_is_true(json_object_get(row, "isReferralBonus"));
        int64_t amount = amount_of(row);

        if (!dry_is(row, "userId", user_id))
            continue;
        sums->transactions++;
        sums->earned += earned ? amount : 0;
        sums->spent += dry_is(row, "type", "SPEND") ? llabs(amount) : 0;
        sums->referral += referral ? amount : 0;
        if (referral && strncmp(wf_member(row, "createdAt", ""), now, MONTH_CHARS) >= 0)
            sums->referral_month += amount;
    }
}

/* What the state gives as sums alone stands beside the rows. */
void dry_sum(const struct wf_dry *dry, const char *user_id, struct dry_sums *sums)
{
    const json_t *person = dry_customer(dry, user_id);

    *sums = (struct dry_sums){
        .expiring = dry_cents(json_object_get(person, "expiringSoon")),
        .earned = dry_cents(json_object_get(person, "totalEarned")),
        .spent = dry_cents(json_object_get(person, "totalSpent")),
    };
    sum_bonuses(dry, user_id, sums);
    sum_transactions(dry, user_id, sums);
}

json_t *dry_newest(const struct wf_dry *dry, const char *table, const char *user_id,
                   size_t limit)
{
    json_t *newest = wf_must(json_array()), *row;
    size_t i;

    json_array_foreach(dry_table(dry, table), i, row)
    {
        const char *at = wf_member(row, "createdAt", "");
        size_t place = 0;

        if (!dry_is(row, "userId", user_id))
            continue;
        while (place < json_array_size(newest) &&
               strcmp(wf_member(json_array_get(newest, place), "createdAt", ""), at) > 0)
            place++;
        wf_check(json_array_insert_new(newest, place, wf_must(json_copy(row))) == 0
                     ? BW_OK
                     : BW_ENOMEM);
    }
    while (json_array_size(newest) > limit)
        (void)json_array_remove(newest, limit); /* it is there */
    return newest;
}
