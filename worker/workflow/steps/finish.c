/* The flush (worker/workflow/spec/workflow.md §3.10), what becomes of it, and what
 * follows: keys and jobs. */
#include "workflow/steps/finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/outbox/delays.h"
#include "workflow/outbox/flush.h"
#include "workflow/base/fault_point.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/run/versions.h"
#include "workflow/run/wait_keys.h"
#include "workflow/outbox/witness.h"
#include "workflow/run/io.h"
#include "workflow/run/person.h"
#include "workflow/run/run_keys.h"
#include "workflow/steps/warm.h"
#include "workflow/base/ids.h"

#define CHECKPOINT_TTL_MS 3600000
#define LATER_MS          200
#define PURGE_PAUSE_MS    60000

static wf_step flushed, row_checked, written, publish, published, refused,
    purge_variables;

/* --- the end */

static bool waits_for_time(const struct wf_run *run)
{
    return run->ending.status == WF_STATUS_WAITING && run->out.wait == WF_WAIT_DELAY;
}

void wf_finish(struct wf_run *run)
{
    bool waiting = run->ending.status == WF_STATUS_WAITING;
    struct wf_flush flush = { .status = run->ending.status, .over = true };

    BW_ASSERT(run->execution.id != NULL);
    if (waiting) {
        flush.node = run->node != NULL ? run->node->id : run->execution.current_node_id;
        flush.wait_type = run->out.wait;
        flush.payload = run->out.payload;
        flush.supersede = !waits_for_time(run);
        if (waits_for_time(run))
            flush.node = run->out.target; /* the one to run next */
    } else if (run->ending.status == WF_STATUS_CANCELLED) {
        flush.error = run->out.text;
    } else if (run->ending.status == WF_STATUS_FAILED) {
        flush.error =
            run->out.text != NULL ? run->out.text : "Workflow ended with failure";
    }
    wf_fault_point("flush-before");
    wf_db_begin(run);
    run->steps.finish.flush_at = wf_flush_add(run, &flush);
    run->steps.finish.person_at = wf_person_stale(run) ? wf_person_add_own(run) : 0;
    wf_db_run(run, flushed, refused);
}

static void flushed(struct wf_run *run)
{
    bool unseen = wf_db_rows(run, run->steps.finish.flush_at) == 0;

    wf_fault_point("flush-after");
    run->steps.finish.only_one =
        wf_db_true(run, run->steps.finish.flush_at, 0, WF_COL_flush_only_one);
    if (run->steps.finish.person_at != 0)
        wf_person_take(run, run->steps.finish.person_at);
    run->steps.finish.person_at = 0;
    if (!unseen) {
        written(run);
        return;
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_witness, run->execution.id, run->project_id);
    wf_db_run(run, row_checked, NULL);
}

/* Nothing was written: by a repetition of what had been written, because another attempt
 * of the job was faster, or because the job's executionId, which no look-up had checked,
 * is another's. Then it gets an id of its own (§3.4). */
static void row_checked(struct wf_run *run)
{
    json_t *payload = wf_loads(wf_db_value(run, 0, 0, WF_COL_witness_wait_payload));
    struct wf_row row = { .id = run->execution.id,
                          .status =
                              wf_status_of(wf_db_value(run, 0, 0, WF_COL_witness_status)),
                          .steps = wf_db_number(run, 0, 0, WF_COL_witness_steps) };
    bool there = wf_db_rows(run, 0) > 0, result = false;
    enum wf_testimony says = wf_witness_read(run, payload, &result);
    char fresh[WF_ID_SIZE];

    json_decref(payload);
    if (says == WF_SAYS_OVER) {
        run->ending.result = result;
        written(run);
    } else if (there && says != WF_SAYS_NOTHING && row.status == WF_STATUS_RUNNING) {
        wf_run_later(run, LATER_MS); /* in the hands of another attempt: asked again */
    } else if (wf_witness_is_older(&row, says, run->execution.resumed,
                                   run->execution.steps_before)) {
        wf_witness_claim(run, &row, run->execution.steps_before, wf_finish);
    } else if (run->steps.finish.flushed_before || (there && run->execution.stored)) {
        written(run); /* it was ended by somebody else */
    } else {
        if (there) {
            wf_id_random(fresh);
            wf_set(&run->execution.id, fresh);
        }
        run->steps.finish.flushed_before = true;
        run->execution.stored = false;
        wf_finish(run);
    }
}

static void written(struct wf_run *run)
{
    if (waits_for_time(run))
        wf_delay_add(run, publish);
    else if (wf_timeout_set(run))
        wf_timeout_add(run, publish);
    else
        publish(run);
}

static void publish(struct wf_run *run)
{
    BW_ASSERT(run->execution.id != NULL);
    (void)wf_run_keys(run);
    if (run->out.wait != WF_WAIT_NOTHING && run->ending.status == WF_STATUS_WAITING &&
        !waits_for_time(run))
        wf_waiting_enter(run, run->out.wait,
                         run->node != NULL ? run->node->id
                                           : run->execution.current_node_id);
    else
        wf_waiting_leave(run);
    wf_warm_leave(run, run->steps.finish.only_one);
    (void)wf_kv_add(&run->kv, WF_KV_SET, wf_checkpoint_key(run), wf_checkpoint_done(run),
                    CHECKPOINT_TTL_MS);
    wf_run_kv(run, published);
}

static void published(struct wf_run *run)
{
    purge_variables(run);
    wf_run_answer(run, run->ending.result);
}

static void refused(struct wf_run *run)
{
    const char *message = wf_db_message(run);

    if (strcmp(wf_db_sqlstate(run), "23503") == 0) { /* the workflow is gone (§3.4) */
        wf_versions_drop(run);
        if (wf_job_attempts_made(run) == 0)
            wf_run_transient(run, 0, "The workflow of the execution is gone");
        else
            wf_run_answer(run, false);
        return;
    }
    bw_log(wf_job_log(run), BW_LOG_ERROR, "the execution could not be written",
           bw_text("sqlstate", wf_db_sqlstate(run)), bw_text("reason", message));
    if (run->steps.finish.again) {
        wf_run_answer(run, false);
        return;
    }
    run->steps.finish.again =
        true; /* without what may be at fault, so that it does not stay `running` */
    (void)json_object_clear(run->dirty);
    (void)json_array_clear(run->log.rows);
    run->out.wait = WF_WAIT_NOTHING;
    wf_set(&run->out.text, "The variables or logs of the run could not be written");
    run->ending.status = WF_STATUS_FAILED;
    run->ending.result = false;
    wf_finish(run);
}

/* --- variables that have run out: at most once a minute a project, beside the runs */

static void purged(struct wf_batch *batch, void *arg)
{
    struct wf_engine *engine = arg;

    engine->effects->batch_destroy(&batch); /* whether it worked: there is a next time */
    wf_busy_leave(&engine->busy);
}

static void purge_variables(struct wf_run *run)
{
    struct wf_engine *engine = run->engine;
    const struct wf_effects *effects = engine->effects;
    char *key = wf_printf("purge %s", run->project_id);
    bool due = wf_memory_set_new(engine->local, key, "", PURGE_PAUSE_MS);
    struct wf_batch *batch;

    free(key);
    if (!due)
        return;
    wf_busy_enter(&engine->busy);
    batch = effects->batch_create(effects->arg);
    (void)effects->batch_add(batch, WF_SQL_purge,
                             (const char *const[]){ run->project_id }, 1);
    (void)effects->batch_submit(effects->arg, batch, engine->settings.db_timeout_ms,
                                purged, engine);
}
