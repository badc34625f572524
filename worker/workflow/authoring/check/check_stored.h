/* What lies in the stored form and is dropped when a graph is made of it. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_STORED_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_STORED_H

#include <jansson.h>

#include "workflow/authoring/problems.h"
#include "workflow/language/graph.h"

/* Items without an id, edges from nowhere, an entry that is not there. */
void wf_check_stored(const json_t *workflow, const struct wf_graph *graph,
                     struct wf_problems *problems);

#endif
