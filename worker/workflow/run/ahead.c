/* A read of the database that is certain to come next travels with the lookup, or with
 * the claim of a wait.
 *
 * Right behind a trigger, which does nothing itself, or as the first node behind a wait,
 * a node may ask for something that the event tells: the customer with the sender's id,
 * or balance and transactions of the event's own customer. Nothing can happen between the
 * two: so the batch that looks the event up asks too, and the node finds the answer. It
 * counts for that node as the run's first but triggers, and only when the node asks with
 * the very same parameters. */
#include "workflow/run/ahead.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/language/graph/trigger.h"
#include "workflow/run/io.h"
#include "workflow/language/event.h"
#include "workflow/language/graph.h"
#include "workflow/language/value.h"
#include "workflow/run/run.h"

#define STEP_BEHIND_TRIGGER 2

static void ask(struct wf_run *run, enum wf_sql sql, const char *const *params,
                size_t count);

#define ASK(run, sql, ...)                                                               \
    ask((run), (sql), (const char *const[]){ __VA_ARGS__ },                              \
        sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

_Static_assert(WF_COLS_user_by_platform == 1 && WF_COLS_balance == 1 &&
                   WF_COLS_transactions == 1,
               "wf_ahead_keep() keeps the one column of each");

static const struct wf_node *behind(const struct wf_graph *graph,
                                    const struct wf_node *node)
{
    const struct wf_edge *edge = node != NULL ? wf_node_edge(node, NULL, false) : NULL;

    return edge != NULL && edge->target != SIZE_MAX ? &graph->nodes[edge->target] : NULL;
}

/* The node that will be the first to do something; a guess where a wait goes on, for the
 * event may turn out to mean something else. */
static const struct wf_node *first_node(const struct wf_run *run, const char *waits_at)
{
    bool resumes = waits_at != NULL && run->event.kind != WF_EVENT_CALLBACK;

    return behind(run->graph, resumes ? wf_graph_find(run->graph, waits_at)
                                      : wf_graph_trigger(run->graph, &run->event));
}

/* --- the question, as a text, so that it can be compared */

/* Nobody but the event's sender. */
static bool names_sender(const json_t *params)
{
    return json_object_size(params) == 1 &&
           strcmp(wf_member(params, "telegramId", ""), "{{telegram.userId}}") == 0;
}

/* Another customer than the run's own would only be read in vain. */
static bool names_own(const json_t *params)
{
    const char *id = wf_member(params, "userId", "");

    return strcmp(id, "{{userId}}") == 0 || strcmp(id, "{{user.id}}") == 0;
}

static void ask_query(struct wf_run *run, const json_t *config)
{
    const char *query = wf_member(config, "query", "");
    const json_t *params = json_object_get(config, "parameters"), *limit;

    if (params == NULL)
        params = json_object_get(config, "params");
    limit = json_object_get(params, "limit");
    if (strcmp(query, "check_user_by_telegram") == 0 ||
        strcmp(query, "check_user_by_platform") == 0) {
        if (names_sender(params) && wf_db_bigint(run->event.from_id) != NULL)
            ASK(run, WF_SQL_user_by_platform, run->project_id, run->event.from_id, NULL,
                NULL, NULL, "false");
        return;
    }
    /* the id is a guess until the database confirms it; wf_ahead_take_list() compares */
    if (run->user_id == NULL || !names_own(params))
        return;
    if (strcmp(query, "get_user_balance") == 0) {
        ASK(run, WF_SQL_balance, run->user_id, run->project_id);
    } else if (strcmp(query, "get_transactions") == 0 && !json_is_string(limit)) {
        char *text = wf_ahead_limit(limit);

        ASK(run, WF_SQL_transactions, run->user_id, run->project_id, text);
        free(text);
    }
}

void wf_ahead_add(struct wf_run *run, const char *waits_at)
{
    const struct wf_node *node = first_node(run, waits_at);

    wf_ahead_drop(run);
    if (node == NULL)
        return;
    if (strcmp(node->type, "action.database_query") == 0)
        ask_query(run, node->config);
    else if (strcmp(node->type, "action.get_user_balance") == 0 && run->user_id != NULL &&
             (json_object_get(node->config, "userId") == NULL || names_own(node->config)))
        ASK(run, WF_SQL_balance, run->user_id, run->project_id);
    run->ahead.node = node;
}

void wf_ahead_keep(struct wf_run *run)
{
    if (run->ahead.at != 0)
        run->ahead.value = wf_loads(wf_db_value(run, run->ahead.at, 0, WF_COL_ONLY));
    run->ahead.at = 0;
}

static char *question(enum wf_sql sql, const char *const *params, size_t count)
{
    struct bw_buf out = BW_BUF_INIT;

    wf_check(bw_buf_addf(&out, "%d", (int)sql));
    for (size_t i = 0; i < count; i++)
        wf_check(bw_buf_addf(&out, "\n%c%s", params[i] != NULL ? '=' : '-',
                             params[i] != NULL ? params[i] : ""));
    return bw_buf_take(&out);
}

bool wf_ahead_take_list(struct wf_run *run, json_t **value, enum wf_sql sql,
                        const char *const *params, size_t count)
{
    char *key = question(sql, params, count);
    bool there = run->ahead.key != NULL && run->ahead.at == 0 &&
                 run->node == run->ahead.node && run->outer == NULL &&
                 run->progress.steps <= STEP_BEHIND_TRIGGER &&
                 strcmp(key, run->ahead.key) == 0;

    *value = there && run->ahead.value != NULL ? json_incref(run->ahead.value) : NULL;
    free(key);
    wf_ahead_drop(run);
    return there;
}

void wf_ahead_start(struct wf_run *run, const struct wf_node *node)
{
    if (node != run->ahead.node &&
        strncmp(node->type, "trigger.", strlen("trigger.")) != 0)
        wf_ahead_drop(run);
}

void wf_ahead_drop(struct wf_run *run)
{
    wf_ahead_fini(&run->ahead);
}

char *wf_ahead_limit(const json_t *value)
{
    double wanted = wf_value_number(value);

    return wf_printf("%d", wanted >= 1 ? (wanted < 100 ? (int)wanted : 100) : 10);
}

static void ask(struct wf_run *run, enum wf_sql sql, const char *const *params,
                size_t count)
{
    BW_ASSERT(run->ahead.key == NULL);
    run->ahead.key = question(sql, params, count);
    run->ahead.at = wf_db_add_list(run, sql, params, count);
}
