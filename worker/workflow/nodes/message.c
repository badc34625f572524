/* message, message.keyboard.inline, message.keyboard.reply.
 * worker/workflow/spec/workflow.md §5.2 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/language/keyboard.h"
#include "workflow/base/mem.h"
#include "workflow/nodes/parts.h"
#include "workflow/outbox/send.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/nodes/wait.h"

#define NOT_SET_UP "Сообщение не настроено"

static const struct {
    const char *type, *method, *member;
} attachments[] = {
    { "photo", "sendPhoto", "photo" },
    { "image", "sendPhoto", "photo" },
    { "video", "sendVideo", "video" },
    { "audio", "sendAudio", "audio" },
    { "document", "sendDocument", "document" },
    { "animation", "sendAnimation", "animation" },
};

static wf_step notice_sent, sent;

/* --- the customer is needed and there is none (§5.2.1 step 2) */

static enum wf_action require_customer(struct wf_run *run)
{
    json_t *params = wf_must(json_object());

    wf_log_warn(run, "the message needs a customer and nobody is linked");
    wf_json_set_text(params, "chat_id", run->event.chat_id);
    wf_json_set_text(params, "text", run->engine->settings.text_customer_required);
    wf_send(run, "sendMessage", params, notice_sent);
    return WF_PENDING;
}

static void notice_sent(struct wf_run *run)
{
    run->resume(run, wf_node_end(run, true, NULL));
}

/* --- attachments: declared by the editor, sent after the text (§5.2.1) */

static void add_attachment(struct wf_run *run, const json_t *attachment, const char *mode)
{
    const char *type = wf_member(attachment, "type", "document");
    char *file = wf_run_text(run, attachment, "fileId", "url");
    json_t *params;
    size_t i = 0;

    while (i < sizeof(attachments) / sizeof(attachments[0]) &&
           strcmp(attachments[i].type, type) != 0)
        i++;
    if (file == NULL || i == sizeof(attachments) / sizeof(attachments[0])) {
        wf_log_warn(run,
                    "an attachment without a file, or of an unknown type, is skipped");
        free(file);
        return;
    }
    params = wf_parts_params(run);
    wf_json_set_text(params, attachments[i].member, file);
    if (*wf_member(attachment, "caption", "") != '\0') {
        char *caption = wf_parts_render(run, wf_member(attachment, "caption", ""), mode);

        wf_json_set_text(params, "caption", caption);
        wf_json_set_text(params, "parse_mode", mode);
        free(caption);
    }
    wf_parts_add(run, attachments[i].method, params);
    free(file);
}

static void add_attachments(struct wf_run *run, const char *mode)
{
    const json_t *list = json_object_get(run->node->config, "attachments");

    for (size_t i = 0; i < json_array_size(list); i++)
        add_attachment(run, json_array_get(list, i), mode);
}

enum wf_action wf_start_message(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *raw = wf_member(config, "text", NOT_SET_UP);
    const char *mode = wf_parts_mode(config);
    struct wf_scope scope = wf_run_scope(run);
    struct bw_error err = { 0 };
    json_t *markup = NULL;
    char *text;
    int rc;

    if (strcmp(run->node->type, "message.keyboard.reply") == 0 &&
        wf_keyboard_of(run->node) == NULL && json_object_get(config, "buttons") == NULL &&
        json_object_get(config, "keyboard") == NULL)
        return wf_node_fail(run, "Keyboard buttons are required");
    if (run->user_id == NULL && strstr(raw, "{user.") != NULL)
        return require_customer(run);
    rc = wf_keyboard_node_markup(&scope, run->node, &markup, &err);
    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK)
        return wf_node_fail(run, "%s", err.text);
    text = wf_parts_render(run, *raw != '\0' ? raw : NOT_SET_UP, mode);
    wf_parts_begin(run);
    wf_parts_add_text(run, *text != '\0' ? text : NOT_SET_UP, mode);
    wf_parts_markup(run, markup);
    free(text);
    add_attachments(run, mode);
    return wf_parts_send(run, sent);
}

/* --- after the last part */

static const char *reason_for(enum wf_wait_type wait)
{
    return wait == WF_WAIT_CALLBACK ? "waiting for a button" : "waiting for an answer";
}

static enum wf_action finish(struct wf_run *run)
{
    const char *assign = wf_run_assign(run->node, NULL);
    enum wf_wait_type wait = wf_keyboard_wait(run->node);

    if (run->outbox.reply.message_id != 0) {
        wf_json_set(run->vars[WF_SESSION], "lastMessageId",
                    json_integer(
                        run->outbox.reply.message_id)); /* of this run only: not stored */
        if (assign != NULL && wait == WF_WAIT_NOTHING)
            wf_run_set(run, assign, json_integer(run->outbox.reply.message_id), 0);
    }
    if (wait == WF_WAIT_NOTHING)
        return wf_node_next();
    return wf_node_wait(
        run, wait, wf_wait_payload(run, wf_keyboard_of(run->node), reason_for(wait)));
}

static void sent(struct wf_run *run)
{
    run->resume(run, finish(run));
}
