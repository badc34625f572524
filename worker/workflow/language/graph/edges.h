/* The edges of a stored graph. worker/workflow/spec/workflow.md §4.3. */
#ifndef WORKFLOW_GRAPH_EDGES_H
#define WORKFLOW_GRAPH_EDGES_H

#include "workflow/language/graph/store.h"

/* Fills store->edges and every node's slice of it from store->edges_json (§4.3). */
BW_MUSTCHECK int wf_graph_read_edges(struct wf_graph_store *store);

#endif
