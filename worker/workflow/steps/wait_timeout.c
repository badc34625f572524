#include "workflow/steps/wait_timeout.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/jobs/delay_job.h"
#include "workflow/base/mem.h"
#include "workflow/nodes/loops.h"

bool wf_timeout_set(const struct wf_run *run)
{
    return strcmp(run->status, "waiting") == 0 &&
           *wf_member(run->out.payload, "expiresAt", "") != '\0';
}

void wf_timeout_add(struct wf_run *run, wf_step *then)
{
    json_t *data = wf_must(json_object());
    char *id = wf_printf("timeout-%s-%lld", run->x.id, (long long)run->x.steps);

    wf_json_set_text(data, "nodeId", wf_member(run->out.payload, "nodeId", ""));
    wf_json_set(data, "waitTimeout", json_true());
    wf_delay_enqueue(run, id,
                     json_integer_value(json_object_get(run->out.payload, "timeoutMs")),
                     data, then);
    free(id);
}

bool wf_timeout_passed(const struct wf_run *run)
{
    const char *ends = wf_member(run->x.wait_payload, "expiresAt", "");
    char now[WF_ISO_SIZE];

    wf_iso(wf_engine_now_ms(run->engine), now);
    return *ends != '\0' && strcmp(ends, now) <= 0; /* the form sorts by time */
}

static const struct wf_node *target(const struct wf_run *run)
{
    const struct wf_node *node = wf_graph_find(run->graph, run->x.current_node_id);
    const struct wf_edge *edge =
        node != NULL ? wf_node_edge(node, "timeout", false) : NULL;

    return edge != NULL && edge->target != SIZE_MAX ? &run->graph->nodes[edge->target]
                                                    : NULL;
}

static void start(struct wf_run *run)
{
    wf_loop_start(run, target(run));
}

bool wf_timeout_go(struct wf_run *run)
{
    const struct wf_node *node = wf_graph_find(run->graph, run->x.current_node_id);
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
