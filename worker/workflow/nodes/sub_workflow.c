/* flow.sub_workflow: another workflow of the project, run inside of this one.
 * worker/workflow/spec/workflow.md §5.5 */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/run/frames.h"
#include "workflow/base/mem.h"
#include "workflow/language/template.h"
#include "workflow/language/value.h"
#include "workflow/nodes/sub_workflow.h"
#include "workflow/run/versions.h"
#include "workflow/outbox/flush.h"
#include "workflow/run/io.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/base/ids.h"
#include "workflow/base/iso.h"

#define MAX_DEPTH 5

static wf_step flushed, found, graph_there, variables_there;

/* --- back in the workflow that called; run->scratch is what it takes over */

void wf_sub_end(struct wf_run *run, enum wf_status status)
{
    struct wf_flush flush = { .status = status };

    run->ending.status = status;
    if (status == WF_STATUS_WAITING) {
        run->ending.status = flush.status = WF_STATUS_FAILED;
        wf_set(&run->out.text, "Sub-workflow cannot enter waiting state");
    }
    if (flush.status == WF_STATUS_FAILED)
        flush.error =
            run->out.text != NULL ? run->out.text : "Workflow ended with failure";
    wf_db_begin(run);
    (void)wf_flush_add(run, &flush);
    wf_db_run(run, flushed, flushed);
}

/* New reference: the caller's variables that the sub-workflow has defined. */
static json_t *outputs_of(const struct wf_run *run)
{
    const json_t *mapping = json_object_get(run->outer->node->config, "outputMapping");
    json_t *outputs = wf_must(json_object()), *member;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)mapping, name, member)
    {
        const char *inner = json_string_value(member);
        const json_t *value = inner != NULL ? wf_run_get(run, WF_SESSION, inner) : NULL;

        if (value != NULL)
            wf_json_set(outputs, name, json_incref((json_t *)(uintptr_t)value));
    }
    return outputs;
}

static void take_outputs(struct wf_run *run, json_t *outputs)
{
    const char *name;
    json_t *value;

    json_object_foreach(outputs, name, value)
    {
        wf_run_set(run, name, json_incref(value), 0);
    }
}

static void flushed(struct wf_run *run)
{
    json_t *outputs = outputs_of(run);
    char *error = run->out.text;
    bool failed = run->ending.status != WF_STATUS_COMPLETED;
    enum wf_action action;

    run->out.text = NULL;
    wf_frames_pop(run);
    wf_node_clear(run);
    run->effect = true; /* its row is written */
    if (failed) {
        action = wf_node_fail(run, "%s",
                              error != NULL ? error : "Workflow ended with failure");
    } else {
        take_outputs(run, outputs);
        action = wf_node_next();
    }
    free(error);
    json_decref(outputs);
    run->resume(run, action);
}

/* --- into it; run->scratch: {"inputs", "version"} until the graph is there */

enum wf_action wf_start_sub_workflow(struct wf_run *run)
{
    const char *id = wf_member(run->node->config, "workflowId", "");
    double version = wf_value_number(json_object_get(run->node->config, "version"));
    unsigned depth = wf_frames_depth(run);
    char number[16];

    if (*id == '\0')
        return wf_node_fail(run, "Sub-workflow ID is required");
    if (depth >= MAX_DEPTH)
        return wf_node_fail(
            run, "Maximum sub-workflow nesting level (%d) exceeded. Current level: %u",
            MAX_DEPTH, depth);
    (void)snprintf(number, sizeof(number), "%d",
                   version >= 1 && version < 1e9 ? (int)version : 0);
    json_decref(run->scratch);
    run->scratch = wf_must(json_object());
    wf_json_set_text(run->scratch, "workflow", id);
    if (version >= 1)
        wf_json_set_text(run->scratch, "version", number);
    wf_db_begin(run);
    if (!run->execution.stored) /* the new row refers to this one */
        (void)wf_flush_add(run, &(struct wf_flush){ .status = WF_STATUS_RUNNING });
    run->work.index =
        wf_db_add(run, WF_SQL_sub_workflow, id, wf_member(run->scratch, "version", NULL));
    wf_db_run(run, found, NULL);
    return WF_PENDING;
}

/* The inputs as the caller sees them now; it keeps a copy as `sub_<name>`. */
static json_t *inputs_of(struct wf_run *run)
{
    const json_t *mapping = json_object_get(run->node->config, "inputMapping");
    struct wf_scope scope = wf_run_scope(run);
    json_t *inputs = wf_must(json_object()), *member;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)mapping, name, member)
    {
        json_t *value = NULL;
        char *copy;

        if (!json_is_string(member))
            continue;
        wf_check(wf_operand_value(&scope, json_string_value(member), &value));
        if (value == NULL)
            continue;
        copy = wf_printf("sub_%s", name);
        wf_json_set(inputs, name, json_incref(value));
        wf_run_set(run, copy, value, 0);
        free(copy);
    }
    return inputs;
}

/* The row is the last of the batch: 0 project, 1 version. */
static void found(struct wf_run *run)
{
    const char *id = wf_member(run->scratch, "workflow", "");
    const char *wanted = wf_member(run->scratch, "version", NULL);
    const char *project =
        wf_db_value(run, run->work.index, 0, WF_COL_sub_workflow_project);
    int version = (int)wf_db_number(run, run->work.index, 0, WF_COL_sub_workflow_version);

    if (!run->execution.stored)
        wf_flush_done(run);
    if (project != NULL && strcmp(project, run->project_id) != 0) {
        run->resume(
            run, wf_node_fail(run, "Sub-workflow %s belongs to a different project", id));
        return;
    }
    if (project == NULL || version == 0) {
        if (wanted != NULL)
            run->resume(run, wf_node_fail(run, "Sub-workflow not found: %s (version %s)",
                                          id, wanted));
        else
            run->resume(run, wf_node_fail(run,
                                          "Sub-workflow not found: %s (no active "
                                          "version)",
                                          id));
        return;
    }
    wf_json_set(run->scratch, "inputs", inputs_of(run));
    wf_frames_push(run);
    wf_versions_exact(run, id, version, graph_there);
}

static void graph_there(struct wf_run *run)
{
    char *session;
    char id[WF_ID_SIZE];

    if (run->graph == NULL || run->graph->entry == NULL) {
        wf_frames_pop(run);
        run->resume(run, wf_node_fail(run, "Sub-workflow not found: %s (no entry node)",
                                      wf_member(run->scratch, "workflow", "")));
        return;
    }
    session = wf_printf("%s_sub_%lld", run->outer->execution.session_id,
                        (long long)wf_engine_now_ms(run->engine));
    wf_id_random(id);
    wf_set(&run->execution.id, id);
    run->execution.session_id = session;
    wf_set(&run->execution.workflow_id, run->graph->workflow_id);
    run->execution.version = run->graph->version;
    wf_iso(wf_engine_now_ms(run->engine), run->execution.started);
    wf_db_begin(run);
    (void)wf_run_preload_add(run, session, run->execution.workflow_id, NULL);
    wf_db_run(run, variables_there, NULL);
}

static void variables_there(struct wf_run *run)
{
    json_t *inputs = json_incref(json_object_get(run->scratch, "inputs"));

    wf_run_preload_take(run, 0, true);
    wf_run_defaults(run);
    take_outputs(run, inputs);
    json_decref(inputs);
    run->resume(run, WF_CALL);
}
