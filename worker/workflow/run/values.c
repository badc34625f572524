/* What templates see of a run (worker/workflow/spec/workflow.md §6.3, §6.4), and its
 * variables (§6.2). */
#include "workflow/run/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/language/template.h"
#include "workflow/language/value.h"
#include "workflow/run/io.h"
#include "workflow/base/iso.h"

static const char *const scope_names[WF_SCOPES] = { "session", "user", "project",
                                                    "global" };

const json_t *wf_run_get(const struct wf_run *run, enum wf_scope_name scope,
                         const char *key)
{
    return json_object_get(run->vars[scope], key);
}

/* --- roots */

static json_t *make_now(const struct wf_run *run)
{
    int64_t ms = wf_engine_now_ms(run->engine);
    char iso[WF_ISO_SIZE], date[WF_ISO_SIZE];
    json_t *now = wf_must(json_object());

    wf_iso(ms, iso);
    memcpy(date, iso, sizeof(date));
    date[10] = '\0';
    wf_json_set_text(now, "iso", iso);
    wf_json_set(now, "timestamp", json_integer(ms));
    wf_json_set_text(now, "date", date);
    return now;
}

static json_t *make_text(const char *text)
{
    return text != NULL ? wf_text(text) : NULL;
}

static json_t *make_root(const struct wf_run *run, const char *name)
{
    if (strcmp(name, "now") == 0)
        return make_now(run);
    if (strcmp(name, "projectId") == 0 || strcmp(name, "project_id") == 0)
        return make_text(run->project_id);
    if (strcmp(name, "workflowId") == 0 || strcmp(name, "workflow_id") == 0)
        return make_text(run->execution.workflow_id);
    if (strcmp(name, "executionId") == 0 || strcmp(name, "execution_id") == 0)
        return make_text(run->execution.id);
    if (strcmp(name, "sessionId") == 0 || strcmp(name, "session_id") == 0)
        return make_text(run->execution.session_id);
    if (strcmp(name, "version") == 0)
        return json_integer(run->execution.version);
    if (strcmp(name, "step") == 0)
        return json_integer(run->execution.steps);
    if (strcmp(name, "platform") == 0)
        return make_text("telegram");
    if (strcmp(name, "userId") == 0)
        return make_text(run->user_id);
    return NULL;
}

static json_t *make_context(const struct wf_run *run)
{
    static const char *const members[] = { "projectId", "workflowId", "executionId",
                                           "sessionId", "version",    "userId",
                                           "platform" };
    json_t *context = wf_must(json_object());

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        wf_json_set(context, members[i], make_root(run, members[i]));
    wf_json_set(context, "telegram", json_incref(run->telegram));
    return context;
}

/* A root that is made: kept until the next node, for it is only borrowed out. */
static const json_t *root_made(struct wf_run *run, const char *name)
{
    const json_t *there = json_object_get(run->roots, name);
    json_t *value;

    if (there != NULL)
        return there;
    value = strcmp(name, "context") == 0 ? make_context(run) : make_root(run, name);
    if (value == NULL)
        return NULL;
    wf_json_set(run->roots, name, value);
    return value;
}

/* `user` as an object: the flat names `user.x` become members. */
static const json_t *customer_object(struct wf_run *run)
{
    const char *key;
    json_t *value;

    if (run->person.variables == NULL || run->person.object != NULL)
        return run->person.object;
    run->person.object = wf_must(json_object());
    json_object_foreach(run->person.variables, key, value)
    {
        if (strncmp(key, "user.", 5) == 0)
            wf_json_set(run->person.object, key + 5, json_incref(value));
    }
    return run->person.object;
}

static const json_t *in_scope(const struct wf_run *run, const char *name,
                              const char *scope)
{
    for (size_t i = 0; i < WF_SCOPES; i++) {
        if (strcmp(scope_names[i], scope) == 0)
            return json_object_get(run->vars[i], name);
    }
    return NULL;
}

static const json_t *root(void *arg, const char *name, const char *variables)
{
    struct wf_run *run = arg;
    const json_t *value;

    if (variables != NULL)
        return in_scope(run, name, variables);
    if (strcmp(name, "telegram") == 0)
        return run->telegram;
    if (strcmp(name, "project") == 0)
        return run->project->object;
    if (strcmp(name, "user") == 0)
        return customer_object(run);
    if (strcmp(name, "session") == 0 || strcmp(name, "vars") == 0)
        return run->vars[WF_SESSION];
    if (strcmp(name, "global") == 0)
        return run->vars[WF_GLOBAL];
    value = root_made(run, name);
    for (size_t i = 0; value == NULL && i < WF_SCOPES; i++)
        value = json_object_get(run->vars[i], name);
    return value;
}

/* --- flat names */

static const json_t *named_person(struct wf_run *run, const char *name)
{
    if (strcmp(name, "username") == 0)
        return json_object_get(run->telegram, "username");
    if (strcmp(name, "first_name") == 0)
        return json_object_get(run->telegram, "firstName");
    if (strcmp(name, "user_id") == 0)
        return json_object_get(run->telegram, "userId");
    if (strcmp(name, "chat_id") == 0)
        return json_object_get(run->telegram, "chatId");
    if (strcmp(name, "workflow_id") == 0 || strcmp(name, "execution_id") == 0 ||
        strcmp(name, "session_id") == 0)
        return root_made(run, name);
    return NULL;
}

static const json_t *named_project(struct wf_run *run, const char *name)
{
    const char *key = strncmp(name, "project.", 8) == 0 ? name + 8 : NULL;
    const json_t *value;

    if (key == NULL)
        return json_object_get(run->project->variables, name);
    if (strcmp(key, "domain") == 0 || strcmp(key, "name") == 0) {
        value = json_object_get(run->project->object, key);
        return value;
    }
    return json_object_get(run->project->variables, key);
}

static const json_t *flat(void *arg, const char *name, bool *trusted)
{
    struct wf_run *run = arg;
    const json_t *value = json_object_get(run->person.variables, name);

    *trusted = false;
    if (value == NULL)
        value = named_person(run, name);
    if (value == NULL) {
        value = named_project(run, name);
        *trusted = value != NULL;
    }
    return value != NULL ? value : json_object_get(run->vars[WF_SESSION], name);
}

static void missing(void *arg, struct wf_text path, bool alone)
{
    const struct wf_effects *effects = ((struct wf_run *)arg)->engine->effects;

    effects->missing(effects->arg, path, alone);
}

struct wf_scope wf_run_scope(struct wf_run *run)
{
    return (struct wf_scope){ .root = root,
                              .flat = flat,
                              .missing =
                                  run->engine->effects->missing != NULL ? missing : NULL,
                              .arg = run,
                              .expose_secrets = run->engine->settings.expose_secrets };
}

/* --- variables */

void wf_run_set(struct wf_run *run, const char *key, json_t *value, int64_t ttl)
{
    json_t *entry = wf_must(json_object());

    BW_ASSERT(key != NULL && run->dirty != NULL);
    if (value == NULL)
        value = json_null();
    wf_json_set(run->vars[WF_SESSION], key, json_incref(value));
    wf_json_set_text(entry, "key", key);
    wf_json_set(entry, "value", value);
    if (ttl > 0) {
        char ends[WF_ISO_SIZE];

        wf_iso(wf_engine_now_ms(run->engine) + ttl * 1000, ends);
        wf_json_set_text(entry, "expires_at", ends);
    }
    wf_json_set(run->dirty, key, entry);
}

size_t wf_run_preload_add(struct wf_run *run, const char *session, const char *workflow,
                          const char *execution)
{
    return wf_db_add(run, WF_SQL_preload, run->project_id, workflow, session, NULL,
                     wf_db_bigint(run->event.from_id), execution);
}

static int scope_of(const char *name)
{
    for (int i = 0; i < WF_SCOPES; i++) {
        if (name != NULL && strcmp(scope_names[i], name) == 0)
            return i;
    }
    return -1;
}

void wf_run_preload_take(struct wf_run *run, size_t index, bool session)
{
    size_t rows = wf_db_rows(run, index);

    BW_ASSERT(run->vars[WF_SESSION] != NULL);
    for (size_t i = 0; i < WF_SCOPES; i++)
        (void)json_object_clear(run->vars[i]); /* an object always */
    for (size_t row = 0; row < rows; row++) {
        int scope = scope_of(wf_db_value(run, index, row, WF_COL_preload_scope));
        const char *key = wf_db_value(run, index, row, WF_COL_preload_key);
        json_t *value = wf_loads(wf_db_value(run, index, row, WF_COL_preload_value));

        if (scope < 0 || key == NULL || value == NULL ||
            (scope == WF_SESSION && !session))
            json_decref(value);
        else
            wf_json_set(run->vars[scope], key, value);
    }
}

/* §6.2, version defaults */
void wf_run_defaults(struct wf_run *run)
{
    json_t *item;
    size_t i;

    BW_ASSERT(run->graph != NULL);
    json_array_foreach((json_t *)(uintptr_t)run->graph->variables, i, item)
    {
        const char *name = wf_member(item, "name", "");
        json_t *value = json_object_get(item, "value");
        const json_t *there = wf_run_get(run, WF_SESSION, name);

        if (value == NULL)
            value = json_object_get(item, "defaultValue");
        if (*name == '\0' || value == NULL || json_is_null(value))
            continue;
        if (there == NULL || json_is_null(there))
            wf_run_set(run, name, wf_must(json_deep_copy(value)),
                       0); /* the graph's is shared */
    }
}

/* --- config members */

char *wf_run_text(struct wf_run *run, const json_t *config, const char *key,
                  const char *other)
{
    const json_t *value = json_object_get(config, key);
    struct wf_scope scope = wf_run_scope(run);
    struct bw_buf out = BW_BUF_INIT;

    if (value == NULL || (json_is_string(value) && json_string_length(value) == 0))
        value = other != NULL ? json_object_get(config, other) : NULL;
    if (json_is_string(value))
        wf_check(
            wf_template_render(&scope, json_string_value(value), WF_ESCAPE_NONE, &out));
    else
        wf_check(wf_value_text(value, &out));
    if (out.len == 0) {
        bw_buf_fini(&out);
        return NULL;
    }
    return bw_buf_take(&out);
}

json_t *wf_run_value(struct wf_run *run, const json_t *value)
{
    struct wf_scope scope = wf_run_scope(run);
    json_t *out = NULL, *own;

    if (value != NULL)
        wf_check(wf_template_value(&scope, value, &out));
    if (out == NULL)
        return NULL;
    own = wf_must(
        json_deep_copy(out)); /* parts of it may be the graph's or the project's */
    json_decref(out);
    return own;
}

const char *wf_run_assign(const struct wf_node *node, const char *fallback)
{
    const char *name = wf_member2(node->config, "assignTo", "saveToVariable");

    if (name == NULL)
        name = wf_member2(node->config, "resultVariable", "resultVariable");
    return name != NULL ? name : fallback;
}
