/* action.check_channel_subscription. worker/workflow/spec/workflow.md §5.3.6, §10.4 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/outbox/send.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"

#define WINDOW_MS 1000
#define TTL_MS    60000

static wf_step counted, answered;

enum wf_action wf_start_check_channel(struct wf_run *run)
{
    const json_t *config = run->node->config;
    char *channel = wf_run_text(run, config, "channelId", NULL);
    char *user = wf_run_text(run, config, "userId", NULL);
    const char *id = wf_db_bigint(user != NULL ? user : run->event.from_id);
    int64_t window = wf_engine_now_ms(run->engine) / WINDOW_MS;

    if (channel == NULL || id == NULL) {
        free(user);
        free(channel);
        return wf_node_fail(run, channel == NULL ? "Channel ID is required"
                                                 : "userId must be a Telegram id");
    }
    json_decref(run->scratch);
    run->scratch = wf_must(json_object());
    wf_json_set_text(run->scratch, "chat_id", channel);
    wf_json_set(run->scratch, "user_id", json_integer(strtoll(id, NULL, 10)));
    free(user);
    free(channel);
    (void)wf_kv_add(
        wf_run_keys(run), WF_KV_COUNT,
        wf_printf("rate_limit:channel_check:%s:%lld", run->project_id, (long long)window),
        NULL, TTL_MS);
    wf_run_kv(run, counted);
    return WF_PENDING;
}

static void counted(struct wf_run *run)
{
    json_t *params;

    if (wf_kv_at(&run->kv, 0)->number > run->engine->settings.limit_channel_check) {
        run->resume(run, wf_node_fail(run, "Rate limit exceeded for channel "
                                           "subscription check. Retry after 1 "
                                           "seconds."));
        return;
    }
    params = run->scratch; /* the client's from here on, not shared with its thread */
    run->scratch = NULL;
    wf_ask(run, "getChatMember", params, answered);
}

static bool accepted(const struct wf_run *run, const char *status)
{
    static const char *const usual[] = { "member", "administrator", "creator" };
    const json_t *required = json_object_get(run->node->config, "requiredStatus");
    size_t count = json_array_size(required);

    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(required, i));

        if (name != NULL && strcmp(name, status) == 0)
            return true;
    }
    for (size_t i = 0; count == 0 && i < sizeof(usual) / sizeof(usual[0]); i++) {
        if (strcmp(usual[i], status) == 0)
            return true;
    }
    return false;
}

static void answered(struct wf_run *run)
{
    const char *assign = wf_run_assign(run->node, "isChannelSubscribed");
    const char *status = wf_member(run->outbox.reply.result, "status", "left");
    char *name = wf_printf("%s_status", assign);

    if (run->outbox.reply.outcome != WF_SEND_OK)
        wf_log_warn(run, "Telegram did not say whether the person is in the channel");
    wf_run_set(run, assign, json_boolean(accepted(run, status)), 0);
    wf_run_set(run, name, wf_text(status), 0);
    free(name);
    run->resume(run, wf_node_next());
}
