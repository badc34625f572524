/* worker/workflow/spec/workflow.md §3.9.2: going on where an attempt before stopped. */
#include "workflow/steps/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/run/frames.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/outbox/witness.h"
#include "workflow/run/personal.h"
#include "workflow/run/place.h"
#include "workflow/run/versions.h"
#include "workflow/outbox/send.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/person.h"
#include "workflow/run/values.h"
#include "workflow/steps/finish.h"
#include "workflow/steps/loop.h"
#include "workflow/language/event_telegram.h"
#include "workflow/language/graph.h"

static wf_step row_found, judge_row, restore, take_moves, restore_level, graph_found,
    go_on, begin_anew;

void wf_restore(struct wf_run *run, wf_step *anew)
{
    BW_ASSERT(run->attempt.restored != NULL && anew != NULL);
    run->steps.restore.anew = anew;
    wf_db_begin(run);
    (void)wf_db_add(
        run, WF_SQL_witness,
        wf_member(wf_frames_outermost_part(run->attempt.restored), "executionId", ""),
        run->project_id);
    wf_db_run(run, row_found, NULL);
}

static void row_found(struct wf_run *run)
{
    if (wf_db_rows(run, 0) > 0) {
        judge_row(run);
        return;
    }
    /* not stored yet; or the database has come back older */
    wf_json_set(wf_frames_outermost_part(run->attempt.restored), "stored", json_false());
    restore(run);
}

/* By hand, or by the Node engine: there is nothing to go on with, and what was done is
 * not done again. */
static void ended_by_others(struct wf_run *run, const struct wf_row *row)
{
    bw_log(wf_job_log(run), BW_LOG_WARNING, "the execution was ended by somebody else",
           bw_text("execution", row->id),
           bw_text("executionStatus", wf_db_value(run, 0, 0, WF_COL_witness_status)));
    wf_run_answer(run, true);
}

static void judge_row(struct wf_run *run)
{
    const json_t *outer = wf_frames_outermost_part(run->attempt.restored);
    bool resumed = strcmp(wf_member(outer, "kind", ""), "resume") == 0;
    int64_t steps = json_integer_value(json_object_get(outer, "stepsBefore"));
    json_t *payload = wf_loads(wf_db_value(run, 0, 0, WF_COL_witness_wait_payload));
    struct wf_row row = {
        .id =
            wf_member(wf_frames_outermost_part(run->attempt.restored), "executionId", ""),
        .status = wf_status_of(wf_db_value(run, 0, 0, WF_COL_witness_status)),
        .wait_type = wf_wait_type_of(wf_db_value(run, 0, 0, WF_COL_witness_wait_type)),
        .node = wf_db_value(run, 0, 0, WF_COL_witness_node),
        .steps = wf_db_number(run, 0, 0, WF_COL_witness_steps),
        .workflow_id = wf_db_value(run, 0, 0, WF_COL_witness_workflow),
        .payload = payload
    };
    bool result = false;
    enum wf_testimony says = wf_witness_read(run, payload, &result);
    bool running = row.status == WF_STATUS_RUNNING;

    if (says == WF_SAYS_OVER)
        wf_witness_over(run, &row, result);
    else if (running && says != WF_SAYS_AGAIN)
        wf_restore_row(run, payload);
    else if (says == WF_SAYS_AGAIN) /* tried again on purpose */
        begin_anew(run);
    else if (wf_witness_is_older(&row, says, resumed, steps))
        wf_witness_claim(run, &row, steps, restore);
    else
        ended_by_others(run, &row);
    json_decref(payload);
}

/* Nothing of the checkpoint but where it says that the run is. */
static void restore(struct wf_run *run)
{
    const json_t *outer = run->attempt.restored;

    BW_ASSERT(run->outer == NULL);
    bw_log(wf_job_log(run), BW_LOG_INFO, "going on where an attempt before stopped",
           bw_text("node", wf_member(run->attempt.restored, "next", "")));
    run->attempt.seq = json_integer_value(json_object_get(run->attempt.restored, "seq"));
    wf_person_set(run, wf_member(run->attempt.restored, "userId", NULL));
    run->outbox.refusals.doubts =
        (unsigned)json_integer_value(json_object_get(run->attempt.restored, "doubts"));
    run->outbox.refusals.since =
        json_integer_value(json_object_get(run->attempt.restored, "refusedAt"));
    take_moves(run);
    run->steps.restore.depth = 0;
    while ((outer = json_object_get(outer, "outer")) != NULL)
        run->steps.restore.depth++;
    restore_level(run);
}

/* The chat has moved in an attempt before. */
static void take_moves(struct wf_run *run)
{
    json_t *moves = json_object_get(run->attempt.restored, "moves"), *to;
    const char *from;

    json_object_foreach(moves, from, to)
    {
        wf_moved(run, from, json_string_value(to));
    }
}

/* The part of the checkpoint that speaks of the execution being restored: those outside
 * of it come first. */
static const json_t *level(const struct wf_run *run)
{
    const json_t *value = run->attempt.restored;

    for (unsigned i = wf_frames_depth(run); i < run->steps.restore.depth; i++)
        value = json_object_get(value, "outer");
    return value;
}

static void take(struct wf_run *run, const json_t *value)
{
    struct wf_execution *x = &run->execution;

    wf_set(&x->id, wf_member(value, "executionId", ""));
    wf_set(&x->session_id, wf_member(value, "sessionId", ""));
    wf_set(&x->workflow_id, wf_member(value, "workflowId", ""));
    x->version = (int)json_integer_value(json_object_get(value, "version"));
    x->stored = json_is_true(json_object_get(value, "stored"));
    x->resumed = strcmp(wf_member(value, "kind", ""), "resume") == 0;
    x->steps = json_integer_value(json_object_get(value, "step"));
    x->steps_before = json_integer_value(json_object_get(value, "stepsBefore"));
    (void)snprintf(x->started, sizeof(x->started), "%s", wf_member(value, "started", ""));
    run->progress.steps =
        (unsigned)json_integer_value(json_object_get(value, "runSteps"));
    run->outbox.message.sent =
        (unsigned)json_integer_value(json_object_get(value, "sent"));
    run->outbox.message.unknown =
        (unsigned)json_integer_value(json_object_get(value, "intended"));
    run->outbox.reply.message_id =
        json_integer_value(json_object_get(value, "messageId"));
}

static void restore_level(struct wf_run *run)
{
    const json_t *value = level(run);

    BW_ASSERT(wf_frames_depth(run) <= run->steps.restore.depth);
    take(run, value);
    wf_versions_exact(run, wf_member(value, "graphWorkflowId", ""),
                      (int)json_integer_value(json_object_get(value, "graphVersion")),
                      graph_found);
}

static void graph_found(struct wf_run *run)
{
    if (run->graph == NULL) {
        wf_run_answer(run, false); /* the workflow is gone, and its rows with it */
        return;
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_preload, run->project_id, run->execution.workflow_id,
                    run->execution.session_id, run->user_id,
                    wf_db_bigint(run->event.from_id), NULL);
    wf_db_run(run, go_on, NULL);
}

static void replace(json_t **to, json_t *value)
{
    if (value == NULL)
        return;
    json_decref(*to);
    *to = json_incref(value);
}

static void take_buffers(struct wf_run *run, const json_t *value)
{
    const char *key;
    json_t *entry;
    const json_t *event = json_object_get(value, "event");

    replace(&run->dirty, json_object_get(value, "vars"));
    replace(&run->log.rows, json_object_get(value, "logs"));
    replace(&run->progress.visits, json_object_get(value, "visits"));
    replace(&run->progress.loops, json_object_get(value, "loops"));
    json_object_foreach(run->dirty, key, entry)
    {
        json_t *current = json_object_get(entry, "value");

        wf_json_set(run->vars[WF_SESSION], key,
                    current != NULL ? json_incref(current) : json_null());
    }
    if (event == NULL) /* of an execution outside of this one */
        return;
    wf_set(&run->event.text, wf_member(event, "text", NULL));
    wf_set(&run->event.original_text, wf_member(event, "originalText", NULL));
    wf_place_take(&run->event, json_object_get(event, "place"));
    wf_personal_take(run, event);
    json_decref(run->telegram);
    run->telegram = wf_must(wf_event_telegram(&run->event));
}

static void go_on(struct wf_run *run)
{
    const json_t *value = level(run);
    const char *next = wf_member(value, "next", "");
    const struct wf_node *node = wf_graph_find(run->graph, next);

    wf_run_preload_take(run, 0, true);
    take_buffers(run, value);
    if (node != NULL && value != run->attempt.restored) { /* it called the next one */
        run->node = node;
        wf_frames_push(run);
        restore_level(run);
        return;
    }
    if (node != NULL) {
        wf_loop_start(run, node);
        return;
    }
    run->out.text = wf_printf("Node not found: %s", next);
    wf_log_error(run, run->out.text);
    run->ending.status = WF_STATUS_FAILED;
    run->ending.result = false;
    wf_finish(run);
}

static void begin_anew(struct wf_run *run)
{
    BW_ASSERT(run->steps.restore.anew != NULL);
    json_decref(run->attempt.restored);
    run->attempt.restored = NULL;
    run->steps.restore.anew(run);
}

/* The row may be further: Redis was away meanwhile, and has come back older. */
static void take_further(struct wf_run *run, const json_t *payload)
{
    json_t *kept = json_object_get(payload, "checkpoint");

    if (!json_is_object(kept) ||
        json_integer_value(json_object_get(kept, "seq")) <=
            json_integer_value(json_object_get(run->attempt.restored, "seq")))
        return;
    json_decref(run->attempt.restored);
    run->attempt.restored = json_incref(kept);
    run->attempt.in_row = true;
}

void wf_restore_row(struct wf_run *run, const json_t *payload)
{
    take_further(run, payload);
    restore(run);
}
