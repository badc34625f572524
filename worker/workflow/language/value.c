#include "workflow/language/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "workflow/language/number.h"

struct wf_text wf_value_string(const json_t *string)
{
    return (struct wf_text){ json_string_value(string), json_string_length(string) };
}

static int add_clean(struct wf_text text, struct bw_buf *out)
{
    int rc = bw_buf_reserve(out, text.len);

    for (size_t at = 0; rc == BW_OK && at < text.len;) {
        uint32_t code = wf_text_next(text, &at);
        char bytes[4];

        if (code == 0 || (code >= 0xd800 && code <= 0xdfff))
            code = 0xfffd;
        rc = bw_buf_add(out, bytes, wf_text_encode(code, bytes));
    }
    return rc;
}

json_t *wf_value_from_text(struct wf_text text)
{
    struct bw_buf clean = BW_BUF_INIT;
    bool odd = text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
    json_t *json = odd ? NULL : json_stringn(text.data, text.len);

    if (json != NULL) /* the usual case: jansson has looked at every byte */
        return json;
    if (add_clean(text, &clean) == BW_OK &&
        !wf_text_equal(text, (struct wf_text){ bw_buf_text(&clean), clean.len }))
        json = json_stringn(bw_buf_text(&clean), clean.len);
    bw_buf_fini(&clean);
    return json;
}

int wf_number_text(double number, struct bw_buf *out)
{
    char text[WF_NUMBER_MAX];
    size_t len = wf_number_write(number, text);

    return bw_buf_add(out, text, len);
}

/* What JSON.stringify() escapes, and nothing else. */
static int add_escaped(char c, struct bw_buf *out)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    const char *found = memchr(plain, c, sizeof plain - 1);

    if (found != NULL) {
        char pair[2] = { '\\', names[found - plain] };
        return bw_buf_add(out, pair, sizeof pair);
    }
    return bw_buf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
}

static int add_json_string(struct wf_text text, struct bw_buf *out)
{
    size_t from = 0;
    int rc = bw_buf_add_char(out, '"');

    for (size_t at = 0; rc == BW_OK && at < text.len; at++) {
        unsigned char c = (unsigned char)text.data[at];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        rc = bw_buf_add(out, text.data + from, at - from);
        if (rc == BW_OK)
            rc = add_escaped((char)c, out);
        from = at + 1;
    }
    if (rc == BW_OK)
        rc = bw_buf_add(out, text.data + from, text.len - from);
    return rc == BW_OK ? bw_buf_add_char(out, '"') : rc;
}

static int add_json(const json_t *value, int depth, struct bw_buf *out);

static int add_array(const json_t *array, int depth, struct bw_buf *out)
{
    size_t count = json_array_size(array);
    int rc = bw_buf_add_char(out, '[');

    for (size_t i = 0; rc == BW_OK && i < count; i++) {
        if (i > 0)
            rc = bw_buf_add_char(out, ',');
        if (rc == BW_OK)
            rc = add_json(json_array_get(array, i), depth + 1, out);
    }
    return rc == BW_OK ? bw_buf_add_char(out, ']') : rc;
}

static int add_object(const json_t *object, int depth, struct bw_buf *out)
{
    json_t *walked = (json_t *)object; /* jansson's iteration is not const */
    const char *separator = "";
    const char *key;
    json_t *member;
    int rc = bw_buf_add_char(out, '{');

    json_object_foreach(walked, key, member)
    {
        if (rc == BW_OK)
            rc = bw_buf_add_str(out, separator);
        if (rc == BW_OK)
            rc = add_json_string(wf_text_of(key), out);
        if (rc == BW_OK)
            rc = bw_buf_add_char(out, ':');
        if (rc == BW_OK)
            rc = add_json(member, depth + 1, out);
        separator = ",";
    }
    return rc == BW_OK ? bw_buf_add_char(out, '}') : rc;
}

static int add_real(double number, struct bw_buf *out)
{
    return isfinite(number) ? wf_number_text(number, out) : bw_buf_add_str(out, "null");
}

static int add_json(const json_t *value, int depth, struct bw_buf *out)
{
    if (value == NULL || depth > WF_DEPTH_MAX)
        return bw_buf_add_str(out, "null");
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return add_object(value, depth, out);
    case JSON_ARRAY:
        return add_array(value, depth, out);
    case JSON_STRING:
        return add_json_string(wf_value_string(value), out);
    case JSON_INTEGER:
        return bw_buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL:
        return add_real(json_real_value(value), out);
    case JSON_TRUE:
        return bw_buf_add_str(out, "true");
    case JSON_FALSE:
        return bw_buf_add_str(out, "false");
    case JSON_NULL:
        break;
    }
    return bw_buf_add_str(out, "null");
}

int wf_value_json(const json_t *value, struct bw_buf *out)
{
    return add_json(value, 0, out);
}

int wf_value_text(const json_t *value, struct bw_buf *out)
{
    if (value == NULL || json_is_null(value))
        return BW_OK;
    if (json_is_string(value))
        return bw_buf_add(out, json_string_value(value), json_string_length(value));
    if (json_is_real(value))
        return wf_number_text(json_real_value(value), out);
    return wf_value_json(value, out);
}

double wf_value_number(const json_t *value)
{
    for (int depth = 0; json_array_size(value) == 1; depth++) {
        if (depth > WF_DEPTH_MAX)
            return NAN;
        value = json_array_get(value, 0);
    }
    if (value == NULL)
        return NAN;
    switch (json_typeof(value)) {
    case JSON_INTEGER:
    case JSON_REAL:
        return json_number_value(value);
    case JSON_STRING:
        return wf_number_parse(wf_value_string(value));
    case JSON_TRUE:
        return 1;
    case JSON_FALSE:
    case JSON_NULL:
        return 0;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return NAN;
}

bool wf_value_truthy(const json_t *value)
{
    if (value == NULL)
        return false;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_REAL: /* jansson holds no NaN */
        return json_real_value(value) < 0 || json_real_value(value) > 0;
    case JSON_FALSE:
    case JSON_NULL:
        return false;
    case JSON_TRUE:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return true;
}

bool wf_value_blank(const json_t *value)
{
    if (json_is_string(value))
        return wf_text_blank(wf_value_string(value));
    return !wf_value_truthy(value);
}

static bool number_equal(const json_t *a, const json_t *b)
{
    double left, right;

    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    left = json_number_value(a);
    right = json_number_value(b);
    return left >= right && left <= right;
}

/* Everything that has no parts; arrays and objects are compared by identity. */
bool wf_value_identical(const json_t *a, const json_t *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL)
        return false;
    if (json_is_number(a) && json_is_number(b))
        return number_equal(a, b);
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_string(a))
        return wf_text_equal(wf_value_string(a), wf_value_string(b));
    return !json_is_array(a) && !json_is_object(a);
}

static bool equal_at(const json_t *a, const json_t *b, int depth)
{
    json_t *walked = (json_t *)a; /* jansson's iteration is not const */
    const char *key;
    json_t *member;

    if (wf_value_identical(a, b))
        return true;
    if (a == NULL || b == NULL || json_typeof(a) != json_typeof(b) ||
        depth > WF_DEPTH_MAX)
        return false;
    if (json_array_size(a) != json_array_size(b) ||
        json_object_size(a) != json_object_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!equal_at(json_array_get(a, i), json_array_get(b, i), depth + 1))
            return false;
    json_object_foreach(walked, key, member)
    {
        if (!equal_at(member, json_object_get(b, key), depth + 1))
            return false;
    }
    return json_is_array(a) || json_is_object(a);
}

bool wf_value_equal(const json_t *a, const json_t *b)
{
    return equal_at(a, b, 0);
}
