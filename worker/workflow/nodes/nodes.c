#include "workflow/nodes/nodes.h"

#include <string.h>

static const struct wf_node_handler handlers[] = {
#define X(type, name, needs_config, start) { type, name, needs_config, start },
    WF_NODE_TYPES(X)
#undef X
};

const struct wf_node_handler *wf_nodes_find(const char *type)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (strcmp(handlers[i].type, type) == 0)
            return &handlers[i];
    }
    return NULL;
}

const struct wf_node_handler *wf_nodes_at(size_t index)
{
    return index < sizeof(handlers) / sizeof(handlers[0]) ? &handlers[index] : NULL;
}
