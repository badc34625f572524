/* The nodes of a stored graph. worker/workflow/spec/workflow.md §4.1, §4.2. */
#ifndef WORKFLOW_GRAPH_NODES_H
#define WORKFLOW_GRAPH_NODES_H

#include "workflow/language/graph/store.h"

/* Fills store->nodes from store->nodes_json (§4.1, §4.2). `take_edges`: items that look
 * like edges are no nodes but are appended to store->edges_json. */
BW_MUSTCHECK int wf_graph_read_nodes(struct wf_graph_store *store, bool take_edges);

#endif
