/* Values and their coercions, as ECMAScript has them but for num() of
 * worker/workflow/spec/workflow.md §7.2. */
#include "workflow/language/expression/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/language/number.h"
#include "workflow/language/value.h"

struct wf_expr_value wf_expr_undefined(void)
{
    return (struct wf_expr_value){ .kind = WF_EXPR_UNDEFINED };
}

struct wf_expr_value wf_expr_boolean(bool boolean)
{
    return (struct wf_expr_value){ .kind = WF_EXPR_BOOLEAN, .boolean = boolean };
}

struct wf_expr_value wf_expr_number(double number)
{
    return (struct wf_expr_value){ .kind = WF_EXPR_NUMBER, .number = number };
}

struct wf_expr_value wf_expr_text(struct wf_text text)
{
    return (struct wf_expr_value){ .kind = WF_EXPR_STRING, .text = text };
}

struct wf_expr_value wf_expr_from_json(const json_t *json)
{
    if (json == NULL)
        return wf_expr_undefined();
    switch (json_typeof(json)) {
    case JSON_STRING:
        return wf_expr_text(wf_value_string(json));
    case JSON_INTEGER:
    case JSON_REAL:
        return wf_expr_number(json_number_value(json));
    case JSON_TRUE:
        return wf_expr_boolean(true);
    case JSON_FALSE:
        return wf_expr_boolean(false);
    case JSON_OBJECT:
    case JSON_ARRAY:
        return (struct wf_expr_value){ .kind = WF_EXPR_JSON, .json = json };
    case JSON_NULL:
        break;
    }
    return (struct wf_expr_value){ .kind = WF_EXPR_NULL };
}

/* ---- back to JSON ---- */

static json_t *number_to_json(double number)
{
    if (!isfinite(number))
        return json_null();
    if (fabs(number) <= 9007199254740992.0 && number == floor(number))
        return json_integer((json_int_t)number);
    return json_real(number);
}

static int list_to_json(struct wf_expr *expr, const struct wf_expr_list *list,
                        json_t **out)
{
    json_t *array = json_array();
    int rc = array != NULL ? BW_OK : BW_ENOMEM;

    for (size_t i = 0; rc == BW_OK && i < list->count; i++) {
        json_t *item = NULL;

        rc = wf_expr_to_json(expr, &list->items[i], &item);
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

int wf_expr_to_json(struct wf_expr *expr, const struct wf_expr_value *value, json_t **out)
{
    *out = NULL;
    switch (value->kind) {
    case WF_EXPR_UNDEFINED:
        return BW_OK;
    case WF_EXPR_NULL:
        *out = json_null();
        break;
    case WF_EXPR_BOOLEAN:
        *out = json_boolean(value->boolean);
        break;
    case WF_EXPR_NUMBER:
        *out = number_to_json(value->number);
        break;
    case WF_EXPR_STRING:
        *out = wf_value_from_text(value->text);
        break;
    case WF_EXPR_JSON:
        *out = json_deep_copy(value->json);
        break;
    case WF_EXPR_LIST: /* nested no deeper than the expression is */
        return list_to_json(expr, value->list, out);
    }
    return *out != NULL ? BW_OK : BW_ENOMEM;
}

/* ---- arrays ---- */

bool wf_expr_is_array(const struct wf_expr_value *value)
{
    return value->kind == WF_EXPR_LIST ||
           (value->kind == WF_EXPR_JSON && json_is_array(value->json));
}

size_t wf_expr_array_size(const struct wf_expr_value *array)
{
    return array->kind == WF_EXPR_LIST ? array->list->count
                                       : json_array_size(array->json);
}

struct wf_expr_value wf_expr_array_get(const struct wf_expr_value *array, size_t index)
{
    if (array->kind == WF_EXPR_JSON)
        return wf_expr_from_json(json_array_get(array->json, index));
    return index < array->list->count ? array->list->items[index] : wf_expr_undefined();
}

int wf_expr_join(struct wf_expr *expr, const struct wf_expr_value *array,
                 struct wf_text separator, struct wf_text *out)
{
    size_t count = wf_expr_array_size(array);
    struct bw_buf buf = BW_BUF_INIT;
    int rc = wf_expr_charge(expr, count);

    if (rc == BW_OK && ++expr->depth > WF_EXPR_DEPTH_MAX)
        rc = wf_expr_fail(expr, "Array is nested too deeply");
    for (size_t i = 0; rc == BW_OK && i < count; i++) {
        struct wf_expr_value item = wf_expr_array_get(array, i);
        struct wf_text text = { "", 0 };

        if (!wf_expr_is_nullish(&item))
            rc = wf_expr_to_string(expr, &item, &text);
        if (rc == BW_OK && i > 0)
            rc = bw_buf_add(&buf, separator.data, separator.len);
        if (rc == BW_OK)
            rc = bw_buf_add(&buf, text.data, text.len);
        if (rc == BW_OK && buf.len > WF_EXPR_TEXT_MAX)
            rc = wf_expr_fail(expr, "Text is too long");
    }
    expr->depth--;
    return wf_expr_take(expr, &buf, rc, out);
}

/* ---- coercions ---- */

bool wf_expr_is_nullish(const struct wf_expr_value *value)
{
    return value->kind == WF_EXPR_UNDEFINED || value->kind == WF_EXPR_NULL;
}

bool wf_expr_truthy(const struct wf_expr_value *value)
{
    switch (value->kind) {
    case WF_EXPR_UNDEFINED:
    case WF_EXPR_NULL:
        return false;
    case WF_EXPR_BOOLEAN:
        return value->boolean;
    case WF_EXPR_NUMBER:
        return value->number < 0 || value->number > 0; /* NaN is neither */
    case WF_EXPR_STRING:
        return value->text.len > 0;
    case WF_EXPR_JSON:
    case WF_EXPR_LIST:
        break;
    }
    return true;
}

double wf_expr_to_number(const struct wf_expr_value *value)
{
    struct wf_expr_value item = *value;

    for (int depth = 0; item.kind == WF_EXPR_LIST; depth++) {
        if (item.list->count != 1 || depth > WF_EXPR_DEPTH_MAX)
            return NAN;
        item = item.list->items[0];
    }
    switch (item.kind) {
    case WF_EXPR_NUMBER:
        return item.number;
    case WF_EXPR_BOOLEAN:
        return item.boolean ? 1 : 0;
    case WF_EXPR_NULL:
        return 0;
    case WF_EXPR_STRING:
        return wf_number_parse(item.text);
    case WF_EXPR_JSON:
        return wf_value_number(item.json);
    case WF_EXPR_UNDEFINED:
    case WF_EXPR_LIST:
        break;
    }
    return NAN;
}

static int number_to_string(struct wf_expr *expr, double number, struct wf_text *out)
{
    char text[WF_NUMBER_MAX];
    size_t len = wf_number_write(number, text);
    char *copy;
    int rc = wf_expr_alloc(expr, len, &copy);

    if (rc != BW_OK)
        return rc;
    memcpy(copy, text, len);
    *out = (struct wf_text){ copy, len };
    return BW_OK;
}

int wf_expr_to_string(struct wf_expr *expr, const struct wf_expr_value *value,
                      struct wf_text *out)
{
    const char *fixed = "[object Object]";

    if (value->kind == WF_EXPR_STRING) {
        *out = value->text;
        return BW_OK;
    }
    if (value->kind == WF_EXPR_NUMBER)
        return number_to_string(expr, value->number, out);
    if (wf_expr_is_array(value))
        return wf_expr_join(expr, value, wf_text_of(","), out);
    if (value->kind == WF_EXPR_UNDEFINED)
        fixed = "undefined";
    else if (value->kind == WF_EXPR_NULL)
        fixed = "null";
    else if (value->kind == WF_EXPR_BOOLEAN)
        fixed = value->boolean ? "true" : "false";
    *out = wf_text_of(fixed);
    return BW_OK;
}

/* ---- equality ---- */

static bool is_object(const struct wf_expr_value *value)
{
    return value->kind == WF_EXPR_JSON || value->kind == WF_EXPR_LIST;
}

bool wf_expr_strict_equal(const struct wf_expr_value *a, const struct wf_expr_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case WF_EXPR_UNDEFINED:
    case WF_EXPR_NULL:
        return true;
    case WF_EXPR_BOOLEAN:
        return a->boolean == b->boolean;
    case WF_EXPR_NUMBER:
        return a->number == b->number;
    case WF_EXPR_STRING:
        return wf_text_equal(a->text, b->text);
    case WF_EXPR_JSON:
        return a->json == b->json;
    case WF_EXPR_LIST:
        break;
    }
    return a->list == b->list;
}

int wf_expr_loose_equal(struct wf_expr *expr, const struct wf_expr_value *a,
                        const struct wf_expr_value *b, bool *equal)
{
    struct wf_expr_value text = wf_expr_undefined();
    const struct wf_expr_value *object = is_object(a) ? a : b;
    const struct wf_expr_value *other = is_object(a) ? b : a;
    int rc;

    *equal = false;
    if (wf_expr_is_nullish(a) || wf_expr_is_nullish(b)) {
        *equal = wf_expr_is_nullish(a) && wf_expr_is_nullish(b);
    } else if (is_object(a) == is_object(b)) {
        if (is_object(a) || a->kind == b->kind)
            *equal = wf_expr_strict_equal(a, b);
        else
            *equal = wf_expr_to_number(a) == wf_expr_to_number(b);
    } else { /* an object against a primitive is compared by its text */
        text.kind = WF_EXPR_STRING;
        rc = wf_expr_to_string(expr, object, &text.text);
        return rc == BW_OK ? wf_expr_loose_equal(expr, &text, other, equal) : rc;
    }
    return BW_OK;
}

/* ---- making texts ---- */

static bool is_half(struct wf_text text, size_t at, unsigned char second)
{
    return at + 3 <= text.len && (unsigned char)text.data[at] == 0xed &&
           ((unsigned char)text.data[at + 1] & 0xf0) == second;
}

/* Joins a high surrogate directly followed by a low one, in place; returns the new
 * length. */
static size_t join_halves(char *data, size_t len)
{
    struct wf_text text = { data, len };
    size_t to = 0;

    for (size_t at = 0; at < len;) {
        if (is_half(text, at, 0xa0) && is_half(text, at + 3, 0xb0)) {
            uint32_t high = wf_text_next(text, &at) - 0xd800;
            uint32_t low = wf_text_next(text, &at) - 0xdc00;
            char bytes[4];
            size_t used = wf_text_encode(0x10000 + (high << 10 | low), bytes);

            memcpy(data + to, bytes, used);
            to += used;
        } else {
            data[to++] = data[at++];
        }
    }
    return to;
}

int wf_expr_take(struct wf_expr *expr, struct bw_buf *buf, int rc, struct wf_text *out)
{
    char *copy = NULL;

    *out = (struct wf_text){ "", 0 };
    if (rc == BW_OK && buf->len > WF_EXPR_TEXT_MAX)
        rc = wf_expr_fail(expr, "Text is too long");
    if (rc == BW_OK)
        rc = wf_expr_alloc(expr, buf->len, &copy);
    if (rc == BW_OK && buf->len > 0) {
        memcpy(copy, buf->data, buf->len);
        *out = (struct wf_text){ copy, join_halves(copy, buf->len) };
    }
    bw_buf_fini(buf);
    return rc;
}

int wf_expr_concat(struct wf_expr *expr, struct wf_text a, struct wf_text b,
                   struct wf_text *out)
{
    struct bw_buf buf = BW_BUF_INIT;
    int rc = bw_buf_add(&buf, a.data, a.len);

    if (rc == BW_OK)
        rc = bw_buf_add(&buf, b.data, b.len);
    return wf_expr_take(expr, &buf, rc, out);
}
