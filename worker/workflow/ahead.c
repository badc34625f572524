/* A read of the database that is certain to come next travels with the lookup.
 *
 * Right behind a trigger, which does nothing itself, a node may ask for the balance of
 * the event's own customer. Nothing can happen between the two: so the batch that looks
 * the event up asks too, and the node finds the answer. It counts for that one step only,
 * and only for the customer the node names. */
#include "workflow/run.h"

#include <string.h>

#include "workflow/mem.h"

#define STEP_BEHIND_TRIGGER 2

static const struct wf_node *behind_trigger(const struct wf_run *run)
{
    const struct wf_node *trigger = wf_graph_trigger(run->graph, &run->event);
    const struct wf_edge *edge =
        trigger != NULL ? wf_node_edge(trigger, NULL, false) : NULL;

    return edge != NULL && edge->target != SIZE_MAX ? &run->graph->nodes[edge->target]
                                                    : NULL;
}

/* Another customer than the run's own would only be read in vain. */
static bool names_own(const json_t *params)
{
    const char *id = wf_member(params, "userId", "");

    return strcmp(id, "{{userId}}") == 0 || strcmp(id, "{{user.id}}") == 0;
}

static bool asks_balance(const struct wf_node *node)
{
    const json_t *config = node->config, *params;

    if (strcmp(node->type, "action.get_user_balance") == 0)
        return json_object_get(config, "userId") == NULL || names_own(config);
    if (strcmp(node->type, "action.database_query") != 0 ||
        strcmp(wf_member(config, "query", ""), "get_user_balance") != 0)
        return false;
    params = json_object_get(config, "parameters");
    return names_own(params != NULL ? params : json_object_get(config, "params"));
}

void wf_ahead_add(struct wf_run *run)
{
    const struct wf_node *node = behind_trigger(run);

    wf_ahead_drop(run);
    run->ahead_at = 0;
    /* the id is a guess until the database confirms it; wf_ahead_take() compares */
    if (node != NULL && run->user_id != NULL && asks_balance(node))
        run->ahead_at = wf_db_add(run, WF_SQL_balance, run->user_id, run->project_id);
}

void wf_ahead_keep(struct wf_run *run)
{
    if (run->ahead_at != 0)
        run->ahead = wf_loads(wf_db_value(run, run->ahead_at, 0, 0));
    run->ahead_at = 0;
}

json_t *wf_ahead_take(struct wf_run *run, const char *user_id)
{
    json_t *ahead = run->ahead;

    run->ahead = NULL;
    if (ahead != NULL && run->steps_this_run == STEP_BEHIND_TRIGGER &&
        strcmp(wf_member(ahead, "userId", ""), user_id) == 0)
        return ahead;
    json_decref(ahead);
    return NULL;
}

void wf_ahead_drop(struct wf_run *run)
{
    json_decref(run->ahead);
    run->ahead = NULL;
}
