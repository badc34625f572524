/* Statements that look a customer up: store_customer.c says what each gives. */
#include "workflow/authoring/dry/dry_person.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/dry/dry_members.h"
#include "workflow/authoring/dry/dry_sums.h"
#include "workflow/authoring/dry/dry_user.h"
#include "workflow/base/mem.h"

#define TRANSACTIONS_SHOWN 10
#define BONUSES_SHOWN      50

/* --- one person */

/* The phones of PostgreSQL's `{"a","b"}` in their order: which of them is this one; the
 * count of them when none is. */
static size_t phone_at(const char *forms, const char *phone)
{
    size_t index = 0;

    for (const char *at = forms; at != NULL && (at = strchr(at, '"')) != NULL; index++) {
        size_t len = strcspn(++at, "\"");

        if (phone != NULL && strlen(phone) == len && strncmp(at, phone, len) == 0)
            return index;
        at += len + (at[len] == '"');
    }
    return SIZE_MAX;
}

/* The customer that is known by id, by the foremost of the phones, or by e-mail. */
static json_t *by_contact(const struct wf_dry *dry, const char *member, const char *id,
                          const char *forms, const char *email)
{
    json_t *best = dry_find(dry, DRY_CUSTOMERS, member, id), *row;
    size_t rank = SIZE_MAX, i;

    if (best != NULL)
        return best;
    json_array_foreach(dry_table(dry, DRY_CUSTOMERS), i, row)
    {
        size_t at = phone_at(forms, wf_member(row, "phone", NULL));

        if (at < rank) {
            best = row;
            rank = at;
        }
    }
    return best != NULL ? best : dry_find(dry, DRY_CUSTOMERS, "email", email);
}

/* New reference: `first last`, null without either. */
static json_t *whole_name(const json_t *row)
{
    const char *first = wf_member(row, "firstName", ""),
               *last = wf_member(row, "lastName", "");
    char *both =
        wf_printf("%s%s%s", first, *first != '\0' && *last != '\0' ? " " : "", last);
    json_t *name = *both != '\0' ? wf_text(both) : json_null();

    free(both);
    return name;
}

static json_t *user_rows(json_t *row)
{
    return row != NULL ? dry_one_json(dry_user_json(row)) : dry_no_rows();
}

json_t *dry_sql_user_by_platform(struct wf_dry *dry, const json_t *params)
{
    bool max = dry_true(dry_param(params, 6));
    json_t *row = NULL, *user;
    struct dry_sums sums;

    if (!max)
        row = dry_find(dry, DRY_CUSTOMERS, "telegramId", dry_param(params, 2));
    if (row == NULL)
        row = dry_find(dry, DRY_CUSTOMERS, "maxId",
                       max && dry_param(params, 2) != NULL ? dry_param(params, 2)
                                                           : dry_param(params, 3));
    if (row == NULL)
        row = dry_find(dry, DRY_CUSTOMERS, "phone", dry_param(params, 4));
    if (row == NULL)
        row = dry_find(dry, DRY_CUSTOMERS, "email", dry_param(params, 5));
    if (row == NULL)
        return dry_no_rows();
    user = dry_user_json(row);
    dry_sum(dry, wf_member(row, "id", ""), &sums);
    wf_json_set(user, "balance", dry_money(sums.balance));
    return dry_one_json(user);
}

json_t *dry_sql_user_by_contact(struct wf_dry *dry, const json_t *params)
{
    return user_rows(
        by_contact(dry, dry_true(dry_param(params, 5)) ? "maxId" : "telegramId",
                   dry_param(params, 2), dry_param(params, 3), dry_param(params, 4)));
}

json_t *dry_sql_user_any_contact(struct wf_dry *dry, const json_t *params)
{
    json_t *row = by_contact(dry, "id", dry_param(params, 4), dry_param(params, 2),
                             dry_param(params, 3)),
           *cells, *user;
    struct dry_sums sums;

    if (row == NULL)
        return dry_no_rows();
    cells = wf_must(json_array());
    user = dry_user_json(row);
    dry_sum(dry, wf_member(row, "id", ""), &sums);
    wf_json_set(user, "balance", dry_money(sums.balance));
    wf_json_set(user, "name", whole_name(row));
    dry_append(cells, dry_cell(json_object_get(row, "id")));
    dry_append(cells, dry_cell(user));
    json_decref(user);
    return dry_one_row(cells);
}

/* Also names the row to the statements behind it in the same batch. */
json_t *dry_sql_user_found(struct wf_dry *dry, const json_t *params)
{
    json_t *row = by_contact(dry, "id", dry_param(params, 4), dry_param(params, 2),
                             dry_param(params, 3)),
           *cells;

    if (row == NULL)
        return dry_no_rows();
    wf_set(&dry->found, wf_member(row, "id", ""));
    cells = wf_must(json_array());
    dry_append(cells, wf_text(dry->found));
    dry_append(cells, wf_text(dry->found));
    dry_append(cells, dry_bool(json_object_get(json_object_get(row, "metadata"),
                                               "pendingReferral") != NULL));
    return dry_one_row(cells);
}

json_t *dry_sql_user_json(struct wf_dry *dry, const json_t *params)
{
    return user_rows(dry_customer(dry, dry_param(params, 1)));
}

json_t *dry_sql_user_metadata(struct wf_dry *dry, const json_t *params)
{
    json_t *row = dry_customer(dry, dry_param(params, 1)), *result;

    if (row == NULL)
        return dry_no_rows();
    result = wf_must(json_object());
    wf_json_set_text(result, "userId", dry_param(params, 1));
    wf_json_set(result, "metadata", json_incref(json_object_get(row, "metadata")));
    return dry_one_json(result);
}

json_t *dry_sql_blocked(struct wf_dry *dry, const json_t *params)
{
    json_t *row = dry_customer(dry, dry_param(params, 2));

    if (!dry_is(row, "telegramId", dry_param(params, 3)))
        return dry_no_rows();
    wf_json_set(row, "telegramId", json_null());
    return dry_one_cell(wf_text(dry_param(params, 2)));
}

/* For the customer of the run, else for who has the e-mail. */
json_t *dry_sql_notify(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "id",    "projectId", "userId",  "email",
                                         "title", "message",   "metadata" };
    const json_t *row = dry_param(params, 3) != NULL
                            ? dry_customer(dry, dry_param(params, 3))
                            : dry_find(dry, DRY_CUSTOMERS, "email", dry_param(params, 4));
    json_t *notification;

    if (row == NULL)
        return dry_no_rows();
    notification = wf_must(json_object());
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        wf_json_set(notification, names[i], json_incref(json_array_get(params, i)));
    wf_json_set(notification, "userId", json_incref(json_object_get(row, "id")));
    dry_insert(dry, DRY_NOTIFICATIONS, notification);
    return dry_one_cell(wf_text(dry_param(params, 1)));
}

/* --- the customer's variables, before they are formatted
 * (worker/workflow/spec/workflow.md §6.5) */

struct sheet {
    const struct wf_dry *dry;
    const json_t *row;
    const char *id, *zone;
    json_t *out;
};

static void copy(const struct sheet *sheet, const char *column, const char *member)
{
    json_t *value = json_object_get(sheet->row, member);

    wf_json_set(sheet->out, column, value != NULL ? json_incref(value) : json_null());
}

static void put_columns(const struct sheet *sheet)
{
    static const char *const columns[][2] = {
        { "id", "id" },
        { "first_name", "firstName" },
        { "last_name", "lastName" },
        { "email", "email" },
        { "phone", "phone" },
        { "telegram_id", "telegramId" },
        { "telegram_username", "telegramUsername" },
        { "max_id", "maxId" },
        { "max_username", "maxUsername" },
        { "current_level", "currentLevel" },
        { "referral_code", "referralCode" },
        { "referred_by", "referredBy" },
        { "registered_at", "registeredAt" },
        { "updated_at", "updatedAt" },
        { "total_purchases", "totalPurchases" },
        { "partner_role", "partnerRole" },
    };
    static const char *const dates[][2] = { { "registered_local", "registeredAt" },
                                            { "updated_local", "updatedAt" } };

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        copy(sheet, columns[i][0], columns[i][1]);
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
        wf_json_set(
            sheet->out, dates[i][0],
            dry_local(wf_member(sheet->row, dates[i][1], NULL), sheet->zone, DRY_MINUTE));
}

static void put_sums(const struct sheet *sheet)
{
    struct dry_sums sums;
    const json_t *other;
    json_int_t referred =
        json_integer_value(json_object_get(sheet->row, "referralCount"));
    size_t i;

    dry_sum(sheet->dry, sheet->id, &sums);
    wf_json_set(sheet->out, "balance", dry_money(sums.balance));
    wf_json_set(sheet->out, "expiring", dry_money(sums.expiring));
    wf_json_set(sheet->out, "bonus_count", json_integer(sums.bonuses));
    wf_json_set(sheet->out, "earned", dry_money(sums.earned));
    wf_json_set(sheet->out, "spent", dry_money(sums.spent));
    wf_json_set(sheet->out, "tx_count", json_integer(sums.transactions));
    wf_json_set(sheet->out, "ref_bonus", dry_money(sums.referral));
    wf_json_set(sheet->out, "ref_bonus_month", dry_money(sums.referral_month));
    json_array_foreach(dry_table(sheet->dry, DRY_CUSTOMERS), i, other)
    {
        referred += dry_is(other, "referredBy", sheet->id) &&
                    json_is_true(json_object_get(other, "isActive"));
    }
    wf_json_set(sheet->out, "referral_count", json_integer(referred));
}

/* The person's newest rows, with their times as the engine wants them. */
static void put_history(const struct sheet *sheet)
{
    json_t *list =
               dry_newest(sheet->dry, DRY_TRANSACTIONS, sheet->id, TRANSACTIONS_SHOWN),
           *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *at = wf_member(item, "createdAt", NULL);

        wf_json_set(item, "at", wf_text(at));
        wf_json_set(item, "created_at", wf_text(at));
        wf_json_set(item, "local", dry_local(at, sheet->zone, DRY_MINUTE));
        wf_json_set(item, "is_referral_bonus",
                    json_incref(json_object_get(item, "isReferralBonus")));
    }
    wf_json_set(sheet->out, "last_transactions", list);
    list = dry_newest(sheet->dry, DRY_BONUSES, sheet->id, BONUSES_SHOWN);
    for (i = json_array_size(list); i-- > 0;) {
        const char *ends;

        item = json_array_get(list, i);
        if (!dry_bonus_is_active(sheet->dry, item)) {
            (void)json_array_remove(list, i); /* it is there */
            continue;
        }
        ends = wf_member(item, "expiresAt", NULL);
        wf_json_set(item, "at", json_incref(json_object_get(item, "createdAt")));
        wf_json_set(item, "expires", ends != NULL ? wf_text(ends) : json_null());
        wf_json_set(item, "expires_local", dry_local(ends, sheet->zone, DRY_MINUTE));
    }
    wf_json_set(sheet->out, "active_bonuses", list);
}

static void put_referrer(const struct sheet *sheet)
{
    const json_t *other =
        dry_customer(sheet->dry, wf_member(sheet->row, "referredBy", NULL));
    const struct sheet referrer = { sheet->dry, other, NULL, NULL, sheet->out };

    copy(&referrer, "ref_id", "id");
    copy(&referrer, "ref_first", "firstName");
    copy(&referrer, "ref_last", "lastName");
    copy(&referrer, "ref_username", "telegramUsername");
}

/* New reference: PARTNER_CARD of store_partner.h. */
static json_t *partner_card(const struct sheet *sheet, const json_t *memberships)
{
    const json_t *first = json_array_get(memberships, 0), *item;
    const char *title = wf_member(first, "title", NULL);
    json_t *card = wf_must(json_object()), *team = wf_must(json_object()), *members;
    json_int_t direct = 0;
    bool manages = false;
    const char *id;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)memberships, i, item)
    {
        manages = manages || json_is_true(json_object_get(item, "manages"));
    }
    members = dry_team(sheet->dry, sheet->id, NULL);
    json_object_foreach(members, id, item)
    {
        direct += json_is_true(item);
    }
    wf_json_set(team, "all", json_integer((json_int_t)json_object_size(members)));
    wf_json_set(team, "direct", json_integer(direct));
    json_decref(members);
    wf_json_set(card, "organizations",
                json_integer((json_int_t)json_array_size(memberships)));
    wf_json_set(card, "manages", json_boolean(manages));
    wf_json_set(card, "title", title != NULL ? wf_text(title) : json_null());
    wf_json_set(card, "level",
                first != NULL ? json_incref(json_object_get(first, "level"))
                              : json_null());
    wf_json_set(card, "team", team);
    return card;
}

static void put_partner(const struct sheet *sheet)
{
    bool roles = json_is_true(json_object_get(sheet->dry->project, "enablePartnerRoles"));
    json_t *memberships = dry_memberships(sheet->dry, sheet->id), *item;
    const char *slug = NULL;
    size_t i;

    json_array_foreach(memberships, i, item)
    {
        if (slug == NULL && json_is_true(json_object_get(item, "refers")))
            slug = wf_member(item, "slug", NULL);
    }
    wf_json_set(sheet->out, "enable_partner_roles", json_boolean(roles));
    wf_json_set(sheet->out, "partner",
                roles ? partner_card(sheet, memberships) : json_null());
    wf_json_set(sheet->out, "org_slug", slug != NULL ? wf_text(slug) : json_null());
    wf_json_set(sheet->out, "may_refer",
                json_boolean(slug != NULL ||
                             strcmp(wf_member(sheet->row, "partnerRole", "CLIENT"),
                                    "CLIENT") != 0));
    json_decref(memberships);
}

/* $2 user, else the user of execution $4, else whoever has Telegram id $3. */
static const json_t *asked_for(const struct wf_dry *dry, const json_t *params)
{
    const char *id = dry_param(params, 2);

    if (id == NULL && dry_param(params, 4) != NULL)
        id = wf_member(json_object_get(dry->executions, dry_param(params, 4)), "user",
                       NULL);
    if (id == NULL)
        id = dry_customer_id(dry, dry_param(params, 3));
    return dry_customer(dry, id);
}

json_t *dry_sql_customer(struct wf_dry *dry, const json_t *params)
{
    struct sheet sheet = { .dry = dry, .row = asked_for(dry, params) };

    if (sheet.row == NULL)
        return dry_no_rows();
    sheet.id = wf_member(sheet.row, "id", "");
    sheet.zone = dry_param(params, 5);
    sheet.out = wf_must(json_object());
    put_columns(&sheet);
    put_sums(&sheet);
    put_history(&sheet);
    put_referrer(&sheet);
    put_partner(&sheet);
    wf_json_set(sheet.out, "project_name",
                json_incref(json_object_get(dry->project, "name")));
    wf_json_set(sheet.out, "domain",
                json_incref(json_object_get(dry->project, "domain")));
    return dry_one_json(sheet.out);
}
