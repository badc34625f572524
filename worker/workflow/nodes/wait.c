#include "workflow/nodes/wait.h"

#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/value.h"
#include "workflow/run/place.h"
#include "workflow/base/iso.h"

/* `variableName` and `timeoutMs` may stand in data.config itself or in the type's own
 * object. */
static const json_t *wait_member(const struct wf_node *node, const char *key,
                                 const char *other)
{
    const json_t *outer = json_object_get(node->data, "config");
    const json_t *places[] = { outer, node->config };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const json_t *value = json_object_get(places[i], key);

        if (value == NULL)
            value = json_object_get(places[i], other);
        if (value != NULL && !json_is_null(value))
            return value;
    }
    return NULL;
}

static void add_timeout(const struct wf_run *run, json_t *payload, const json_t *timeout)
{
    double given = wf_value_number(timeout);
    int64_t ms = given >= 1 && given < 1e15 ? (int64_t)given : 0; /* NaN: none */
    char ends[WF_ISO_SIZE];

    if (timeout == NULL || ms <= 0)
        return;
    wf_json_set(payload, "timeoutMs", json_integer(ms));
    wf_iso(wf_engine_now_ms(run->engine) + ms, ends);
    wf_json_set_text(payload, "expiresAt", ends);
}

static json_t *metadata(const struct wf_run *run, const char *reason)
{
    json_t *value = wf_must(json_object());

    wf_json_set_text(value, "nodeLabel", run->node->label);
    wf_json_set_text(value, "nodeType", run->node->type);
    wf_json_set_text(value, "reason", reason);
    return value;
}

json_t *wf_wait_payload(const struct wf_run *run, const json_t *keyboard,
                        const char *reason)
{
    const json_t *variable = wait_member(run->node, "variableName", "assignTo");
    const json_t *input = json_object_get(run->node->config, "waitForInput");
    json_t *payload = wf_must(json_object());
    char now[WF_ISO_SIZE];

    wf_iso(wf_engine_now_ms(run->engine), now);
    wf_json_set_text(payload, "nodeId", run->node->id);
    if (keyboard != NULL)
        wf_json_set(payload, "keyboard", json_deep_copy(keyboard));
    if (json_is_boolean(input))
        wf_json_set(payload, "waitForInput", json_boolean(json_is_true(input)));
    if (json_is_string(variable) && json_string_length(variable) > 0)
        wf_json_set_text(payload, "variableName", json_string_value(variable));
    add_timeout(run, payload, wait_member(run->node, "timeoutMs", "timeout"));
    wf_json_set_text(payload, "requestedAt", now);
    wf_json_set(payload, "metadata", metadata(run, reason));
    wf_json_set(payload, "place", wf_place_keep(&run->event));
    return payload;
}
