/* worker/workflow/spec/workflow.md §3.10: one statement writes variables, logs,
 * supersession and the state; a new row goes along. */
#include "workflow/run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/jobs/delay_job.h"
#include "workflow/base/fault_point.h"
#include "workflow/run/frames.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/run/versions.h"
#include "workflow/run/wait_keys.h"
#include "workflow/steps/wait_timeout.h"
#include "workflow/outbox/witness.h"

#define CHECKPOINT_TTL_MS 3600000
#define LATER_MS          200
#define PURGE_PAUSE_MS    60000

static char *dirty_rows(const struct wf_run *run)
{
    json_t *rows = wf_must(json_array()), *entry;
    const char *key;
    char *text;

    json_object_foreach(run->dirty, key, entry)
    {
        if (json_array_append(rows, entry) != 0)
            (void)wf_must(NULL);
    }
    text = wf_dumps(rows);
    json_decref(rows);
    return text;
}

void wf_insert_add(struct wf_run *run, const struct wf_execution *x)
{
    bool inner = run->outer != NULL && x == &run->x;
    char version[16], now[WF_ISO_SIZE], *atm = wf_job_atm(run);

    wf_iso(wf_engine_now_ms(run->engine), now);
    (void)snprintf(version, sizeof(version), "%d", x->version);
    (void)wf_db_add(
        run, WF_SQL_insert, [WF_ARG_insert_execution] = x->id,
        [WF_ARG_insert_project] = run->project_id,
        [WF_ARG_insert_workflow] = x->workflow_id, [WF_ARG_insert_version] = version,
        [WF_ARG_insert_session] = x->session_id, [WF_ARG_insert_user] = run->user_id,
        [WF_ARG_insert_chat] = run->event.chat_id,
        /* unknown of one that waited, and that the database has lost */
        [WF_ARG_insert_started_at] = *x->started != '\0' ? x->started : now,
        [WF_ARG_insert_parent] = inner ? run->outer->x.id : NULL,
        [WF_ARG_insert_job] = wf_job_key(run), [WF_ARG_insert_atm] = atm);
    free(atm);
}

void wf_flush_add(struct wf_run *run, const struct wf_flush *flush)
{
    char *variables = dirty_rows(run), *logs = wf_dumps(run->logs);
    char *payload = flush->payload != NULL ? wf_dumps(flush->payload) : NULL;
    char *atm = wf_job_atm(run), steps[24], reuse[24], seq[24];
    const char *result = run->result ? "true" : "false";

    if (!run->x.stored)
        wf_insert_add(run, &run->x);
    else if (run->went_private)
        (void)wf_db_add(run, WF_SQL_rehomed, run->x.id, run->project_id,
                        run->event.chat_id, run->x.session_id);
    (void)snprintf(seq, sizeof(seq), "%lld", (long long)run->seq);
    (void)snprintf(steps, sizeof(steps), "%lld", (long long)run->x.steps);
    (void)snprintf(reuse, sizeof(reuse), "%lld",
                   (long long)run->engine->settings.reuse_seconds);
    run->flush_at = wf_db_add(
        run, WF_SQL_flush, [WF_ARG_flush_project] = run->project_id,
        [WF_ARG_flush_workflow] = run->x.workflow_id, [WF_ARG_flush_user] = run->user_id,
        [WF_ARG_flush_session] = run->x.session_id, [WF_ARG_flush_execution] = run->x.id,
        [WF_ARG_flush_variables] = variables, [WF_ARG_flush_logs] = logs,
        [WF_ARG_flush_status] = flush->status, [WF_ARG_flush_error] = flush->error,
        [WF_ARG_flush_steps] = steps, [WF_ARG_flush_node] = flush->node,
        [WF_ARG_flush_wait_type] = flush->wait_type,
        [WF_ARG_flush_wait_payload] = payload,
        [WF_ARG_flush_supersedes] = flush->supersede ? "true" : "false",
        [WF_ARG_flush_reuse_window] = reuse, [WF_ARG_flush_job] = wf_job_key(run),
        [WF_ARG_flush_atm] = atm, [WF_ARG_flush_result] = flush->over ? result : NULL,
        [WF_ARG_flush_checkpoint] = seq);
    free(atm);
    free(variables);
    free(logs);
    free(payload);
    if (run->moves != NULL) /* the execution follows its chat */
        (void)wf_db_add(run, WF_SQL_moved, run->x.id, run->project_id,
                        run->event.chat_id);
}

void wf_flush_done(struct wf_run *run)
{
    run->x.stored = true;
    (void)json_object_clear(run->dirty);
    (void)json_array_clear(run->logs);
}

/* --- variables that have run out: at most once a minute a project, beside the runs */

static void purged(struct wf_batch *batch, void *arg)
{
    struct wf_engine *engine = arg;

    engine->effects->batch_destroy(&batch); /* whether it worked: there is a next time */
    wf_engine_leave(engine);
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
    wf_engine_enter(engine);
    batch = effects->batch_create(effects->arg);
    (void)effects->batch_add(batch, WF_SQL_purge,
                             (const char *const[]){ run->project_id }, 1);
    (void)effects->batch_submit(effects->arg, batch, engine->settings.db_timeout_ms,
                                purged, engine);
}

/* --- the end */

static void published(struct wf_run *run)
{
    purge_variables(run);
    wf_run_answer(run, run->result);
}

static bool waits_for_time(const struct wf_run *run)
{
    return strcmp(run->status, "waiting") == 0 && run->out.wait != NULL &&
           strcmp(run->out.wait, "delay") == 0;
}

static void publish(struct wf_run *run)
{
    (void)wf_run_keys(run);
    if (run->out.wait != NULL && strcmp(run->status, "waiting") == 0 &&
        !waits_for_time(run))
        wf_waiting_enter(run, run->out.wait,
                         run->node != NULL ? run->node->id : run->x.current_node_id);
    else
        wf_waiting_leave(run);
    wf_warm_leave(run);
    (void)wf_kv_add(&run->kv, WF_KV_SET, wf_checkpoint_key(run), wf_checkpoint_done(run),
                    CHECKPOINT_TTL_MS);
    wf_run_kv(run, published);
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

/* Nothing was written: by a repetition of what had been written, because another attempt
 * of the job was faster, or because the job's executionId, which no look-up had checked,
 * is another's. Then it gets an id of its own (§3.4). */
static void row_checked(struct wf_run *run)
{
    json_t *payload = wf_loads(wf_db_value(run, 0, 0, WF_COL_witness_wait_payload));
    struct wf_row row = { .id = run->x.id,
                          .status = wf_db_value(run, 0, 0, WF_COL_witness_status),
                          .steps = wf_db_number(run, 0, 0, WF_COL_witness_steps) };
    bool there = wf_db_rows(run, 0) > 0, result = false;
    enum wf_testimony says = wf_witness_read(run, payload, &result);
    char fresh[WF_ID_SIZE];

    json_decref(payload);
    if (says == WF_SAYS_OVER) {
        run->result = result;
        written(run);
    } else if (there && says != WF_SAYS_NOTHING && strcmp(row.status, "running") == 0) {
        wf_run_later(run, LATER_MS); /* in the hands of another attempt: asked again */
    } else if (wf_witness_is_older(&row, says, run->x.resumed, run->x.steps_before)) {
        wf_witness_claim(run, &row, run->x.steps_before, wf_finish);
    } else if (run->flushed_before || (there && run->x.stored)) {
        written(run); /* it was ended by somebody else */
    } else {
        if (there) {
            wf_id_random(fresh);
            wf_set(&run->x.id, fresh);
        }
        run->flushed_before = true;
        run->x.stored = false;
        wf_finish(run);
    }
}

static void flushed(struct wf_run *run)
{
    bool unseen = wf_db_rows(run, run->flush_at) == 0;

    wf_fault_point("flush-after");
    run->only_one = wf_db_true(run, run->flush_at, 0, WF_COL_flush_only_one);
    if (run->person_at != 0)
        wf_person_take(run, run->person_at);
    run->person_at = 0;
    if (!unseen) {
        written(run);
        return;
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_witness, run->x.id, run->project_id);
    wf_db_run(run, row_checked, NULL);
}

static void refused(struct wf_run *run)
{
    const char *message = run->engine->effects->batch_message(run->batch);

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
    if (run->flush_again) {
        wf_run_answer(run, false);
        return;
    }
    run->flush_again =
        true; /* without what may be at fault, so that it does not stay `running` */
    (void)json_object_clear(run->dirty);
    (void)json_array_clear(run->logs);
    run->out.wait = NULL;
    wf_set(&run->out.text, "The variables or logs of the run could not be written");
    run->status = "failed";
    run->result = false;
    wf_finish(run);
}

void wf_finish(struct wf_run *run)
{
    bool waiting = strcmp(run->status, "waiting") == 0;
    struct wf_flush flush = { .status = run->status, .over = true };

    if (waiting) {
        flush.node = run->node != NULL ? run->node->id : run->x.current_node_id;
        flush.wait_type = run->out.wait;
        flush.payload = run->out.payload;
        flush.supersede = !waits_for_time(run);
        if (waits_for_time(run))
            flush.node = run->out.target; /* the one to run next */
    } else if (strcmp(run->status, "cancelled") == 0) {
        flush.error = run->out.text;
    } else if (strcmp(run->status, "failed") == 0) {
        flush.error =
            run->out.text != NULL ? run->out.text : "Workflow ended with failure";
    }
    wf_fault_point("flush-before");
    wf_db_begin(run);
    wf_flush_add(run, &flush);
    run->person_at = wf_person_stale(run) ? wf_person_add_own(run) : 0;
    wf_db_run(run, flushed, refused);
}
