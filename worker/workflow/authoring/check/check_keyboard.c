/* worker/workflow/spec/workflow.md §5.2.3. */
#include "workflow/authoring/check/check_keyboard.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/check/check_template.h"
#include "workflow/authoring/check/check_value.h"
#include "workflow/authoring/check/check_template.h"
#include "workflow/authoring/check/check_value.h"
#include "workflow/base/mem.h"
#include "workflow/language/keyboard.h"

#define CALLBACK_DATA_MAX 64 /* bytes, Telegram's limit */

struct board {
    const struct wf_site *site;
    const char *prefix; /* of the fields: "keyboard." or "" */
    bool inline_kind;
};

static bool is_type(const struct wf_node *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

static bool is_keyboard_node(const struct wf_node *node)
{
    return is_type(node, "message.keyboard.inline") ||
           is_type(node, "message.keyboard.reply");
}

/* --- buttons */

/* Bytes that are there whatever the placeholders stand for. */
static size_t literal_bytes(const char *text)
{
    size_t bytes = 0;

    while (*text != '\0') {
        const char *end = *text == '{' ? strchr(text, '}') : NULL;

        if (end == NULL) {
            bytes++;
            text++;
            continue;
        }
        text = end + 1;
        if (*text == '}')
            text++;
    }
    return bytes;
}

static void check_callback_data(const struct wf_site *site, const char *field,
                                const char *data)
{
    static const char jump[] = "goto:";
    size_t bytes = literal_bytes(data);

    if (bytes > CALLBACK_DATA_MAX)
        wf_site_problem(site, field, "%zu bytes, but callback_data may have %d", bytes,
                        CALLBACK_DATA_MAX);
    if (strncmp(data, jump, strlen(jump)) == 0)
        wf_check_node_id(site, field, data + strlen(jump));
}

/* The editor stores the node's id, or an object that names it. */
static void check_goto(const struct wf_site *site, const char *field, const json_t *value)
{
    const char *id = json_string_value(value);

    if (json_is_object(value))
        id = wf_member2(value, "targetNodeId", "nodeId");
    if (id == NULL) {
        wf_site_problem(site, field, "a node's id expected");
        return;
    }
    if (strlen(id) + strlen("goto:") > CALLBACK_DATA_MAX)
        wf_site_problem(site, field, "%zu bytes, but callback_data may have %d",
                        strlen(id) + strlen("goto:"), CALLBACK_DATA_MAX);
    wf_check_node_id(site, field, id);
}

static bool does_something(const json_t *button)
{
    static const char *const actions[] = {
        "callback_data", "callbackData",
        "url",           "web_app",
        "login_url",     "switch_inline_query",
        "goto_node",     "switch_inline_query_current_chat",
        "pay",
    };

    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (json_object_get(button, actions[i]) != NULL)
            return true;
    }
    return false;
}

static void check_member(const struct board *board, const char *place, const char *key,
                         const json_t *value)
{
    char *field = wf_printf("%s.%s", place, key);

    if (strcmp(key, "goto_node") == 0)
        check_goto(board->site, field, value);
    else if (json_is_string(value) && board->inline_kind &&
             (strcmp(key, "callback_data") == 0 || strcmp(key, "callbackData") == 0))
        check_callback_data(board->site, field, json_string_value(value));
    wf_check_templates(board->site, field, value);
    free(field);
}

static void check_button(const struct board *board, const char *place,
                         const json_t *button)
{
    const char *key;
    json_t *value;

    if (json_is_string(button)) { /* only its text */
        wf_check_template(board->site, place, json_string_value(button));
        if (board->inline_kind)
            wf_site_problem(board->site, place,
                            "invalid keyboard: the button does "
                            "nothing");
        return;
    }
    if (!json_is_object(button)) {
        wf_site_problem(board->site, place, "invalid keyboard: a button expected");
        return;
    }
    if (*wf_member(button, "text", "") == '\0')
        wf_site_problem(board->site, place, "invalid keyboard: the button has no text");
    if (board->inline_kind && !does_something(button))
        wf_site_problem(board->site, place, "invalid keyboard: the button does nothing");
    json_object_foreach((json_t *)button, key, value)
    {
        check_member(board, place, key, value);
    }
}

static void check_rows(const struct board *board, const char *name, const json_t *rows)
{
    size_t i, j;
    json_t *row, *button;

    json_array_foreach(rows, i, row)
    {
        char *place;

        if (!json_is_array(row)) { /* a row of one button */
            place = wf_printf("%s%s[%zu]", board->prefix, name, i);
            check_button(board, place, row);
            free(place);
            continue;
        }
        json_array_foreach(row, j, button)
        {
            place = wf_printf("%s%s[%zu][%zu]", board->prefix, name, i, j);
            check_button(board, place, button);
            free(place);
        }
    }
}

/* --- the keyboard */

static void check_buttons(const struct board *board, const json_t *keyboard)
{
    const char *name =
        json_is_array(json_object_get(keyboard, "buttons")) ? "buttons" : "keyboard";
    const json_t *rows = json_object_get(keyboard, name);
    char *field = wf_printf("%sbuttons", board->prefix);

    if (!json_is_array(rows))
        wf_site_problem(board->site, field, "invalid keyboard: rows of buttons expected");
    else if (json_array_size(rows) == 0)
        wf_site_problem(board->site, field, "invalid keyboard: there are no buttons");
    else
        check_rows(board, name, rows);
    free(field);
}

/* `{type: "inline"|"reply"|"remove", …}` of a node that is more than its keyboard. */
static void check_typed(const struct wf_site *site, const json_t *keyboard)
{
    const char *type = wf_member(keyboard, "type", "inline");
    struct board board = { site, "keyboard.", strcmp(type, "reply") != 0 };

    if (json_is_true(json_object_get(keyboard, "inline")))
        board.inline_kind = true;
    else if (strcmp(type, "remove") == 0)
        return;
    else if (strcmp(type, "inline") != 0 && strcmp(type, "reply") != 0)
        wf_site_problem(site, "keyboard.type",
                        "invalid keyboard: \"%.60s\" is none of inline|reply|remove",
                        type);
    check_buttons(&board, keyboard);
}

void wf_check_keyboard(const struct wf_site *site)
{
    const struct wf_node *node = site->node;
    const json_t *member = json_object_get(node->config, "keyboard");
    const json_t *keyboard;

    if (strncmp(node->type, "message", strlen("message")) != 0)
        return;
    if (is_keyboard_node(node)) {
        struct board board = { site, "", is_type(node, "message.keyboard.inline") };

        if (node->has_config)
            check_buttons(&board, node->config);
        return;
    }
    keyboard = wf_keyboard_of(node);
    if (keyboard != NULL)
        check_typed(site, keyboard);
    else if (member != NULL && !json_is_null(member))
        wf_site_problem(site, "keyboard", "invalid keyboard: an object expected");
}
