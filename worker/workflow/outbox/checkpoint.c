/* worker/workflow/spec/workflow.md §3.9.2: what a later attempt of the same job needs so
 * as to do nothing twice. */
#include "workflow/run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/fault_point.h"
#include "workflow/run/frames.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/language/event_telegram.h"
#include "workflow/run/personal.h"
#include "workflow/run/place.h"
#include "workflow/run/versions.h"
#include "workflow/outbox/witness.h"

#define TTL_MS      3600000
#define LATER_MS    200
#define TTL_LEFT_MS (7 * 24 * 3600000LL) /* of a job that is left for another attempt */

char *wf_checkpoint_key(const struct wf_run *run)
{
    return wf_printf("workflow:job:%s:%s:%s", wf_job_prefix(run), run->engine->queue,
                     wf_job_id(run));
}

static char *key_of(struct wf_engine *engine, const struct bw_job *job)
{
    const struct wf_job_effects *of = engine->effects->job;

    return wf_printf("workflow:job:%s:%s:%s", of->prefix(job), engine->queue,
                     of->id(job));
}

void wf_checkpoint_end(struct wf_engine *engine, const struct bw_job *job)
{
    struct wf_kv kv = { 0 };

    (void)wf_kv_add(&kv, WF_KV_DELETE, key_of(engine, job), NULL, 0);
    wf_kv_send(engine, &kv);
}

void wf_checkpoint_outlive(struct wf_engine *engine, const struct bw_job *job,
                           int64_t delay_ms)
{
    struct wf_kv kv = { 0 };

    (void)wf_kv_add(&kv, WF_KV_KEEP, key_of(engine, job), NULL,
                    TTL_MS + delay_ms + TTL_LEFT_MS);
    wf_kv_send(engine, &kv);
}

char *wf_checkpoint_done(const struct wf_run *run)
{
    json_t *value = wf_must(json_object());
    char *text;

    wf_json_set(value, "job", wf_job_owner(run));
    wf_json_set(value, "atm", json_integer(wf_job_attempts_made(run)));
    wf_json_set_text(value, "executionId", run->x.id);
    wf_json_set(value, "done", json_true());
    wf_json_set(value, "result", json_boolean(run->result));
    text = wf_dumps(value);
    json_decref(value);
    return text;
}

bool wf_checkpoint_take(struct wf_run *run, const char *text, bool *result)
{
    json_t *value = wf_loads(text);
    bool done;

    json_decref(run->restored);
    run->restored = NULL;
    if (!wf_job_owns(run, value)) { /* none, or an earlier job's with this id */
        json_decref(value);
        return false;
    }
    done = json_is_true(json_object_get(value, "done"));
    *result = json_is_true(json_object_get(value, "result"));
    if (!done) {
        run->restored = value;
        return false;
    }
    /* a queue that has recorded the end has counted it; tried again on purpose it runs
     * from its start */
    done = json_integer_value(json_object_get(value, "atm")) ==
           (json_int_t)wf_job_attempts_made(run);
    json_decref(value);
    return done;
}

/* --- writing */

/* Past the end of a delay that the job is put into. */
static int64_t ttl(const struct wf_run *run, int64_t until_ms)
{
    int64_t left = until_ms - wf_engine_now_ms(run->engine);

    return left > 0 ? TTL_MS + left : TTL_MS;
}

/* What the normalised event was made of, for a resumed run. */
static json_t *event_parts(const struct wf_run *run)
{
    json_t *parts = wf_must(json_object());

    wf_json_set_text(parts, "text", run->event.text);
    wf_json_set_text(parts, "originalText", run->event.original_text);
    wf_json_set(parts, "place", wf_place_keep(&run->event));
    wf_personal_keep(run, parts);
    return parts;
}

static json_t *snapshot(struct wf_run *run, const char *next, bool inside)
{
    json_t *visits = wf_must(json_deep_copy(run->visits));
    json_t *value = wf_must(json_object());

    wf_json_set(value, "seq", json_integer(++run->seq));
    wf_json_set(value, "job", wf_job_owner(run));

    if (inside) /* it will be counted again */
        wf_json_set(visits, next,
                    json_integer(json_integer_value(json_object_get(visits, next)) - 1));
    wf_json_set_text(value, "executionId", run->x.id);
    wf_json_set_text(value, "sessionId", run->x.session_id);
    wf_json_set_text(value, "workflowId", run->x.workflow_id);
    wf_json_set(value, "version", json_integer(run->x.version));
    wf_json_set_text(value, "graphWorkflowId", run->graph->workflow_id);
    wf_json_set(value, "graphVersion", json_integer(run->graph->version));
    wf_json_set_text(value, "kind", run->x.resumed ? "resume" : "start");
    wf_json_set(value, "stored", json_boolean(run->x.stored));
    wf_json_set_text(value, "started", run->x.started);
    wf_json_set_text(value, "userId", run->user_id);
    wf_json_set(value, "step", json_integer(run->x.steps - (inside ? 1 : 0)));
    wf_json_set(value, "stepsBefore", json_integer(run->x.steps_before));
    wf_json_set(value, "runSteps",
                json_integer((json_int_t)run->steps_this_run - (inside ? 1 : 0)));
    wf_json_set_text(value, "next", next);
    wf_json_set(value, "sent", json_integer(inside ? run->sent : 0));
    if (inside && run->intended)
        wf_json_set(value, "intended", json_integer(run->sending));
    if (inside && run->token_doubts > 0)
        wf_json_set(value, "doubts", json_integer(run->token_doubts));
    if (run->refused_at != 0)
        wf_json_set(value, "refusedAt", json_integer(run->refused_at));
    if (run->moves != NULL)
        wf_json_set(value, "moves", json_incref(run->moves));
    if (inside && run->sent > 0)
        wf_json_set(value, "messageId", json_integer(run->reply.message_id));
    wf_json_set(value, "vars", json_incref(run->dirty));
    wf_json_set(value, "logs", json_incref(run->logs));
    wf_json_set(value, "visits", visits);
    wf_json_set(value, "loops", json_incref(run->loops));
    wf_json_set(value, "event", event_parts(run));
    wf_json_set(value, "outer", wf_frames_snapshot(run));
    return value;
}

/* --- in the row: that of the outermost execution, which a look-up finds */

static struct wf_execution *outermost(struct wf_run *run)
{
    struct wf_frame *frame = run->outer;

    if (frame == NULL)
        return &run->x;
    while (frame->outer != NULL)
        frame = frame->outer;
    return &frame->x;
}

static json_t *outermost_value(json_t *value)
{
    json_t *outer;

    while ((outer = json_object_get(value, "outer")) != NULL)
        value = outer;
    return value;
}

static void row_written(struct wf_run *run)
{
    char *key;

    if (run->failure != NULL) { /* it is over, whether the row took it or not */
        run->after_checkpoint(run);
        return;
    }
    if (wf_db_rows(run, run->last_index) == 0) {
        /* another attempt of the job is further, or the row was ended: the next start
         * looks at it */
        bw_log(wf_job_log(run), BW_LOG_WARNING,
               "the execution is in other hands; the job is looked at again");
        wf_run_later(run, LATER_MS);
        return;
    }
    outermost(run)->stored = true;
    key = wf_checkpoint_key(run);
    wf_memory_delete(run->engine->memory, key); /* no witness */
    free(key);
    run->after_checkpoint(run);
}

/* The whole checkpoint, with variables and logs: they are flushed at the end as ever. */
static void write_row(struct wf_run *run)
{
    const struct wf_execution *x = outermost(run);
    json_t *value = wf_loads(run->checkpoint);
    json_t *outer = outermost_value(value);
    char *atm = wf_job_atm(run), *text, steps[24], seq[24];

    run->in_row = true; /* from now on, so that the row can be relied upon */
    (void)snprintf(steps, sizeof(steps), "%lld", (long long)x->steps);
    (void)snprintf(seq, sizeof(seq), "%lld", (long long)run->seq);
    wf_db_begin(run);
    if (!x->stored)
        wf_insert_add(run, x);
    wf_json_set(outer, "stored", json_true());
    text = wf_dumps(value);
    run->last_index = wf_db_add(
        run, WF_SQL_keep, [WF_ARG_keep_execution] = x->id,
        [WF_ARG_keep_project] = run->project_id, [WF_ARG_keep_job] = wf_job_key(run),
        [WF_ARG_keep_atm] = atm, [WF_ARG_keep_checkpoint] = text,
        [WF_ARG_keep_node] = wf_member(outer, "next", NULL), [WF_ARG_keep_steps] = steps,
        [WF_ARG_keep_number] = seq);
    free(text);
    free(atm);
    json_decref(value);
    wf_db_run(run, row_written, NULL);
}

static void key_written(struct wf_run *run)
{
    wf_fault_point("checkpoint-after");
    if (wf_kv_at(&run->kv, run->checkpoint_at)->memory || run->in_row)
        write_row(run);
    else
        run->after_checkpoint(run);
}

static void note(struct wf_run *run, const char *next, bool inside)
{
    json_t *value = snapshot(run, next, inside);

    free(run->checkpoint);
    run->checkpoint = wf_dumps(value);
    json_decref(value);
}

void wf_checkpoint(struct wf_run *run, const char *next, bool inside, wf_step *then)
{
    wf_fault_point("checkpoint-before");

    note(run, next, inside);
    run->after_checkpoint = then;
    run->checkpoint_at = wf_kv_add(wf_run_keys(run), WF_KV_SET, wf_checkpoint_key(run),
                                   wf_strdup(run->checkpoint), ttl(run, run->hold_until));
    wf_run_kv(run, key_written);
}

bool wf_checkpoint_leave(struct wf_run *run, wf_step *then)
{
    if (run->checkpoint == NULL || run->in_row)
        return false;
    run->after_checkpoint = then;
    write_row(run);
    return true;
}

/* It outlives the delay, however long that turns out to be. */
void wf_checkpoint_renew(struct wf_run *run, int64_t until_ms)
{
    struct wf_kv kv = { 0 };

    if (run->seq == 0) /* there is none */
        return;
    (void)wf_kv_add(&kv, WF_KV_KEEP, wf_checkpoint_key(run), NULL,
                    ttl(run, until_ms) + TTL_LEFT_MS);
    wf_kv_send(run->engine, &kv);
}

void wf_intent_add(struct wf_run *run)
{
    wf_fault_point("intent-before");
    run->intended = true;
    note(run, run->node->id, true);
    run->checkpoint_at = wf_kv_add(&run->kv, WF_KV_SET, wf_checkpoint_key(run),
                                   wf_strdup(run->checkpoint), TTL_MS);
}

void wf_intent_keep(struct wf_run *run, wf_step *then)
{
    run->after_checkpoint = then;
    key_written(run);
}

/* --- going on from one */

static void take(struct wf_run *run, const json_t *value)
{
    struct wf_execution *x = &run->x;

    wf_set(&x->id, wf_member(value, "executionId", ""));
    wf_set(&x->session_id, wf_member(value, "sessionId", ""));
    wf_set(&x->workflow_id, wf_member(value, "workflowId", ""));
    x->version = (int)json_integer_value(json_object_get(value, "version"));
    x->stored = json_is_true(json_object_get(value, "stored"));
    x->resumed = strcmp(wf_member(value, "kind", ""), "resume") == 0;
    x->steps = json_integer_value(json_object_get(value, "step"));
    x->steps_before = json_integer_value(json_object_get(value, "stepsBefore"));
    (void)snprintf(x->started, sizeof(x->started), "%s", wf_member(value, "started", ""));
    run->steps_this_run =
        (unsigned)json_integer_value(json_object_get(value, "runSteps"));
    run->sent = (unsigned)json_integer_value(json_object_get(value, "sent"));
    run->unknown = (unsigned)json_integer_value(json_object_get(value, "intended"));
    run->reply.message_id = json_integer_value(json_object_get(value, "messageId"));
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
    replace(&run->logs, json_object_get(value, "logs"));
    replace(&run->visits, json_object_get(value, "visits"));
    replace(&run->loops, json_object_get(value, "loops"));
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

/* The part of the checkpoint that speaks of the execution being restored: those outside
 * of it come first. */
static const json_t *level(const struct wf_run *run)
{
    const json_t *value = run->restored;

    for (unsigned i = wf_frames_depth(run); i < run->restore_depth; i++)
        value = json_object_get(value, "outer");
    return value;
}

static void restore_level(struct wf_run *run);

static void go_on(struct wf_run *run)
{
    const json_t *value = level(run);
    const char *next = wf_member(value, "next", "");
    const struct wf_node *node = wf_graph_find(run->graph, next);

    wf_run_preload_take(run, 0, true);
    take_buffers(run, value);
    if (node != NULL && value != run->restored) { /* it called the next one */
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
    run->status = "failed";
    run->result = false;
    wf_finish(run);
}

static void graph_found(struct wf_run *run)
{
    if (run->graph == NULL) {
        wf_run_answer(run, false); /* the workflow is gone, and its rows with it */
        return;
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_preload, run->project_id, run->x.workflow_id,
                    run->x.session_id, run->user_id, wf_db_bigint(run->event.from_id),
                    NULL);
    wf_db_run(run, go_on, NULL);
}

/* The chat has moved in an attempt before. */
static void take_moves(struct wf_run *run)
{
    json_t *moves = json_object_get(run->restored, "moves"), *to;
    const char *from;

    json_object_foreach(moves, from, to)
    {
        wf_moved(run, from, json_string_value(to));
    }
}

static void restore_level(struct wf_run *run)
{
    const json_t *value = level(run);

    take(run, value);
    wf_versions_exact(run, wf_member(value, "graphWorkflowId", ""),
                      (int)json_integer_value(json_object_get(value, "graphVersion")),
                      graph_found);
}

/* Nothing of the checkpoint but where it says that the run is. */
static void restore(struct wf_run *run)
{
    const json_t *outer = run->restored;

    bw_log(wf_job_log(run), BW_LOG_INFO, "going on where an attempt before stopped",
           bw_text("node", wf_member(run->restored, "next", "")));
    run->seq = json_integer_value(json_object_get(run->restored, "seq"));
    wf_person_set(run, wf_member(run->restored, "userId", NULL));
    run->token_doubts =
        (unsigned)json_integer_value(json_object_get(run->restored, "doubts"));
    run->refused_at = json_integer_value(json_object_get(run->restored, "refusedAt"));
    take_moves(run);
    run->restore_depth = 0;
    while ((outer = json_object_get(outer, "outer")) != NULL)
        run->restore_depth++;
    restore_level(run);
}

/* The row may be further: Redis was away meanwhile, and has come back older. */
static void take_further(struct wf_run *run, const json_t *payload)
{
    json_t *kept = json_object_get(payload, "checkpoint");

    if (!json_is_object(kept) ||
        json_integer_value(json_object_get(kept, "seq")) <=
            json_integer_value(json_object_get(run->restored, "seq")))
        return;
    json_decref(run->restored);
    run->restored = json_incref(kept);
    run->in_row = true;
}

void wf_restore_row(struct wf_run *run, const json_t *payload)
{
    take_further(run, payload);
    restore(run);
}

static void begin_anew(struct wf_run *run)
{
    json_decref(run->restored);
    run->restored = NULL;
    run->after_checkpoint(run);
}

/* By hand, or by the Node engine: there is nothing to go on with, and what was done is
 * not done again. */
static void ended_by_others(struct wf_run *run, const struct wf_row *row)
{
    bw_log(wf_job_log(run), BW_LOG_WARNING, "the execution was ended by somebody else",
           bw_text("execution", row->id), bw_text("executionStatus", row->status));
    wf_run_answer(run, true);
}

static void judge_row(struct wf_run *run)
{
    const json_t *outer = outermost_value(run->restored);
    bool resumed = strcmp(wf_member(outer, "kind", ""), "resume") == 0;
    int64_t steps = json_integer_value(json_object_get(outer, "stepsBefore"));
    json_t *payload = wf_loads(wf_db_value(run, 0, 0, WF_COL_witness_wait_payload));
    struct wf_row row = { .id = wf_member(outer, "executionId", ""),
                          .status = wf_db_value(run, 0, 0, WF_COL_witness_status),
                          .wait_type = wf_db_value(run, 0, 0, WF_COL_witness_wait_type),
                          .node = wf_db_value(run, 0, 0, WF_COL_witness_node),
                          .steps = wf_db_number(run, 0, 0, WF_COL_witness_steps),
                          .workflow_id = wf_db_value(run, 0, 0, WF_COL_witness_workflow),
                          .payload = payload };
    bool result = false;
    enum wf_testimony says = wf_witness_read(run, payload, &result);
    bool running = row.status != NULL && strcmp(row.status, "running") == 0;

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

static void row_found(struct wf_run *run)
{
    if (wf_db_rows(run, 0) > 0) {
        judge_row(run);
        return;
    }
    /* not stored yet; or the database has come back older */
    wf_json_set(outermost_value(run->restored), "stored", json_false());
    restore(run);
}

void wf_restore(struct wf_run *run, wf_step *anew)
{
    run->after_checkpoint = anew;
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_witness,
                    wf_member(outermost_value(run->restored), "executionId", ""),
                    run->project_id);
    wf_db_run(run, row_found, NULL);
}
