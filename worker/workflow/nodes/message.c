/* message, message.keyboard.inline, message.keyboard.reply. §5.2 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/keyboard.h"
#include "workflow/mem.h"
#include "workflow/split.h"

#define NOT_SET_UP "Сообщение не настроено"

static const char *parse_mode(const json_t *config)
{
    static const char *const modes[] = { "HTML", "Markdown", "MarkdownV2" };
    const char *mode = wf_member2(config, "parseMode", "parse_mode");

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (mode != NULL && strcmp(mode, modes[i]) == 0)
            return modes[i];
    }
    return modes[0];
}

static enum wf_escape escape_for(const struct wf_run *run, const char *mode)
{
    if (!run->engine->settings.escape)
        return WF_ESCAPE_NONE;
    if (strcmp(mode, "Markdown") == 0)
        return WF_ESCAPE_MARKDOWN;
    return strcmp(mode, "MarkdownV2") == 0 ? WF_ESCAPE_MARKDOWN_V2 : WF_ESCAPE_HTML;
}

static bool is_on(const json_t *config, const char *key, const char *other)
{
    return json_is_true(json_object_get(config, key)) ||
           (other != NULL && json_is_true(json_object_get(config, other)));
}

/* --- the customer is needed and there is none (§5.2.1 step 2) */

static void notice_sent(struct wf_run *run)
{
    wf_loop_resume(run, wf_node_end(run, true, NULL));
}

static enum wf_action require_customer(struct wf_run *run)
{
    json_t *params = wf_must(json_object());

    wf_log_warn(run, "the message needs a customer and nobody is linked");
    wf_json_set_text(params, "chat_id", run->event.chat_id);
    wf_json_set_text(params, "text", run->engine->settings.text_customer_required);
    wf_send(run, "sendMessage", params, notice_sent);
    return WF_PENDING;
}

/* --- after the last part */

static const char *reason_for(const char *wait)
{
    return strcmp(wait, "callback") == 0 ? "waiting for a button"
                                         : "waiting for an answer";
}

static enum wf_action finish(struct wf_run *run)
{
    const char *assign = wf_run_assign(run->node, NULL);
    const char *wait = wf_keyboard_wait(run->node);

    if (run->reply.message_id != 0) {
        wf_json_set(
            run->vars[WF_SESSION], "lastMessageId",
            json_integer(run->reply.message_id)); /* of this run only: not stored */
        if (assign != NULL && wait == NULL)
            wf_run_set(run, assign, json_integer(run->reply.message_id), 0);
    }
    if (wait == NULL)
        return wf_node_next();
    return wf_node_wait(
        run, wait, wf_wait_payload(run, wf_keyboard_of(run->node), reason_for(wait)));
}

/* run->scratch: the parameters of the parts still to be sent. */
static void send_next(struct wf_run *run)
{
    json_t *params;

    if (json_array_size(run->scratch) == 0) {
        wf_loop_resume(run, finish(run));
        return;
    }
    params = json_incref(json_array_get(run->scratch, 0));
    (void)json_array_remove(run->scratch, 0); /* it is there */
    wf_send(run, "sendMessage", params, send_next);
}

/* --- making them */

static json_t *part(const struct wf_run *run, const char *text, const char *mode)
{
    const json_t *config = run->node->config;
    json_t *params = wf_must(json_object());

    wf_json_set_text(params, "chat_id", run->event.chat_id);
    wf_json_set_text(params, "text", text);
    wf_json_set_text(params, "parse_mode", mode);
    if (is_on(config, "disable_web_page_preview", "disablePreview")) {
        json_t *options = wf_must(json_object());

        wf_json_set(options, "is_disabled", json_true());
        wf_json_set(params, "link_preview_options", options);
    }
    if (is_on(config, "disable_notification", NULL))
        wf_json_set(params, "disable_notification", json_true());
    return params;
}

/* New: the text of all parts. */
static char *render(struct wf_run *run, const char *text, const char *mode)
{
    struct wf_scope scope = wf_run_scope(run);
    struct bw_buf out = BW_BUF_INIT;
    char *result;

    wf_check(wf_template_render(&scope, text, escape_for(run, mode), &out));
    result = wf_strdup(out.len > 0 ? bw_buf_text(&out) : NOT_SET_UP);
    bw_buf_fini(&out);
    return result;
}

/* The keyboard goes with the last part. */
static json_t *make_parts(const struct wf_run *run, const char *text, const char *mode,
                          json_t *markup)
{
    json_t *parts = wf_must(json_array()), *last = NULL;

    while (*text != '\0') {
        size_t len = wf_split_message(text);
        char *piece = wf_alloc(len + 1);

        memcpy(piece, text, len);
        last = part(run, piece, mode);
        if (json_array_append_new(parts, last) != 0)
            (void)wf_must(NULL);
        free(piece);
        text += len;
        text += strspn(text, "\n ");
    }
    if (markup != NULL && last != NULL)
        wf_json_set(last, "reply_markup", markup);
    else
        json_decref(markup);
    return parts;
}

enum wf_action wf_start_message(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *raw = wf_member(config, "text", NOT_SET_UP);
    const char *mode = parse_mode(config);
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
    text = render(run, *raw != '\0' ? raw : NOT_SET_UP, mode);
    json_decref(run->scratch);
    run->scratch = make_parts(run, text, mode, markup);
    free(text);
    send_next(run);
    return WF_PENDING;
}
