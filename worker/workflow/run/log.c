/* Rows of workflow_logs, gathered until the flush. worker/workflow/spec/workflow.md §3.10
 */
#include "workflow/run/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/language/sanitise.h"
#include "workflow/base/iso.h"
#include "workflow/engine/engine.h"
#include "workflow/run/run.h"

/* The live view asks for what is later than the last row it has: equal times would be
 * lost. */
static int64_t next_time(struct wf_run *run)
{
    int64_t now = wf_engine_now_ms(run->engine);

    run->log.last_ms = now > run->log.last_ms ? now : run->log.last_ms + 1;
    return run->log.last_ms;
}

static json_t *add_row(struct wf_run *run, const char *level, const char *status,
                       const char *message)
{
    json_t *row = wf_must(json_object());
    const struct wf_node *node = run->node;
    char time_text[WF_ISO_SIZE];
    int64_t duration = node != NULL ? -bw_mono_ms_until(wf_engine_mono(run->engine),
                                                        run->progress.node_started)
                                    : 0;

    BW_ASSERT(run->log.rows != NULL);
    wf_iso(next_time(run), time_text);
    wf_json_set(row, "step", json_integer(run->execution.steps));
    wf_json_set_text(row, "node_id", node != NULL ? node->id : "-");
    wf_json_set_text(row, "node_type", node != NULL ? node->type : "-");
    wf_json_set_text(row, "status", status);
    wf_json_set_text(row, "ts", time_text);
    wf_json_set_text(row, "level", level);
    wf_json_set_text(row, "message", message);
    wf_json_set(row, "duration_ms", json_integer(duration > 0 ? duration : 0));
    if (json_array_append_new(run->log.rows, row) != 0)
        (void)wf_must(NULL);
    return row;
}

static json_t *data_of(const struct wf_run *run, const char *next)
{
    json_t *data = run->out.details != NULL ? wf_must(wf_sanitise(run->out.details))
                                            : wf_must(json_object());

    if (run->node != NULL) {
        wf_json_set_text(data, "nodeId", run->node->id);
        wf_json_set_text(data, "nodeType", run->node->type);
        wf_json_set_text(data, "nodeLabel", run->node->label);
    }
    wf_json_set(data, "step", json_integer(run->execution.steps));
    wf_json_set_text(data, "executionId", run->execution.id);
    wf_json_set_text(data, "next", next);
    return data;
}

static void add_columns(const struct wf_run *run, json_t *row)
{
    json_t *columns =
        run->out.columns != NULL ? wf_must(wf_sanitise(run->out.columns)) : NULL;

    if (columns != NULL && json_object_update(row, columns) != 0)
        (void)wf_must(NULL);
    json_decref(columns);
}

void wf_log_step(struct wf_run *run, const char *branch, const char *next,
                 const char *outcome)
{
    char *message =
        wf_printf("%s completed%s%s", run->node->type, outcome != NULL ? ": " : "",
                  outcome != NULL ? outcome : "");
    json_t *row = add_row(run, "info", "ok", message);

    BW_ASSERT(run->node != NULL);
    wf_json_set_text(row, "branch_key", branch);
    wf_json_set(row, "data", data_of(run, next));
    add_columns(run, row);
    free(message);
}

void wf_log_error(struct wf_run *run, const char *text)
{
    json_t *row = add_row(run, "error", "error", text);
    json_t *error = wf_must(json_object());

    wf_json_set_text(error, "message", text);
    wf_json_set_text(error, "code", "NODE_ERROR");
    wf_json_set(row, "error", error);
    wf_json_set(row, "data", data_of(run, NULL));
    add_columns(run, row);
}

void wf_log_warn(struct wf_run *run, const char *text)
{
    (void)add_row(run, "warn", "ok", text);
}
