/* worker/workflow/spec/workflow.md §3.9.2: what a later attempt of the same job needs
 * so as to do nothing twice. */
#include "workflow/outbox/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/fault_point.h"
#include "workflow/run/frames.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/run/personal.h"
#include "workflow/run/place.h"
#include "workflow/run/io.h"
#include "workflow/run/job_key.h"
#include "workflow/run/run_keys.h"
#include "workflow/outbox/flush.h"

#define LATER_MS 200

static wf_step key_written, write_row, row_written, held;

/* --- writing */

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
    json_t *visits = wf_must(json_deep_copy(run->progress.visits));
    json_t *value = wf_must(json_object());

    BW_ASSERT(run->graph != NULL && run->execution.id != NULL && next != NULL);
    wf_json_set(value, "seq", json_integer(++run->attempt.seq));
    wf_json_set(value, "job", wf_job_owner(run));

    if (inside) /* it will be counted again */
        wf_json_set(visits, next,
                    json_integer(json_integer_value(json_object_get(visits, next)) - 1));
    wf_json_set_text(value, "executionId", run->execution.id);
    wf_json_set_text(value, "sessionId", run->execution.session_id);
    wf_json_set_text(value, "workflowId", run->execution.workflow_id);
    wf_json_set(value, "version", json_integer(run->execution.version));
    wf_json_set_text(value, "graphWorkflowId", run->graph->workflow_id);
    wf_json_set(value, "graphVersion", json_integer(run->graph->version));
    wf_json_set_text(value, "kind", run->execution.resumed ? "resume" : "start");
    wf_json_set(value, "stored", json_boolean(run->execution.stored));
    wf_json_set_text(value, "started", run->execution.started);
    wf_json_set_text(value, "userId", run->user_id);
    wf_json_set(value, "step", json_integer(run->execution.steps - (inside ? 1 : 0)));
    wf_json_set(value, "stepsBefore", json_integer(run->execution.steps_before));
    wf_json_set(value, "runSteps",
                json_integer((json_int_t)run->progress.steps - (inside ? 1 : 0)));
    wf_json_set_text(value, "next", next);
    wf_json_set(value, "sent", json_integer(inside ? run->outbox.message.sent : 0));
    if (inside && run->outbox.message.intended)
        wf_json_set(value, "intended", json_integer(run->outbox.message.sending));
    if (inside && run->outbox.refusals.doubts > 0)
        wf_json_set(value, "doubts", json_integer(run->outbox.refusals.doubts));
    if (run->outbox.refusals.since != 0)
        wf_json_set(value, "refusedAt", json_integer(run->outbox.refusals.since));
    if (run->outbox.moves != NULL)
        wf_json_set(value, "moves", json_incref(run->outbox.moves));
    if (inside && run->outbox.message.sent > 0)
        wf_json_set(value, "messageId", json_integer(run->outbox.reply.message_id));
    wf_json_set(value, "vars", json_incref(run->dirty));
    wf_json_set(value, "logs", json_incref(run->log.rows));
    wf_json_set(value, "visits", visits);
    wf_json_set(value, "loops", json_incref(run->progress.loops));
    wf_json_set(value, "event", event_parts(run));
    wf_json_set(value, "outer", wf_frames_snapshot(run));
    return value;
}

/* --- in the row: that of the outermost execution, which a look-up finds */

static void note(struct wf_run *run, const char *next, bool inside)
{
    json_t *value = snapshot(run, next, inside);

    free(run->outbox.checkpoint.text);
    run->outbox.checkpoint.text = wf_dumps(value);
    json_decref(value);
}

void wf_checkpoint(struct wf_run *run, const char *next, bool inside, wf_step *then)
{
    wf_fault_point("checkpoint-before");

    note(run, next, inside);
    run->outbox.checkpoint.then = then;
    run->outbox.checkpoint.at =
        wf_kv_add(wf_run_keys(run), WF_KV_SET, wf_checkpoint_key(run),
                  wf_strdup(run->outbox.checkpoint.text),
                  wf_checkpoint_ttl(run, run->outbox.hold_until));
    wf_run_kv(run, key_written);
}

static void key_written(struct wf_run *run)
{
    BW_ASSERT(run->outbox.checkpoint.then != NULL);
    wf_fault_point("checkpoint-after");
    if (wf_kv_at(&run->kv, run->outbox.checkpoint.at)->memory || run->attempt.in_row)
        write_row(run);
    else
        run->outbox.checkpoint.then(run);
}

/* The whole checkpoint, with variables and logs: they are flushed at the end as ever. */
static void write_row(struct wf_run *run)
{
    const struct wf_execution *x = wf_frames_outermost(run);
    json_t *value = wf_loads(run->outbox.checkpoint.text);
    json_t *outer = wf_frames_outermost_part(value);
    char *atm = wf_job_atm(run), *text, steps[24], seq[24];

    BW_ASSERT(value != NULL);
    run->attempt.in_row = true; /* from now on, so that the row can be relied upon */
    (void)snprintf(steps, sizeof(steps), "%lld", (long long)x->steps);
    (void)snprintf(seq, sizeof(seq), "%lld", (long long)run->attempt.seq);
    wf_db_begin(run);
    if (!x->stored)
        wf_insert_add(run, x);
    wf_json_set(outer, "stored", json_true());
    text = wf_dumps(value);
    run->outbox.checkpoint.row_at = wf_db_add(
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

static void row_written(struct wf_run *run)
{
    char *key;

    BW_ASSERT(run->outbox.checkpoint.then != NULL);
    if (run->ending.failure != NULL) { /* it is over, whether the row took it or not */
        run->outbox.checkpoint.then(run);
        return;
    }
    if (wf_db_rows(run, run->outbox.checkpoint.row_at) == 0) {
        /* another attempt of the job is further, or the row was ended: the next start
         * looks at it */
        bw_log(wf_job_log(run), BW_LOG_WARNING,
               "the execution is in other hands; the job is looked at again");
        wf_run_later(run, LATER_MS);
        return;
    }
    wf_frames_outermost(run)->stored = true;
    key = wf_checkpoint_key(run);
    wf_memory_delete(run->engine->keys.memory, key); /* no witness */
    free(key);
    run->outbox.checkpoint.then(run);
}

void wf_checkpoint_leave(struct wf_run *run)
{
    if (run->outbox.checkpoint.text == NULL || run->attempt.in_row) {
        wf_run_go_back(run);
        return;
    }
    run->outbox.checkpoint.then = wf_run_go_back;
    write_row(run);
}

void wf_checkpoint_hold(struct wf_run *run)
{
    BW_ASSERT(run->node != NULL && run->outbox.hold_until > 0);
    wf_checkpoint(run, run->node->id, true, held);
}

static void held(struct wf_run *run)
{
    wf_run_put_off(run, run->outbox.hold_until, false);
}

void wf_intent_add(struct wf_run *run)
{
    BW_ASSERT(run->node != NULL);
    BW_ASSERT(run->outbox.message.sending > run->outbox.message.sent);
    wf_fault_point("intent-before");
    run->outbox.message.intended = true;
    note(run, run->node->id, true);
    run->outbox.checkpoint.at =
        wf_kv_add(&run->kv, WF_KV_SET, wf_checkpoint_key(run),
                  wf_strdup(run->outbox.checkpoint.text), wf_checkpoint_ttl(run, 0));
}

void wf_intent_keep(struct wf_run *run, wf_step *then)
{
    run->outbox.checkpoint.then = then;
    key_written(run);
}

bool wf_checkpoint_take(struct wf_run *run, const char *text, bool *result)
{
    json_t *value = wf_loads(text);
    bool done;

    BW_ASSERT(run->project_id != NULL);
    json_decref(run->attempt.restored);
    run->attempt.restored = NULL;
    if (!wf_job_owns(run, value)) { /* none, or an earlier job's with this id */
        json_decref(value);
        return false;
    }
    done = json_is_true(json_object_get(value, "done"));
    *result = json_is_true(json_object_get(value, "result"));
    if (!done) {
        run->attempt.restored = value;
        return false;
    }
    /* a queue that has recorded the end has counted it; tried again on purpose it runs
     * from its start */
    done = json_integer_value(json_object_get(value, "atm")) ==
           (json_int_t)wf_job_attempts_made(run);
    json_decref(value);
    return done;
}
