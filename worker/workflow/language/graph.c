#include "workflow/language/graph.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "json/read.h"
#include "workflow/language/frozen.h"
#include "workflow/language/graph/edges.h"
#include "workflow/language/graph/nodes.h"
#include "workflow/language/graph/plain.h"
#include "workflow/language/graph/reads.h"
#include "workflow/language/graph/trigger.h"

#define SHARED_VALUES 5
#define LAYERS_MAX    4 /* twice encoded is what was seen */

static json_t *decode_once(const char *text, json_error_t *error)
{
    return wk_json_read(text, strlen(text), JSON_DECODE_ANY, error);
}

/* Text as PostgreSQL gives a jsonb, decoded as often as it was encoded: `*out` is no JSON
 * string then, or NULL when an inner layer is no JSON (or `text` is NULL). BW_EINVAL: the
 * outermost is no JSON. */
static int decode(const char *text, json_t **out, struct bw_error *err)
{
    json_error_t error;
    json_t *value;

    *out = NULL;
    if (text == NULL)
        return BW_OK;
    value = decode_once(text, &error);
    if (value == NULL && error.text[0] == '\0')
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    if (value == NULL)
        return bw_error_set(err, BW_EINVAL, "not JSON: %s", error.text);
    for (int layer = 0; json_is_string(value) && layer < LAYERS_MAX; layer++) {
        json_t *inner = decode_once(json_string_value(value), &error);

        json_decref(value);
        value = inner;
    }
    if (json_is_string(value)) {
        json_decref(value);
        value = NULL;
    }
    *out = value;
    return BW_OK;
}

static bool is_chat_trigger(const struct wf_node *node)
{
    return strcmp(node->type, "trigger.command") == 0 ||
           strcmp(node->type, "trigger.message") == 0 ||
           strcmp(node->type, "trigger.callback") == 0 ||
           strcmp(node->type, "trigger.contact") == 0;
}

static void analyse(struct wf_graph *graph)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        graph->has_chat_trigger =
            graph->has_chat_trigger || is_chat_trigger(&graph->nodes[i]);
        graph->reads_customer =
            graph->reads_customer || wf_reads_customer(&graph->nodes[i]);
    }
}

/* ---- life ---- */

/* What runs on several threads read. */
static void list_shared(const struct wf_graph_store *store, json_t *shared[SHARED_VALUES])
{
    shared[0] = store->nodes_json;
    shared[1] = store->edges_json;
    shared[2] = store->variables_json;
    shared[3] = store->settings_json;
    shared[4] = store->empty;
}

static void freeze(struct wf_graph_store *store)
{
    json_t *shared[SHARED_VALUES];

    list_shared(store, shared);
    for (size_t i = 0; i < SHARED_VALUES; i++)
        wf_json_freeze(shared[i]);
}

static void store_destroy(struct wf_graph_store *store)
{
    json_t *shared[SHARED_VALUES];

    if (store == NULL)
        return;
    list_shared(store, shared);
    for (size_t i = 0; store->patterns != NULL && i < store->node_count; i++)
        wf_pattern_destroy(&store->patterns[i]);
    free(store->patterns);
    free(store->edges);
    free(store->by_id);
    free(store->nodes);
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        wf_json_thaw(shared[i]);
        json_decref(shared[i]);
    }
    free(store);
}

static void graph_destroy(struct wf_graph *graph)
{
    store_destroy(graph->store);
    free(graph->version_id);
    free(graph->workflow_id);
    free(graph->project_id);
    free(graph);
}

static int copy_text(const char *text, char **out)
{
    *out = text != NULL ? strdup(text) : NULL;
    return text != NULL && *out == NULL ? BW_ENOMEM : BW_OK;
}

static int decode_all(struct wf_graph_store *store, const struct wf_graph_source *source,
                      struct bw_error *err)
{
    const struct {
        const char *name, *text;
        json_t **out;
    } parts[] = {
        { "nodes", source->nodes, &store->nodes_json },
        { "connections", source->connections, &store->edges_json },
        { "variables", source->variables, &store->variables_json },
        { "settings", source->settings, &store->settings_json },
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int rc = decode(parts[i].text, parts[i].out, err);

        if (rc != BW_OK) {
            (void)bw_error_prefix(err, "%s",
                                  parts[i].name); /* `err` may be NULL: rc counts */
            return rc;
        }
    }
    return BW_OK;
}

static int build(struct wf_graph_store *store)
{
    bool take_edges = json_array_size(store->edges_json) == 0;
    int rc;

    store->empty = json_object();
    if (!json_is_array(store->edges_json)) {
        json_decref(store->edges_json);
        store->edges_json = json_array();
    }
    if (store->empty == NULL || store->edges_json == NULL)
        return BW_ENOMEM;
    rc = wf_graph_read_nodes(store, take_edges);
    if (rc == BW_OK)
        rc = wf_graph_read_edges(store);
    if (rc == BW_OK)
        rc = wf_graph_compile_triggers(store);
    if (rc == BW_OK)
        wf_reads_mark(store);
    return rc == BW_OK ? wf_plain_mark(store) : rc;
}

static int fill(struct wf_graph *graph, const struct wf_graph_source *source)
{
    struct wf_graph_store *store = graph->store;

    graph->version = source->version;
    graph->nodes = store->nodes;
    graph->node_count = store->node_count;
    if (source->entry_node_id != NULL)
        graph->entry = wf_graph_find(graph, source->entry_node_id);
    if (json_is_array(store->variables_json))
        graph->variables = store->variables_json;
    if (json_is_object(store->settings_json))
        graph->settings = store->settings_json;
    analyse(graph);
    if (copy_text(source->version_id, &graph->version_id) != BW_OK ||
        copy_text(source->workflow_id, &graph->workflow_id) != BW_OK ||
        copy_text(source->project_id, &graph->project_id) != BW_OK)
        return BW_ENOMEM;
    return BW_OK;
}

int wf_graph_create(struct wf_graph **graphp, const struct wf_graph_source *source,
                    struct bw_error *err)
{
    struct wf_graph *graph = calloc(1, sizeof *graph);
    int rc = BW_ENOMEM;

    *graphp = NULL;
    if (graph != NULL)
        graph->store = calloc(1, sizeof *graph->store);
    if (graph == NULL || graph->store == NULL)
        goto fail;
    graph->store->refs = 1;
    rc = decode_all(graph->store, source, err);
    if (rc != BW_OK)
        goto fail;
    rc = build(graph->store);
    if (rc == BW_OK)
        rc = fill(graph, source);
    if (rc != BW_OK)
        goto fail;
    freeze(graph->store);
    *graphp = graph;
    return BW_OK;
fail:
    if (graph != NULL)
        graph_destroy(graph);
    return rc == BW_ENOMEM ? bw_error_set(err, rc, "out of memory") : rc;
}

struct wf_graph *wf_graph_ref(struct wf_graph *graph)
{
    int refs = __atomic_add_fetch(&graph->store->refs, 1, __ATOMIC_RELAXED);

    BW_ASSERT(refs > 1); /* who takes one holds one */
    return graph;
}

void wf_graph_unref(struct wf_graph **graphp)
{
    struct wf_graph *graph = *graphp;
    int refs;

    if (graph == NULL)
        return;
    *graphp = NULL;
    refs = __atomic_sub_fetch(&graph->store->refs, 1, __ATOMIC_ACQ_REL);
    BW_ASSERT(refs >= 0);
    if (refs == 0)
        graph_destroy(graph);
}

/* ---- questions ---- */

const struct wf_node *wf_graph_find(const struct wf_graph *graph, const char *id)
{
    size_t index = wf_graph_index(graph->store, id);

    return index != SIZE_MAX ? &graph->nodes[index] : NULL;
}

static bool is_timeout(const struct wf_edge *edge)
{
    return edge->handle != NULL && strcmp(edge->handle, "timeout") == 0;
}

const struct wf_edge *wf_node_edge(const struct wf_node *node, const char *handle,
                                   bool fallback)
{
    const struct wf_edge *unlabelled = NULL;

    for (size_t i = 0; i < node->edge_count; i++) {
        const struct wf_edge *edge = &node->edges[i];

        if (handle == NULL && !is_timeout(edge))
            return edge;
        if (handle != NULL && edge->handle != NULL && strcmp(edge->handle, handle) == 0)
            return edge;
        if (edge->handle == NULL && unlabelled == NULL)
            unlabelled = edge;
    }
    return fallback ? unlabelled : NULL;
}
