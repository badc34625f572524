/* What PostgreSQL would say: executions and variables as the run itself leaves them, the
 * rest from the state. Columns: store.c, store_delay.c, store_sub.c, store_customer.c. */
#include "workflow/authoring/dry.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/mem.h"

static void append(json_t *array, json_t *value)
{
    wf_check(json_array_append_new(array, value) == 0 ? BW_OK : BW_ENOMEM);
}

static const char *param(const json_t *params, size_t number)
{
    return json_string_value(json_array_get(params, number - 1));
}

/* The cell of a JSON value: texts as they are, others as JSON; NULL is SQL NULL. */
static json_t *cell_of(const json_t *value)
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

/* Appends cells to a row, up to NULL as the last of the values' names. */
static void add_members(json_t *row, const json_t *object, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        append(row, cell_of(json_object_get(object, names[i])));
}

static json_t *one_row(json_t *row)
{
    json_t *rows = wf_must(json_array());

    append(rows, row);
    return rows;
}

static json_t *one_cell(json_t *cell)
{
    json_t *row = wf_must(json_array());

    append(row, cell);
    return one_row(row);
}

static bool is_true(const char *text)
{
    return text != NULL && (text[0] == 't' || text[0] == 'T');
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* --- project and workflows */

static json_t *answer_project(struct wf_dry *dry, const json_t *params)
{
    json_t *object = wf_must(json_deep_copy(dry->project)), *row = wf_must(json_array());
    json_t *variables = json_incref(json_object_get(object, "variables"));
    json_t *levels = json_incref(json_object_get(object, "levels"));

    (void)params;
    wf_json_set(object, "variables", NULL);
    wf_json_set(object, "levels", NULL);
    append(row, cell_of(object));
    append(row, wf_text("0:dry-run"));
    append(row, wf_text("t"));
    append(row, cell_of(json_object_get(object, "workflowMaxSteps")));
    append(row, cell_of(json_object_get(object, "workflowTimeoutMs")));
    append(row, json_is_object(variables) ? cell_of(variables) : wf_text("{}"));
    append(row, json_is_array(levels) ? cell_of(levels) : wf_text("[]"));
    json_decref(object);
    json_decref(variables);
    json_decref(levels);
    return one_row(row);
}

static json_t *or_empty(const json_t *value)
{
    return value != NULL ? cell_of(value) : wf_text("[]");
}

static json_t *version_row(const char *id, const json_t *workflow)
{
    json_t *row = wf_must(json_array());

    append(row, wf_text("v"));
    append(row, wf_text(id));
    append(row, wf_text("1"));
    append(row, or_empty(json_object_get(workflow, "nodes")));
    append(row, wf_text(wf_member(workflow, "entryNodeId", "")));
    append(row, cell_of(json_object_get(workflow, "variables")));
    append(row, cell_of(json_object_get(workflow, "settings")));
    append(row, wf_text("2000-01-01T00:00:00.000Z"));
    append(row, or_empty(json_object_get(workflow, "connections")));
    append(row, wf_text("f"));
    return one_row(row);
}

static const json_t *other_workflow(const struct wf_dry *dry, const char *id)
{
    return id != NULL ? json_object_get(json_object_get(dry->state, "workflows"), id)
                      : NULL;
}

static json_t *answer_versions(struct wf_dry *dry, const json_t *params)
{
    (void)params;
    return version_row(DRY_WORKFLOW, dry->workflow);
}

static json_t *answer_version(struct wf_dry *dry, const json_t *params)
{
    const json_t *other = other_workflow(dry, param(params, 2));

    return other != NULL ? version_row(param(params, 2), other)
                         : version_row(DRY_WORKFLOW, dry->workflow);
}

static json_t *answer_sub_workflow(struct wf_dry *dry, const json_t *params)
{
    json_t *row;

    if (other_workflow(dry, param(params, 1)) == NULL)
        return wf_must(json_array());
    row = wf_must(json_array());
    append(row, cell_of(json_object_get(dry->project, "id")));
    append(row, wf_text("1"));
    return one_row(row);
}

/* --- executions */

static json_t *execution(const struct wf_dry *dry, const char *id)
{
    return id != NULL ? json_object_get(dry->executions, id) : NULL;
}

static bool is_status(const json_t *row, const char *status)
{
    return same(wf_member(row, "status", NULL), status);
}

/* NULL: nobody is known by it. */
static const char *customer_id(const struct wf_dry *dry, const char *telegram_id)
{
    const char *own = wf_member(dry->customer, "telegramId", NULL);

    if (dry->customer == NULL || telegram_id == NULL)
        return NULL;
    return own == NULL || strcmp(own, telegram_id) == 0
               ? wf_member(dry->customer, "id", "")
               : NULL;
}

static json_t *answer_insert(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "id",      "project", "workflow", "version",
                                         "session", "user",    "chat" };
    json_t *row = wf_must(json_object());

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        wf_json_set(row, names[i], cell_of(json_array_get(params, i)));
    wf_json_set_text(row, "status", "running");
    wf_json_set_text(row, "steps", "0");
    if (execution(dry, param(params, 1)) == NULL)
        wf_json_set(dry->executions, param(params, 1), row);
    else
        json_decref(row);
    return wf_must(json_array());
}

static bool is_typed_wait(const json_t *row)
{
    const char *type = wf_member(row, "wait_type", "");

    return is_status(row, "waiting") &&
           (strcmp(type, "contact") == 0 || strcmp(type, "input") == 0 ||
            strcmp(type, "location") == 0 || strcmp(type, "poll") == 0);
}

static void end_wait(json_t *row, const char *status)
{
    wf_json_set_text(row, "status", status);
    wf_json_set(row, "wait_type", json_null());
}

static json_t *lookup_row(const struct wf_dry *dry, const json_t *params,
                          const json_t *row)
{
    static const char *const names[] = { "id",   "workflow", "version",   "session",
                                         "user", "status",   "wait_type", "payload",
                                         "node", "steps",    NULL };
    const char *customer = customer_id(dry, param(params, 4));
    json_t *cells = wf_must(json_array());

    append(cells, customer != NULL ? wf_text(customer) : json_null());
    if (row == NULL)
        return cells;
    add_members(cells, row, names);
    append(cells,
           wf_text(same(wf_member(row, "id", NULL), param(params, 6)) ? "t" : "f"));
    append(cells,
           wf_text(same(wf_member(row, "chat", NULL), param(params, 2)) ? "t" : "f"));
    append(cells, wf_text("f"));
    append(cells, wf_text("t"));
    return cells;
}

/* The waiting ones first, then the youngest. */
static json_t *answer_lookup(struct wf_dry *dry, const json_t *params)
{
    json_t *rows = wf_must(json_array()), *row;
    const char *id;

    json_object_foreach(dry->executions, id, row)
    {
        bool first = is_status(row, "waiting") &&
                     strcmp(wf_member(row, "wait_type", ""), "delay") != 0;

        if (!same(wf_member(row, "chat", NULL), param(params, 2)))
            continue;
        if (first)
            wf_check(json_array_insert_new(rows, 0, lookup_row(dry, params, row)) == 0
                         ? BW_OK
                         : BW_ENOMEM);
        else
            append(rows, lookup_row(dry, params, row));
        if (is_true(param(params, 8)) && is_typed_wait(row))
            end_wait(row, "cancelled");
    }
    if (json_array_size(rows) == 0)
        append(rows, lookup_row(dry, params, NULL));
    return rows;
}

/* Takes the wait; the row as it was, by these names. */
static json_t *claim(json_t *row, const char *const *names)
{
    json_t *cells = wf_must(json_array());

    add_members(cells, row, names);
    end_wait(row, "running");
    return one_row(cells);
}

static json_t *answer_claim(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "id",   "session", "workflow",  "version",
                                         "user", "steps",   "wait_type", "payload",
                                         "node", NULL };

    for (size_t number = 3; number <= 4; number++) {
        json_t *row = execution(dry, param(params, number));
        const char *type = wf_member(row, "wait_type", NULL);

        if (row == NULL || !is_status(row, "waiting") || type == NULL ||
            strstr(param(params, 5), type) == NULL)
            continue;
        if (customer_id(dry, param(params, 7)) != NULL &&
            wf_member(row, "user", NULL) == NULL)
            wf_json_set_text(row, "user", customer_id(dry, param(params, 7)));
        return claim(row, names);
    }
    return wf_must(json_array());
}

static json_t *answer_delayed(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "session",  "workflow", "version", "user",
                                         "steps",    "payload",  "chat",    "telegram",
                                         "username", "first",    "node",    NULL };
    json_t *row = execution(dry, param(params, 1));

    if (row == NULL || !is_status(row, "waiting"))
        return wf_must(json_array());
    if (dry->customer != NULL) {
        wf_json_set(row, "telegram",
                    cell_of(json_object_get(dry->customer, "telegramId")));
        wf_json_set(row, "first", cell_of(json_object_get(dry->customer, "firstName")));
    }
    return claim(row, names);
}

static json_t *answer_there(struct wf_dry *dry, const json_t *params)
{
    return execution(dry, param(params, 1)) != NULL ? one_cell(wf_text("1"))
                                                    : wf_must(json_array());
}

/* --- variables and the flush */

/* Borrowed: what belongs to a session; at first what the state says. */
static json_t *session(struct wf_dry *dry, const char *id)
{
    char *key = wf_printf("session %s", id);
    json_t *variables = json_object_get(dry->variables, key);

    if (variables == NULL) {
        variables = wf_must(json_deep_copy(json_object_get(dry->variables, "session")));
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

        append(row, wf_text(scope));
        append(row, wf_text(key));
        append(row, wf_text(text));
        append(rows, row);
        free(text);
    }
}

static json_t *answer_preload(struct wf_dry *dry, const json_t *params)
{
    static const char *const scopes[] = { "user", "project", "global" };
    json_t *rows = wf_must(json_array());

    if (param(params, 3) != NULL)
        add_scope(rows, "session", session(dry, param(params, 3)));
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
        add_scope(rows, scopes[i], json_object_get(dry->variables, scopes[i]));
    return rows;
}

static json_t *answer_set_variable(struct wf_dry *dry, const json_t *params)
{
    json_t *scope = json_object_get(dry->variables, param(params, 4));

    if (scope != NULL && param(params, 5) != NULL)
        wf_json_set(scope, param(params, 5), wf_loads(param(params, 6)));
    return wf_must(json_array());
}

static void set_variables(struct wf_dry *dry, const json_t *params)
{
    json_t *rows = wf_loads(param(params, 6)), *row;
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
        wf_json_set(session(dry, param(params, 4)), key, json_incref(value));
        wf_json_set(shown, key, json_incref(value));
    }
    json_decref(rows);
}

static void show_steps(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "step",   "node_id", "node_type", "branch_key",
                                         "status", "level",   "message",   "error" };
    json_t *logs = wf_loads(param(params, 7)), *log;
    size_t i;

    json_array_foreach(logs, i, log)
    {
        json_t *shown = wf_must(json_object());

        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            json_t *member = json_object_get(log, names[j]);

            if (member != NULL && !json_is_null(member))
                wf_json_set(shown, names[j], json_incref(member));
        }
        wf_json_set_text(shown, "execution", param(params, 5));
        wf_json_set_text(shown, "workflow", param(params, 2));
        append(json_object_get(dry->item, "steps"), shown);
    }
    json_decref(logs);
}

static void set_execution(json_t *row, const json_t *params)
{
    wf_json_set_text(row, "status", param(params, 8));
    wf_json_set(row, "steps", cell_of(json_array_get(params, 9)));
    wf_json_set(row, "node", cell_of(json_array_get(params, 10)));
    wf_json_set(row, "wait_type", cell_of(json_array_get(params, 11)));
    wf_json_set(row, "payload", cell_of(json_array_get(params, 12)));
    if (param(params, 3) != NULL)
        wf_json_set_text(row, "user", param(params, 3));
}

static void supersede(struct wf_dry *dry, const json_t *params)
{
    const char *id;
    json_t *row;

    json_object_foreach(dry->executions, id, row)
    {
        if (strcmp(id, param(params, 5)) != 0 && is_status(row, "waiting") &&
            same(wf_member(row, "session", NULL), param(params, 4)) &&
            strcmp(wf_member(row, "wait_type", ""), "delay") != 0)
            end_wait(row, "cancelled");
    }
}

static json_t *answer_flush(struct wf_dry *dry, const json_t *params)
{
    json_t *row = execution(dry, param(params, 5));

    if (row == NULL || !is_status(row, "running"))
        return wf_must(json_array());
    set_variables(dry, params);
    show_steps(dry, params);
    set_execution(row, params);
    if (is_true(param(params, 14)))
        supersede(dry, params);
    wf_json_set_text(dry->item, "status", param(params, 8));
    wf_json_set(dry->item, "wait", cell_of(json_array_get(params, 11)));
    if (param(params, 9) != NULL)
        wf_json_set_text(dry->item, "failure", param(params, 9));
    dry->failed = dry->failed || strcmp(param(params, 8), "failed") == 0;
    return one_cell(wf_text("f")); /* the next event looks everything up */
}

/* --- the customer */

/* firstName → first_name */
static char *snake(const char *name)
{
    char *text = wf_alloc(2 * strlen(name) + 1), *to = text;

    for (; *name != '\0'; name++) {
        if (*name >= 'A' && *name <= 'Z') {
            *to++ = '_';
            *to++ = (char)(*name - 'A' + 'a');
        } else {
            *to++ = *name;
        }
    }
    return text;
}

static json_t *answer_customer(struct wf_dry *dry, const json_t *params)
{
    json_t *row, *value, *rows;
    const char *name;

    if (dry->customer == NULL || (param(params, 2) == NULL && param(params, 3) != NULL &&
                                  customer_id(dry, param(params, 3)) == NULL))
        return wf_must(json_array());
    row = wf_must(json_object());
    json_object_foreach(dry->customer, name, value)
    {
        char *key = snake(name);

        wf_json_set(row, key, json_incref(value));
        free(key);
    }
    rows = one_cell(cell_of(row));
    json_decref(row);
    return rows;
}

static json_t *answer_user(struct wf_dry *dry, const json_t *params)
{
    if (dry->customer == NULL ||
        (param(params, 2) != NULL && customer_id(dry, param(params, 2)) == NULL))
        return wf_must(json_array());
    return one_cell(cell_of(dry->customer));
}

static json_t *answer_balance(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "balance", "totalEarned", "totalSpent",
                                         "expiringSoon" };
    json_t *object, *rows;

    if (dry->customer == NULL ||
        !same(param(params, 1), wf_member(dry->customer, "id", NULL)))
        return wf_must(json_array());
    object = wf_must(json_object());
    wf_json_set_text(object, "userId", param(params, 1));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        json_t *value = json_object_get(dry->customer, names[i]);

        wf_json_set(object, names[i],
                    value != NULL ? json_incref(value) : json_integer(0));
    }
    rows = one_cell(cell_of(object));
    json_decref(object);
    return rows;
}

/* --- all of them */

/* Rows as the state gives them; NULL: it does not. */
static json_t *stated(const struct wf_dry *dry, const char *name)
{
    const json_t *given = json_object_get(json_object_get(dry->state, "answers"), name);
    json_t *rows, *row, *cell;
    size_t i, j;

    if (given == NULL)
        return NULL;
    rows = wf_must(json_array());
    json_array_foreach(given, i, row)
    {
        json_t *cells = wf_must(json_array());

        json_array_foreach(row, j, cell)
        {
            append(cells, cell_of(cell));
        }
        append(rows, cells);
    }
    return rows;
}

json_t *dry_answer(struct wf_dry *dry, enum wf_sql sql, const json_t *params)
{
    static json_t *(*const answers[WF_SQL_COUNT])(struct wf_dry *, const json_t *) = {
        [WF_SQL_project] = answer_project,
        [WF_SQL_versions] = answer_versions,
        [WF_SQL_version] = answer_version,
        [WF_SQL_sub_workflow] = answer_sub_workflow,
        [WF_SQL_lookup] = answer_lookup,
        [WF_SQL_claim] = answer_claim,
        [WF_SQL_insert] = answer_insert,
        [WF_SQL_delayed] = answer_delayed,
        [WF_SQL_execution_there] = answer_there,
        [WF_SQL_execution_own] = answer_there,
        [WF_SQL_preload] = answer_preload,
        [WF_SQL_set_variable] = answer_set_variable,
        [WF_SQL_flush] = answer_flush,
        [WF_SQL_customer] = answer_customer,
        [WF_SQL_user_by_platform] = answer_user,
        [WF_SQL_user_by_contact] = answer_user,
        [WF_SQL_balance] = answer_balance,
    };
    json_t *rows = stated(dry, wf_store_statement(sql)->name + strlen("wf_"));

    if (rows != NULL)
        return rows;
    return answers[sql] != NULL ? answers[sql](dry, params) : wf_must(json_array());
}
