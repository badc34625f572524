/* The node types of worker/workflow/spec/workflow.md §5 by name; what they do is the
 * engine's. Pure. */
#ifndef WORKFLOW_NODE_TYPE_H
#define WORKFLOW_NODE_TYPE_H

#include <stdbool.h>

/* Static text for an alias of §5 (start → trigger.command …), else `type` itself. */
const char *wf_node_type_resolve(const char *type);
/* A type of §5 or one of its aliases. */
bool wf_node_type_known(const char *type);

#endif
