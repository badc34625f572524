/* How a graph is put together from stored JSON: private to graph.c and graph/. */
#ifndef WORKFLOW_GRAPH_PARSE_H
#define WORKFLOW_GRAPH_PARSE_H

#include "workflow/language/graph.h"
#include "workflow/language/pattern.h"

/* What the graph owns beyond its public part. */
struct wf_graph_store {
    int refs;
    json_t *nodes_json, *edges_json, *variables_json, *settings_json;
    json_t *empty; /* the config of nodes without one */
    struct wf_node *nodes;
    size_t node_count;
    size_t *by_id; /* node indexes in order of id */
    struct wf_edge *edges;
    struct wf_pattern *
        *patterns; /* by node index; NULL: never matches, or not a pattern node */
};

/* Text as PostgreSQL gives a jsonb, decoded as often as it was encoded: `*out` is no JSON
 * string then, or NULL when an inner layer is no JSON (or `text` is NULL). BW_EINVAL: the
 * outermost is no JSON. */
BW_MUSTCHECK int wf_graph_decode(const char *text, json_t **out, struct bw_error *err);

/* Fills store->nodes from store->nodes_json (§4.1, §4.2). `take_edges`: items that look
 * like edges are no nodes but are appended to store->edges_json. */
BW_MUSTCHECK int wf_graph_read_nodes(struct wf_graph_store *store, bool take_edges);
/* Fills store->edges and every node's slice of it from store->edges_json (§4.3). */
BW_MUSTCHECK int wf_graph_read_edges(struct wf_graph_store *store);
/* Compiles the patterns of trigger nodes. */
BW_MUSTCHECK int wf_graph_compile_triggers(struct wf_graph_store *store);

/* SIZE_MAX: no such node. */
size_t wf_graph_index(const struct wf_graph_store *store, const char *id);

#endif
