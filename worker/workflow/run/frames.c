#include "workflow/run/frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/language/graph.h"

unsigned wf_frames_depth(const struct wf_run *run)
{
    unsigned depth = 0;

    for (const struct wf_frame *at = run->outer; at != NULL; at = at->outer)
        depth++;
    return depth;
}

void wf_execution_fini(struct wf_execution *execution)
{
    free(execution->id);
    free(execution->session_id);
    free(execution->workflow_id);
    free(execution->current_node_id);
    json_decref(execution->wait_payload);
    *execution = (struct wf_execution){ 0 };
}

void wf_frames_push(struct wf_run *run)
{
    struct wf_frame *frame = wf_alloc(sizeof(*frame));

    BW_ASSERT(run->graph != NULL && run->node != NULL);
    frame->outer = run->outer;
    frame->execution = run->execution;
    frame->graph = run->graph;
    frame->node = run->node;
    frame->dirty = run->dirty;
    frame->rows = run->log.rows;
    frame->progress = run->progress;
    for (size_t i = 0; i < WF_SCOPES; i++) {
        frame->vars[i] = run->vars[i];
        run->vars[i] = wf_must(json_object());
    }
    run->execution = (struct wf_execution){ 0 };
    run->graph = NULL;
    run->node = NULL;
    run->dirty = wf_must(json_object());
    run->log.rows = wf_must(json_array());
    run->progress = (struct wf_progress){ .visits = wf_must(json_object()),
                                          .loops = wf_must(json_array()) };
    run->outer = frame;
}

void wf_frames_pop(struct wf_run *run)
{
    struct wf_frame *frame = run->outer;

    BW_ASSERT(frame != NULL);
    wf_execution_fini(&run->execution);
    wf_graph_unref(&run->graph);
    json_decref(run->dirty);
    json_decref(run->log.rows);
    json_decref(run->progress.visits);
    json_decref(run->progress.loops);
    for (size_t i = 0; i < WF_SCOPES; i++) {
        json_decref(run->vars[i]);
        run->vars[i] = frame->vars[i];
    }
    run->execution = frame->execution;
    run->graph = frame->graph;
    run->node = frame->node;
    run->dirty = frame->dirty;
    run->log.rows = frame->rows;
    run->progress = frame->progress;
    run->outer = frame->outer;
    free(frame);
}

void wf_frames_free(struct wf_run *run)
{
    while (run->outer != NULL)
        wf_frames_pop(run);
}

static json_t *snapshot(const struct wf_frame *frame)
{
    json_t *value = wf_must(json_object());

    BW_ASSERT(frame->graph != NULL && frame->node != NULL);
    wf_json_set_text(value, "executionId", frame->execution.id);
    wf_json_set_text(value, "sessionId", frame->execution.session_id);
    wf_json_set_text(value, "workflowId", frame->execution.workflow_id);
    wf_json_set(value, "version", json_integer(frame->execution.version));
    wf_json_set_text(value, "graphWorkflowId", frame->graph->workflow_id);
    wf_json_set(value, "graphVersion", json_integer(frame->graph->version));
    wf_json_set_text(value, "kind", frame->execution.resumed ? "resume" : "start");
    wf_json_set(value, "stored", json_boolean(frame->execution.stored));
    wf_json_set_text(value, "started", frame->execution.started);
    wf_json_set(value, "step", json_integer(frame->execution.steps));
    wf_json_set(value, "stepsBefore", json_integer(frame->execution.steps_before));
    wf_json_set(value, "runSteps", json_integer((json_int_t)frame->progress.steps));
    wf_json_set_text(value, "next", frame->node->id);
    wf_json_set(value, "vars", json_incref(frame->dirty));
    wf_json_set(value, "logs", json_incref(frame->rows));
    wf_json_set(value, "visits", json_incref(frame->progress.visits));
    wf_json_set(value, "loops", json_incref(frame->progress.loops));
    if (frame->outer != NULL)
        wf_json_set(value, "outer", snapshot(frame->outer));
    return value;
}

json_t *wf_frames_snapshot(const struct wf_run *run)
{
    return run->outer != NULL ? snapshot(run->outer) : NULL;
}

struct wf_execution *wf_frames_outermost(struct wf_run *run)
{
    struct wf_frame *frame = run->outer;

    if (frame == NULL)
        return &run->execution;
    while (frame->outer != NULL)
        frame = frame->outer;
    return &frame->execution;
}

json_t *wf_frames_outermost_part(json_t *checkpoint)
{
    json_t *outer;

    while ((outer = json_object_get(checkpoint, "outer")) != NULL)
        checkpoint = outer;
    return checkpoint;
}
