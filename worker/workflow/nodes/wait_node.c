/* flow.wait: waits for an answer without asking for one. worker/workflow/spec/workflow.md
 * §5.6 */
#include "workflow/nodes/nodes.h"

#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/value.h"

enum wf_action wf_start_wait(struct wf_run *run)
{
    static const char *const kinds[] = { "input", "contact", "callback", "location",
                                         "poll" };
    const json_t *config = run->node->config;
    const char *wanted = wf_member(config, "waitFor", kinds[0]);
    double seconds = wf_value_number(json_object_get(config, "timeout"));

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        json_t *payload;

        if (strcmp(kinds[i], wanted) != 0)
            continue;
        payload = wf_wait_payload(run, NULL, "waiting for an answer");
        if (seconds > 0 && seconds < 1e7) {
            /* seconds here, milliseconds in a message's `timeout` */
            int64_t ms = (int64_t)(seconds * 1000);
            char ends[WF_ISO_SIZE];

            wf_iso(wf_engine_now_ms(run->engine) + ms, ends);
            wf_json_set(payload, "timeoutMs", json_integer(ms));
            wf_json_set_text(payload, "expiresAt", ends);
        }
        return wf_node_wait(run, kinds[i], payload);
    }
    return wf_node_fail(run, "Unsupported wait: %s", wanted);
}
