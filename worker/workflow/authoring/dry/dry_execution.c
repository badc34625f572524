/* Statements of projects, workflows and executions: store.c, store_delay.c, store_sub.c.
 */
#include "workflow/authoring/dry/dry_execution.h"

#include <string.h>

#include "workflow/base/mem.h"

/* --- project and workflows */

json_t *dry_sql_project(struct wf_dry *dry, const json_t *params)
{
    json_t *object = wf_must(json_deep_copy(dry->project)), *row = wf_must(json_array());
    json_t *variables = json_incref(json_object_get(object, "variables"));
    json_t *levels = json_incref(json_object_get(object, "levels"));

    (void)params;
    wf_json_set(object, "variables", NULL);
    wf_json_set(object, "levels", NULL);
    dry_append(row, dry_cell(object));
    dry_append(row, wf_text("0:dry-run"));
    dry_append(row, wf_text("t"));
    dry_append(row, dry_cell(json_object_get(object, "workflowMaxSteps")));
    dry_append(row, dry_cell(json_object_get(object, "workflowTimeoutMs")));
    dry_append(row, json_is_object(variables) ? dry_cell(variables) : wf_text("{}"));
    dry_append(row, json_is_array(levels) ? dry_cell(levels) : wf_text("[]"));
    dry_append(row, json_null()); /* the bot's name */
    json_decref(object);
    json_decref(variables);
    json_decref(levels);
    return dry_one_row(row);
}

static json_t *or_empty(const json_t *value)
{
    return value != NULL ? dry_cell(value) : wf_text("[]");
}

static json_t *version_row(const char *id, const json_t *workflow)
{
    json_t *row = wf_must(json_array());

    dry_append(row, wf_text("v"));
    dry_append(row, wf_text(id));
    dry_append(row, wf_text("1"));
    dry_append(row, or_empty(json_object_get(workflow, "nodes")));
    dry_append(row, wf_text(wf_member(workflow, "entryNodeId", "")));
    dry_append(row, dry_cell(json_object_get(workflow, "variables")));
    dry_append(row, dry_cell(json_object_get(workflow, "settings")));
    dry_append(row, wf_text("2000-01-01T00:00:00.000Z"));
    dry_append(row, or_empty(json_object_get(workflow, "connections")));
    dry_append(row, wf_text("f"));
    return dry_one_row(row);
}

static const json_t *other_workflow(const struct wf_dry *dry, const char *id)
{
    return id != NULL ? json_object_get(json_object_get(dry->state, "workflows"), id)
                      : NULL;
}

json_t *dry_sql_versions(struct wf_dry *dry, const json_t *params)
{
    (void)params;
    return version_row(DRY_WORKFLOW, dry->workflow);
}

json_t *dry_sql_version(struct wf_dry *dry, const json_t *params)
{
    const json_t *other = other_workflow(dry, dry_param(params, 2));

    return other != NULL ? version_row(dry_param(params, 2), other)
                         : version_row(DRY_WORKFLOW, dry->workflow);
}

json_t *dry_sql_sub_workflow(struct wf_dry *dry, const json_t *params)
{
    json_t *row;

    if (other_workflow(dry, dry_param(params, 1)) == NULL)
        return dry_no_rows();
    row = wf_must(json_array());
    dry_append(row, dry_cell(json_object_get(dry->project, "id")));
    dry_append(row, wf_text("1"));
    return dry_one_row(row);
}

/* --- executions */

/* Appends cells to a row, up to NULL as the last of the values' names. */
static void add_members(json_t *row, const json_t *object, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        dry_append(row, dry_cell(json_object_get(object, names[i])));
}

static json_t *execution(const struct wf_dry *dry, const char *id)
{
    return id != NULL ? json_object_get(dry->executions, id) : NULL;
}

static bool is_status(const json_t *row, const char *status)
{
    return dry_is(row, "status", status);
}

json_t *dry_sql_insert(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "id",      "project", "workflow", "version",
                                         "session", "user",    "chat" };
    json_t *row = wf_must(json_object());

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        wf_json_set(row, names[i], dry_cell(json_array_get(params, i)));
    wf_json_set_text(row, "status", "running");
    wf_json_set_text(row, "steps", "0");
    if (execution(dry, dry_param(params, 1)) == NULL)
        wf_json_set(dry->executions, dry_param(params, 1), row);
    else
        json_decref(row);
    return dry_no_rows();
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
    const char *customer = dry_customer_id(dry, dry_param(params, 4));
    json_t *cells = wf_must(json_array());

    dry_append(cells, customer != NULL ? wf_text(customer) : json_null());
    while (row == NULL && json_array_size(cells) < WF_COLS_lookup)
        dry_append(cells, json_null());
    if (row == NULL)
        return cells;
    add_members(cells, row, names);
    dry_append(cells, dry_bool(dry_is(row, "id", dry_param(params, 6))));
    dry_append(cells, dry_bool(dry_is(row, "chat", dry_param(params, 2))));
    dry_append(cells, wf_text("f"));
    dry_append(cells, wf_text("t"));
    return cells;
}

/* Whether the row lies in that chat and, in a group, belongs to that person. */
static bool is_near(const json_t *row, const char *chat, const char *person)
{
    const char *session = wf_member(row, "session", "");
    size_t len = person != NULL ? strlen(person) : 0;

    return dry_same(wf_member(row, "chat", NULL), chat) &&
           strstr(session, "_sub_") == NULL &&
           (person == NULL || (strncmp(session, person, len) == 0 &&
                               (session[len] == '_' || session[len] == '\0')));
}

/* The waiting ones first, then the youngest. */
json_t *dry_sql_lookup(struct wf_dry *dry, const json_t *params)
{
    json_t *rows = dry_no_rows(), *row;
    size_t waiting = 0;
    const char *id;

    json_object_foreach(dry->executions, id, row)
    {
        bool first = is_status(row, "waiting") &&
                     strcmp(wf_member(row, "wait_type", ""), "delay") != 0;

        if (!is_near(row, dry_param(params, 2), dry_param(params, 5)))
            continue;
        wf_check(json_array_insert_new(rows, first ? 0 : waiting,
                                       lookup_row(dry, params, row)) == 0
                     ? BW_OK
                     : BW_ENOMEM);
        waiting += first;
        if (dry_true(dry_param(params, 8)) && is_typed_wait(row))
            end_wait(row, "cancelled");
    }
    if (json_array_size(rows) == 0)
        dry_append(rows, lookup_row(dry, params, NULL));
    return rows;
}

/* Takes the wait; the row as it was, by these names. */
static json_t *claim(json_t *row, const char *const *names)
{
    json_t *cells = wf_must(json_array());

    add_members(cells, row, names);
    end_wait(row, "running");
    return dry_one_row(cells);
}

json_t *dry_sql_claim(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "id",   "session", "workflow",  "version",
                                         "user", "steps",   "wait_type", "payload",
                                         "node", NULL };

    for (size_t number = 3; number <= 4; number++) {
        json_t *row = execution(dry, dry_param(params, number));
        const char *type = wf_member(row, "wait_type", NULL);

        if (row == NULL || !is_status(row, "waiting") || type == NULL ||
            strstr(dry_param(params, 5), type) == NULL)
            continue;
        if (dry_customer_id(dry, dry_param(params, 7)) != NULL &&
            wf_member(row, "user", NULL) == NULL)
            wf_json_set_text(row, "user", dry_customer_id(dry, dry_param(params, 7)));
        return claim(row, names);
    }
    return dry_no_rows();
}

json_t *dry_sql_delayed(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "session",  "workflow", "version", "user",
                                         "steps",    "payload",  "chat",    "telegram",
                                         "username", "first",    "node",    NULL };
    json_t *row = execution(dry, dry_param(params, 1));
    const json_t *person;

    if (row == NULL || !is_status(row, "waiting"))
        return dry_no_rows();
    person = dry_customer(dry, wf_member(row, "user", NULL));
    wf_json_set(row, "telegram", dry_cell(json_object_get(person, "telegramId")));
    wf_json_set(row, "username", dry_cell(json_object_get(person, "telegramUsername")));
    wf_json_set(row, "first", dry_cell(json_object_get(person, "firstName")));
    return claim(row, names);
}

/* A wait whose time is over: the next update comes before (dry_calls.c). */
json_t *dry_sql_expired(struct wf_dry *dry, const json_t *params)
{
    (void)dry;
    (void)params;
    return dry_no_rows();
}

json_t *dry_sql_witness(struct wf_dry *dry, const json_t *params)
{
    static const char *const names[] = { "status", "waitType", "payload",  "node",
                                         "steps",  "session",  "workflow", NULL };
    json_t *row = execution(dry, dry_param(params, 1)), *cells;

    if (row == NULL)
        return dry_no_rows();
    cells = wf_must(json_array());
    add_members(cells, row, names);
    return dry_one_row(cells);
}
