/* Statements of variables, and the flush that ends a run: store.c. */
#include "workflow/authoring/dry/dry_variables.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

/* --- variables and the flush */

/* Borrowed: what belongs to a session or a customer; at first what the state says, but
 * the session of a sub-workflow begins with nothing. */
static json_t *owned(struct wf_dry *dry, const char *scope, const char *owner)
{
    char *key = wf_printf("%s %s", scope, owner);
    json_t *variables = json_object_get(dry->variables, key);

    if (variables == NULL) {
        variables = strstr(owner, "_sub_") != NULL
                        ? wf_must(json_object())
                        : wf_must(json_deep_copy(json_object_get(dry->variables, scope)));
        wf_json_set(dry->variables, key, variables);
    }
    free(key);
    return variables;
}

static void add_scope(json_t *rows, const char *scope, json_t *variables)
{
    const char *key;
    json_t *value;

    json_object_foreach(variables, key, value)
    {
        json_t *row = wf_must(json_array());
        char *text = wf_dumps(value);

        dry_append(row, wf_text(scope));
        dry_append(row, wf_text(key));
        dry_append(row, wf_text(text));
        dry_append(rows, row);
        free(text);
    }
}

/* $4 user, else the user of execution $6, else whoever has Telegram id $5. */
static const char *preloaded_user(const struct wf_dry *dry, const json_t *params)
{
    const char *user = dry_param(params, 4), *execution = dry_param(params, 6);

    if (user == NULL && execution != NULL)
        user = wf_member(json_object_get(dry->executions, execution), "user", NULL);
    return user != NULL ? user : dry_customer_id(dry, dry_param(params, 5));
}

json_t *dry_sql_preload(struct wf_dry *dry, const json_t *params)
{
    const char *user = preloaded_user(dry, params);
    json_t *rows = dry_no_rows();

    if (dry_param(params, 3) != NULL)
        add_scope(rows, "session", owned(dry, "session", dry_param(params, 3)));
    if (user != NULL)
        add_scope(rows, "user", owned(dry, "user", user));
    add_scope(rows, "project", json_object_get(dry->variables, "project"));
    add_scope(rows, "global", json_object_get(dry->variables, "global"));
    return rows;
}

json_t *dry_sql_set_variable(struct wf_dry *dry, const json_t *params)
{
    const char *scope = dry_param(params, 4), *user = dry_param(params, 3);
    json_t *variables = strcmp(scope, "user") == 0
                            ? owned(dry, "user", user != NULL ? user : "")
                            : json_object_get(dry->variables, scope);

    wf_json_set(variables, dry_param(params, 5), wf_loads(dry_param(params, 6)));
    return dry_no_rows();
}

static void set_variables(struct wf_dry *dry, const json_t *params)
{
    json_t *rows = wf_loads(dry_param(params, 6)), *row;
    json_t *shown = json_object_get(dry->item, "variables");
    size_t i;

    if (shown == NULL) {
        shown = wf_must(json_object());
        wf_json_set(dry->item, "variables", shown);
    }
    json_array_foreach(rows, i, row)
    {
        const char *key = wf_member(row, "key", "");
        json_t *value = json_object_get(row, "value");

        value = value != NULL ? value : json_null();
        wf_json_set(owned(dry, "session", dry_param(params, 4)), key, json_incref(value));
        wf_json_set(shown, key, json_incref(value));
    }
    json_decref(rows);
}

/* A row of the log: what money effects of later jobs count
 * (worker/workflow/spec/workflow.md §3.9.3). */
static void count_visit(json_t *execution, const char *node)
{
    json_t *visits = json_object_get(execution, "visits");

    if (visits == NULL) {
        visits = wf_must(json_object());
        wf_json_set(execution, "visits", visits);
    }
    wf_json_set(visits, node,
                json_integer(json_integer_value(json_object_get(visits, node)) + 1));
}

static void show_steps(struct wf_dry *dry, const json_t *params)
{
    json_t *execution = json_object_get(dry->executions, dry_param(params, 5));
    static const char *const names[] = { "step",   "node_id", "node_type", "branch_key",
                                         "status", "level",   "message",   "error" };
    json_t *logs = wf_loads(dry_param(params, 7)), *log;
    size_t i;

    json_array_foreach(logs, i, log)
    {
        json_t *shown = wf_must(json_object());

        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            json_t *member = json_object_get(log, names[j]);

            if (member != NULL && !json_is_null(member))
                wf_json_set(shown, names[j], json_incref(member));
        }
        count_visit(execution, wf_member(log, "node_id", ""));
        wf_json_set_text(shown, "execution", dry_param(params, 5));
        wf_json_set_text(shown, "workflow", dry_param(params, 2));
        dry_append(json_object_get(dry->item, "steps"), shown);
    }
    json_decref(logs);
}

static void set_execution(json_t *row, const json_t *params)
{
    wf_json_set_text(row, "status", dry_param(params, 8));
    wf_json_set(row, "steps", dry_cell(json_array_get(params, 9)));
    wf_json_set(row, "node", dry_cell(json_array_get(params, 10)));
    wf_json_set(row, "wait_type", dry_cell(json_array_get(params, 11)));
    wf_json_set(row, "payload", dry_cell(json_array_get(params, 12)));
    if (dry_param(params, 3) != NULL)
        wf_json_set_text(row, "user", dry_param(params, 3));
}

static void supersede(struct wf_dry *dry, const json_t *params)
{
    const char *id;
    json_t *row;

    json_object_foreach(dry->executions, id, row)
    {
        if (strcmp(id, dry_param(params, 5)) != 0 && dry_is(row, "status", "waiting") &&
            dry_same(wf_member(row, "session", NULL), dry_param(params, 4)) &&
            strcmp(wf_member(row, "wait_type", ""), "delay") != 0) {
            wf_json_set_text(row, "status", "cancelled");
            wf_json_set(row, "wait_type", json_null());
        }
    }
}

json_t *dry_sql_flush(struct wf_dry *dry, const json_t *params)
{
    json_t *row = json_object_get(dry->executions, dry_param(params, 5));

    if (row == NULL || !dry_is(row, "status", "running"))
        return wf_must(json_array());
    set_variables(dry, params);
    show_steps(dry, params);
    set_execution(row, params);
    if (dry_true(dry_param(params, 14)))
        supersede(dry, params);
    wf_json_set_text(dry->item, "status", dry_param(params, 8));
    wf_json_set(dry->item, "wait", dry_cell(json_array_get(params, 11)));
    if (dry_param(params, 9) != NULL)
        wf_json_set_text(dry->item, "failure", dry_param(params, 9));
    dry->failed = dry->failed || strcmp(dry_param(params, 8), "failed") == 0;
    return dry_one_cell(wf_text("f")); /* the next event looks everything up */
}
