/* flow.delay: a moment in place, or a job of the queue of delays.
 * worker/workflow/spec/workflow.md §5.5 */
#include "workflow/nodes/nodes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/template.h"
#include "workflow/language/value.h"
#include "workflow/nodes/loops.h"
#include "workflow/run/place.h"
#include "workflow/outbox/checkpoint.h"
#include "workflow/run/node_result.h"
#include "workflow/run/task.h"
#include "workflow/run/values.h"
#include "workflow/base/iso.h"
#include "workflow/language/graph.h"

#define IN_PLACE_MS 1000.0
#define MOST_MS     86400000.0

static wf_step promised, over;

/* A number, or a text that is one; NaN otherwise. */
static double number_of(const json_t *value)
{
    if (json_is_number(value) || (json_is_string(value) && json_string_length(value) > 0))
        return wf_value_number(value);
    return NAN;
}

static double delay_of(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *variable = wf_member(config, "variableDelay", "");
    struct wf_scope scope = wf_run_scope(run);
    json_t *value = NULL;
    double ms = NAN;

    if (*variable != '\0') {
        wf_check(wf_operand_value(&scope, variable, &value));
        ms = number_of(value);
        json_decref(value);
    }
    if (isnan(ms) && json_object_get(config, "delayMs") != NULL) {
        value = wf_run_value(run, json_object_get(config, "delayMs"));
        ms = number_of(value);
        json_decref(value);
    }
    return ms;
}

/* --- by a job: its id is known before it is added, which happens when the row waits */

static json_t *payload_of(const struct wf_run *run, int64_t ms, const char *job)
{
    json_t *payload = wf_must(json_object());
    char now[WF_ISO_SIZE];

    wf_iso(wf_engine_now_ms(run->engine), now);
    wf_json_set(payload, "delayMs", json_integer(ms));
    wf_json_set_text(payload, "originalNodeId", run->node->id);
    wf_json_set_text(payload, "scheduledAt", now);
    wf_json_set_text(payload, "jobId", job);
    wf_json_set(payload, "place", wf_place_keep(&run->event));
    return payload;
}

static enum wf_action hand_over(struct wf_run *run, int64_t ms)
{
    const struct wf_edge *edge = wf_node_edge(run->node, NULL, false);
    const char *next = edge != NULL ? edge->target_id : wf_loops_innermost(run);
    char *job;

    if (next == NULL)
        return wf_node_next(); /* nothing comes after it */
    job = wf_printf("delay-%s-%lld", run->execution.id, (long long)run->execution.steps);
    json_decref(run->scratch);
    run->scratch = payload_of(run, ms, job);
    wf_set(&run->out.target, next);
    wf_run_set(run, "delayJobId", wf_text(job), 0);
    free(job);
    /* an attempt that dies from here on comes back to this node, and to the same id */
    wf_checkpoint(run, run->node->id, true, promised);
    return WF_PENDING;
}

static void promised(struct wf_run *run)
{
    run->resume(run, wf_node_wait(run, WF_WAIT_DELAY, json_incref(run->scratch)));
}

enum wf_action wf_start_delay(struct wf_run *run)
{
    double ms = delay_of(run);

    if (!(ms >= 0))
        return wf_node_fail(run, "Invalid delay value");
    if (ms > MOST_MS)
        return wf_node_fail(run,
                            "Delay exceeds maximum allowed time (24 hours). Requested: "
                            "%.0fms, Max: %.0fms",
                            ms, MOST_MS);
    if (ms >= IN_PLACE_MS)
        return hand_over(run, (int64_t)ms);
    wf_run_after(run, (int64_t)ms, over);
    return WF_PENDING;
}

/* --- in place */

static void over(struct wf_run *run)
{
    run->resume(run, wf_node_next());
}
