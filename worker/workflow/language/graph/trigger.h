/* Which node an event starts at. worker/workflow/spec/workflow.md §3.4, §5.1. */
#ifndef WORKFLOW_GRAPH_TRIGGER_H
#define WORKFLOW_GRAPH_TRIGGER_H

#include "workflow/language/event.h"
#include "workflow/language/graph.h"

/* Trigger choice for an event without a waiting execution: §3.4 rows 1–7. NULL: none. */
const struct wf_node *wf_graph_trigger(const struct wf_graph *graph,
                                       const struct wf_event *event);
/* Only rows 2 and 3: a trigger.callback that matches, or `goto:<node>`. NULL: none. */
const struct wf_node *wf_graph_callback_trigger(const struct wf_graph *graph,
                                                const struct wf_event *event);

/* Compiles the patterns of trigger nodes. */
BW_MUSTCHECK int wf_graph_compile_triggers(struct wf_graph_store *store);

#endif
