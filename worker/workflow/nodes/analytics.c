/* integration.analytics: an event for the operator's own service; the workflow goes on
 * whatever becomes of it. worker/workflow/spec/workflow.md §5.7 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>

#include "workflow/base/mem.h"
#include "workflow/nodes/fetch.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/task.h"
#include "workflow/run/values.h"
#include "workflow/base/iso.h"

#define TIMEOUT_MS 30000
#define RETRIES    3

static wf_step send_event, answered;

/* New reference: §5.7. */
static json_t *event_of(struct wf_run *run, const char *name)
{
    json_t *event = wf_must(json_object());
    json_t *properties =
        wf_run_value(run, json_object_get(run->node->config, "properties"));
    char *user = wf_run_text(run, run->node->config, "userId", NULL);
    char now[WF_ISO_SIZE];

    wf_iso(wf_engine_now_ms(run->engine), now);
    wf_json_set_text(event, "eventName", name);
    if (user == NULL)
        user = wf_strdup(run->user_id != NULL         ? run->user_id
                         : run->event.from_id != NULL ? run->event.from_id
                                                      : "anonymous");
    wf_json_set_text(event, "userId", user);
    wf_json_set(event, "properties",
                properties != NULL ? properties : wf_must(json_object()));
    wf_json_set_text(event, "timestamp", now);
    free(user);
    return event;
}

enum wf_action wf_start_analytics(struct wf_run *run)
{
    const char *service = getenv("ANALYTICS_SERVICE_URL");
    const char *key = getenv("ANALYTICS_API_KEY");
    char *name = wf_run_text(run, run->node->config, "event", NULL), *body, *url;
    json_t *event, *headers;

    if (name == NULL)
        return wf_node_fail(run, "Analytics event name is required");
    if (service == NULL || *service == '\0') {
        free(name);
        wf_log_warn(run, "ANALYTICS_SERVICE_URL is not set: the event is dropped");
        return wf_node_next();
    }
    event = event_of(run, name);
    free(name);
    body = wf_dumps(event);
    json_decref(event);
    headers = wf_must(json_object());
    wf_json_set_text(headers, "Content-Type", "application/json");
    if (key != NULL)
        wf_json_set_text(headers, "X-API-Key", key);
    url = wf_printf("%s/events", service);
    json_decref(run->scratch);
    run->scratch =
        wf_must(json_pack("{s:s, s:s, s:o, s:s, s:i}", "url", url, "method", "POST",
                          "headers", headers, "body", body, "timeout", TIMEOUT_MS));
    free(url);
    free(body);
    send_event(run);
    return WF_PENDING;
}

static void send_event(struct wf_run *run)
{
    if (!wf_run_lost(run))
        wf_fetch(run, true, answered);
}

static void answered(struct wf_run *run)
{
    json_int_t attempt = json_integer_value(json_object_get(run->scratch, "attempt"));

    if (run->work.fetched.outcome == WEB_FAILED && attempt < RETRIES) {
        wf_json_set(run->scratch, "attempt", json_integer(attempt + 1));
        wf_run_after(run, (int64_t)1000 << attempt, send_event);
        return;
    }
    if (!wf_fetch_ok(run))
        wf_log_warn(run, "the analytics service did not take the event");
    run->resume(run, wf_node_next());
}
