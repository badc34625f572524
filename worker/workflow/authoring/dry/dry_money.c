/* Statements of money and orders: store_customer.c, store_orders.c. */
#include "workflow/authoring/dry/dry_money.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/dry/dry_sums.h"
#include "workflow/authoring/dry/dry_user.h"
#include "workflow/base/mem.h"
#include "workflow/base/iso.h"

/* --- looked up */

json_t *dry_sql_balance(struct wf_dry *dry, const json_t *params)
{
    struct dry_sums sums;
    json_t *result;

    if (dry_customer(dry, dry_param(params, 1)) == NULL)
        return dry_no_rows();
    dry_sum(dry, dry_param(params, 1), &sums);
    result = wf_must(json_object());
    wf_json_set_text(result, "userId", dry_param(params, 1));
    wf_json_set(result, "balance", dry_money(sums.balance));
    wf_json_set(result, "totalEarned", dry_money(sums.earned));
    wf_json_set(result, "totalSpent", dry_money(sums.spent));
    wf_json_set(result, "expiringSoon", dry_money(sums.expiring));
    return dry_one_json(result);
}

json_t *dry_sql_transactions(struct wf_dry *dry, const json_t *params)
{
    static const char *const members[] = { "id",
                                           "userId",
                                           "bonusId",
                                           "amount",
                                           "type",
                                           "description",
                                           "metadata",
                                           "createdAt",
                                           "appliedPercent",
                                           "isReferralBonus",
                                           "externalId",
                                           "referralUserId",
                                           "referralLevel",
                                           "userLevel" };
    const char *limit = dry_param(params, 3);
    json_t *rows = dry_newest(dry, DRY_TRANSACTIONS, dry_param(params, 1),
                              limit != NULL ? strtoul(limit, NULL, 10) : 10),
           *list = wf_must(json_array()), *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        json_t *item = wf_must(json_object());

        for (size_t j = 0; j < sizeof(members) / sizeof(members[0]); j++) {
            json_t *value = json_object_get(row, members[j]);

            wf_json_set(item, members[j],
                        value != NULL ? json_incref(value) : json_null());
        }
        dry_append(list, item);
    }
    json_decref(rows);
    return dry_one_json(list);
}

json_t *dry_sql_stats(struct wf_dry *dry, const json_t *params)
{
    const json_t *person = dry_customer(dry, dry_param(params, 1));
    json_t *result, *stats;
    struct dry_sums sums;

    if (person == NULL)
        return dry_no_rows();
    dry_sum(dry, dry_param(params, 1), &sums);
    result = wf_must(json_object());
    stats = wf_must(json_object());
    wf_json_set(stats, "totalEarned", dry_money(sums.earned));
    wf_json_set(stats, "totalSpent", dry_money(sums.spent));
    wf_json_set(stats, "currentBalance", dry_money(sums.balance));
    wf_json_set(stats, "transactionCount", json_integer(sums.transactions));
    wf_json_set(result, "user", dry_user_json(person));
    wf_json_set(result, "stats", stats);
    return dry_one_json(result);
}

static bool is_welcomed(const struct wf_dry *dry, const char *user_id)
{
    const json_t *row;
    size_t i;

    json_array_foreach(dry_table(dry, DRY_BONUSES), i, row)
    {
        if (dry_is(row, "userId", user_id) && dry_is(row, "type", "WELCOME"))
            return true;
    }
    return false;
}

json_t *dry_sql_welcomed(struct wf_dry *dry, const json_t *params)
{
    return dry_one_cell(dry_bool(is_welcomed(dry, dry_param(params, 1))));
}

/* --- paid */

struct bonus {
    const char *id, *user, *type, *description, *expires, *external, *transaction;
    int64_t amount;
};

static void set_or_null(json_t *row, const char *member, const char *text)
{
    wf_json_set(row, member, text != NULL ? wf_text(text) : json_null());
}

/* The bonus, and the transaction that tells of it. Borrowed: the bonus. */
static json_t *add_bonus(struct wf_dry *dry, const struct bonus *bonus,
                         const char *description)
{
    json_t *row = wf_must(json_object()), *told;
    const json_t *days = json_object_get(dry->project, "bonusExpiryDays");
    char now[WF_ISO_SIZE], ends[WF_ISO_SIZE];
    int64_t ms;

    dry_now(dry, now);
    if (dry_time(bonus->expires, &ms))
        wf_iso(ms, ends);
    else
        dry_in(dry, (json_is_integer(days) ? json_integer_value(days) : 365) * DRY_DAY_MS,
               ends);
    wf_json_set_text(row, "id", bonus->id);
    wf_json_set_text(row, "userId", bonus->user);
    wf_json_set(row, "amount", dry_money(bonus->amount));
    wf_json_set_text(row, "type", bonus->type);
    set_or_null(row, "description", bonus->description);
    wf_json_set_text(row, "expiresAt", ends);
    wf_json_set(row, "isUsed", json_false());
    wf_json_set_text(row, "createdAt", now);
    wf_json_set_text(row, "externalId", bonus->external);
    dry_insert(dry, DRY_BONUSES, row);
    told = wf_must(json_object());
    wf_json_set_text(told, "id", bonus->transaction);
    wf_json_set_text(told, "userId", bonus->user);
    wf_json_set_text(told, "bonusId", bonus->id);
    wf_json_set(told, "amount", dry_money(bonus->amount));
    wf_json_set_text(told, "type", "EARN");
    wf_json_set_text(told, "description", description);
    wf_json_set(told, "isReferralBonus", json_false());
    wf_json_set_text(told, "createdAt", now);
    wf_json_set_text(told, "externalId", bonus->external);
    dry_insert(dry, DRY_TRANSACTIONS, told);
    return row;
}

/* A flush tells of the visits it has written: those before count on top
 * (worker/workflow/spec/workflow.md §3.9.3). */
static char *external_id(const struct wf_dry *dry, const char *owner, const char *node,
                         const char *visit)
{
    const json_t *row = json_object_get(dry->executions, owner);
    json_int_t before =
        json_integer_value(json_object_get(json_object_get(row, "visits"), node));

    return wf_printf("wf:%s:%s:%lld", owner, node,
                     (long long)before + strtoll(visit, NULL, 10));
}

json_t *dry_sql_add_bonus(struct wf_dry *dry, const json_t *params)
{
    static const char *const members[] = { "id",     "userId",      "amount",
                                           "type",   "description", "expiresAt",
                                           "isUsed", "createdAt" };
    char *external = external_id(dry, dry_param(params, 9), dry_param(params, 10),
                                 dry_param(params, 11));
    struct bonus bonus = { dry_param(params, 1), dry_param(params, 2),
                           dry_param(params, 5), dry_param(params, 6),
                           dry_param(params, 7), external,
                           dry_param(params, 8), dry_text_cents(dry_param(params, 4)) };
    json_t *row = dry_find(dry, DRY_BONUSES, "externalId", external), *result, *cells;
    bool is_new = row == NULL;

    if (is_new && dry_customer(dry, bonus.user) != NULL) {
        char *amount = dry_money_text(bonus.amount);
        char *description = bonus.description != NULL
                                ? wf_strdup(bonus.description)
                                : wf_printf("Начислено %s бонусов", amount);

        row = add_bonus(dry, &bonus, description);
        free(description);
        free(amount);
    }
    free(external);
    if (row == NULL)
        return dry_no_rows();
    result = wf_must(json_object());
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        wf_json_set(result, members[i], json_incref(json_object_get(row, members[i])));
    cells = wf_must(json_array());
    dry_append(cells, dry_cell(result));
    dry_append(cells, dry_bool(is_new));
    json_decref(result);
    return dry_one_row(cells);
}

json_t *dry_sql_user_welcome(struct wf_dry *dry, const json_t *params)
{
    static const char description[] = "Приветственные бонусы за активацию аккаунта";
    const json_t *program = json_object_get(dry->project, "referralProgram");
    const char *user_id = dry_param(params, 1);
    char *external;
    struct bonus bonus = { .id = dry_param(params, 3),
                           .user = user_id,
                           .type = "WELCOME",
                           .description = description,
                           .transaction = dry_param(params, 4),
                           .amount =
                               dry_cents(json_object_get(program, "welcomeBonus")) };

    if (dry_customer(dry, user_id) == NULL || bonus.amount <= 0 ||
        strcmp(wf_member(program, "welcomeRewardType", "BONUS"), "BONUS") != 0 ||
        is_welcomed(dry, user_id))
        return dry_no_rows();
    external = wf_printf("welcome:%s", user_id);
    bonus.external = external;
    (void)add_bonus(dry, &bonus, description);
    free(external);
    return dry_no_rows();
}

/* --- spent */

/* Takes from the oldest active bonuses; new reference: what was taken from which. */
static json_t *take_bonuses(struct wf_dry *dry, const char *user_id, int64_t amount)
{
    json_t *taken = wf_must(json_array());
    json_t *rows = dry_newest(dry, DRY_BONUSES, user_id, SIZE_MAX);

    for (size_t i = json_array_size(rows); i-- > 0 && amount > 0;) {
        const char *id = wf_member(json_array_get(rows, i), "id", "");
        json_t *row = dry_find(dry, DRY_BONUSES, "id", id), *part;
        int64_t there = dry_cents(json_object_get(row, "amount")),
                take = there < amount ? there : amount;

        if (!dry_bonus_is_active(dry, row) || there <= 0)
            continue;
        amount -= take;
        wf_json_set(row, "amount", dry_money(there - take));
        if (take == there)
            wf_json_set(row, "isUsed", json_true());
        part = wf_must(json_object());
        wf_json_set_text(part, "bonusId", id);
        wf_json_set(part, "amount", dry_money(take));
        dry_append(taken, part);
    }
    json_decref(rows);
    return taken;
}

/* Borrowed: the transaction. */
static json_t *spend(struct wf_dry *dry, const json_t *params, const char *external,
                     int64_t total)
{
    int64_t amount = dry_text_cents(dry_param(params, 3));
    json_t *row = wf_must(json_object()), *about = wf_must(json_object());
    json_t *result = wf_must(json_object());
    char *text = dry_money_text(amount), now[WF_ISO_SIZE];
    char *description = dry_param(params, 4) != NULL
                            ? wf_strdup(dry_param(params, 4))
                            : wf_printf("Списано %s бонусов", text);

    dry_now(dry, now);
    wf_json_set(result, "spent", dry_money(amount));
    wf_json_set(result, "remaining", dry_money(total - amount));
    wf_json_set_text(about, "source", "workflow");
    wf_json_set_text(about, "workflowId", dry_param(params, 9));
    wf_json_set_text(about, "executionId", dry_param(params, 10));
    wf_json_set_text(about, "nodeId", dry_param(params, 7));
    wf_json_set(about, "allocations", take_bonuses(dry, dry_param(params, 1), amount));
    wf_json_set(about, "result", result);
    wf_json_set_text(row, "id", dry_param(params, 5));
    wf_json_set_text(row, "userId", dry_param(params, 1));
    wf_json_set(row, "amount", dry_money(amount));
    wf_json_set_text(row, "type", "SPEND");
    wf_json_set_text(row, "description", description);
    wf_json_set(row, "metadata", about);
    wf_json_set(row, "isReferralBonus", json_false());
    wf_json_set_text(row, "createdAt", now);
    wf_json_set_text(row, "externalId", external);
    dry_insert(dry, DRY_TRANSACTIONS, row);
    free(description);
    free(text);
    return row;
}

static json_t *result_of(const json_t *transaction)
{
    return dry_cell(json_object_get(json_object_get(transaction, "metadata"), "result"));
}

json_t *dry_sql_spend_bonus(struct wf_dry *dry, const json_t *params)
{
    const char *user_id = dry_param(params, 1);
    char *external = external_id(dry, dry_param(params, 6), dry_param(params, 7),
                                 dry_param(params, 8));
    const json_t *before = dry_find(dry, DRY_TRANSACTIONS, "externalId", external);
    const json_t *spent = NULL;
    bool there = dry_customer(dry, user_id) != NULL;
    json_t *cells = wf_must(json_array()), *total;
    struct dry_sums sums;

    dry_sum(dry, user_id, &sums);
    total = dry_money(sums.balance);
    if (there && before == NULL && sums.balance >= dry_text_cents(dry_param(params, 3)))
        spent = spend(dry, params, external, sums.balance);
    dry_append(cells, dry_bool(there));
    dry_append(cells, dry_cell(total));
    dry_append(cells, result_of(before));
    dry_append(cells, result_of(spent));
    json_decref(total);
    free(external);
    return dry_one_row(cells);
}

/* --- orders */

#define ORDERS_SHOWN 10
#define ITEMS_SHOWN  3

static json_t *items_of(const json_t *order)
{
    struct bw_buf out = BW_BUF_INIT;
    const json_t *item;
    json_t *cell;
    size_t i;

    json_array_foreach(json_object_get(order, "items"), i, item)
    {
        const json_t *quantity = json_object_get(item, "quantity");

        if (i < ITEMS_SHOWN)
            wf_check(bw_buf_addf(
                &out, "%s%s × %lld", i > 0 ? ", " : "", wf_member(item, "name", ""),
                json_is_integer(quantity) ? (long long)json_integer_value(quantity)
                                          : 1LL));
    }
    cell = out.len > 0 ? wf_text(bw_buf_text(&out)) : json_null();
    bw_buf_fini(&out);
    return cell;
}

json_t *dry_sql_orders(struct wf_dry *dry, const json_t *params)
{
    json_t *orders = dry_newest(dry, DRY_ORDERS, dry_param(params, 2), ORDERS_SHOWN);
    json_t *rows = dry_no_rows(), *order;
    size_t i;

    json_array_foreach(orders, i, order)
    {
        json_t *row = wf_must(json_array());
        const json_t *sum = json_object_get(order, "accountedPurchaseAmount");

        if (dry_cents(sum) <= 0)
            sum = json_object_get(order, "totalAmount");
        dry_append(row, dry_cell(json_object_get(order, "orderNumber")));
        dry_append(row, dry_local(wf_member(order, "createdAt", NULL),
                                  dry_param(params, 3), DRY_DAY));
        dry_append(row, dry_cell(sum));
        dry_append(row, dry_cell(json_object_get(order, "status")));
        dry_append(row, items_of(order));
        dry_append(rows, row);
    }
    json_decref(orders);
    return rows;
}
