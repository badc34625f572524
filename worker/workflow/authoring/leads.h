/* Where a run can go from a node, as far as the stored form tells.
 * worker/workflow/spec/workflow.md §4.4, §5.5. Pure. */
#ifndef WORKFLOW_AUTHORING_LEADS_H
#define WORKFLOW_AUTHORING_LEADS_H

#include "workflow/language/graph.h"

/* Calls `visit` for each node, by index, that the node can lead to; some more than once.
 */
void wf_leads_each(const struct wf_graph *graph, const struct wf_node *node,
                   void (*visit)(void *arg, size_t target), void *arg);
/* A run can wait or end at the node itself. */
bool wf_leads_stop(const struct wf_graph *graph, const struct wf_node *node);

#endif
