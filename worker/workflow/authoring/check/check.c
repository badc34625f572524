#include "workflow/authoring/check/check.h"

#include <stdlib.h>

#include "workflow/authoring/check/check_edges.h"
#include "workflow/authoring/check/check_fields.h"
#include "workflow/authoring/check/check_keyboard.h"
#include "workflow/authoring/check/check_members.h"
#include "workflow/authoring/check/check_reach.h"
#include "workflow/authoring/check/check_stored.h"
#include "workflow/authoring/names.h"
#include "workflow/base/mem.h"

/* New text as PostgreSQL would give the member. */
static char *stored_text(const json_t *workflow, const char *key)
{
    const json_t *value = json_object_get(workflow, key);

    return value != NULL ? wf_dumps(value) : wf_strdup("[]");
}

int wf_stored_graph(struct wf_graph **graphp, const json_t *workflow,
                    struct bw_error *err)
{
    char *nodes = stored_text(workflow, "nodes");
    char *connections = stored_text(workflow, "connections");
    struct wf_graph_source source = {
        .version_id = "",
        .workflow_id = "",
        .project_id = "",
        .entry_node_id = wf_member(workflow, "entryNodeId", ""),
        .version = 1,
        .nodes = nodes,
        .connections = connections,
    };
    int rc = wf_graph_create(graphp, &source, err);

    free(nodes);
    free(connections);
    return rc;
}

void wf_check_workflow(const json_t *workflow, struct wf_problems *problems)
{
    struct wf_graph *graph = NULL;
    struct bw_error err = { 0 };
    struct wf_names names;
    int rc;

    if (!json_is_object(workflow)) {
        wf_problems_add(problems, NULL, NULL,
                        "an object {nodes, connections, "
                        "entryNodeId} expected");
        return;
    }
    rc = wf_stored_graph(&graph, workflow, &err);
    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK) {
        wf_problems_add(problems, NULL, NULL, "%s", err.text);
        return;
    }
    wf_check_outline(workflow, problems);
    wf_check_stored(workflow, graph, problems);
    wf_names_init(&names, workflow, graph);
    for (size_t i = 0; i < graph->node_count; i++) {
        struct wf_site site = { graph, &graph->nodes[i], problems, &names };

        wf_check_fields(&site);
        wf_check_keyboard(&site);
        wf_check_edges(&site);
    }
    wf_names_fini(&names);
    wf_check_reach(graph, problems);
    wf_graph_unref(&graph);
}
