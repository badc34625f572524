/* message.edit, message.delete. worker/workflow/spec/workflow.md §5.2.2 */
#include "workflow/nodes/nodes.h"

#include <math.h>
#include <stdlib.h>

#include "workflow/language/keyboard.h"
#include "workflow/base/mem.h"
#include "workflow/language/value.h"
#include "workflow/nodes/parts.h"
#include "workflow/outbox/send.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"

#define SAFE_INTEGER 9007199254740991.0

static wf_step edited, deleted;

/* The message to change: configured, else the one whose button was pressed. 0: none. */
static int64_t message_id(struct wf_run *run)
{
    const json_t *given = json_object_get(run->node->config, "message_id");
    json_t *value;
    double number = NAN;

    if (given == NULL)
        given = json_object_get(run->node->config, "messageId");
    value = given != NULL ? wf_run_value(run, given) : NULL;
    if (value == NULL && run->event.callback_message_id != NULL)
        value = wf_text(run->event.callback_message_id);
    if (json_is_number(value) || (json_is_string(value) && json_string_length(value) > 0))
        number = wf_value_number(value);
    json_decref(value);
    if (isnan(number) || number != trunc(number) || fabs(number) > SAFE_INTEGER)
        return 0;
    return (int64_t)number;
}

static enum wf_action no_id(struct wf_run *run)
{
    return wf_node_fail(run, "Telegram messageId must be a safe integer");
}

static json_t *target(const struct wf_run *run, int64_t id)
{
    json_t *params = wf_must(json_object());

    wf_json_set_text(params, "chat_id", run->event.chat_id);
    if (id != 0)
        wf_json_set(params, "message_id", json_integer(id));
    return params;
}

enum wf_action wf_start_edit(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *raw = wf_member(config, "text", ""), *mode = wf_parts_mode(config);
    struct wf_scope scope = wf_run_scope(run);
    struct bw_error err = { 0 };
    bool anew = run->personal.moved; /* the one to change lies in the group */
    int64_t id = anew ? 0 : message_id(run);
    json_t *markup = NULL, *params;
    char *text;
    int rc;

    if (id == 0 && !anew)
        return no_id(run);
    if (*raw == '\0')
        return wf_node_fail(run, "Message text is required");
    rc = wf_keyboard_node_markup(&scope, run->node, &markup, &err);
    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK)
        return wf_node_fail(run, "%s", err.text);
    params = target(run, id);
    text = wf_parts_render(run, raw, mode);
    wf_json_set_text(params, "text", text);
    wf_json_set_text(params, "parse_mode", mode);
    if (markup != NULL)
        wf_json_set(params, "reply_markup", markup);
    free(text);
    wf_send(run, anew ? "sendMessage" : "editMessageText", params, edited);
    return WF_PENDING;
}

static void edited(struct wf_run *run)
{
    run->resume(run, wf_node_next());
}

enum wf_action wf_start_delete(struct wf_run *run)
{
    int64_t id = run->personal.moved ? 0 : message_id(run);

    if (run->personal.moved) {
        wf_log_warn(run, "the message to delete lies in the group, and stays");
        return wf_node_next();
    }
    if (id == 0)
        return no_id(run);
    wf_send(run, "deleteMessage", target(run, id), deleted);
    return WF_PENDING;
}

static void deleted(struct wf_run *run)
{
    if (run->outbox.reply.message_gone)
        wf_log_warn(run, "the message to delete is not there any more");
    run->resume(run, wf_node_next());
}
