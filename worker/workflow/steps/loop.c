/* worker/workflow/spec/workflow.md §3.3: node after node, until the graph ends, a node
 * waits, fails, or an operation is under way. */
#include "workflow/steps/loop.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/fault_point.h"
#include "workflow/base/mem.h"
#include "workflow/language/value.h"
#include "workflow/nodes/loops.h"
#include "workflow/nodes/nodes.h"
#include "workflow/nodes/sub_workflow.h"
#include "workflow/run/personal.h"
#include "workflow/outbox/checkpoint.h"
#include "workflow/outbox/send.h"
#include "workflow/run/ahead.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/person.h"
#include "workflow/run/task.h"
#include "workflow/run/values.h"
#include "workflow/steps/finish.h"
#include "workflow/language/graph.h"

#define RETRIES        3
#define RETRIES_MAX    5
#define RETRY_PAUSE_MS 1000

static wf_step go, fail, recover, retry, tell, told, recover_now;
static bool admit(struct wf_run *run);
static enum wf_action start_node(struct wf_run *run);
static bool follow_edge(struct wf_run *run);
static bool jump(struct wf_run *run);
static void fail_with(struct wf_run *run, const char *format, ...) BW_PRINTF(2, 3);
static void end(struct wf_run *run, enum wf_status status, bool result);

/* --- node after node */

static int64_t time_limit(const struct wf_run *run)
{
    static const char *const members[] = { "maxExecutionTime", "timeout" };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        double ms = json_number_value(json_object_get(run->graph->settings, members[i]));

        if (ms >= 1 && ms < 1e12)
            return (int64_t)ms;
    }
    return run->project->timeout_ms > 0 ? run->project->timeout_ms : 30000;
}

/* True: run->node is the next to run. False: the run ended or is under way. */
static bool apply(struct wf_run *run, enum wf_action action)
{
    switch (action) {
    case WF_PENDING:
        break;
    case WF_NEXT:
        return follow_edge(run);
    case WF_GOTO:
        return jump(run);
    case WF_WAIT:
        BW_ASSERT(run->out.wait != WF_WAIT_NOTHING);
        wf_log_step(run, NULL, NULL, wf_wait_name(run->out.wait));
        wf_loops_keep(run);
        end(run, WF_STATUS_WAITING, true);
        break;
    case WF_CALL:
        BW_ASSERT(run->outer != NULL && run->graph->entry != NULL);
        wf_node_clear(run);
        run->node = run->graph->entry;
        return true;
    case WF_END:
        wf_log_step(run, NULL, NULL, NULL);
        end(run, run->out.failed ? WF_STATUS_FAILED : WF_STATUS_COMPLETED, true);
        break;
    case WF_ERROR:
        recover(run);
        break;
    }
    return false;
}

/* The node has what it needs. */
static void execute(struct wf_run *run)
{
    enum wf_action action = start_node(run);

    if (action != WF_PENDING && apply(run, action))
        go(run);
}

static void go(struct wf_run *run)
{
    for (;;) {
        enum wf_action action;

        if (!admit(run))
            return;
        if (!wf_person_ready(run, run->node, execute))
            return;
        action = start_node(run);
        if (action == WF_PENDING || !apply(run, action))
            return;
    }
}

static void resume(struct wf_run *run, enum wf_action action)
{
    BW_ASSERT(run->node != NULL || action == WF_CALL);
    if (action != WF_PENDING && apply(run, action))
        go(run);
}

void wf_loop_start(struct wf_run *run, const struct wf_node *node)
{
    BW_ASSERT(node != NULL && run->graph != NULL && run->project != NULL);
    run->deadline = bw_mono_add_ms(wf_engine_mono(run->engine), time_limit(run));
    run->resume = resume;
    run->node = node;
    wf_ahead_start(run, node);
    go(run);
}

/* --- one node */

/* Done once more it changes nothing more. */
static bool is_repeatable(const struct wf_node *node)
{
    const char *query = wf_member(node->config, "query", "");

    if (strcmp(node->type, "action.database_query") == 0)
        return strcmp(query, "add_bonus") != 0 && strcmp(query, "spend_bonus") != 0;
    return strcmp(node->type, "action.set_variable") == 0 ||
           strcmp(node->type, "action.link_telegram_account") == 0;
}

/* After the node was logged: to the next one, behind a checkpoint if something happened
 * outside. True: go on at once. */
static bool move_on(struct wf_run *run, const struct wf_node *next)
{
    bool effect = run->effect;

    BW_ASSERT(next != NULL);
    run->steps.acted = run->steps.acted || (effect && !is_repeatable(run->node));
    wf_fault_point("step");
    wf_node_clear(run);
    run->node = next;
    if (!effect)
        return true;
    wf_checkpoint(run, next->id, false, go);
    return false;
}

static int64_t max_steps(const struct wf_run *run)
{
    return run->project->max_steps > 0 ? run->project->max_steps
                                       : run->engine->settings.default_max_steps;
}

static int64_t visit(struct wf_run *run, const char *id)
{
    int64_t count = json_integer_value(json_object_get(run->progress.visits, id)) + 1;

    wf_json_set(run->progress.visits, id, json_integer(count));
    return count;
}

/* The limits of §3.3. False: the run has failed and is over. */
static bool admit(struct wf_run *run)
{
    const struct wf_node *node = run->node;
    int64_t most;

    BW_ASSERT(run->node != NULL && run->graph != NULL);
    if (wf_run_lost(run))
        return false;
    if ((int64_t)run->progress.steps >= max_steps(run)) {
        fail_with(
            run,
            "Maximum steps (%lld) exceeded. The workflow may contain an endless loop.",
            (long long)max_steps(run));
        return false;
    }
    run->progress.steps++;
    run->execution.steps++;
    run->progress.node_started = wf_engine_mono(run->engine);
    wf_count(&run->engine->counters.steps);
    most = wf_loops_visits(run, run->engine->settings.max_visits);
    if (visit(run, node->id) > most) {
        fail_with(
            run,
            "Infinite loop detected: Node %s visited %lld times. Maximum allowed: %lld",
            node->id, (long long)most, (long long)most);
        return false;
    }
    if (bw_mono_before(run->deadline, run->progress.node_started)) {
        fail_with(run, "Workflow execution timeout");
        return false;
    }
    return true;
}

static enum wf_action start_node(struct wf_run *run)
{
    const struct wf_node_handler *handler = wf_nodes_find(run->node->type);

    if (handler == NULL)
        return wf_node_fail(run, "No handler found for node type: %s", run->node->type);
    if (handler->needs_config && !run->node->has_config)
        return wf_node_fail(run, "%s configuration is missing", handler->name);
    switch (wf_personal_admit(run)) {
    case WF_PERSONAL_GO:
        break;
    case WF_PERSONAL_DROP:
        wf_log_warn(run, "A personal message is not said in a group");
        return wf_node_next();
    case WF_PERSONAL_NOBODY:
        return wf_node_fail(run, "A personal message has no private chat to go to");
    }
    return handler->start(run);
}

/* The node an edge or a jump leads to is missing: that is a step, and it fails. */
static void fail_missing(struct wf_run *run, const char *target)
{
    char *text = wf_printf("Node not found: %s", target);

    run->execution.steps++;
    wf_node_clear_result(run);
    run->out.text = text;
    fail(run);
}

static bool follow_edge(struct wf_run *run)
{
    const struct wf_edge *edge =
        wf_node_edge(run->node, run->out.handle, run->out.fallback);

    const struct wf_node *again = edge == NULL && wf_loops_innermost(run) != NULL
                                      ? wf_graph_find(run->graph, wf_loops_innermost(run))
                                      : NULL;

    wf_log_step(run, run->out.handle,
                edge != NULL    ? edge->target_id
                : again != NULL ? again->id
                                : NULL,
                run->out.text);
    if (again != NULL)
        return move_on(run, again);
    if (edge == NULL) {
        wf_node_clear_result(run);
        end(run, WF_STATUS_COMPLETED, true);
        return false;
    }
    if (edge->target == SIZE_MAX) {
        fail_missing(run, edge->target_id);
        return false;
    }
    return move_on(run, &run->graph->nodes[edge->target]);
}

static bool jump(struct wf_run *run)
{
    const struct wf_node *target = wf_graph_find(run->graph, run->out.target);
    char *id;

    BW_ASSERT(run->out.target != NULL);
    wf_log_step(run, run->out.handle, run->out.target, NULL);
    if (target != NULL)
        return move_on(run, target);
    id = wf_strdup(run->out.target);
    fail_missing(run, id);
    free(id);
    return false;
}

/* --- ends */

static void fail_with(struct wf_run *run, const char *format, ...)
{
    char text[BW_ERROR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
    va_end(args);
    wf_node_clear_result(run);
    run->out.text = wf_strdup(text);
    fail(run);
}

static void end(struct wf_run *run, enum wf_status status, bool result)
{
    if (run->outer != NULL) {
        wf_sub_end(run, status);
        return;
    }
    run->ending.status = status;
    run->ending.result = result;
    wf_finish(run);
}

static void fail(struct wf_run *run)
{
    BW_ASSERT(run->out.text != NULL);
    if (run->outer == NULL && run->ending.before_failure != NULL &&
        !wf_run_last_attempt(run)) {
        /* a scheduled run: the next attempt goes on from the checkpoint (§11.4) */
        wf_run_transient(run, 0, "%s", run->out.text);
        return;
    }
    wf_log_error(run, run->out.text);
    end(run, WF_STATUS_FAILED, false);
}

/* --- a node failed: what the version's settings say (§3.11) */

static const json_t *error_handling(const struct wf_run *run)
{
    return json_object_get(run->graph->settings, "errorHandling");
}

static bool handles_by(const struct wf_run *run, const char *action)
{
    return strcmp(wf_member(error_handling(run), "action", ""), action) == 0;
}

/* Past the failed node. */
static void go_past(struct wf_run *run)
{
    const char *named = wf_member(error_handling(run), "gotoNodeId", "");
    const struct wf_edge *edge = wf_node_edge(run->node, NULL, false);
    const struct wf_node *next = NULL;

    if (handles_by(run, "goto_node"))
        next = wf_graph_find(run->graph, named);
    else if (handles_by(run, "continue") && edge != NULL && edge->target != SIZE_MAX)
        next = &run->graph->nodes[edge->target];
    if (next == NULL && !handles_by(run, "continue")) {
        fail(run);
        return;
    }
    wf_log_error(run, run->out.text);
    if (next == NULL) {
        wf_node_clear_result(run);
        end(run, WF_STATUS_COMPLETED, true);
    } else if (move_on(run, next)) {
        go(run);
    }
}

/* --- an answer that will not do: its person is told, and may give another one */

/* Only who has answered; and the author's own way of handling errors comes first. */
static bool is_told(const struct wf_run *run)
{
    return run->out.notice != NULL && run->execution.resumed && run->outer == NULL &&
           run->event.chat_id != NULL && run->chat.has_turn &&
           *wf_member(error_handling(run), "action", "") == '\0';
}

static void recover(struct wf_run *run)
{
    double most = wf_value_number(json_object_get(run->graph->settings, "maxRetries"));
    unsigned limit = RETRIES;

    BW_ASSERT(run->out.text != NULL);
    if (wf_run_lost(run)) /* it failed because it was told to stop */
        return;
    if (is_told(run)) {
        tell(run);
        return;
    }
    if (most >= 0)
        limit = most < RETRIES_MAX ? (unsigned)most : RETRIES_MAX;
    if (!handles_by(run, "retry") || run->work.retries >= limit) {
        recover_now(run);
        return;
    }
    run->work.retries++;
    wf_log_warn(run, run->out.text);
    wf_run_after(run, RETRY_PAUSE_MS, retry);
}

static void retry(struct wf_run *run)
{
    if (wf_run_lost(run))
        return;
    wf_node_clear_result(run);
    run->outbox.message.sending = 0; /* what is out is not sent again */
    execute(run);
}

static void tell(struct wf_run *run)
{
    const json_t *own = json_object_get(error_handling(run), "errorMessage");
    char *text = wf_run_text(run, error_handling(run), "errorMessage", NULL);

    if (text == NULL)
        text = wf_strdup(run->out.notice);
    else if (wf_personal_admit_text(run, own) != WF_PERSONAL_GO)
        wf_set(&text, run->out.notice);
    wf_send_notice(run, text, told);
    free(text);
}

static bool may_ask_again(const struct wf_run *run)
{
    return run->execution.resumed && !run->steps.acted && run->outer == NULL &&
           run->execution.wait_type != WF_WAIT_NOTHING &&
           run->execution.wait_type != WF_WAIT_DELAY && run->chat.has_turn &&
           wf_graph_find(run->graph, run->execution.current_node_id) != NULL;
}

static void told(struct wf_run *run)
{
    if (!may_ask_again(run)) {
        fail(run);
        return;
    }
    wf_log_error(run, run->out.text);
    wf_node_clear_result(run);
    run->node = wf_graph_find(run->graph, run->execution.current_node_id);
    run->out.wait = run->execution.wait_type;
    run->out.payload = run->execution.wait_payload != NULL
                           ? json_incref(run->execution.wait_payload)
                           : NULL;
    run->ending.status = WF_STATUS_WAITING;
    run->ending.result = true;
    wf_finish(run);
}

static void recover_now(struct wf_run *run)
{
    char *notice = wf_run_text(run, error_handling(run), "errorMessage", NULL);

    if (notice != NULL && run->event.chat_id != NULL &&
        wf_personal_admit_text(
            run, json_object_get(error_handling(run), "errorMessage")) == WF_PERSONAL_GO)
        wf_send_notice(run, notice, go_past);
    else
        go_past(run);
    free(notice);
}
