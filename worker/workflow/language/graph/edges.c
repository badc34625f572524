/* Edges: from the stored list, or from the nodes' own legacy members.
 * worker/workflow/spec/workflow.md §4.3. */
#include "workflow/language/graph/edges.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pending { /* an edge and the node it leaves */
    size_t source;
    size_t at; /* place in the stored list */
    struct wf_edge edge;
};

struct list {
    struct pending *items;
    size_t count, room;
};

static int list_add(struct list *list, const struct wf_graph_store *store, size_t source,
                    const char *handle, const char *target)
{
    if (list->count == list->room) {
        size_t room = list->room * 2 + 16;
        struct pending *items = reallocarray(list->items, room, sizeof *items);

        if (items == NULL)
            return BW_ENOMEM;
        list->items = items;
        list->room = room;
    }
    list->items[list->count] = (struct pending){
        source, list->count, { handle, wf_graph_index(store, target), target }
    };
    list->count++;
    return BW_OK;
}

static const char *text_member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The editor stores `type: "default"`; of other types only these three mean a branch, the
 * rest (an editor's line styles) mean nothing. */
static const char *edge_handle(const json_t *item)
{
    const char *handle = text_member(item, "sourceHandle");
    const char *type = text_member(item, "type");

    if (handle != NULL && handle[0] != '\0')
        return handle;
    if (type != NULL && (strcmp(type, "true") == 0 || strcmp(type, "false") == 0 ||
                         strcmp(type, "timeout") == 0))
        return type;
    return NULL;
}

/* Edges of nodes that do not exist lead from nowhere and are dropped. */
static int add_stored(struct list *list, const struct wf_graph_store *store)
{
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < json_array_size(store->edges_json); i++) {
        const json_t *item = json_array_get(store->edges_json, i);
        const char *source = text_member(item, "source");
        const char *target = text_member(item, "target");
        size_t from = source != NULL ? wf_graph_index(store, source) : SIZE_MAX;

        if (from != SIZE_MAX && target != NULL)
            rc = list_add(list, store, from, edge_handle(item), target);
    }
    return rc;
}

/* `next` and `branches` of a node without edges. */
static int add_legacy(struct list *list, const struct wf_graph_store *store, size_t index)
{
    const json_t *item = store->nodes[index].stored;
    const char *next = text_member(item, "next");
    const char *key;
    json_t *target;
    int rc = BW_OK;

    if (next != NULL && next[0] != '\0')
        rc = list_add(list, store, index, NULL, next);
    json_object_foreach(json_object_get(item, "branches"), key, target)
    {
        if (rc == BW_OK && json_is_string(target))
            rc = list_add(list, store, index, key, json_string_value(target));
    }
    return rc;
}

static int compare_pending(const void *left, const void *right)
{
    const struct pending *a = left, *b = right;

    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static bool same_handle(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_duplicate(const struct wf_node *node, const struct wf_edge *edge)
{
    for (size_t i = 0; i < node->edge_count; i++)
        if (same_handle(node->edges[i].handle, edge->handle) &&
            strcmp(node->edges[i].target_id, edge->target_id) == 0)
            return true;
    return false;
}

static int add_all_legacy(struct list *list, const struct wf_graph_store *store)
{
    bool *has_edges = calloc(store->node_count + 1, sizeof *has_edges);
    int rc = has_edges != NULL ? BW_OK : BW_ENOMEM;

    for (size_t i = 0; rc == BW_OK && i < list->count; i++)
        has_edges[list->items[i].source] = true;
    for (size_t i = 0; rc == BW_OK && i < store->node_count; i++)
        if (!has_edges[i])
            rc = add_legacy(list, store, i);
    free(has_edges);
    return rc;
}

/* Sorted by source, each node's edges lie together, in stored order. */
static int deal_out(struct list *list, struct wf_graph_store *store)
{
    size_t count = 0;

    store->edges = calloc(list->count + 1, sizeof *store->edges);
    if (store->edges == NULL)
        return BW_ENOMEM;
    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, compare_pending);
    for (size_t i = 0; i < list->count; i++) {
        struct wf_node *node = &store->nodes[list->items[i].source];

        if (node->edge_count == 0)
            node->edges = &store->edges[count];
        if (is_duplicate(node, &list->items[i].edge))
            continue;
        store->edges[count++] = list->items[i].edge;
        node->edge_count++;
    }
    return BW_OK;
}

int wf_graph_read_edges(struct wf_graph_store *store)
{
    struct list list = { NULL, 0, 0 };
    int rc = add_stored(&list, store);

    if (rc == BW_OK)
        rc = add_all_legacy(&list, store);
    if (rc == BW_OK)
        rc = deal_out(&list, store);
    free(list.items);
    return rc;
}
