/* Checks of a workflow before it runs: what the engine would stumble over, or pass over
 * in silence. worker/workflow/spec/workflow.md §§4–7, 11.2.
 *
 * Pure but for memory (mem.h); one thread. To check another field, add a row to
 * fields.c. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_H

#include <jansson.h>

#include "workflow/authoring/problems.h"
#include "workflow/language/graph.h"

/* Everything about a workflow as it is stored: {nodes, connections, entryNodeId}, the
 * first two also as JSON text. Any value. */
void wf_check_workflow(const json_t *workflow, struct wf_problems *problems);

/* New: the graph of such a workflow, an object. BW_EINVAL, BW_ENOMEM. */
BW_MUSTCHECK int wf_stored_graph(struct wf_graph **graphp, const json_t *workflow,
                                 struct bw_error *err);

#endif
