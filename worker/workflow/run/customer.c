#include "workflow/run/customer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/run/customer_partner.h"
#include "workflow/base/mem.h"
#include "workflow/run/referral_link.h"
#include "workflow/language/value.h"

#define NOT_GIVEN "Не указано"

struct sheet { /* what is being filled */
    const json_t *row;
    const struct wf_settings *settings;
    json_t *flat;
};

/* --- texts */

static double number_of(const json_t *row, const char *key)
{
    return json_number_value(json_object_get(row, key));
}

/* A number as JSON: whole ones as integers, so that they read as they were written. */
static json_t *number(double value)
{
    if (fabs(value) < 9e15 && value == floor(value))
        return json_integer((json_int_t)value);
    return json_real(value);
}

static void put(struct sheet *sheet, const char *name, json_t *value)
{
    wf_json_set(sheet->flat, name, wf_must(value));
}

static void put_text(struct sheet *sheet, const char *name, const char *text)
{
    put(sheet, name, wf_text(text));
}

static void put_take(struct sheet *sheet, const char *name, char *text)
{
    put_text(sheet, name, text);
    free(text);
}

static void put_column(struct sheet *sheet, const char *name, const char *column,
                       const char *fallback)
{
    const char *text = wf_member(sheet->row, column, "");

    put_text(sheet, name, *text != '\0' ? text : fallback);
}

/* New: a number and its unit. */
static char *with_unit(double value, const char *unit)
{
    struct bw_buf out = BW_BUF_INIT;

    wf_check(wf_number_text(value, &out));
    wf_check(bw_buf_add_str(&out, unit));
    return bw_buf_take(&out);
}

/* New: `%.2f бонусов` */
static char *bonuses(double value)
{
    return wf_printf("%.2f бонусов", value);
}

/* New: `15 октября 2025 г. в 16:30` from `2025-10-15 16:30`, which is local already. */
static char *long_date(const char *local, const struct wf_settings *settings)
{
    static const char *const months[] = { "января",   "февраля", "марта",  "апреля",
                                          "мая",      "июня",    "июля",   "августа",
                                          "сентября", "октября", "ноября", "декабря" };
    int year, month, day, hour, minute;

    if (local == NULL ||
        sscanf(local, "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute) != 5 ||
        month < 1 || month > 12)
        return wf_strdup("");
    return wf_printf("%d %s %d г.%s%02d:%02d", day, months[month - 1], year,
                     settings->long_date_sep, hour, minute);
}

/* New: `DD.MM, HH:MM` */
static char *short_date(const char *local)
{
    int year, month, day, hour, minute;

    if (local == NULL ||
        sscanf(local, "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute) != 5)
        return wf_strdup("");
    return wf_printf("%02d.%02d, %02d:%02d", day, month, hour, minute);
}

static const char *yes_no(bool yes)
{
    return yes ? "Да" : "Нет";
}

/* New: `first last` without what is missing, or "". */
static char *full_name(const char *first, const char *last)
{
    return wf_printf("%s%s%s", first, *first != '\0' && *last != '\0' ? " " : "", last);
}

static const char *level_name(const char *level)
{
    static const char *const mapped[][2] = { { "3", "Базовый" },
                                             { "4", "Серебряный" },
                                             { "5", "Золотой" },
                                             { "6", "Платиновый" } };

    for (size_t i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++) {
        if (strcmp(level, mapped[i][0]) == 0)
            return mapped[i][1];
    }
    return *level != '\0' ? level : "Базовый";
}

/* --- parts */

static void put_identity(struct sheet *sheet)
{
    char *name = full_name(wf_member(sheet->row, "first_name", ""),
                           wf_member(sheet->row, "last_name", ""));

    put_column(sheet, "user.id", "id", "");
    put_column(sheet, "user.userId", "id", "");
    put_column(sheet, "user.firstName", "first_name", NOT_GIVEN);
    put_column(sheet, "user.lastName", "last_name", NOT_GIVEN);
    put_column(sheet, "user.email", "email", NOT_GIVEN);
    put_column(sheet, "user.phone", "phone", NOT_GIVEN);
    put_column(sheet, "user.telegramId", "telegram_id", NOT_GIVEN);
    put_column(sheet, "user.telegramUsername", "telegram_username", NOT_GIVEN);
    put_column(sheet, "user.maxId", "max_id", NOT_GIVEN);
    put_column(sheet, "user.maxUsername", "max_username", NOT_GIVEN);
    put_text(sheet, "user.fullName", *name != '\0' ? name : NOT_GIVEN);
    put_text(sheet, "user.name", *name != '\0' ? name : NOT_GIVEN);
    free(name);
}

static void put_money(struct sheet *sheet)
{
    double balance = number_of(sheet->row, "balance"),
           earned = number_of(sheet->row, "earned");
    double spent = number_of(sheet->row, "spent");
    double purchases = number_of(sheet->row, "total_purchases");
    double expiring = number_of(sheet->row, "expiring");
    json_int_t transactions = json_integer_value(json_object_get(sheet->row, "tx_count"));
    json_int_t count = json_integer_value(json_object_get(sheet->row, "bonus_count"));

    put(sheet, "user.balance", number(balance));
    put_take(sheet, "user.balanceFormatted", bonuses(balance));
    put(sheet, "user.totalEarned", number(earned));
    put_take(sheet, "user.totalEarnedFormatted", bonuses(earned));
    put(sheet, "user.totalSpent", number(spent));
    put_take(sheet, "user.totalSpentFormatted", bonuses(spent));
    put(sheet, "user.totalPurchases", number(purchases));
    put_take(sheet, "user.totalPurchasesFormatted", with_unit(purchases, " руб."));
    put(sheet, "user.expiringBonuses", number(expiring));
    put_take(sheet, "user.expiringBonusesFormatted", with_unit(expiring, " бонусов"));
    put(sheet, "user.transactionCount", json_integer(transactions));
    put(sheet, "user.bonusCount", json_integer(count));
    put_text(sheet, "user.hasTransactions", yes_no(transactions > 0));
    put_text(sheet, "user.hasBonuses", yes_no(count > 0));
    put_text(sheet, "user.isNewUser", yes_no(transactions == 0));
    put(sheet, "user.stats",
        json_pack("{s:o, s:o, s:o, s:I, s:I}", "balance", number(balance), "totalEarned",
                  number(earned), "totalSpent", number(spent), "transactionCount",
                  transactions, "bonusCount", count));
}

/* --- level (worker/workflow/spec/workflow.md §6.5, level progress) */

struct level {
    const json_t *now, *next; /* NULL: none */
    double progress, needed;
};

static struct level find_level(const json_t *levels, double purchases)
{
    struct level level = { 0 };
    const json_t *lowest = NULL, *item;
    size_t i, at = 0;

    json_array_foreach((json_t *)(uintptr_t)levels, i, item)
    {
        double max = number_of(item, "max");

        if (lowest == NULL || number_of(item, "order") < number_of(lowest, "order"))
            lowest = item;
        if (purchases >= number_of(item, "min") && (max <= 0 || purchases <= max))
            level.now = item; /* the last is the one with the greatest least amount */
    }
    if (level.now == NULL)
        level.now = lowest;
    if (level.now == NULL)
        return level;
    json_array_foreach((json_t *)(uintptr_t)levels, i, item)
    {
        if (item == level.now)
            at = i;
    }
    level.next = json_array_get(levels, at + 1);
    level.progress = 100;
    if (level.next != NULL) {
        double from = number_of(level.now, "min"), to = number_of(level.next, "min");
        double part = to - from > 0 ? 100 * (purchases - from) / (to - from) : 0;

        level.needed = fmax(0, to - purchases);
        level.progress = round(fmin(100, fmax(0, part)));
    }
    return level;
}

static char *progress_bar(double progress)
{
    struct bw_buf out = BW_BUF_INIT;
    int full = (int)(progress / 25);

    for (int i = 0; i < 4; i++)
        wf_check(bw_buf_add_str(&out, i < full ? "▰" : "▱"));
    wf_check(bw_buf_addf(&out, " (%.0f%%)", progress));
    return bw_buf_take(&out);
}

static void put_level(struct sheet *sheet, const json_t *levels)
{
    struct level level = find_level(levels, number_of(sheet->row, "total_purchases"));
    const char *name = wf_member(sheet->row, "current_level", "");
    const char *next = "Уровень не определен";

    if (level.now != NULL) {
        name = wf_member(level.now, "name", "");
        next = "Максимальный уровень достигнут";
    }
    if (level.next != NULL)
        next = wf_member(level.next, "name", "");
    put_text(sheet, "user.currentLevel", level_name(name));
    put_take(sheet, "user.progressBar", progress_bar(level.progress));
    put(sheet, "user.progressPercent", number(level.progress));
    put(sheet, "user.levelBonusPercent", number(number_of(level.now, "bonusPercent")));
    put(sheet, "user.levelPaymentPercent",
        number(number_of(level.now, "paymentPercent")));
    put_text(sheet, "user.nextLevelName", next);
    put(sheet, "user.nextLevelAmount", number(level.needed));
    put_take(sheet, "user.nextLevelAmountFormatted", with_unit(level.needed, " руб."));
}

/* --- history */

static const char *sign_of(const json_t *transaction)
{
    return strcmp(wf_member(transaction, "type", ""), "EARN") == 0 ? "+" : "-";
}

static const char *described(const json_t *transaction)
{
    const char *text = wf_member(transaction, "description", "");

    return *text != '\0' ? text : "Операция";
}

/* New: one line of `user.transactionHistory`. */
static char *history_line(const json_t *item, const struct wf_settings *settings)
{
    char *amount = with_unit(fabs(number_of(item, "amount")), " бонусов");
    char *date = long_date(wf_member(item, "local", NULL), settings);
    char *line =
        wf_printf("%s%s - %s (%s)", sign_of(item), amount, described(item), date);

    free(amount);
    free(date);
    return line;
}

/* New: one block of `transactions.formatted`. */
static char *history_block(const json_t *item, size_t number_from_1)
{
    bool earned = *sign_of(item) == '+';
    char *amount = with_unit(fabs(number_of(item, "amount")), " бонусов");
    char *date = short_date(wf_member(item, "local", NULL));
    char *block =
        wf_printf("%zu. %s %s%s • %s\n   📅 %s", number_from_1, earned ? "💚" : "💸",
                  sign_of(item), amount, described(item), date);

    free(amount);
    free(date);
    return block;
}

static char *bonus_line(const json_t *item, const struct wf_settings *settings)
{
    char *amount = with_unit(number_of(item, "amount"), " бонусов");
    const char *ends = wf_member(item, "expires_local", NULL);
    char *date = ends != NULL ? long_date(ends, settings) : NULL;
    char *line = date != NULL ? wf_printf("%s (до %s)", amount, date)
                              : wf_printf("%s (без срока)", amount);

    free(amount);
    free(date);
    return line;
}

static void add_line(struct bw_buf *out, const char *between, char *line)
{
    if (out->len > 0)
        wf_check(bw_buf_add_str(out, between));
    wf_check(bw_buf_add_str(out, line));
    free(line);
}

static void put_buf(struct sheet *sheet, const char *name, struct bw_buf *out,
                    const char *when_empty)
{
    put_text(sheet, name, out->len > 0 ? bw_buf_text(out) : when_empty);
    bw_buf_fini(out);
}

static void put_history(struct sheet *sheet)
{
    const json_t *transactions = json_object_get(sheet->row, "last_transactions");
    const json_t *active = json_object_get(sheet->row, "active_bonuses"), *item;
    struct bw_buf lines = BW_BUF_INIT, blocks = BW_BUF_INIT, bonus_lines = BW_BUF_INIT;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)transactions, i, item)
    {
        if (i == 0)
            put_take(sheet, "user.lastTransaction", history_line(item, sheet->settings));
        if (i < 5)
            add_line(&lines, "\n", history_line(item, sheet->settings));
        add_line(&blocks, "\n\n", history_block(item, i + 1));
    }
    if (json_array_size(transactions) == 0)
        put_text(sheet, "user.lastTransaction", "Нет");
    json_array_foreach((json_t *)(uintptr_t)active, i, item)
    {
        if (i < 3)
            add_line(&bonus_lines, "\n", bonus_line(item, sheet->settings));
    }
    put_buf(sheet, "user.transactionHistory", &lines, "");
    put_buf(sheet, "transactions.formatted", &blocks, "📭 История операций пуста");
    put_buf(sheet, "user.activeBonuses", &bonus_lines, "");
}

/* --- referrals */

static void put_link(struct sheet *sheet)
{
    const char *code = wf_member(sheet->row, "referral_code", "");
    const char *project = wf_member(sheet->row, "project_name", "");

    put_text(sheet, "user.projectName", *project != '\0' ? project : "Бонусная система");
    if (json_is_true(json_object_get(sheet->row, "enable_partner_roles")) &&
        !json_is_true(json_object_get(sheet->row, "may_refer"))) {
        put_text(sheet, "user.referralLink", "Недоступно");
        put_text(sheet, "user.referralCodeShort", "Нет");
        return;
    }
    put_take(sheet, "user.referralLink",
             wf_referral_link(wf_member(sheet->row, "domain", NULL),
                              wf_member(sheet->row, "id", ""),
                              wf_member(sheet->row, "org_slug", NULL), NULL));
    put_text(sheet, "user.referralCodeShort", *code != '\0' ? code : "Нет");
}

static void put_referrals(struct sheet *sheet)
{
    const char *code = wf_member(sheet->row, "referral_code", "");
    double total = number_of(sheet->row, "ref_bonus");
    char *name = full_name(wf_member(sheet->row, "ref_first", ""),
                           wf_member(sheet->row, "ref_last", ""));

    put_text(sheet, "user.referralCode", *code != '\0' ? code : "Не сгенерирован");
    put_text(sheet, "user.hasReferralCode", yes_no(*code != '\0'));
    put_column(sheet, "user.referredBy", "referred_by", "Нет");
    if (*wf_member(sheet->row, "referred_by", "") == '\0')
        put_text(sheet, "user.referrerName", "Нет");
    else if (*name != '\0')
        put_text(sheet, "user.referrerName", name);
    else
        put_column(sheet, "user.referrerName", "ref_username", "Неизвестно");
    free(name);
    put(sheet, "user.referralCount",
        json_integer(json_integer_value(json_object_get(sheet->row, "referral_count"))));
    put(sheet, "user.referralBonusTotal", number(total));
    put_take(sheet, "user.referralBonusTotalFormatted", with_unit(total, " бонусов"));
    put_link(sheet);
}

json_t *wf_customer_variables(const json_t *row, const json_t *levels,
                              const struct wf_settings *settings)
{
    struct sheet sheet = { row, settings, wf_must(json_object()) };

    put_identity(&sheet);
    put_money(&sheet);
    put_level(&sheet, levels);
    put_history(&sheet);
    put_referrals(&sheet);
    wf_customer_partner(sheet.flat, row);
    put_take(&sheet, "user.registeredAt",
             long_date(wf_member(row, "registered_local", NULL), settings));
    put_take(&sheet, "user.updatedAt",
             long_date(wf_member(row, "updated_local", NULL), settings));
    return sheet.flat;
}

/* --- profile */

static json_t *copy(const json_t *row, const char *column)
{
    json_t *value = json_object_get(row, column);

    if (json_is_real(value))
        return number(json_real_value(value));
    return value != NULL ? json_incref(value) : json_null();
}

static json_t *items(const json_t *list, const char *const (*members)[2], size_t count)
{
    json_t *out = wf_must(json_array());
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        json_t *object = wf_must(json_object());

        for (size_t m = 0; m < count; m++)
            wf_json_set(object, members[m][0], copy(item, members[m][1]));
        (void)json_array_append_new(out, object); /* cannot fail but by memory */
    }
    return out;
}

json_t *wf_customer_profile(const json_t *row)
{
    static const char *const members[][2] = {
        { "userId", "id" },
        { "firstName", "first_name" },
        { "lastName", "last_name" },
        { "email", "email" },
        { "phone", "phone" },
        { "telegramId", "telegram_id" },
        { "telegramUsername", "telegram_username" },
        { "maxId", "max_id" },
        { "maxUsername", "max_username" },
        { "balance", "balance" },
        { "totalEarned", "earned" },
        { "totalSpent", "spent" },
        { "totalPurchases", "total_purchases" },
        { "expiringBonuses", "expiring" },
        { "referralCode", "referral_code" },
        { "referredBy", "referred_by" },
        { "registeredAt", "registered_at" },
        { "updatedAt", "updated_at" },
        { "transactionCount", "tx_count" },
        { "bonusCount", "bonus_count" },
    };
    static const char *const of_transaction[][2] = {
        { "id", "id" },        { "amount", "amount" },
        { "type", "type" },    { "description", "description" },
        { "createdAt", "at" }, { "isReferralBonus", "is_referral_bonus" }
    };
    static const char *const of_bonus[][2] = { { "id", "id" },
                                               { "amount", "amount" },
                                               { "type", "type" },
                                               { "description", "description" },
                                               { "expiresAt", "expires" },
                                               { "createdAt", "at" } };
    json_t *profile = wf_must(json_object());
    char *name =
        full_name(wf_member(row, "ref_first", ""), wf_member(row, "ref_last", ""));

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        wf_json_set(profile, members[i][0], copy(row, members[i][1]));
    wf_json_set_text(profile, "currentLevel",
                     level_name(wf_member(row, "current_level", "")));
    wf_json_set(profile, "referrerName", *name != '\0' ? wf_text(name) : json_null());
    wf_json_set(profile, "transactionHistory",
                items(json_object_get(row, "last_transactions"), of_transaction,
                      sizeof(of_transaction) / sizeof(of_transaction[0])));
    wf_json_set(profile, "activeBonuses",
                items(json_object_get(row, "active_bonuses"), of_bonus,
                      sizeof(of_bonus) / sizeof(of_bonus[0])));
    free(name);
    return profile;
}
