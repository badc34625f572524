#include "workflow/authoring/check/check_stored.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

/* JSON text may be encoded several times (worker/workflow/spec/workflow.md §4.1). */
#define LAYERS_MAX 4

struct stored {
    const struct wf_graph *graph;
    struct wf_problems *problems;
};

/* New reference: the member without its layers of text; NULL: it is not there, or no
 * JSON. */
static json_t *decoded(const json_t *workflow, const char *key)
{
    json_t *value = json_incref(json_object_get(workflow, key));

    for (int i = 0; i < LAYERS_MAX && json_is_string(value); i++) {
        json_t *inner = wf_loads(json_string_value(value));

        json_decref(value);
        value = inner;
    }
    return value;
}

/* --- nodes */

static bool is_edge_like(const json_t *item)
{
    return *wf_member(item, "source", "") != '\0' &&
           *wf_member(item, "target", "") != '\0';
}

static void check_items(const struct stored *stored, const json_t *nodes)
{
    json_t *seen = wf_must(json_object());
    size_t i;
    json_t *item;

    json_array_foreach(nodes, i, item)
    {
        const char *id = wf_member(item, "id", "");

        if (is_edge_like(item))
            continue;
        if (*id == '\0')
            wf_problems_add(stored->problems, NULL, "nodes", "item %zu has no id", i);
        else if (json_object_get(seen, id) != NULL)
            wf_problems_add(stored->problems, id, NULL,
                            "the id is used twice: only the last node counts");
        if (*id != '\0')
            wf_json_set(seen, id, json_true());
    }
    json_decref(seen);
}

static void check_members(const struct stored *stored, const json_t *nodes)
{
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)nodes, key, item)
    {
        if (wf_graph_find(stored->graph, key) == NULL)
            wf_problems_add(stored->problems, key, NULL, "the node has no id or no type");
    }
}

static void check_nodes(const struct stored *stored, const json_t *nodes)
{
    if (json_is_array(nodes))
        check_items(stored, nodes);
    else if (json_is_object(nodes))
        check_members(stored, nodes);
    else
        wf_problems_add(stored->problems, NULL, "nodes",
                        "an array or an object of nodes expected");
    if (stored->graph->node_count == 0)
        wf_problems_add(stored->problems, NULL, "nodes", "there are none");
}

/* --- connections */

static void check_connection(const struct stored *stored, size_t i, const json_t *item)
{
    const char *source = json_string_value(json_object_get(item, "source"));
    const char *target = json_string_value(json_object_get(item, "target"));

    if (source == NULL || target == NULL)
        wf_problems_add(stored->problems, NULL, "connections",
                        "item %zu has no source or no target", i);
    else if (wf_graph_find(stored->graph, source) == NULL)
        wf_problems_add(stored->problems, NULL, "connections",
                        "item %zu leaves \"%s\": there is no such node", i, source);
}

static void check_connections(const struct stored *stored, const json_t *connections)
{
    size_t i;
    json_t *item;

    if (connections != NULL && !json_is_array(connections) &&
        !json_is_null(connections)) {
        wf_problems_add(stored->problems, NULL, "connections",
                        "an array of edges expected");
        return;
    }
    json_array_foreach(connections, i, item)
    {
        check_connection(stored, i, item);
    }
}

/* --- the entry */

static bool is_trigger(const struct wf_node *node)
{
    return strncmp(node->type, "trigger.", strlen("trigger.")) == 0;
}

static void check_entry(const struct stored *stored, const char *id)
{
    const struct wf_graph *graph = stored->graph;
    size_t triggers = 0;

    for (size_t i = 0; i < graph->node_count; i++)
        triggers += is_trigger(&graph->nodes[i]);
    if (triggers == 0)
        wf_problems_add(stored->problems, NULL, "nodes", "there is no trigger");
    if (id == NULL || *id == '\0')
        wf_problems_add(stored->problems, NULL, "entryNodeId", "is missing");
    else if (graph->entry == NULL)
        wf_problems_add(stored->problems, NULL, "entryNodeId",
                        "\"%s\": there is no such node", id);
    else if (!is_trigger(graph->entry))
        wf_problems_add(stored->problems, NULL, "entryNodeId", "\"%s\" is no trigger",
                        id);
}

void wf_check_stored(const json_t *workflow, const struct wf_graph *graph,
                     struct wf_problems *problems)
{
    struct stored stored = { graph, problems };
    json_t *nodes = decoded(workflow, "nodes");
    json_t *connections = decoded(workflow, "connections");

    check_nodes(&stored, nodes);
    check_connections(&stored, connections);
    check_entry(&stored, json_string_value(json_object_get(workflow, "entryNodeId")));
    json_decref(nodes);
    json_decref(connections);
}
