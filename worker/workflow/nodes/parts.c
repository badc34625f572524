#include "workflow/nodes/parts.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/template.h"
#include "workflow/outbox/send.h"
#include "workflow/run/values.h"
#include "workflow/language/text.h"
#include "telegram/markup.h"

static wf_step send_next;

/* --- parse mode and texts */

const char *wf_parts_mode(const json_t *config)
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

char *wf_parts_render(struct wf_run *run, const char *text, const char *mode)
{
    struct wf_scope scope = wf_run_scope(run);
    struct bw_buf out = BW_BUF_INIT;
    char *result;

    wf_check(wf_template_render(&scope, text, escape_for(run, mode), &out));
    result = wf_strdup(out.len > 0 ? bw_buf_text(&out) : "");
    bw_buf_fini(&out);
    return result;
}

char *wf_parts_escaped(const char *text)
{
    struct bw_buf out = BW_BUF_INIT;
    char *result;

    wf_check(wf_escape_text(wf_text_of(text), WF_ESCAPE_HTML, &out));
    result = wf_strdup(bw_buf_text(&out));
    bw_buf_fini(&out);
    return result;
}

static bool flag(const json_t *config, const char *key, const char *other)
{
    return json_is_true(json_object_get(config, key)) ||
           (other != NULL && json_is_true(json_object_get(config, other)));
}

/* --- the list: items are {"method", "params"} */

void wf_parts_begin(struct wf_run *run)
{
    json_decref(run->scratch);
    run->scratch = wf_must(json_array());
}

json_t *wf_parts_params(const struct wf_run *run)
{
    json_t *params = wf_must(json_object());

    wf_json_set_text(params, "chat_id", run->event.chat_id);
    if (flag(run->node->config, "disable_notification", NULL))
        wf_json_set(params, "disable_notification", json_true());
    return params;
}

void wf_parts_add(struct wf_run *run, const char *method, json_t *params)
{
    json_t *item = wf_must(json_object());

    wf_json_set_text(item, "method", method);
    wf_json_set(item, "params", params);
    if (json_array_append_new(run->scratch, item) != 0)
        (void)wf_must(NULL);
}

static void add_piece(struct wf_run *run, const char *text, const char *mode)
{
    const json_t *config = run->node->config;
    json_t *params = wf_parts_params(run);

    wf_json_set_text(params, "text", text);
    wf_json_set_text(params, "parse_mode", mode);
    if (flag(config, "disable_web_page_preview", "disablePreview")) {
        json_t *options = wf_must(json_object());

        wf_json_set(options, "is_disabled", json_true());
        wf_json_set(params, "link_preview_options", options);
    }
    wf_parts_add(run, "sendMessage", params);
}

void wf_parts_add_text(struct wf_run *run, const char *text, const char *mode)
{
    struct tg_parts parts;

    if (*text == '\0')
        return;
    wf_check(tg_markup_split(&parts, tg_mode_of(mode), text, TG_TEXT_MAX));
    for (size_t i = 0; i < parts.count; i++)
        add_piece(run, parts.texts[i], mode);
    tg_parts_fini(&parts);
}

void wf_parts_chat(struct wf_run *run, const char *chat)
{
    json_t *item;
    size_t i;

    json_array_foreach(run->scratch, i, item)
    {
        wf_json_set_text(json_object_get(item, "params"), "chat_id", chat);
    }
}

void wf_parts_markup(struct wf_run *run, json_t *markup)
{
    size_t count = json_array_size(run->scratch);

    if (markup == NULL)
        return;
    if (count == 0)
        json_decref(markup);
    else
        wf_json_set(json_object_get(json_array_get(run->scratch, count - 1), "params"),
                    "reply_markup", markup);
}

/* --- sending it */

enum wf_action wf_parts_send(struct wf_run *run, wf_step *then)
{
    run->work.then = then;
    send_next(run);
    return WF_PENDING;
}

/* A method's name outlives the list it stood in. */
static const char *method_of(const json_t *item)
{
    static const char *const methods[] = { "sendMessage",  "sendPhoto", "sendVideo",
                                           "sendDocument", "sendAudio", "sendAnimation" };
    const char *name = wf_member(item, "method", methods[0]);

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(name, methods[i]) == 0)
            return methods[i];
    }
    return methods[0];
}

static void send_next(struct wf_run *run)
{
    json_t *item, *params;
    const char *method;

    if (json_array_size(run->scratch) == 0) {
        run->work.then(run);
        return;
    }
    item = json_array_get(run->scratch, 0);
    method = method_of(item);
    params = json_incref(json_object_get(item, "params"));
    (void)json_array_remove(run->scratch, 0); /* it is there */
    wf_send(run, method, params, send_next);
}
