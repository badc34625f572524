#include "workflow/run/frames.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

unsigned wf_frames_depth(const struct wf_run *run)
{
    unsigned depth = 0;

    for (const struct wf_frame *at = run->outer; at != NULL; at = at->outer)
        depth++;
    return depth;
}

static void fini_execution(struct wf_execution *x)
{
    free(x->id);
    free(x->session_id);
    free(x->workflow_id);
    free(x->wait_type);
    free(x->current_node_id);
    json_decref(x->wait_payload);
    memset(x, 0, sizeof(*x));
}

void wf_frames_push(struct wf_run *run)
{
    struct wf_frame *frame = wf_alloc(sizeof(*frame));

    frame->outer = run->outer;
    frame->x = run->x;
    frame->graph = run->graph;
    frame->node = run->node;
    frame->dirty = run->dirty;
    frame->logs = run->logs;
    frame->visits = run->visits;
    frame->loops = run->loops;
    frame->steps_this_run = run->steps_this_run;
    frame->node_started = run->node_started;
    for (size_t i = 0; i < WF_SCOPES; i++) {
        frame->vars[i] = run->vars[i];
        run->vars[i] = wf_must(json_object());
    }
    memset(&run->x, 0, sizeof(run->x));
    run->graph = NULL;
    run->node = NULL;
    run->dirty = wf_must(json_object());
    run->logs = wf_must(json_array());
    run->visits = wf_must(json_object());
    run->loops = wf_must(json_array());
    run->steps_this_run = 0;
    run->outer = frame;
}

void wf_frames_pop(struct wf_run *run)
{
    struct wf_frame *frame = run->outer;

    fini_execution(&run->x);
    wf_graph_unref(&run->graph);
    json_decref(run->dirty);
    json_decref(run->logs);
    json_decref(run->visits);
    json_decref(run->loops);
    for (size_t i = 0; i < WF_SCOPES; i++) {
        json_decref(run->vars[i]);
        run->vars[i] = frame->vars[i];
    }
    run->x = frame->x;
    run->graph = frame->graph;
    run->node = frame->node;
    run->dirty = frame->dirty;
    run->logs = frame->logs;
    run->visits = frame->visits;
    run->loops = frame->loops;
    run->steps_this_run = frame->steps_this_run;
    run->node_started = frame->node_started;
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

    wf_json_set_text(value, "executionId", frame->x.id);
    wf_json_set_text(value, "sessionId", frame->x.session_id);
    wf_json_set_text(value, "workflowId", frame->x.workflow_id);
    wf_json_set(value, "version", json_integer(frame->x.version));
    wf_json_set_text(value, "graphWorkflowId", frame->graph->workflow_id);
    wf_json_set(value, "graphVersion", json_integer(frame->graph->version));
    wf_json_set_text(value, "kind", frame->x.resumed ? "resume" : "start");
    wf_json_set(value, "stored", json_boolean(frame->x.stored));
    wf_json_set_text(value, "started", frame->x.started);
    wf_json_set(value, "step", json_integer(frame->x.steps));
    wf_json_set(value, "stepsBefore", json_integer(frame->x.steps_before));
    wf_json_set(value, "runSteps", json_integer((json_int_t)frame->steps_this_run));
    wf_json_set_text(value, "next", frame->node->id);
    wf_json_set(value, "vars", json_incref(frame->dirty));
    wf_json_set(value, "logs", json_incref(frame->logs));
    wf_json_set(value, "visits", json_incref(frame->visits));
    wf_json_set(value, "loops", json_incref(frame->loops));
    if (frame->outer != NULL)
        wf_json_set(value, "outer", snapshot(frame->outer));
    return value;
}

json_t *wf_frames_snapshot(const struct wf_run *run)
{
    return run->outer != NULL ? snapshot(run->outer) : NULL;
}
