/* What a graph holds beyond its public part: private to graph.c and graph/. */
#ifndef WORKFLOW_GRAPH_STORE_H
#define WORKFLOW_GRAPH_STORE_H

#include "workflow/language/graph.h"
#include "workflow/language/pattern.h"

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

/* SIZE_MAX: no such node. */
size_t wf_graph_index(const struct wf_graph_store *store, const char *id);

#endif
