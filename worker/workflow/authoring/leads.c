#include "workflow/authoring/leads.h"

#include <stdint.h>
#include <string.h>

#include "workflow/language/keyboard.h"
#include "workflow/base/mem.h"

#define SHORT_DELAY_MS 1000 /* below it a delay does not wait (§5.5) */

struct leads {
    const struct wf_graph *graph;
    void (*visit)(void *arg, size_t target);
    void *arg;
};

static bool is_type(const struct wf_node *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

static bool is_timeout(const struct wf_edge *edge)
{
    return edge->handle != NULL && strcmp(edge->handle, "timeout") == 0;
}

/* Such a node chooses among its edges; others take the first. */
static bool branches(const struct wf_node *node)
{
    return is_type(node, "condition") || is_type(node, "flow.switch") ||
           is_type(node, "flow.loop");
}

/* --- one target */

static void visit_id(const struct leads *leads, const char *id)
{
    const struct wf_node *node = id != NULL ? wf_graph_find(leads->graph, id) : NULL;

    if (node != NULL)
        leads->visit(leads->arg, (size_t)(node - leads->graph->nodes));
}

static void visit_edges(const struct leads *leads, const struct wf_node *node)
{
    bool first = true;

    for (size_t i = 0; i < node->edge_count; i++) {
        const struct wf_edge *edge = &node->edges[i];
        bool taken = branches(node) || is_timeout(edge) || first;

        if (!is_timeout(edge))
            first = false;
        if (taken && edge->target != SIZE_MAX)
            leads->visit(leads->arg, edge->target);
    }
}

/* Buttons jump by `goto_node`, by `goto:<node>`, and by `targetNodeId` of an action. */
static void visit_jumps(const struct leads *leads, const json_t *value)
{
    const char *key, *text;
    json_t *member;
    size_t i;

    json_array_foreach(value, i, member)
    {
        visit_jumps(leads, member);
    }
    json_object_foreach((json_t *)value, key, member)
    {
        text = json_string_value(member);
        if (text != NULL && strncmp(text, "goto:", strlen("goto:")) == 0)
            visit_id(leads, text + strlen("goto:"));
        else if (strcmp(key, "goto_node") == 0 || strcmp(key, "targetNodeId") == 0 ||
                 strcmp(key, "nodeId") == 0)
            visit_id(leads, text);
        visit_jumps(leads, member);
    }
}

static void visit_cases(const struct leads *leads, const struct wf_node *node)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(node->config, "cases"), i, item)
    {
        visit_id(leads, wf_member(item, "gotoNode", NULL));
    }
}

void wf_leads_each(const struct wf_graph *graph, const struct wf_node *node,
                   void (*visit)(void *arg, size_t target), void *arg)
{
    struct leads leads = { graph, visit, arg };

    if (is_type(node, "flow.end"))
        return;
    visit_edges(&leads, node);
    if (is_type(node, "flow.switch"))
        visit_cases(&leads, node);
    else if (is_type(node, "flow.jump"))
        visit_id(&leads, wf_member(node->config, "targetNodeId", NULL));
    else if (strncmp(node->type, "message", strlen("message")) == 0)
        visit_jumps(&leads, wf_keyboard_of(node));
}

/* --- stops */

static void count_one(void *arg, size_t target)
{
    size_t *count = arg;

    (void)target;
    ++*count;
}

/* By missing edges, a result that no edge is for ends the run. */
static bool may_fall_out(const struct wf_node *node)
{
    if (is_type(node, "condition"))
        return wf_node_edge(node, "true", true) == NULL ||
               wf_node_edge(node, "false", true) == NULL;
    if (is_type(node, "flow.switch"))
        return wf_node_edge(node, "default", true) == NULL;
    if (is_type(node, "flow.loop"))
        return wf_node_edge(node, "done", true) == NULL &&
               wf_node_edge(node, "end", true) == NULL &&
               wf_node_edge(node, "completed", true) == NULL &&
               wf_node_edge(node, "exit", true) == NULL;
    return false;
}

/* A delay that is known only when it runs counts as one that waits. */
static bool waits_long(const struct wf_node *node)
{
    const json_t *ms = json_object_get(node->config, "delayMs");

    return json_object_get(node->config, "variableDelay") != NULL ||
           !json_is_number(ms) || json_number_value(ms) >= SHORT_DELAY_MS;
}

/* Without a phone or an e-mail these ask for one (worker/workflow/spec/workflow.md
 * §5.3.1). */
static bool may_ask(const struct wf_node *node)
{
    const char *query = wf_member(node->config, "query", "");

    return strcmp(query, "create_user") == 0 ||
           strcmp(query, "check_user_by_contact") == 0;
}

bool wf_leads_stop(const struct wf_graph *graph, const struct wf_node *node)
{
    size_t count = 0;

    wf_leads_each(graph, node, count_one, &count);
    if (count == 0 || is_type(node, "action.request_contact") ||
        is_type(node, "flow.wait") || wf_keyboard_wait(node) != WF_WAIT_NOTHING)
        return true;
    if (is_type(node, "flow.delay"))
        return waits_long(node);
    if (is_type(node, "action.database_query"))
        return may_ask(node);
    return may_fall_out(node);
}
