#include "workflow/language/template.h"

#include <string.h>

#include "workflow/language/expression/expression.h"
#include "workflow/language/filter.h"
#include "workflow/language/path.h"
#include "workflow/language/value.h"

struct render {
    const struct wf_scope *scope;
    enum wf_escape escape;
    struct bw_buf *out;
    int depth;  /* 1: inside an administrator's text, which is expanded once */
    bool alone; /* the text is one placeholder */
};

/* What a placeholder stands for. */
struct placed {
    json_t *value; /* owned; NULL: absent */
    bool trusted, raw;
};

static int render_text(const struct render *render, struct wf_text text);

/* ---- placeholders ---- */

/* The content of `{{…}}` at the start of `text`: no braces, no newline, a bounded length.
 */
static bool double_braces(struct wf_text text, struct wf_text *content)
{
    size_t end = 2;

    if (text.len < 4 || text.data[0] != '{' || text.data[1] != '{')
        return false;
    while (end < text.len && end < 2 + WF_PATH_BYTES && text.data[end] != '{' &&
           text.data[end] != '}' && text.data[end] != '\n')
        end++;
    if (end + 1 >= text.len || text.data[end] != '}' || text.data[end + 1] != '}')
        return false;
    *content = (struct wf_text){ text.data + 2, end - 2 };
    return content->len <= WF_PATH_CHARS || wf_text_units(*content) <= WF_PATH_CHARS;
}

/* The name of `{name}` at the start of `text`, NUL-terminated in `name`; its length, 0 if
 * none. */
static size_t single_braces(struct wf_text text, char name[WF_PATH_CHARS + 1])
{
    size_t len = 0;

    while (len + 1 < text.len && len <= WF_PATH_CHARS) {
        char c = text.data[len + 1];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && (len == 0 || !((c >= '0' && c <= '9') || c == '.')))
            break;
        len++;
    }
    if (len == 0 || len > WF_PATH_CHARS || len + 1 >= text.len ||
        text.data[len + 1] != '}')
        return 0;
    memcpy(name, text.data + 1, len);
    name[len] = '\0';
    return len;
}

const char *wf_template_filter(struct wf_text content)
{
    for (size_t at = 0; at < content.len; at++) {
        if (content.data[at] != '|')
            continue;
        if (at + 1 == content.len || content.data[at + 1] != '|')
            return content.data + at;
        at++;
    }
    return NULL;
}

bool wf_template_is_expression(struct wf_text text)
{
    for (size_t at = 0; at < text.len; at++) {
        char c = text.data[at];

        if (c != '\0' && strchr("+*/%()<>=!?&|,\"'", c) != NULL)
            return true;
        if (c == '-' && at > 0 && text.data[at - 1] == ' ')
            return true;
    }
    return false;
}

/* What is no path may be an expression (worker/workflow/spec/workflow.md §7.3):
 * `user.balance + 100`. One that cannot be read or computed is absent, as a name that is
 * not there. */
static int compute(const struct wf_scope *scope, struct wf_text text, json_t **value)
{
    char copy[WF_PATH_BYTES + 1];
    int rc;

    if (text.len >= sizeof copy || !wf_template_is_expression(text) ||
        memchr(text.data, '\0', text.len) != NULL)
        return BW_OK;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    rc = wf_expression(scope, copy, value, NULL);
    return rc == BW_ENOMEM ? rc : BW_OK;
}

static int place(const struct wf_scope *scope, struct wf_text content, bool alone,
                 struct placed *placed)
{
    const char *bar = wf_template_filter(content);
    size_t path_len = bar != NULL ? (size_t)(bar - content.data) : content.len;
    struct wf_found found;
    int rc;

    *placed = (struct placed){ .value = NULL };
    wf_path_find(scope, (struct wf_text){ content.data, path_len }, &found);
    placed->trusted = found.trusted;
    rc = wf_found_value(&found, &placed->value);
    if (rc == BW_OK && placed->value == NULL) {
        rc = compute(scope, (struct wf_text){ content.data, path_len }, &placed->value);
        placed->trusted = false;
    }
    if (rc == BW_OK && bar != NULL)
        rc = wf_filter_apply((struct wf_text){ bar + 1, content.len - path_len - 1 },
                             &placed->value, &placed->raw);
    if (rc == BW_OK && placed->value == NULL && scope->missing != NULL)
        scope->missing(scope->arg, (struct wf_text){ content.data, path_len }, alone);
    return rc;
}

/* ---- escaping ---- */

static const char *escaped_html(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

static int add_html(struct wf_text text, struct bw_buf *out)
{
    size_t from = 0;
    int rc = BW_OK;

    for (size_t at = 0; rc == BW_OK && at < text.len; at++) {
        const char *entity = escaped_html(text.data[at]);

        if (entity == NULL)
            continue;
        rc = bw_buf_add(out, text.data + from, at - from);
        if (rc == BW_OK)
            rc = bw_buf_add_str(out, entity);
        from = at + 1;
    }
    return rc == BW_OK ? bw_buf_add(out, text.data + from, text.len - from) : rc;
}

static int add_backslashed(struct wf_text text, const char *special, struct bw_buf *out)
{
    int rc = bw_buf_reserve(out, text.len);

    for (size_t at = 0; rc == BW_OK && at < text.len; at++) {
        char c = text.data[at];

        if (c != '\0' && strchr(special, c) != NULL)
            rc = bw_buf_add_char(out, '\\');
        if (rc == BW_OK)
            rc = bw_buf_add_char(out, c);
    }
    return rc;
}

static int add_json(struct wf_text text, struct bw_buf *out)
{
    int rc = bw_buf_reserve(out, text.len);

    for (size_t at = 0; rc == BW_OK && at < text.len; at++) {
        unsigned char c = (unsigned char)text.data[at];

        if (c < 0x20)
            rc = bw_buf_addf(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            rc = bw_buf_addf(out, "\\%c", c);
        else
            rc = bw_buf_add_char(out, (char)c);
    }
    return rc;
}

int wf_escape_text(struct wf_text text, enum wf_escape escape, struct bw_buf *out)
{
    switch (escape) {
    case WF_ESCAPE_HTML:
        return add_html(text, out);
    case WF_ESCAPE_MARKDOWN:
        return add_backslashed(text, "_*`[", out);
    case WF_ESCAPE_MARKDOWN_V2:
        return add_backslashed(text, "_*[]()~`>#+-=|{}.!\\", out);
    case WF_ESCAPE_JSON:
        return add_json(text, out);
    case WF_ESCAPE_NONE:
        break;
    }
    return bw_buf_add(out, text.data, text.len);
}

/* ---- rendering ---- */

static int emit(const struct render *render, const json_t *value, bool trusted, bool raw)
{
    struct bw_buf text = BW_BUF_INIT;
    bool free_text = render->escape != WF_ESCAPE_JSON; /* JSON must stay JSON */
    int rc;

    if (trusted && free_text && render->depth == 0 && json_is_string(value)) {
        struct render inner = *render;

        inner.depth = 1;
        return render_text(&inner, wf_value_string(value));
    }
    if (((trusted || raw) && free_text) || render->escape == WF_ESCAPE_NONE)
        return wf_value_text(value, render->out);
    if (json_is_string(value))
        return wf_escape_text(wf_value_string(value), render->escape, render->out);
    rc = wf_value_text(value, &text);
    if (rc == BW_OK)
        rc = wf_escape_text((struct wf_text){ bw_buf_text(&text), text.len },
                            render->escape, render->out);
    bw_buf_fini(&text);
    return rc;
}

/* Handles the brace at the start of `text`; `*used` bytes are done. */
static int render_brace(const struct render *render, struct wf_text text, size_t *used)
{
    char name[WF_PATH_CHARS + 1];
    struct wf_text content;
    struct placed placed;
    const json_t *value;
    bool trusted = false;
    size_t len;
    int rc;

    if (double_braces(text, &content)) {
        *used = content.len + 4;
        rc = place(render->scope, content, render->alone, &placed);
        if (rc == BW_OK)
            rc = emit(render, placed.value, placed.trusted, placed.raw);
        json_decref(placed.value);
        return rc;
    }
    len = single_braces(text, name);
    if (len > 0 && render->scope->flat != NULL) {
        value = render->scope->flat(render->scope->arg, name, &trusted);
        if (value != NULL) {
            *used = len + 2;
            return emit(render, value, trusted, false);
        }
        if (render->scope->missing != NULL && strncmp(name, "user.", 5) == 0)
            render->scope->missing(render->scope->arg, (struct wf_text){ name, len },
                                   false);
    }
    *used = 1;
    return bw_buf_add_char(render->out, '{');
}

static int render_text(const struct render *render, struct wf_text text)
{
    int rc = BW_OK;

    while (rc == BW_OK && text.len > 0) {
        const char *brace = memchr(text.data, '{', text.len);
        size_t used = brace != NULL ? (size_t)(brace - text.data) : text.len;

        rc = bw_buf_add(render->out, text.data, used);
        text = (struct wf_text){ text.data + used, text.len - used };
        if (rc != BW_OK || brace == NULL)
            break;
        rc = render_brace(render, text, &used);
        text = (struct wf_text){ text.data + used, text.len - used };
    }
    return rc;
}

static bool is_alone(struct wf_text text)
{
    struct wf_text trimmed = wf_text_trim(text), content;

    return double_braces(trimmed, &content) && content.len + 4 == trimmed.len;
}

int wf_template_render(const struct wf_scope *scope, const char *text,
                       enum wf_escape escape, struct bw_buf *out)
{
    struct render render = { scope, escape, out, 0, is_alone(wf_text_of(text)) };

    return render_text(&render, wf_text_of(text));
}

/* ---- typed values ---- */

static int render_string(const struct wf_scope *scope, struct wf_text text, int depth,
                         json_t **out)
{
    struct bw_buf buf = BW_BUF_INIT;
    struct render render = { scope, WF_ESCAPE_NONE, &buf, depth, false };
    int rc = render_text(&render, text);

    *out = rc == BW_OK
               ? wf_value_from_text((struct wf_text){ bw_buf_text(&buf), buf.len })
               : NULL;
    bw_buf_fini(&buf);
    return *out != NULL ? BW_OK : BW_ENOMEM;
}

/* Arrays and objects are copied, so that whoever gets them may change them. */
static int own_value(const struct wf_scope *scope, struct placed *placed, json_t **out)
{
    if (placed->trusted && json_is_string(placed->value))
        return render_string(scope, wf_value_string(placed->value), 1, out);
    if (json_is_object(placed->value) || json_is_array(placed->value)) {
        *out = json_deep_copy(placed->value);
        return *out != NULL ? BW_OK : BW_ENOMEM;
    }
    *out = json_incref(placed->value);
    return BW_OK;
}

static int string_value(const struct wf_scope *scope, const json_t *config, json_t **out)
{
    struct wf_text text = wf_value_string(config);
    struct wf_text trimmed, content;
    struct placed placed;
    int rc;

    if (text.len == 0 || memchr(text.data, '{', text.len) == NULL) {
        *out = json_incref((json_t *)config);
        return BW_OK;
    }
    trimmed = wf_text_trim(text);
    if (!double_braces(trimmed, &content) || content.len + 4 != trimmed.len)
        return render_string(scope, text, 0, out);
    rc = place(scope, content, true, &placed);
    if (rc == BW_OK)
        rc = own_value(scope, &placed, out);
    json_decref(placed.value);
    return rc;
}

static int any_value(const struct wf_scope *scope, const json_t *config, int depth,
                     json_t **out);

static int array_value(const struct wf_scope *scope, const json_t *config, int depth,
                       json_t **out)
{
    json_t *array = json_array();
    int rc = array != NULL ? BW_OK : BW_ENOMEM;

    for (size_t i = 0; rc == BW_OK && i < json_array_size(config); i++) {
        json_t *item = NULL;

        rc = any_value(scope, json_array_get(config, i), depth + 1, &item);
        if (rc == BW_OK &&
            json_array_append_new(array, item != NULL ? item : json_null()) != 0)
            rc = BW_ENOMEM;
    }
    if (rc != BW_OK) {
        json_decref(array);
        array = NULL;
    }
    *out = array;
    return rc;
}

static int object_value(const struct wf_scope *scope, const json_t *config, int depth,
                        json_t **out)
{
    json_t *object = json_object();
    const char *key;
    json_t *member;
    int rc = object != NULL ? BW_OK : BW_ENOMEM;

    json_object_foreach((json_t *)config, key, member)
    {
        json_t *made = NULL;

        if (rc == BW_OK)
            rc = any_value(scope, member, depth + 1, &made);
        if (rc == BW_OK && made != NULL &&
            json_object_set_new_nocheck(object, key, made) != 0)
            rc = BW_ENOMEM;
    }
    if (rc != BW_OK) {
        json_decref(object);
        object = NULL;
    }
    *out = object;
    return rc;
}

static int any_value(const struct wf_scope *scope, const json_t *config, int depth,
                     json_t **out)
{
    *out = NULL;
    if (json_is_string(config))
        return string_value(scope, config, out);
    if (json_is_array(config) && depth < WF_DEPTH_MAX)
        return array_value(scope, config, depth, out);
    if (json_is_object(config) && depth < WF_DEPTH_MAX)
        return object_value(scope, config, depth, out);
    *out = config != NULL ? json_incref((json_t *)config) : NULL;
    return BW_OK;
}

int wf_template_value(const struct wf_scope *scope, const json_t *config, json_t **out)
{
    return any_value(scope, config, 0, out);
}

int wf_operand_value(const struct wf_scope *scope, const char *text, json_t **out)
{
    struct wf_text trimmed = wf_text_trim(wf_text_of(text));
    struct wf_scope quiet = *scope;
    char name[WF_PATH_CHARS + 1];
    struct wf_text content;
    struct placed placed;
    size_t len;
    int rc;

    *out = NULL;
    quiet.missing = NULL; /* operands may well be absent */
    if (double_braces(trimmed, &content) && content.len + 4 == trimmed.len) {
        rc = place(&quiet, content, true, &placed);
        if (rc == BW_OK)
            *out = placed.value;
        else
            json_decref(placed.value);
        return rc;
    }
    len = trimmed.len > 0 && trimmed.data[0] == '{' ? single_braces(trimmed, name) : 0;
    if (len > 0 && len + 2 == trimmed.len)
        return wf_path_value(scope, name, len, out);
    if (memchr(trimmed.data, '{', trimmed.len) != NULL)
        return render_string(scope, trimmed, 0, out);
    return wf_path_value(scope, trimmed.data, trimmed.len, out);
}
