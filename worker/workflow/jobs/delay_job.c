#include "workflow/jobs/delay_job.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/jobs/execution_lock.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/language/event_telegram.h"
#include "workflow/nodes/loops.h"
#include "workflow/run/place.h"
#include "workflow/run/versions.h"
#include "workflow/steps/wait_timeout.h"
#include "workflow/outbox/witness.h"
#include "workflow/run/io.h"
#include "workflow/run/job_key.h"
#include "workflow/run/log.h"
#include "workflow/run/person.h"
#include "workflow/run/values.h"
#include "workflow/steps/finish.h"
#include "workflow/steps/loop.h"
#include "workflow/steps/restore.h"
#include "workflow/language/graph.h"

#define LATER_MS 200

enum { THERE, CLAIMED, PROJECT };

static wf_step conclude, entered, claim, claimed, graph_there, variables_there,
    not_for_us, take_row;

void wf_delay_start(struct wf_run *run)
{
    wf_run_prepare(run);
    run->ending.conclude = conclude;
    wf_execution_enter(run, wf_member(run->data, "executionId", ""), entered);
}

/* The job's value is `undefined` (worker/workflow/spec/workflow.md §1.4). */
static void conclude(struct wf_run *run)
{
    wf_run_complete(run, NULL);
}

static void entered(struct wf_run *run)
{
    if (run->attempt.was_done)
        wf_run_answer(run, true);
    else
        claim(run);
}

static bool is_timeout(const struct wf_run *run)
{
    return json_is_true(json_object_get(run->data, "waitTimeout"));
}

static void claim(struct wf_run *run)
{
    const char *id = wf_member(run->data, "executionId", "");
    char *atm = wf_job_atm(run);

    run->project = wf_projects_get(&run->engine->projects, run->project_id);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_witness, id, run->project_id);
    if (is_timeout(run))
        (void)wf_db_add(run, WF_SQL_expired, id, run->project_id,
                        wf_member(run->data, "nodeId", ""), wf_job_key(run), atm);
    else
        (void)wf_db_add(run, WF_SQL_delayed, id, run->project_id, wf_job_id(run),
                        wf_job_key(run), atm);
    if (run->project == NULL)
        (void)wf_db_add(run, WF_SQL_project, run->project_id);
    free(atm);
    wf_db_run(run, claimed, NULL);
}

static void claimed(struct wf_run *run)
{
    if (wf_db_rows(run, THERE) == 0) {
        wf_run_refuse(run, "Execution not found: %s",
                      wf_member(run->data, "executionId", ""));
        return;
    }
    if (wf_db_rows(run, CLAIMED) == 0) { /* it does not wait for this job (any more) */
        not_for_us(run);
        return;
    }
    take_row(run);
    if (run->project == NULL)
        wf_versions_take_project(run, PROJECT);
    if (run->project == NULL || run->project->token == NULL) {
        run->out.text =
            wf_printf("Bot token not configured for project %s", run->project_id);
        run->ending.status = WF_STATUS_FAILED;
        wf_finish(run);
        return;
    }
    run->attempt.in_row = run->attempt.unsure;
    if (run->attempt.restored != NULL ||
        json_is_object(json_object_get(run->execution.wait_payload, "checkpoint")))
        wf_restore_row(run, run->execution.wait_payload);
    else if (run->attempt.unsure && wf_job_attempts_started(run) > 1)
        wf_run_later(run, LATER_MS); /* Redis may know how far an attempt before came */
    else
        wf_versions_exact(run, run->execution.workflow_id, run->execution.version,
                          graph_there);
}

static void graph_there(struct wf_run *run)
{
    if (run->graph == NULL) {
        run->out.text = wf_printf("The workflow of the execution is gone");
        run->ending.status = WF_STATUS_FAILED;
        wf_finish(run);
        return;
    }
    wf_db_begin(run);
    (void)wf_run_preload_add(run, run->execution.session_id, run->execution.workflow_id,
                             run->execution.id);
    wf_db_run(run, variables_there, NULL);
}

static void run_from(struct wf_run *run, const char *id)
{
    const struct wf_node *node = wf_graph_find(run->graph, id);
    const struct wf_edge *edge;

    if (node != NULL &&
        strcmp(id, wf_member(run->execution.wait_payload, "originalNodeId", "")) == 0) {
        edge = wf_node_edge(node, NULL, false); /* written by the Node engine */
        node = edge != NULL && edge->target != SIZE_MAX ? &run->graph->nodes[edge->target]
                                                        : NULL;
        if (node == NULL) {
            run->ending.status = WF_STATUS_COMPLETED;
            run->ending.result = true;
            wf_finish(run);
            return;
        }
    }
    if (node != NULL) {
        wf_loop_start(run, node);
        return;
    }
    run->out.text = wf_printf("Node not found: %s", id);
    wf_log_error(run, run->out.text);
    run->ending.status = WF_STATUS_FAILED;
    wf_finish(run);
}

static void variables_there(struct wf_run *run)
{
    wf_run_preload_take(run, 0, true);
    if (is_timeout(run)) {
        if (!wf_timeout_go(run)) {
            run->out.text = wf_strdup(WF_TIMEOUT_ERROR);
            run->ending.status = WF_STATUS_CANCELLED;
            wf_finish(run);
        }
        return;
    }
    wf_run_defaults(run);
    wf_loops_find(run);
    run_from(run, wf_member(run->data, "nodeId", ""));
}

/* It does not wait for this job (any more). What an attempt before has put into the row,
 * and not yet on the queue of delays, is made sure of. */
static void not_for_us(struct wf_run *run)
{
    json_t *payload = wf_loads(wf_db_value(run, THERE, 0, WF_COL_witness_wait_payload));
    struct wf_row row = {
        .id = wf_member(run->data, "executionId", ""),
        .status = wf_status_of(wf_db_value(run, THERE, 0, WF_COL_witness_status)),
        .wait_type =
            wf_wait_type_of(wf_db_value(run, THERE, 0, WF_COL_witness_wait_type)),
        .node = wf_db_value(run, THERE, 0, WF_COL_witness_node),
        .steps = wf_db_number(run, THERE, 0, WF_COL_witness_steps),
        .workflow_id = wf_db_value(run, THERE, 0, WF_COL_witness_workflow),
        .payload = payload
    };
    bool result = true;

    if (wf_witness_read(run, payload, &result) == WF_SAYS_OVER)
        wf_witness_over(run, &row, result);
    else
        wf_run_answer(run, true);
    json_decref(payload);
}

static void take_row(struct wf_run *run)
{
    struct wf_execution *x = &run->execution;
    const char *chat = wf_db_value(run, CLAIMED, 0, WF_COL_delayed_chat);

    wf_set(&x->id, wf_member(run->data, "executionId", ""));
    wf_set(&x->session_id, wf_db_value(run, CLAIMED, 0, WF_COL_delayed_session));
    wf_set(&x->workflow_id, wf_db_value(run, CLAIMED, 0, WF_COL_delayed_workflow));
    x->version = (int)wf_db_number(run, CLAIMED, 0, WF_COL_delayed_version);
    x->steps = x->steps_before = wf_db_number(run, CLAIMED, 0, WF_COL_delayed_steps);
    json_decref(x->wait_payload);
    x->wait_payload = wf_loads(wf_db_value(run, CLAIMED, 0, WF_COL_delayed_payload));
    wf_set(&x->current_node_id, wf_db_value(run, CLAIMED, 0, WF_COL_delayed_node));
    x->stored = x->resumed = true;
    wf_set(&run->event.from_id, wf_db_value(run, CLAIMED, 0, WF_COL_delayed_telegram_id));
    wf_set(&run->event.chat_id, chat != NULL ? chat : run->event.from_id);
    run->event.shared = chat != NULL && *chat == '-';
    wf_place_take(&run->event, json_object_get(x->wait_payload, "place"));
    wf_set(&run->event.username, wf_db_value(run, CLAIMED, 0, WF_COL_delayed_username));
    wf_set(&run->event.first_name,
           wf_db_value(run, CLAIMED, 0, WF_COL_delayed_first_name));
    json_decref(run->telegram);
    run->telegram = wf_must(wf_event_telegram(&run->event));
    wf_person_set(run, wf_db_value(run, CLAIMED, 0, WF_COL_delayed_user));
}
