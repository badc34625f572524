#include "workflow/authoring/dry/dry_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bulwark/cron.h>

#include "workflow/base/mem.h"
#include "workflow/language/value.h"
#include "workflow/base/iso.h"

/* --- tables */

json_t *dry_table(const struct wf_dry *dry, const char *name)
{
    json_t *table = json_object_get(dry->store, name);

    if (table == NULL) {
        table = wf_must(json_array());
        wf_json_set(dry->store, name, table);
    }
    return table;
}

void dry_insert(struct wf_dry *dry, const char *table, json_t *row)
{
    dry_append(dry_table(dry, table), row);
}

bool dry_is(const json_t *row, const char *member, const char *text)
{
    return dry_same(wf_member(row, member, NULL), text);
}

json_t *dry_find(const struct wf_dry *dry, const char *table, const char *member,
                 const char *text)
{
    json_t *row;
    size_t i;

    json_array_foreach(dry_table(dry, table), i, row)
    {
        if (dry_is(row, member, text))
            return row;
    }
    return NULL;
}

json_t *dry_customer(const struct wf_dry *dry, const char *id)
{
    return dry_find(dry, DRY_CUSTOMERS, "id", id);
}

const char *dry_customer_id(const struct wf_dry *dry, const char *telegram_id)
{
    return wf_member(dry_find(dry, DRY_CUSTOMERS, "telegramId", telegram_id), "id", NULL);
}

/* --- money */

int64_t dry_text_cents(const char *text)
{
    return text != NULL ? llround(strtod(text, NULL) * 100) : 0;
}

int64_t dry_cents(const json_t *value)
{
    return json_is_string(value) ? dry_text_cents(json_string_value(value))
                                 : llround(json_number_value(value) * 100);
}

json_t *dry_money(int64_t cents)
{
    return wf_must(cents % 100 == 0 ? json_integer(cents / 100)
                                    : json_real((double)cents / 100));
}

char *dry_money_text(int64_t cents)
{
    json_t *money = dry_money(cents);
    struct bw_buf out = BW_BUF_INIT;

    wf_check(wf_value_text(money, &out));
    json_decref(money);
    return bw_buf_take(&out);
}

/* --- time */

void dry_in(const struct wf_dry *dry, int64_t ms, char text[WF_ISO_SIZE])
{
    wf_iso(dry->now_ms + ms, text);
}

void dry_now(const struct wf_dry *dry, char text[WF_ISO_SIZE])
{
    dry_in(dry, 0, text);
}

bool dry_time(const char *text, int64_t *ms)
{
    struct tm tm = { .tm_mday = 1 };
    int fraction = 0, fields;

    if (text == NULL)
        return false;
    fields = sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d.%3d", &tm.tm_year, &tm.tm_mon,
                    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &fraction);
    if (fields < 3 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
        tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *ms = (int64_t)timegm(&tm) * 1000 + fraction;
    return true;
}

json_t *dry_local(const char *iso, const char *zone, enum dry_date date)
{
    char text[64] = "";
    int32_t ahead = 0;
    struct tm tm;
    int64_t ms;
    time_t at;

    if (!dry_time(iso, &ms))
        return json_null();
    if (zone != NULL && bw_cron_offset(zone, ms / 1000, &ahead, NULL) != BW_OK)
        ahead = 0; /* PostgreSQL would refuse the zone; the engine has checked it */
    at = (time_t)(ms / 1000 + ahead);
    if (gmtime_r(&at, &tm) == NULL)
        return json_null();
    if (date == DRY_MINUTE)
        (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
    else if (date == DRY_DAY)
        (void)strftime(text, sizeof(text), "%d.%m.%Y", &tm);
    else
        (void)strftime(text, sizeof(text), "%d.%m", &tm);
    return wf_text(text);
}

/* --- cells and rows */

void dry_append(json_t *array, json_t *value)
{
    wf_check(json_array_append_new(array, value) == 0 ? BW_OK : BW_ENOMEM);
}

const char *dry_param(const json_t *params, size_t number)
{
    return json_string_value(json_array_get(params, number - 1));
}

bool dry_true(const char *text)
{
    return text != NULL && (text[0] == 't' || text[0] == 'T');
}

bool dry_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

json_t *dry_bool(bool yes)
{
    return wf_text(yes ? "t" : "f");
}

json_t *dry_cell(const json_t *value)
{
    char *text;
    json_t *cell;

    if (value == NULL || json_is_null(value))
        return json_null();
    if (json_is_string(value))
        return wf_text(json_string_value(value));
    text = wf_dumps(value);
    cell = wf_text(text);
    free(text);
    return cell;
}

json_t *dry_no_rows(void)
{
    return wf_must(json_array());
}

json_t *dry_one_row(json_t *row)
{
    json_t *rows = dry_no_rows();

    dry_append(rows, row);
    return rows;
}

json_t *dry_one_cell(json_t *cell)
{
    json_t *row = wf_must(json_array());

    dry_append(row, cell);
    return dry_one_row(row);
}

json_t *dry_one_json(json_t *value)
{
    char *text = wf_dumps(value);
    json_t *rows = dry_one_cell(wf_text(text));

    free(text);
    json_decref(value);
    return rows;
}

json_t *dry_refuse(struct wf_dry *dry, const char *sqlstate, const char *message)
{
    dry->sqlstate = sqlstate;
    dry->refusal = message;
    return dry_no_rows();
}
