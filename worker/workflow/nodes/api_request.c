/* action.api_request, integration.webhook. worker/workflow/spec/workflow.md §5.3.4, §5.7
 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/path.h"
#include "workflow/language/value.h"
#include "workflow/nodes/fetch.h"
#include "workflow/run/io.h"
#include "workflow/run/node_result.h"
#include "workflow/run/task.h"
#include "workflow/run/values.h"

#define WINDOW_MS          60000
#define WEBHOOK_TIMEOUT_MS 15000
#define PAUSE_MS           2000
#define PAUSE_MAX_MS       10000
#define RETRIES_MAX        10

static wf_step api_counted, api_answered, webhook_answered, webhook_send;

/* --- api_request */

enum wf_action wf_start_api_request(struct wf_run *run)
{
    static const struct wf_fetch_rules rules = { "API request URL is required", "GET",
                                                 0 };
    int64_t window = wf_engine_now_ms(run->engine) / WINDOW_MS;

    if (!wf_fetch_prepare(run, &rules))
        return WF_ERROR;
    (void)wf_kv_add(
        wf_run_keys(run), WF_KV_COUNT,
        wf_printf("rate_limit:api:%s:%lld", run->project_id, (long long)window), NULL,
        WINDOW_MS);
    wf_run_kv(run, api_counted);
    return WF_PENDING;
}

static void api_counted(struct wf_run *run)
{
    int64_t now = wf_engine_now_ms(run->engine);

    if (wf_kv_at(&run->kv, 0)->number > run->engine->settings.limit_api)
        run->resume(
            run, wf_node_fail(run,
                              "API request rate limit exceeded. Retry after %lld "
                              "seconds.",
                              (long long)((WINDOW_MS - now % WINDOW_MS + 999) / 1000)));
    else if (!wf_run_lost(run))
        wf_fetch(run, false, api_answered);
}

/* `responseMapping` names variables and the paths of their values (WF-148). */
static void map_answer(struct wf_run *run, const json_t *value)
{
    const json_t *mapping = json_object_get(run->node->config, "responseMapping");
    const char *variable;
    json_t *path;

    json_object_foreach((json_t *)(uintptr_t)mapping, variable, path)
    {
        const char *text = json_string_value(path);
        const json_t *part =
            text != NULL ? wf_path_walk(value, text, strlen(text)) : NULL;

        wf_run_set(run, variable,
                   part != NULL ? json_incref((json_t *)(uintptr_t)part) : json_null(),
                   0);
    }
}

static void api_answered(struct wf_run *run)
{
    const char *assign = wf_run_assign(run->node, NULL);
    json_t *value = wf_fetch_value(run);

    if (!wf_fetch_ok(run)) {
        enum wf_action action = wf_fetch_fail(run);

        wf_fetch_log(run, value);
        json_decref(value);
        run->resume(run, action);
        return;
    }
    map_answer(run, value);
    if (assign != NULL)
        wf_run_set(run, assign, json_incref(value), 0);
    wf_fetch_log(run, value);
    json_decref(value);
    run->resume(run, wf_node_next());
}

/* --- webhook: run->scratch counts its attempts */

enum wf_action wf_start_webhook(struct wf_run *run)
{
    static const struct wf_fetch_rules rules = { "Webhook URL is required", "POST",
                                                 WEBHOOK_TIMEOUT_MS };

    if (!wf_fetch_prepare(run, &rules))
        return WF_ERROR;
    wf_fetch(run, false, webhook_answered);
    return WF_PENDING;
}

static void webhook_answered(struct wf_run *run)
{
    double retries = wf_value_number(json_object_get(run->node->config, "retries"));
    json_int_t attempt = json_integer_value(json_object_get(run->scratch, "attempt")) + 1;
    int64_t pause = PAUSE_MS * attempt < PAUSE_MAX_MS ? PAUSE_MS * attempt : PAUSE_MAX_MS;

    (void)json_object_del(run->scratch, "attempt");
    if (wf_fetch_ok(run)) {
        wf_fetch_log(run, NULL);
        run->resume(run, wf_node_next());
    } else if (run->work.fetched.outcome == WEB_UNSAFE || !(retries >= (double)attempt) ||
               attempt > RETRIES_MAX) {
        enum wf_action action = wf_fetch_fail(run);

        wf_fetch_log(run, NULL);
        run->resume(run, action);
    } else {
        wf_json_set(run->scratch, "attempt", json_integer(attempt));
        wf_run_after(run, pause, webhook_send);
    }
}

static void webhook_send(struct wf_run *run)
{
    if (!wf_run_lost(run))
        wf_fetch(run, false, webhook_answered);
}
