/* What no trigger leads to, and what never ends. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_REACH_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_REACH_H

#include "workflow/authoring/problems.h"
#include "workflow/language/graph.h"

/* Nodes that no trigger leads to; loops that nothing ends. */
void wf_check_reach(const struct wf_graph *graph, struct wf_problems *problems);

#endif
