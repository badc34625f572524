/* Which runs read nothing but what is at hand without a look at the stored variables: of
 * the event, the project and the customer. worker/workflow/spec/workflow.md §6.2. Pure.
 */
#ifndef WORKFLOW_GRAPH_PLAIN_H
#define WORKFLOW_GRAPH_PLAIN_H

#include <bulwark/error.h>

#include "workflow/language/graph/store.h"

/* Sets `starts_plain` of every node; edges have been read. BW_ENOMEM. */
BW_MUSTCHECK int wf_plain_mark(struct wf_graph_store *store);

#endif
