/* action.set_variable, action.get_variable. §5.3.2 */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/mem.h"

static int scope_number(const char *name)
{
    static const char *const names[WF_SCOPES] = { "session", "user", "project",
                                                  "global" };

    for (int i = 0; i < WF_SCOPES; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

static void written(struct wf_run *run)
{
    run->effect = true;
    wf_loop_resume(run, wf_node_next());
}

/* Other scopes than the session's are written before the run goes on (§6.2). */
static enum wf_action write_now(struct wf_run *run, int scope, const char *key,
                                json_t *value, int64_t ttl)
{
    static const char *const names[WF_SCOPES] = { "session", "user", "project",
                                                  "global" };
    char *text = wf_dumps(value), seconds[24];

    wf_json_set(run->vars[scope], key, value);
    (void)snprintf(seconds, sizeof(seconds), "%lld", (long long)ttl);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_set_variable, run->project_id, run->x.workflow_id,
                    run->user_id, names[scope], key, text, ttl > 0 ? seconds : NULL);
    free(text);
    wf_db_run(run, written, NULL);
    return WF_PENDING;
}

enum wf_action wf_start_set_variable(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *name = wf_member2(config, "variableName", "name");
    const json_t *source = json_object_get(config, "variableValue");
    int scope = scope_number(wf_member(config, "scope", "session"));
    double ttl = wf_value_number(json_object_get(config, "ttl"));
    int64_t seconds = ttl >= 1 && ttl < 1e9 ? (int64_t)ttl : 0;
    json_t *value;

    if (name == NULL)
        return wf_node_fail(run, "Variable name is required");
    if (scope < 0)
        return wf_node_fail(run, "Unknown variable scope: %s",
                            wf_member(config, "scope", ""));
    if (scope == WF_USER && run->user_id == NULL)
        return wf_node_fail(run, "User variables need a known customer");
    value = wf_run_value(run, source != NULL ? source : json_object_get(config, "value"));
    if (value == NULL)
        value = json_null();
    if (scope != WF_SESSION)
        return write_now(run, scope, name, value, seconds);
    wf_run_set(run, name, value, seconds);
    return wf_node_next();
}

enum wf_action wf_start_get_variable(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *name = wf_member2(config, "variableName", "name");
    const char *assign = wf_run_assign(run->node, NULL);
    const json_t *fallback = json_object_get(config, "defaultValue");
    int scope = scope_number(wf_member(config, "scope", "session"));
    const json_t *value;

    if (name == NULL)
        return wf_node_fail(run, "Variable name is required");
    if (scope < 0)
        return wf_node_fail(run, "Unknown variable scope: %s",
                            wf_member(config, "scope", ""));
    if (assign == NULL)
        return wf_node_next();
    value = wf_run_get(run, (enum wf_scope_name)scope, name);
    if (value != NULL)
        wf_run_set(run, assign, json_incref((json_t *)(uintptr_t)value), 0);
    else
        wf_run_set(run, assign,
                   wf_run_value(run, fallback != NULL
                                         ? fallback
                                         : json_object_get(config, "default")),
                   0);
    return wf_node_next();
}
