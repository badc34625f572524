/* Statements of referrals and partners: store_referral.c, store_partner.c. */
#include "workflow/authoring/dry/dry_partner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "workflow/authoring/dry/dry_members.h"
#include "workflow/authoring/dry/dry_sums.h"
#include "workflow/base/mem.h"

/* --- the referral link */

/* The first eight hex digits of the id's MD5, in capitals. */
static json_t *make_code(const char *user_id)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char code[9];

    if (EVP_Digest(user_id, strlen(user_id), digest, &size, EVP_md5(), NULL) != 1)
        wf_check(BW_ENOMEM);
    (void)snprintf(code, sizeof(code), "%02X%02X%02X%02X", digest[0], digest[1],
                   digest[2], digest[3]);
    return wf_text(code);
}

/* Borrowed: of the best membership that refers, or NULL. */
static const json_t *referring(const json_t *memberships)
{
    const json_t *member;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)memberships, i, member)
    {
        if (json_is_true(json_object_get(member, "refers")))
            return member;
    }
    return NULL;
}

json_t *dry_sql_referral(struct wf_dry *dry, const json_t *params)
{
    const char *user_id = dry_param(params, 1);
    json_t *row = dry_customer(dry, user_id), *cells, *memberships;
    const json_t *member;
    bool roles = json_is_true(json_object_get(dry->project, "enablePartnerRoles"));

    if (row == NULL)
        return dry_no_rows();
    if (wf_member(row, "referralCode", NULL) == NULL)
        wf_json_set(row, "referralCode", make_code(user_id));
    memberships = dry_memberships(dry, user_id);
    member = referring(memberships);
    cells = wf_must(json_array());
    dry_append(cells, dry_cell(json_object_get(row, "referralCode")));
    dry_append(cells, dry_cell(json_object_get(dry->project, "domain")));
    dry_append(cells, dry_cell(json_object_get(dry->project, "name")));
    dry_append(cells, dry_cell(json_object_get(member, "slug")));
    dry_append(cells,
               dry_bool(!roles || member != NULL ||
                        strcmp(wf_member(row, "partnerRole", "CLIENT"), "CLIENT") != 0));
    json_decref(memberships);
    return dry_one_row(cells);
}

/* --- a referral that waits for its customer's activation */

struct pending {
    struct wf_dry *dry;
    json_t *customer;
    const json_t *referrer;
    const char *organization; /* NULL: none */
};

static const char *way_of(const struct pending *pending, const char *organization)
{
    const json_t *project = pending->dry->project, *row = pending->customer;

    if (wf_member(row, "referredBy", NULL) != NULL ||
        wf_member(row, "organizationId", NULL) != NULL ||
        strcmp(wf_member(row, "partnerRole", "CLIENT"), "CLIENT") != 0 ||
        pending->referrer == NULL || pending->referrer == row ||
        (organization != NULL && pending->organization == NULL))
        return "drop";
    if (json_is_true(json_object_get(project, "referralJoinRequiresApproval")) &&
        !json_is_false(json_object_get(project, "enablePartnerTeamManagement")))
        return "ask";
    return pending->organization == NULL ? "follow" : "join";
}

static void add_pair(struct wf_dry *dry, const char *table, const char *id,
                     const char *const (*members)[2], size_t count)
{
    json_t *row = wf_must(json_object());

    wf_json_set_text(row, "id", id);
    for (size_t i = 0; i < count; i++)
        wf_json_set(row, members[i][0],
                    members[i][1] != NULL ? wf_text(members[i][1]) : json_null());
    dry_insert(dry, table, row);
}

static void join(const struct pending *pending, const json_t *params)
{
    const char *ids[] = { wf_member(pending->referrer, "id", ""),
                          wf_member(pending->customer, "id", "") };
    const char *const link[][2] = { { "organizationId", pending->organization },
                                    { "childId", ids[1] },
                                    { "referrerId", ids[0] } };
    json_t *links = dry_table(pending->dry, DRY_LINKS);

    for (size_t i = 0; i < 2; i++) {
        const char *const member[][2] = { { "organizationId", pending->organization },
                                          { "userId", ids[i] } };
        json_t *memberships = dry_memberships(pending->dry, ids[i]), *item;
        bool there = false;
        size_t j;

        json_array_foreach(memberships, j, item)
        {
            there = there || dry_is(item, "organization", pending->organization);
        }
        json_decref(memberships);
        if (!there)
            add_pair(pending->dry, DRY_MEMBERSHIPS, dry_param(params, 4 + i), member, 2);
    }
    for (size_t i = json_array_size(links); i-- > 0;) {
        if (dry_is(json_array_get(links, i), "childId", ids[1]) &&
            dry_is(json_array_get(links, i), "organizationId", pending->organization))
            (void)json_array_remove(links, i); /* it is there */
    }
    add_pair(pending->dry, DRY_LINKS, dry_param(params, 6), link, 3);
    wf_json_set_text(pending->customer, "organizationId", pending->organization);
}

json_t *dry_sql_user_referral(struct wf_dry *dry, const json_t *params)
{
    struct pending pending = { .dry = dry,
                               .customer = dry_customer(dry, dry_param(params, 1) != NULL
                                                                 ? dry_param(params, 1)
                                                                 : dry->found) };
    json_t *metadata = json_object_get(pending.customer, "metadata"), *cells;
    const json_t *told = json_object_get(metadata, "pendingReferral");
    const char *organization = wf_member2(told, "organizationId", "organizationId");
    const char *way, *referrer;

    if (told == NULL || dry_param(params, 2) == NULL)
        return dry_no_rows();
    pending.referrer = dry_customer(dry, wf_member(told, "referrerId", NULL));
    pending.organization =
        wf_member(dry_find(dry, DRY_ORGANIZATIONS, "id", organization), "id", NULL);
    way = way_of(&pending, organization);
    referrer = wf_member(pending.referrer, "id", NULL);
    if (strcmp(way, "ask") == 0) {
        const char *const request[][2] = { { "userId",
                                             wf_member(pending.customer, "id", "") },
                                           { "referrerId", referrer },
                                           { "organizationId", pending.organization },
                                           { "status", "PENDING" } };

        add_pair(dry, DRY_REQUESTS, dry_param(params, 3), request, 4);
    } else if (strcmp(way, "join") == 0) {
        join(&pending, params);
    } else if (strcmp(way, "follow") == 0) {
        wf_json_set_text(pending.customer, "referredBy", referrer);
        wf_json_set_text(pending.customer, "partnerParentId", referrer);
    }
    cells = wf_must(json_array());
    dry_append(cells, wf_text(way));
    dry_append(cells, referrer != NULL ? wf_text(referrer) : json_null());
    wf_json_set(metadata, "pendingReferral", NULL);
    return dry_one_row(cells);
}

/* --- the one who asks */

json_t *dry_sql_partner_viewer(struct wf_dry *dry, const json_t *params)
{
    static const char *const members[][2] = { { "id", "id" },
                                              { "firstName", "firstName" },
                                              { "active", "isActive" },
                                              { "level", "currentLevel" },
                                              { "purchases", "totalPurchases" } };
    const json_t *row = dry_customer(dry, dry_param(params, 2));
    json_t *viewer;
    struct dry_sums sums;
    bool team;

    if (row == NULL)
        return dry_no_rows();
    viewer = wf_must(json_object());
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        wf_json_set(viewer, members[i][0],
                    json_incref(json_object_get(row, members[i][1])));
    dry_sum(dry, dry_param(params, 2), &sums);
    team = !json_is_false(json_object_get(dry->project, "enablePartnerTeamManagement"));
    wf_json_set(viewer, "domain", json_incref(json_object_get(dry->project, "domain")));
    wf_json_set(
        viewer, "roles",
        json_boolean(json_is_true(json_object_get(dry->project, "enablePartnerRoles"))));
    wf_json_set(viewer, "team", json_boolean(team));
    wf_json_set(viewer, "balance", dry_money(sums.balance));
    wf_json_set(viewer, "commission", dry_money(sums.referral));
    wf_json_set(viewer, "memberships", dry_memberships(dry, dry_param(params, 2)));
    return dry_one_json(viewer);
}

/* --- somebody of the team */

static bool is_member(const struct wf_dry *dry, const char *user_id, const json_t *led)
{
    json_t *memberships = dry_memberships(dry, user_id), *item;
    bool yes = false;
    size_t i;

    json_array_foreach(memberships, i, item)
    {
        yes = yes || dry_managed(led, wf_member(item, "organization", "")) != NULL;
    }
    json_decref(memberships);
    return yes;
}

static bool may_see(const struct wf_dry *dry, const json_t *params)
{
    const char *viewer = dry_param(params, 2), *subject = dry_param(params, 3);
    const char *organization = dry_param(params, 4);
    json_t *team = dry_team(dry, viewer, organization);
    json_t *led = dry_memberships(dry, viewer);
    bool of_team = subject != NULL && json_object_get(team, subject) != NULL;
    bool manages =
        json_is_true(json_object_get(dry->project, "enablePartnerRoles")) &&
        !json_is_false(json_object_get(dry->project, "enablePartnerTeamManagement"));
    bool yes = !dry_same(viewer, subject) && manages &&
               (of_team ||
                (dry_managed(led, organization) != NULL && is_member(dry, subject, led)));

    if (organization == NULL)
        yes = yes || of_team || dry_same(viewer, subject);
    json_decref(team);
    json_decref(led);
    return yes;
}

static bool is_client_of(const struct wf_dry *dry, const json_t *row,
                         const char *organization)
{
    json_t *memberships, *item;
    bool refers = false;
    size_t i;

    if (organization == NULL)
        return dry_is(row, "partnerRole", "CLIENT");
    memberships = dry_memberships(dry, wf_member(row, "id", ""));
    json_array_foreach(memberships, i, item)
    {
        refers = refers || (dry_is(item, "organization", organization) &&
                            json_is_true(json_object_get(item, "refers")));
    }
    json_decref(memberships);
    return !refers;
}

static json_t *subject_json(const struct wf_dry *dry, const json_t *params,
                            const json_t *row)
{
    json_t *result = wf_must(json_object());
    const char *subject = dry_param(params, 3);
    char *name = dry_name(row, false, "id:");
    json_int_t count, referrals = 0;
    const json_t *other;
    size_t i;

    json_array_foreach(dry_table(dry, DRY_CUSTOMERS), i, other)
    {
        referrals += dry_is(other, "referredBy", subject);
    }
    wf_json_set_text(result, "name", name);
    free(name);
    wf_json_set(result, "phone", json_incref(json_object_get(row, "phone")));
    wf_json_set(result, "email", json_incref(json_object_get(row, "email")));
    wf_json_set(result, "level", json_incref(json_object_get(row, "currentLevel")));
    wf_json_set(result, "client",
                json_boolean(is_client_of(dry, row, dry_param(params, 4))));
    wf_json_set(
        result, "since",
        dry_local(wf_member(row, "registeredAt", NULL), dry_param(params, 5), DRY_DAY));
    wf_json_set(result, "purchases", json_incref(json_object_get(row, "totalPurchases")));
    wf_json_set(result, "referrals", json_integer(referrals));
    wf_json_set(result, "commission",
                dry_money(dry_commission(dry, dry_param(params, 2), subject, &count)));
    wf_json_set(result, "count", json_integer(count));
    return result;
}

json_t *dry_sql_partner_subject(struct wf_dry *dry, const json_t *params)
{
    const json_t *row = dry_customer(dry, dry_param(params, 3));
    bool yes = may_see(dry, params);
    json_t *cells = wf_must(json_array()), *subject = json_null();

    if (yes && row != NULL)
        subject = subject_json(dry, params, row);
    dry_append(cells, dry_bool(yes));
    dry_append(cells, dry_cell(subject));
    json_decref(subject);
    return dry_one_row(cells);
}

json_t *dry_sql_partner_payouts(struct wf_dry *dry, const json_t *params)
{
    const char *limit = dry_param(params, 3);
    size_t most = limit != NULL ? strtoul(limit, NULL, 10) : 0, i;
    json_t *rows = dry_no_rows(), *item;
    json_t *list = dry_newest(dry, DRY_TRANSACTIONS, dry_param(params, 2), SIZE_MAX);

    json_array_foreach(list, i, item)
    {
        const json_t *whose = dry_customer(dry, wf_member(item, "referralUserId", NULL));
        json_t *row;
        char *name;

        if (!dry_is(item, "type", "EARN") || json_array_size(rows) >= most ||
            !json_is_true(json_object_get(item, "isReferralBonus")))
            continue;
        row = wf_must(json_array());
        name = whose != NULL ? dry_name(whose, true, "") : NULL;
        dry_append(row, dry_local(wf_member(item, "createdAt", NULL),
                                  dry_param(params, 4), DRY_SHORT));
        dry_append(row, dry_cell(json_object_get(item, "amount")));
        dry_append(row, name != NULL ? wf_text(name) : json_null());
        dry_append(row, dry_cell(json_object_get(item, "referralLevel")));
        dry_append(rows, row);
        free(name);
    }
    json_decref(list);
    return rows;
}
