#include "workflow/run/wait_keys.h"

#include <string.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/run/run.h"
#include "workflow/base/iso.h"

/* Those Node keeps keys of. */
static const enum wf_wait_type node_types[] = { WF_WAIT_CONTACT, WF_WAIT_INPUT,
                                                WF_WAIT_CALLBACK };

char *wf_waiting_key(const struct wf_run *run, const char *session)
{
    const char *const fills[] = { "sessionId", session, NULL };

    return wf_settings_key(run->engine->settings.key_waiting, fills);
}

char *wf_pointer_key(const struct wf_run *run)
{
    return wf_printf("workflow:session:%s:%s:%s", run->project_id, run->event.chat_id,
                     run->event.from_id != NULL ? run->event.from_id : "unknown");
}

char *wf_node_waiting_key(const struct wf_run *run, enum wf_wait_type wait_type)
{
    const char *const fills[] = { "projectId", run->project_id,
                                  "chatId",    run->event.chat_id,
                                  "waitType",  wf_wait_name(wait_type),
                                  NULL };

    return wf_settings_key(run->engine->settings.key_node_waiting, fills);
}

/* Node's keys of the wait types but this one. */
static void drop_node_keys(const struct wf_run *run, struct wf_kv *kv,
                           enum wf_wait_type except)
{
    if (!run->engine->settings.node_compat)
        return;
    for (size_t i = 0; i < sizeof(node_types) / sizeof(node_types[0]); i++) {
        if (node_types[i] != except)
            (void)wf_kv_add(kv, WF_KV_DELETE, wf_node_waiting_key(run, node_types[i]),
                            NULL, 0);
    }
}

void wf_waiting_forget(struct wf_run *run, const char *session)
{
    struct wf_kv kv = { 0 };

    if (session == NULL)
        return;
    (void)wf_kv_add(&kv, WF_KV_DELETE, wf_waiting_key(run, session), NULL, 0);
    drop_node_keys(run, &kv, WF_WAIT_NOTHING);
    wf_kv_send(&run->engine->keys, &kv);
}

static json_t *shared_members(const struct wf_run *run, enum wf_wait_type wait_type)
{
    char now[WF_ISO_SIZE];
    json_t *value = wf_must(json_object());

    wf_iso(wf_engine_now_ms(run->engine), now);
    wf_json_set_text(value, "executionId", run->execution.id);
    wf_json_set_text(value, "projectId", run->project_id);
    wf_json_set_text(value, "chatId", run->event.chat_id);
    wf_json_set_text(value, "waitType", wf_wait_name(wait_type));
    wf_json_set_text(value, "cachedAt", now);
    return value;
}

static void point(struct wf_run *run)
{
    BW_ASSERT(run->execution.session_id != NULL);
    (void)wf_kv_add(&run->kv, WF_KV_SET, wf_pointer_key(run),
                    wf_strdup(run->execution.session_id),
                    run->engine->settings.ttl_waiting * 1000);
}

void wf_waiting_enter(struct wf_run *run, enum wf_wait_type wait_type, const char *node)
{
    int64_t ttl = run->engine->settings.ttl_waiting * 1000;
    json_t *value = shared_members(run, wait_type);

    BW_ASSERT(wait_type != WF_WAIT_NOTHING && run->execution.id != NULL);
    if (run->engine->settings.node_compat)
        (void)wf_kv_add(&run->kv, WF_KV_SET, wf_node_waiting_key(run, wait_type),
                        wf_dumps(value), ttl);
    wf_json_set_text(value, "workflowId", run->execution.workflow_id);
    wf_json_set(value, "version", json_integer(run->execution.version));
    wf_json_set_text(value, "sessionId", run->execution.session_id);
    wf_json_set_text(value, "currentNodeId", node);
    (void)wf_kv_add(&run->kv, WF_KV_SET, wf_waiting_key(run, run->execution.session_id),
                    wf_dumps(value), ttl);
    json_decref(value);
    drop_node_keys(run, &run->kv, wait_type);
    point(run);
}

void wf_waiting_leave(struct wf_run *run)
{
    if (run->execution.resumed) {
        (void)wf_kv_add(&run->kv, WF_KV_DELETE,
                        wf_waiting_key(run, run->execution.session_id), NULL, 0);
        drop_node_keys(run, &run->kv, WF_WAIT_NOTHING);
    }
    point(run);
}
