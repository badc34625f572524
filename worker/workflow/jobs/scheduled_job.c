#include "workflow/jobs/scheduled_job.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/jobs/execution_lock.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/language/event_telegram.h"
#include "workflow/run/versions.h"
#include "workflow/outbox/witness.h"
#include "workflow/run/io.h"
#include "workflow/run/job_key.h"
#include "workflow/run/person.h"
#include "workflow/run/values.h"
#include "workflow/steps/loop.h"
#include "workflow/steps/restore.h"
#include "workflow/base/ids.h"
#include "workflow/base/iso.h"

#define LATER_MS 200

/* Places in the first batch. */
enum { LEDGER, VERSION, PERSON, BEFORE, PROJECT };

static wf_step entered, read_ledger, conclude, failed, write_completed, completed,
    write_failed, begun_again, begin, variables_there, take_person;
static void restore(struct wf_run *run, json_t *payload);

static const char *of_job(const struct wf_run *run, const char *member)
{
    return wf_member(run->data, member, "");
}

/* --- the ledger's word */

void wf_scheduled_start(struct wf_run *run)
{
    const char *ledger = of_job(run, "ledgerRunId");

    wf_run_prepare(run);
    run->ending.conclude = conclude;
    run->attempt.effect_owner = ledger;
    wf_execution_enter(run, ledger, entered);
}

static void entered(struct wf_run *run)
{
    const char *version = of_job(run, "workflowVersionId");
    const char *user = of_job(run, "userId"), *ledger = of_job(run, "ledgerRunId");

    run->project = wf_projects_get(&run->engine->projects, run->project_id);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_ledger, ledger);
    (void)wf_db_add(run, WF_SQL_ledger_version, version, of_job(run, "workflowId"),
                    run->project_id);
    (void)wf_db_add(run, WF_SQL_ledger_person, user, run->project_id);
    (void)wf_db_add(run, WF_SQL_ledger_before, run->project_id, version, user, ledger);
    if (run->project == NULL)
        (void)wf_db_add(run, WF_SQL_project, run->project_id);
    wf_db_run(run, read_ledger, NULL);
}

static bool matches(const struct wf_run *run)
{
    static const struct {
        const char *name;
        size_t column;
    } members[] = {
        { "projectId", WF_COL_ledger_project },
        { "workflowId", WF_COL_ledger_workflow },
        { "workflowVersionId", WF_COL_ledger_version_id },
        { "userId", WF_COL_ledger_user },
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const char *value = wf_db_value(run, LEDGER, 0, members[i].column);

        if (value == NULL || strcmp(value, of_job(run, members[i].name)) != 0)
            return false;
    }
    return true;
}

/* What keeps the run from beginning; NULL: nothing. */
static const char *obstacle(const struct wf_run *run)
{
    if (wf_db_rows(run, VERSION) == 0)
        return "The scheduled workflow version is gone";
    if (wf_db_rows(run, PERSON) == 0)
        return "The customer of the scheduled workflow is gone";
    if (run->project == NULL || run->project->token == NULL)
        return "Bot token not configured for the project";
    return NULL;
}

/* The row of an attempt before. True: nothing is left to be run. */
static bool judge_before(struct wf_run *run)
{
    json_t *payload =
        wf_loads(wf_db_value(run, BEFORE, 0, WF_COL_ledger_before_wait_payload));
    struct wf_row row = {
        .status = wf_status_of(wf_db_value(run, BEFORE, 0, WF_COL_ledger_before_status)),
        .wait_type =
            wf_wait_type_of(wf_db_value(run, BEFORE, 0, WF_COL_ledger_before_wait_type)),
        .node = wf_db_value(run, BEFORE, 0, WF_COL_ledger_before_node),
        .steps = wf_db_number(run, BEFORE, 0, WF_COL_ledger_before_steps),
        .workflow_id = wf_db_value(run, BEFORE, 0, WF_COL_ledger_before_workflow),
        .id = wf_db_value(run, BEFORE, 0, WF_COL_ledger_before_execution),
        .payload = payload
    };
    bool result = false, running = row.status == WF_STATUS_RUNNING;
    enum wf_testimony says = wf_witness_read(run, payload, &result);

    if (says == WF_SAYS_OVER) {
        wf_witness_over(run, &row, result);
    } else if (!running && row.status != WF_STATUS_FAILED) {
        write_completed(run); /* an attempt before got that far */
    } else {
        if (!running) { /* it failed for good: the job begins anew */
            json_decref(run->attempt.restored);
            run->attempt.restored = NULL;
        }
        if (says == WF_SAYS_KEPT)
            run->execution.wait_payload = json_incref(payload);
        json_decref(payload);
        return false;
    }
    json_decref(payload);
    return true;
}

static void read_ledger(struct wf_run *run)
{
    const char *id = of_job(run, "ledgerRunId"), *why;

    if (wf_db_rows(run, LEDGER) == 0) {
        wf_run_refuse(run, "Scheduled workflow run %s not found", id);
        return;
    }
    if (!matches(run)) {
        wf_run_refuse(run, "Scheduled workflow job %s does not match its ledger claim",
                      id);
        return;
    }
    if (strcmp(wf_db_value(run, LEDGER, 0, WF_COL_ledger_status), "COMPLETED") == 0) {
        wf_run_complete(run, "{\"success\":true,\"skipped\":true}");
        return;
    }
    run->ending.before_failure = write_failed;
    if (run->project == NULL)
        wf_versions_take_project(run, PROJECT);
    why = obstacle(run);
    if (why != NULL) {
        wf_run_transient(run, 0, "%s", why);
        return;
    }
    take_person(run);
    if (wf_db_rows(run, BEFORE) > 0 && judge_before(run))
        return;
    free(run->execution.session_id);
    run->execution.session_id = wf_printf(
        "scheduled_%s_%s_%s", wf_db_value(run, VERSION, 0, WF_COL_ledger_version_entry),
        of_job(run, "userId"), id);
    wf_set(&run->execution.workflow_id, of_job(run, "workflowId"));
    run->execution.version =
        (int)wf_db_number(run, VERSION, 0, WF_COL_ledger_version_version);
    run->attempt.in_row = run->attempt.unsure;
    if (run->attempt.restored != NULL || run->execution.wait_payload != NULL)
        restore(run, run->execution.wait_payload);
    else if (run->attempt.unsure && wf_job_attempts_started(run) > 1)
        wf_run_later(run, LATER_MS); /* Redis may know how far an attempt before came */
    else
        wf_versions_exact(run, run->execution.workflow_id, run->execution.version, begin);
}

/* --- ends: the ledger first, then the job */

/* The run was flushed. An execution that failed fails the job; its last attempt is this
 * one (loop.c keeps the others from being flushed). */
static void conclude(struct wf_run *run)
{
    if (run->ending.result) {
        write_completed(run);
        return;
    }
    wf_set(&run->ending.failure,
           run->out.text != NULL ? run->out.text : "Workflow failed");
    run->ending.before_failure = NULL;
    write_failed(run);
}

static void failed(struct wf_run *run)
{
    wf_run_fail(run);
}

static void write_completed(struct wf_run *run)
{
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_ledger_end, of_job(run, "ledgerRunId"), "COMPLETED",
                    NULL);
    wf_db_run(run, completed, completed);
}

static void completed(struct wf_run *run)
{
    wf_run_complete(run, "{\"success\":true}");
}

/* The ledger may be what cannot be written: the job fails all the same. */
static void write_failed(struct wf_run *run)
{
    wf_db_begin(run);
    wf_db_once(run);
    (void)wf_db_add(run, WF_SQL_ledger_end, of_job(run, "ledgerRunId"), "FAILED",
                    run->ending.failure);
    wf_db_run(run, failed, failed);
}

/* --- running */

static void restore(struct wf_run *run, json_t *payload)
{
    char *atm = wf_job_atm(run);

    json_decref(run->execution.wait_payload);
    run->execution.wait_payload =
        payload != NULL ? json_incref(payload) : wf_must(json_object());
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_ledger_begin, of_job(run, "ledgerRunId"), atm);
    free(atm);
    wf_db_run(run, begun_again, NULL);
}

static void begun_again(struct wf_run *run)
{
    json_t *payload = json_incref(run->execution.wait_payload);

    wf_restore_row(run, payload);
    json_decref(payload);
}

static void begin(struct wf_run *run)
{
    char id[WF_ID_SIZE], *atm;

    if (run->graph == NULL || run->graph->entry == NULL) {
        wf_run_transient(run, 0, "Scheduled workflow version %s has no entry node",
                         of_job(run, "workflowVersionId"));
        return;
    }
    wf_job_execution_id(run, id);
    wf_set(&run->execution.id, id);
    run->execution.stored = run->execution.resumed = false;
    run->execution.steps = run->execution.steps_before = 0;
    wf_iso(wf_engine_now_ms(run->engine), run->execution.started);
    wf_db_begin(run);
    atm = wf_job_atm(run);
    (void)wf_db_add(run, WF_SQL_ledger_begin, of_job(run, "ledgerRunId"), atm);
    free(atm);
    (void)wf_run_preload_add(run, run->execution.session_id, run->execution.workflow_id,
                             NULL);
    wf_db_run(run, variables_there, NULL);
}

static void variables_there(struct wf_run *run)
{
    wf_run_preload_take(run, 1, true);
    wf_run_defaults(run);
    wf_loop_start(run, run->graph->entry);
}

static void take_person(struct wf_run *run)
{
    const char *telegram = wf_db_value(run, PERSON, 0, WF_COL_ledger_person_telegram_id);

    wf_set(&run->event.from_id, telegram);
    wf_set(&run->event.chat_id, telegram);
    wf_set(&run->event.username,
           wf_db_value(run, PERSON, 0, WF_COL_ledger_person_username));
    wf_set(&run->event.first_name,
           wf_db_value(run, PERSON, 0, WF_COL_ledger_person_first_name));
    json_decref(run->telegram);
    run->telegram = wf_must(wf_event_telegram(&run->event));
    wf_person_set(run, of_job(run, "userId"));
}
