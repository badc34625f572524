#include "workflow/steps/wait_timeout.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/nodes/loops.h"
#include "workflow/outbox/send.h"
#include "workflow/run/values.h"
#include "workflow/steps/loop.h"
#include "workflow/language/graph.h"

static wf_step start;

static const struct wf_node *target(const struct wf_run *run)
{
    const struct wf_node *node =
        wf_graph_find(run->graph, run->execution.current_node_id);
    const struct wf_edge *edge =
        node != NULL ? wf_node_edge(node, "timeout", false) : NULL;

    return edge != NULL && edge->target != SIZE_MAX ? &run->graph->nodes[edge->target]
                                                    : NULL;
}

bool wf_timeout_go(struct wf_run *run)
{
    const struct wf_node *node =
        wf_graph_find(run->graph, run->execution.current_node_id);
    char *notice;

    if (target(run) == NULL)
        return false;
    wf_run_defaults(run);
    wf_loops_find(run);
    notice = wf_run_text(run, node->config, "timeoutMessage", NULL);
    if (notice != NULL && run->event.chat_id != NULL)
        wf_send_notice(run, notice, start);
    else
        start(run);
    free(notice);
    return true;
}

static void start(struct wf_run *run)
{
    BW_ASSERT(target(run) != NULL);
    wf_loop_start(run, target(run));
}
