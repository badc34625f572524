/* worker/workflow/spec/workflow.md §4.3, §4.4. */
#include "workflow/authoring/check/check_edges.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT "timeout"

static bool is_type(const struct wf_node *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

/* The i of `case_<i>`, or SIZE_MAX. */
static size_t case_index(const char *handle)
{
    size_t index;
    int end = 0;

    if (sscanf(handle, "case_%4zu%n", &index, &end) != 1 || handle[end] != '\0')
        return SIZE_MAX;
    return index;
}

/* Whether the node can leave by an edge of that handle; others take any. */
static bool is_handle_of(const struct wf_node *node, const char *handle)
{
    if (strcmp(handle, TIMEOUT) == 0)
        return true;
    if (is_type(node, "condition"))
        return strcmp(handle, "true") == 0 || strcmp(handle, "false") == 0;
    if (is_type(node, "flow.switch"))
        return strcmp(handle, "default") == 0 ||
               case_index(handle) <
                   json_array_size(json_object_get(node->config, "cases"));
    return true;
}

void wf_check_edges(const struct wf_site *site)
{
    const struct wf_node *node = site->node;

    for (size_t i = 0; i < node->edge_count; i++) {
        const struct wf_edge *edge = &node->edges[i];

        if (edge->target == SIZE_MAX)
            wf_site_problem(site, "connections", "missing target \"%s\"",
                            edge->target_id);
        if (edge->handle != NULL && !is_handle_of(node, edge->handle))
            wf_site_problem(site, "connections",
                            "the edge to \"%s\" is never taken: there is no branch "
                            "\"%s\"",
                            edge->target_id, edge->handle);
    }
}
