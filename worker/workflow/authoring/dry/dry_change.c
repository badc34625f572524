/* Statements that make or change a customer: store_customer.c. */
#include "workflow/authoring/dry/dry_change.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/dry/dry_user.h"
#include "workflow/base/mem.h"
#include "workflow/base/iso.h"

#define UNIQUE "23505"

/* --- parts */

static void set_text(json_t *row, const char *member, const char *text)
{
    wf_json_set(row, member, text != NULL ? wf_text(text) : json_null());
}

/* NULL keeps what is there. */
static void set_given(json_t *row, const char *member, const char *text)
{
    if (text != NULL)
        wf_json_set_text(row, member, text);
}

static void touch(const struct wf_dry *dry, json_t *row)
{
    char now[WF_ISO_SIZE];

    dry_now(dry, now);
    wf_json_set_text(row, "updatedAt", now);
}

/* Whether another customer than `row` holds one of the things that are unique. */
static bool clashes(const struct wf_dry *dry, const json_t *row)
{
    static const char *const unique[] = { "phone", "email", "telegramId", "maxId" };
    const json_t *other;
    size_t i;

    json_array_foreach(dry_table(dry, DRY_CUSTOMERS), i, other)
    {
        for (size_t j = 0; other != row && j < sizeof(unique) / sizeof(unique[0]); j++) {
            if (dry_is(other, unique[j], wf_member(row, unique[j], NULL)))
                return true;
        }
    }
    return false;
}

/* The row as it is now, unless that clashes. */
static json_t *changed(struct wf_dry *dry, json_t *row)
{
    if (clashes(dry, row))
        return dry_refuse(dry, UNIQUE, "duplicate key value violates unique constraint");
    touch(dry, row);
    return dry_one_json(dry_user_json(row));
}

/* $1, or the one that user_found has found. */
static const char *found(const struct wf_dry *dry, const json_t *params)
{
    return dry_param(params, 1) != NULL ? dry_param(params, 1) : dry->found;
}

/* --- made */

json_t *dry_sql_user_create(struct wf_dry *dry, const json_t *params)
{
    static const char *const members[] = {
        "id",    "projectId",  "firstName",        "lastName", "phone",
        "email", "telegramId", "telegramUsername", "maxId",    "maxUsername"
    };
    json_t *row = wf_must(json_object());
    char now[WF_ISO_SIZE];

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        set_text(row, members[i], dry_param(params, i + 1));
    if (clashes(dry, row)) { /* on conflict do nothing */
        json_decref(row);
        return dry_no_rows();
    }
    dry_now(dry, now);
    wf_json_set(row, "isActive", json_true());
    wf_json_set_text(row, "registeredAt", now);
    wf_json_set_text(row, "currentLevel", "Базовый");
    wf_json_set_text(row, "partnerRole", "CLIENT");
    wf_json_set(row, "totalPurchases", json_integer(0));
    wf_json_set(row, "metadata", wf_must(json_object()));
    touch(dry, row);
    dry_insert(dry, DRY_CUSTOMERS, row);
    return dry_one_json(dry_user_json(row));
}

/* A messenger's id that neither the row nor anybody else has. */
static void adopt_id(struct wf_dry *dry, json_t *row, const char *member, const char *id)
{
    if (wf_member(row, member, NULL) == NULL &&
        dry_find(dry, DRY_CUSTOMERS, member, id) == NULL)
        set_given(row, member, id);
}

json_t *dry_sql_user_adopt(struct wf_dry *dry, const json_t *params)
{
    static const char *const members[] = { "phone", "email", "telegramId", NULL,
                                           "maxId" };
    json_t *row = NULL;

    for (size_t i = 0; row == NULL && i < sizeof(members) / sizeof(members[0]); i++) {
        if (members[i] != NULL)
            row = dry_find(dry, DRY_CUSTOMERS, members[i], dry_param(params, i + 2));
    }
    if (row == NULL)
        return dry_no_rows();
    adopt_id(dry, row, "telegramId", dry_param(params, 4));
    adopt_id(dry, row, "maxId", dry_param(params, 6));
    if (wf_member(row, "telegramUsername", NULL) == NULL)
        set_given(row, "telegramUsername", dry_param(params, 5));
    return changed(dry, row);
}

/* --- linked */

json_t *dry_sql_user_lock(struct wf_dry *dry, const json_t *params)
{
    const json_t *row = dry_customer(dry, dry_param(params, 1));
    json_t *cells;

    if (row == NULL)
        return dry_no_rows();
    cells = wf_must(json_array());
    dry_append(cells, wf_text(dry_param(params, 1)));
    dry_append(cells, dry_bool(json_object_get(json_object_get(row, "metadata"),
                                               "pendingReferral") != NULL));
    return dry_one_row(cells);
}

json_t *dry_sql_user_detach(struct wf_dry *dry, const json_t *params)
{
    const char *user_id = found(dry, params);
    const char *member = dry_true(dry_param(params, 4)) ? "maxId" : "telegramId";
    json_t *other = dry_find(dry, DRY_CUSTOMERS, member, dry_param(params, 3));

    if (other == NULL || dry_customer(dry, user_id) == NULL ||
        dry_is(other, "id", user_id))
        return dry_no_rows();
    wf_json_set(other, member, json_null());
    wf_json_set(other, "isActive", json_false());
    touch(dry, other);
    return dry_one_cell(wf_text(wf_member(other, "id", "")));
}

json_t *dry_sql_user_activate(struct wf_dry *dry, const json_t *params)
{
    json_t *row = dry_customer(dry, found(dry, params));
    bool max = dry_true(dry_param(params, 6));

    if (row == NULL)
        return dry_no_rows();
    set_text(row, max ? "maxId" : "telegramId", dry_param(params, 3));
    set_given(row, max ? "maxUsername" : "telegramUsername", dry_param(params, 4));
    set_given(row, "phone", dry_param(params, 5));
    wf_json_set(row, "isActive", json_true());
    return changed(dry, row);
}

/* --- changed */

json_t *dry_sql_user_update(struct wf_dry *dry, const json_t *params)
{
    static const char *const members[] = { "phone", "email", "firstName", "lastName" };
    json_t *row = dry_customer(dry, dry_param(params, 1));
    json_t *given = wf_loads(dry_param(params, 3));

    for (size_t i = 0; row != NULL && i < sizeof(members) / sizeof(members[0]); i++) {
        if (json_object_get(given, members[i]) != NULL)
            set_text(row, members[i], dry_param(params, i + 4));
    }
    json_decref(given);
    return row != NULL ? changed(dry, row) : dry_no_rows();
}

json_t *dry_sql_user_contact(struct wf_dry *dry, const json_t *params)
{
    static const char *const members[] = { "id",          "projectId",        "email",
                                           "phone",       "firstName",        "lastName",
                                           "telegramId",  "telegramUsername", "maxId",
                                           "maxUsername", "isActive" };
    const char *member = dry_true(dry_param(params, 5)) ? "maxId" : "telegramId";
    json_t *row = dry_find(dry, DRY_CUSTOMERS, member, dry_param(params, 2));
    json_t *cells, *result;

    if (row == NULL)
        return dry_no_rows();
    set_given(row, "phone", dry_param(params, 3));
    set_given(row, "email", dry_param(params, 4));
    if (clashes(dry, row))
        return dry_refuse(dry, UNIQUE, "duplicate key value violates unique constraint");
    touch(dry, row);
    result = wf_must(json_object());
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *value = json_object_get(row, members[i]);

        wf_json_set(result, members[i], value != NULL ? json_incref(value) : json_null());
    }
    cells = wf_must(json_array());
    dry_append(cells, dry_cell(result));
    dry_append(cells, wf_text(wf_member(row, "id", "")));
    json_decref(result);
    return dry_one_row(cells);
}

/* New reference: `{<name>: id, <member>: value, success: true}` */
static json_t *success(const char *name, const json_t *row, const char *member)
{
    json_t *result = wf_must(json_object());

    wf_json_set_text(result, name, wf_member(row, "id", ""));
    wf_json_set(result, member, json_incref(json_object_get(row, member)));
    wf_json_set(result, "success", json_true());
    return dry_one_json(result);
}

json_t *dry_sql_user_birthday(struct wf_dry *dry, const json_t *params)
{
    json_t *row = dry_customer(dry, dry_param(params, 1));
    char *date;

    if (row == NULL)
        return dry_no_rows();
    date = wf_printf("%sT00:00:00.000Z", dry_param(params, 3));
    wf_json_set_text(row, "birthDate", date);
    free(date);
    touch(dry, row);
    return success("id", row, "birthDate");
}

/* Each text of PostgreSQL's `{"a","b"}` is deleted. */
static void delete_keys(json_t *metadata, const char *keys)
{
    struct bw_buf key = BW_BUF_INIT;

    for (const char *at = keys + 1; *at == '"' || *at == ','; at++) {
        if (*at == ',')
            continue;
        for (at++; *at != '"' && *at != '\0'; at++) {
            if (*at == '\\' && at[1] != '\0')
                at++;
            wf_check(bw_buf_add_char(&key, *at));
        }
        wf_json_set(metadata, bw_buf_text(&key), NULL);
        bw_buf_fini(&key);
        key = (struct bw_buf)BW_BUF_INIT;
    }
}

json_t *dry_sql_user_metadata_set(struct wf_dry *dry, const json_t *params)
{
    json_t *row = dry_customer(dry, dry_param(params, 1)), *metadata, *set;

    if (row == NULL)
        return dry_no_rows();
    metadata = json_object_get(row, "metadata");
    set = wf_loads(dry_param(params, 3));
    wf_check(json_object_update(metadata, set) == 0 ? BW_OK : BW_ENOMEM);
    json_decref(set);
    delete_keys(metadata, dry_param(params, 4));
    touch(dry, row);
    return success("userId", row, "metadata");
}
