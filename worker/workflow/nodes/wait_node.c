/* flow.wait: waits for an answer without asking for one. worker/workflow/spec/workflow.md
 * §5.6 */
#include "workflow/nodes/nodes.h"

#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/value.h"
#include "workflow/run/node_result.h"
#include "workflow/base/iso.h"
#include "workflow/nodes/wait.h"

enum wf_action wf_start_wait(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *wanted = wf_member(config, "waitFor", wf_wait_name(WF_WAIT_INPUT));
    enum wf_wait_type type = wf_wait_type_of(wanted);
    double seconds = wf_value_number(json_object_get(config, "timeout"));
    json_t *payload;

    if (type == WF_WAIT_NOTHING || type == WF_WAIT_DELAY)
        return wf_node_fail(run, "Unsupported wait: %s", wanted);
    payload = wf_wait_payload(run, NULL, "waiting for an answer");
    if (seconds > 0 && seconds < 1e7) {
        /* seconds here, milliseconds in a message's `timeout` */
        int64_t ms = (int64_t)(seconds * 1000);
        char ends[WF_ISO_SIZE];

        wf_iso(wf_engine_now_ms(run->engine) + ms, ends);
        wf_json_set(payload, "timeoutMs", json_integer(ms));
        wf_json_set_text(payload, "expiresAt", ends);
    }
    return wf_node_wait(run, type, payload);
}
