/* action.request_contact: waits for the person's phone number, and asks for it if there
 * is a text. worker/workflow/spec/workflow.md §5.3.3 */
#include "workflow/nodes/nodes.h"

#include "workflow/base/mem.h"
#include "workflow/outbox/send.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/base/iso.h"

#include <stdlib.h>

static wf_step asked;

static enum wf_action wait_for_contact(struct wf_run *run)
{
    json_t *payload = wf_must(json_object());
    char now[WF_ISO_SIZE];

    wf_iso(wf_engine_now_ms(run->engine), now);
    wf_json_set_text(payload, "nodeId", run->node->id);
    wf_json_set(payload, "config", json_deep_copy(run->node->config));
    wf_json_set_text(payload, "requestedAt", now);
    return wf_node_wait(run, WF_WAIT_CONTACT, payload);
}

enum wf_action wf_start_request_contact(struct wf_run *run)
{
    char *text = wf_run_text(run, run->node->config, "text", NULL);
    char *button = wf_run_text(run, run->node->config, "buttonText", NULL);
    json_t *params;

    if (text == NULL) {
        free(button);
        return wait_for_contact(run);
    }
    params = wf_must(
        json_pack("{s:s, s:s, s:{s:[[{s:s, s:b}]], s:b, s:b, s:b}}", "chat_id",
                  run->event.chat_id, "text", text, "reply_markup", "keyboard", "text",
                  button != NULL ? button : "📱 Поделиться контактом", "request_contact",
                  1, "resize_keyboard", 1, "one_time_keyboard", 0, "selective", 0));
    free(text);
    free(button);
    wf_send(run, "sendMessage", params, asked);
    return WF_PENDING;
}

static void asked(struct wf_run *run)
{
    run->resume(run, wait_for_contact(run));
}
