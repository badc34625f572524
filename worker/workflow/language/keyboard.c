/* worker/workflow/spec/workflow.md §5.2.3, §5.2.5. */
#include "workflow/language/keyboard.h"

#include <string.h>

#include "workflow/language/value.h"

#define CALLBACK_DATA_MAX 64 /* bytes, Telegram's limit */

enum keyboard_kind { KEYBOARD_INLINE, KEYBOARD_REPLY, KEYBOARD_REMOVE };

struct making {
    const struct wf_scope *scope;
    struct bw_error *err;
};

static int no_memory(const struct making *making)
{
    return bw_error_set(making->err, BW_ENOMEM, "out of memory");
}

static bool is_type(const struct wf_node *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

/* ---- reading the config ---- */

/* A missing type means inline, and so does an unknown one: it is sent that way. */
static enum keyboard_kind kind_of(const json_t *keyboard, enum keyboard_kind missing)
{
    const char *type = json_string_value(json_object_get(keyboard, "type"));

    if (json_is_true(json_object_get(keyboard, "inline")))
        return KEYBOARD_INLINE;
    if (type == NULL)
        return missing;
    if (strcmp(type, "reply") == 0)
        return KEYBOARD_REPLY;
    return strcmp(type, "remove") == 0 ? KEYBOARD_REMOVE : KEYBOARD_INLINE;
}

static const json_t *buttons_of(const json_t *keyboard)
{
    const json_t *buttons = json_object_get(keyboard, "buttons");

    return json_is_array(buttons) ? buttons : json_object_get(keyboard, "keyboard");
}

/* The first of the spellings that is there. */
static const json_t *member(const json_t *object, const char *name, const char *other,
                            const char *third)
{
    const json_t *value = json_object_get(object, name);

    if (value == NULL && other != NULL)
        value = json_object_get(object, other);
    if (value == NULL && third != NULL)
        value = json_object_get(object, third);
    return value;
}

/* A row that is no array is a row of one button. */
static size_t row_size(const json_t *row)
{
    return json_is_array(row) ? json_array_size(row) : 1;
}

static const json_t *row_button(const json_t *row, size_t index)
{
    return json_is_array(row) ? json_array_get(row, index) : row;
}

static bool flag(const json_t *value, bool missing)
{
    const char *text = json_string_value(value);

    if (text != NULL)
        return strcmp(text, "true") == 0;
    return value == NULL || json_is_null(value) ? missing : wf_value_truthy(value);
}

/* ---- texts ---- */

/* A templated text as a new string; `*out` is NULL for anything that is no text or
 * number. Keyboards are never escaped. */
static int render(const struct making *making, const char *prefix, const json_t *value,
                  json_t **out)
{
    struct bw_buf buf = BW_BUF_INIT;
    int rc = bw_buf_add_str(&buf, prefix);

    *out = NULL;
    if (!json_is_string(value) && !json_is_number(value))
        goto done;
    if (rc == BW_OK && json_is_string(value))
        rc = wf_template_render(making->scope, json_string_value(value), WF_ESCAPE_NONE,
                                &buf);
    else if (rc == BW_OK)
        rc = wf_value_text(value, &buf);
    if (rc == BW_OK)
        *out = wf_value_from_text((struct wf_text){ bw_buf_text(&buf), buf.len });
    if (*out == NULL)
        rc = BW_ENOMEM;
done:
    bw_buf_fini(&buf);
    return rc == BW_OK ? BW_OK : no_memory(making);
}

static int put(const struct making *making, json_t *object, const char *key,
               json_t *value)
{
    return json_object_set_new(object, key, value) == 0 ? BW_OK : no_memory(making);
}

/* Sets `key` to the rendered text; an empty one only if `empty_counts`. */
static int put_text(const struct making *making, json_t *object, const char *key,
                    const json_t *value, bool empty_counts)
{
    json_t *text;
    int rc = render(making, "", value, &text);

    if (rc != BW_OK || text == NULL)
        return rc;
    if (json_string_length(text) > 0 || empty_counts)
        return put(making, object, key, text);
    json_decref(text);
    return BW_OK;
}

/* `{url: …}`, also given as a mere string. */
static int put_url_object(const struct making *making, json_t *button, const char *key,
                          const json_t *value)
{
    const json_t *url = json_is_object(value) ? json_object_get(value, "url") : value;
    json_t *object = json_object();
    int rc =
        object != NULL ? put_text(making, object, "url", url, false) : no_memory(making);

    if (rc == BW_OK && json_object_size(object) > 0)
        return put(making, button, key, object);
    json_decref(object);
    return rc;
}

/* ---- inline buttons ---- */

/* The editor stores the node's id, or an object that names it. */
static const json_t *goto_target(const json_t *config)
{
    const json_t *target = json_object_get(config, "goto_node");

    if (json_is_object(target))
        target = member(target, "targetNodeId", "nodeId", NULL);
    return json_is_string(target) && json_string_length(target) > 0 ? target : NULL;
}

static const json_t *callback_data(const json_t *config)
{
    const json_t *data = json_object_get(config, "callback_data");

    return wf_value_truthy(data) ? data : json_object_get(config, "callbackData");
}

static int put_callback_data(const struct making *making, const json_t *config,
                             json_t *button)
{
    const json_t *target = goto_target(config);
    json_t *data;
    int rc = render(making, target != NULL ? "goto:" : "",
                    target != NULL ? target : callback_data(config), &data);

    if (rc != BW_OK || data == NULL)
        return rc;
    if (json_string_length(data) == 0) {
        json_decref(data);
        return BW_OK;
    }
    if (json_string_length(data) > CALLBACK_DATA_MAX) {
        rc = bw_error_set(making->err, BW_EINVAL,
                          "Button callback_data exceeds %d bytes: %.200s",
                          CALLBACK_DATA_MAX, json_string_value(data));
        json_decref(data);
        return rc;
    }
    return put(making, button, "callback_data", data);
}

static int fill_inline(const struct making *making, const json_t *config, json_t *button)
{
    int rc = put_text(making, button, "text", json_object_get(config, "text"), true);

    if (rc == BW_OK)
        rc = put_callback_data(making, config, button);
    if (rc == BW_OK)
        rc = put_text(making, button, "url", json_object_get(config, "url"), false);
    if (rc == BW_OK)
        rc =
            put_url_object(making, button, "web_app", json_object_get(config, "web_app"));
    if (rc == BW_OK)
        rc = put_url_object(making, button, "login_url",
                            json_object_get(config, "login_url"));
    if (rc == BW_OK)
        rc = put_text(making, button, "switch_inline_query",
                      json_object_get(config, "switch_inline_query"), true);
    if (rc == BW_OK)
        rc = put_text(making, button, "switch_inline_query_current_chat",
                      json_object_get(config, "switch_inline_query_current_chat"), true);
    if (rc == BW_OK && json_is_true(json_object_get(config, "pay")))
        rc = put(making, button, "pay", json_true());
    return rc;
}

/* ---- reply buttons ---- */

static int put_poll(const struct making *making, const json_t *value, json_t *button)
{
    json_t *poll;
    int rc;

    if (!wf_value_truthy(value))
        return BW_OK;
    poll = json_object();
    rc = poll != NULL
             ? put_text(making, poll, "type", json_object_get(value, "type"), false)
             : no_memory(making);
    if (rc == BW_OK)
        return put(making, button, "request_poll", poll);
    json_decref(poll);
    return rc;
}

static int fill_reply(const struct making *making, const json_t *config, json_t *button)
{
    int rc = put_text(making, button, "text", json_object_get(config, "text"), true);

    if (rc == BW_OK &&
        flag(member(config, "request_contact", "requestContact", NULL), false))
        rc = put(making, button, "request_contact", json_true());
    if (rc == BW_OK &&
        flag(member(config, "request_location", "requestLocation", NULL), false))
        rc = put(making, button, "request_location", json_true());
    if (rc == BW_OK)
        rc = put_poll(making, json_object_get(config, "request_poll"), button);
    if (rc == BW_OK)
        rc =
            put_url_object(making, button, "web_app", json_object_get(config, "web_app"));
    return rc;
}

/* ---- rows ---- */

static int make_button(const struct making *making, enum keyboard_kind kind,
                       const json_t *config, json_t *row)
{
    json_t *button;
    int rc;

    if (!json_is_object(config) && !json_is_string(config))
        return BW_OK;
    button = json_object();
    if (button == NULL)
        return no_memory(making);
    if (json_is_string(config)) /* a button that is only its text */
        rc = put_text(making, button, "text", config, true);
    else
        rc = kind == KEYBOARD_INLINE ? fill_inline(making, config, button)
                                     : fill_reply(making, config, button);
    if (rc != BW_OK) {
        json_decref(button);
        return rc;
    }
    return json_array_append_new(row, button) == 0 ? BW_OK : no_memory(making);
}

static int make_row(const struct making *making, enum keyboard_kind kind,
                    const json_t *config, json_t *rows)
{
    json_t *row = json_array();
    int rc = row != NULL ? BW_OK : no_memory(making);

    for (size_t i = 0; rc == BW_OK && i < row_size(config); i++)
        rc = make_button(making, kind, row_button(config, i), row);
    if (rc != BW_OK || json_array_size(row) == 0) {
        json_decref(row);
        return rc;
    }
    return json_array_append_new(rows, row) == 0 ? BW_OK : no_memory(making);
}

static int make_rows(const struct making *making, enum keyboard_kind kind,
                     const json_t *buttons, json_t **out)
{
    json_t *rows = json_array();
    int rc = rows != NULL ? BW_OK : no_memory(making);

    for (size_t i = 0; rc == BW_OK && i < json_array_size(buttons); i++)
        rc = make_row(making, kind, json_array_get(buttons, i), rows);
    if (rc != BW_OK) {
        json_decref(rows);
        rows = NULL;
    }
    *out = rows;
    return rc;
}

/* ---- markup ---- */

static int put_reply_options(const struct making *making, const json_t *keyboard,
                             json_t *markup)
{
    const json_t *resize = member(keyboard, "resize_keyboard", "resize", NULL);
    const json_t *once =
        member(keyboard, "one_time_keyboard", "oneTimeKeyboard", "oneTime");
    int rc = put(making, markup, "resize_keyboard", json_boolean(flag(resize, true)));

    if (rc == BW_OK)
        rc = put(making, markup, "one_time_keyboard", json_boolean(flag(once, false)));
    if (rc == BW_OK)
        rc = put_text(making, markup, "input_field_placeholder",
                      json_object_get(keyboard, "input_field_placeholder"), false);
    if (rc == BW_OK)
        rc = put(making, markup, "selective",
                 json_boolean(flag(json_object_get(keyboard, "selective"), false)));
    return rc;
}

static int make_markup(const struct making *making, enum keyboard_kind kind,
                       const json_t *keyboard, json_t **out)
{
    json_t *rows = NULL, *markup;
    int rc;

    *out = NULL;
    if (kind == KEYBOARD_REMOVE) {
        *out = json_pack("{s:b}", "remove_keyboard", 1);
        return *out != NULL ? BW_OK : no_memory(making);
    }
    if (!json_is_array(buttons_of(keyboard)))
        return BW_OK;
    rc = make_rows(making, kind, buttons_of(keyboard), &rows);
    if (rc != BW_OK)
        return rc;
    if (kind == KEYBOARD_REPLY &&
        json_array_size(rows) == 0) { /* Telegram refuses such */
        json_decref(rows);
        return BW_OK;
    }
    markup = json_object();
    if (markup == NULL) {
        json_decref(rows);
        return no_memory(making);
    }
    rc = put(making, markup, kind == KEYBOARD_INLINE ? "inline_keyboard" : "keyboard",
             rows);
    if (rc == BW_OK && kind == KEYBOARD_REPLY)
        rc = put_reply_options(making, keyboard, markup);
    if (rc == BW_OK)
        *out = markup;
    else
        json_decref(markup);
    return rc;
}

int wf_keyboard_markup(const struct wf_scope *scope, const json_t *keyboard,
                       json_t **markup, struct bw_error *err)
{
    struct making making = { scope, err };

    *markup = NULL;
    if (!json_is_object(keyboard))
        return BW_OK;
    return make_markup(&making, kind_of(keyboard, KEYBOARD_INLINE), keyboard, markup);
}

/* ---- nodes ---- */

/* The two keyboard nodes are their own keyboards. */
static bool is_keyboard_node(const struct wf_node *node)
{
    return is_type(node, "message.keyboard.inline") ||
           is_type(node, "message.keyboard.reply");
}

static enum keyboard_kind node_kind(const struct wf_node *node, const json_t *keyboard)
{
    if (is_keyboard_node(node))
        return is_type(node, "message.keyboard.reply") ? KEYBOARD_REPLY : KEYBOARD_INLINE;
    return kind_of(keyboard, KEYBOARD_INLINE);
}

const json_t *wf_keyboard_of(const struct wf_node *node)
{
    const json_t *config = json_object_get(node->data, "config");
    const json_t *keyboard;

    if (is_keyboard_node(node))
        return node->config;
    keyboard = json_object_get(json_object_get(config, "message"), "keyboard");
    if (!json_is_object(keyboard))
        keyboard = json_object_get(node->config, "keyboard");
    if (!json_is_object(keyboard))
        keyboard = json_object_get(config, "keyboard");
    return json_is_object(keyboard) ? keyboard : NULL;
}

int wf_keyboard_node_markup(const struct wf_scope *scope, const struct wf_node *node,
                            json_t **markup, struct bw_error *err)
{
    const json_t *keyboard = wf_keyboard_of(node);
    struct making making = { scope, err };

    *markup = NULL;
    if (keyboard == NULL)
        return BW_OK;
    return make_markup(&making, node_kind(node, keyboard), keyboard, markup);
}

/* ---- the wait rule ---- */

static enum wf_wait_type button_wait(const json_t *button, enum keyboard_kind kind)
{
    if (flag(member(button, "request_contact", "requestContact", NULL), false))
        return WF_WAIT_CONTACT;
    if (flag(member(button, "request_location", "requestLocation", NULL), false))
        return WF_WAIT_LOCATION;
    if (wf_value_truthy(json_object_get(button, "request_poll")))
        return WF_WAIT_POLL;
    if (kind == KEYBOARD_INLINE && wf_value_truthy(callback_data(button)))
        return WF_WAIT_CALLBACK;
    return goto_target(button) != NULL ? WF_WAIT_CALLBACK : WF_WAIT_NOTHING;
}

static enum wf_wait_type buttons_wait(const json_t *buttons, enum keyboard_kind kind)
{
    for (size_t i = 0; i < json_array_size(buttons); i++) {
        const json_t *row = json_array_get(buttons, i);

        for (size_t j = 0; j < row_size(row); j++) {
            enum wf_wait_type wait = button_wait(row_button(row, j), kind);

            if (wait != WF_WAIT_NOTHING)
                return wait;
        }
    }
    return kind == KEYBOARD_REPLY ? WF_WAIT_INPUT : WF_WAIT_NOTHING;
}

static bool waits_for_input(const struct wf_node *node)
{
    const json_t *config = json_object_get(node->data, "config");

    return json_is_true(json_object_get(node->config, "waitForInput")) ||
           json_is_true(json_object_get(config, "waitForInput"));
}

enum wf_wait_type wf_keyboard_wait(const struct wf_node *node)
{
    const json_t *keyboard = wf_keyboard_of(node);
    enum keyboard_kind kind = node_kind(node, keyboard);

    if (!is_keyboard_node(node) && !is_type(node, "message"))
        return WF_WAIT_NOTHING;
    if (is_type(node, "message") && waits_for_input(node))
        return WF_WAIT_INPUT;
    if (is_type(node, "message.keyboard.inline"))
        return WF_WAIT_CALLBACK;
    if (keyboard == NULL || kind == KEYBOARD_REMOVE ||
        !json_is_array(buttons_of(keyboard)))
        return WF_WAIT_NOTHING;
    return buttons_wait(buttons_of(keyboard), kind);
}
