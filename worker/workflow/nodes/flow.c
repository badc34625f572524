/* condition, flow.switch, flow.jump, flow.end. worker/workflow/spec/workflow.md §5.4,
 * §5.5 */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/condition.h"
#include "workflow/language/expression/expression.h"
#include "workflow/language/path.h"
#include "workflow/language/value.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/language/graph.h"

enum wf_action wf_start_condition(struct wf_run *run)
{
    struct wf_scope scope = wf_run_scope(run);
    struct bw_error err = { 0 };
    bool result = false;
    int rc =
        wf_condition(&scope, run->node->config, run->event.original_text, &result, &err);

    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK)
        return wf_node_fail(run, "%s", err.text);
    wf_run_set(run, "condition_result", json_boolean(result), 0);
    return wf_node_branch(run, result ? "true" : "false", true);
}

/* The value a switch looks at: a path, with or without braces. */
static json_t *switch_value(struct wf_run *run, const char *variable)
{
    struct wf_scope scope = wf_run_scope(run);
    const json_t *value;

    if (strstr(variable, "{{") != NULL) {
        json_t *text = wf_text(variable), *out = wf_run_value(run, text);

        json_decref(text);
        return out;
    }
    value = wf_path_resolve(&scope, variable, strlen(variable));
    return value != NULL ? json_incref((json_t *)(uintptr_t)value) : NULL;
}

/* §5.5: the first case that matches; the number of cases for the default; -1 for nothing.
 */
static json_int_t find_case(struct wf_run *run, const json_t *value, const json_t *cases)
{
    size_t count = json_array_size(cases);

    for (size_t i = 0; i < count; i++) {
        json_t *candidate =
            wf_run_value(run, json_object_get(json_array_get(cases, i), "value"));
        bool match = wf_switch_match(value, candidate);

        json_decref(candidate);
        if (match)
            return (json_int_t)i;
    }
    return json_is_true(json_object_get(run->node->config, "hasDefault"))
               ? (json_int_t)count
               : -1;
}

enum wf_action wf_start_switch(struct wf_run *run)
{
    const json_t *cases = json_object_get(run->node->config, "cases");
    const char *variable = wf_member(run->node->config, "variable", "");
    const char *jump;
    json_int_t index;
    json_t *value;

    if (*variable == '\0')
        return wf_node_fail(run, "Variable is required for switch");
    value = switch_value(run, variable);
    index = find_case(run, value, cases);
    json_decref(value);
    wf_run_set(run, "switch_result", json_integer(index), 0);
    jump = wf_member(json_array_get(cases, index >= 0 ? (size_t)index : SIZE_MAX),
                     "gotoNode", "");
    if (*jump != '\0' && wf_graph_find(run->graph, jump) != NULL)
        return wf_node_goto(run, jump);
    if (index < 0 || (size_t)index >= json_array_size(cases))
        return wf_node_branch(run, "default", true);
    (void)snprintf(run->out.handle_text, sizeof(run->out.handle_text), "case_%lld",
                   (long long)index);
    if (wf_node_edge(run->node, run->out.handle_text, false) == NULL)
        return wf_node_branch(run, "default", true);
    return wf_node_branch(run, run->out.handle_text, true);
}

enum wf_action wf_start_jump(struct wf_run *run)
{
    const char *condition = wf_member(run->node->config, "condition", "");
    const char *target = wf_member(run->node->config, "targetNodeId", "");
    struct wf_scope scope = wf_run_scope(run);
    struct bw_error err = { 0 };
    json_t *value = NULL;
    bool taken = true;

    if (*condition != '\0') {
        int rc = wf_expression(&scope, condition, &value, &err);

        if (rc == BW_ENOMEM)
            wf_check(rc);
        if (rc != BW_OK)
            return wf_node_fail(run, "%s", err.text);
        taken = wf_value_truthy(value);
        json_decref(value);
    }
    if (!taken)
        return wf_node_next();
    if (*target == '\0') {
        wf_log_warn(run, "flow.jump has no target");
        return wf_node_next();
    }
    return wf_node_goto(run, target);
}

enum wf_action wf_start_end(struct wf_run *run)
{
    const json_t *success = json_object_get(run->node->config, "success");

    return wf_node_end(run, !json_is_false(success),
                       wf_run_text(run, run->node->config, "message", NULL));
}
