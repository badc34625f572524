/* worker/workflow/spec/workflow.md §3.10: one statement writes variables, logs,
 * supersession and the state; a new row goes along. */
#include "workflow/outbox/flush.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/run/frames.h"
#include "workflow/run/job_key.h"
#include "workflow/base/iso.h"
#include "workflow/base/mem.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"

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

size_t wf_flush_add(struct wf_run *run, const struct wf_flush *flush)
{
    char *variables = dirty_rows(run), *logs = wf_dumps(run->log.rows);
    char *payload = flush->payload != NULL ? wf_dumps(flush->payload) : NULL;
    char *atm = wf_job_atm(run), steps[24], reuse[24], seq[24];
    const char *result = run->ending.result ? "true" : "false";
    size_t at;

    BW_ASSERT(flush->status != WF_STATUS_OTHER);
    BW_ASSERT(flush->status != WF_STATUS_WAITING || flush->wait_type != WF_WAIT_NOTHING);
    if (!run->execution.stored)
        wf_insert_add(run, &run->execution);
    else if (run->personal.moved)
        (void)wf_db_add(run, WF_SQL_rehomed, run->execution.id, run->project_id,
                        run->event.chat_id, run->execution.session_id);
    (void)snprintf(seq, sizeof(seq), "%lld", (long long)run->attempt.seq);
    (void)snprintf(steps, sizeof(steps), "%lld", (long long)run->execution.steps);
    (void)snprintf(reuse, sizeof(reuse), "%lld",
                   (long long)run->engine->settings.reuse_seconds);
    at = wf_db_add(
        run, WF_SQL_flush, [WF_ARG_flush_project] = run->project_id,
        [WF_ARG_flush_workflow] = run->execution.workflow_id,
        [WF_ARG_flush_user] = run->user_id,
        [WF_ARG_flush_session] = run->execution.session_id,
        [WF_ARG_flush_execution] = run->execution.id,
        [WF_ARG_flush_variables] = variables, [WF_ARG_flush_logs] = logs,
        [WF_ARG_flush_status] = wf_status_name(flush->status),
        [WF_ARG_flush_error] = flush->error, [WF_ARG_flush_steps] = steps,
        [WF_ARG_flush_node] = flush->node,
        [WF_ARG_flush_wait_type] = wf_wait_name(flush->wait_type),
        [WF_ARG_flush_wait_payload] = payload,
        [WF_ARG_flush_supersedes] = flush->supersede ? "true" : "false",
        [WF_ARG_flush_reuse_window] = reuse, [WF_ARG_flush_job] = wf_job_key(run),
        [WF_ARG_flush_atm] = atm, [WF_ARG_flush_result] = flush->over ? result : NULL,
        [WF_ARG_flush_checkpoint] = seq);
    free(atm);
    free(variables);
    free(logs);
    free(payload);
    if (run->outbox.moves != NULL) /* the execution follows its chat */
        (void)wf_db_add(run, WF_SQL_moved, run->execution.id, run->project_id,
                        run->event.chat_id);
    return at;
}

void wf_insert_add(struct wf_run *run, const struct wf_execution *x)
{
    bool inner = run->outer != NULL && x == &run->execution;
    char version[16], now[WF_ISO_SIZE], *atm = wf_job_atm(run);

    BW_ASSERT(!x->stored && x->id != NULL && x->session_id != NULL);
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
        [WF_ARG_insert_parent] = inner ? run->outer->execution.id : NULL,
        [WF_ARG_insert_job] = wf_job_key(run), [WF_ARG_insert_atm] = atm);
    free(atm);
}

void wf_flush_done(struct wf_run *run)
{
    run->execution.stored = true;
    (void)json_object_clear(run->dirty);
    (void)json_array_clear(run->log.rows);
}

void wf_last_words(struct wf_run *run)
{
    BW_ASSERT(run->ending.failure != NULL);
    wf_db_begin(run);
    wf_db_once(run);
    wf_log_error(run, run->ending.failure);
    (void)wf_flush_add(run, &(struct wf_flush){ .status = WF_STATUS_FAILED,
                                                .error = run->ending.failure });
    while (run->outer != NULL) { /* and those that called it */
        wf_frames_pop(run);
        wf_log_error(run, run->ending.failure);
        (void)wf_flush_add(run, &(struct wf_flush){ .status = WF_STATUS_FAILED,
                                                    .error = run->ending.failure });
    }
    wf_db_run(run, wf_run_failing, wf_run_failing);
}
