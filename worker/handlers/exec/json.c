#include "handlers/exec/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX   1024
#define REPLACEMENT "\xEF\xBF\xBD"

/* ---- scanning; each function returns where its token ends, or NULL */

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* Length of the UTF-8 sequence at `p`, 0 when it is none. */
static size_t utf8_len(const char *text, const char *end)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t left = (size_t)(end - text);
    size_t len;

    if (p[0] < 0x80)
        return 1;
    len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || left < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return len;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX; -1: they are none. */
static int hex_unit(const char *p, const char *end)
{
    int unit = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static const char *skip_escape(const char *p, const char *end)
{
    if (end - p < 2)
        return NULL;
    if (p[1] == 'u')
        return hex_unit(p + 2, end) >= 0 ? p + 6 : NULL;
    return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? p + 2 : NULL;
}

static const char *skip_string(const char *p, const char *end)
{
    if (p >= end || *p != '"')
        return NULL;
    for (p++; p < end && *p != '"';) {
        if (*p == '\\') {
            p = skip_escape(p, end);
            if (p == NULL)
                return NULL;
        } else {
            size_t len = (unsigned char)*p < 0x20 ? 0 : utf8_len(p, end);

            if (len == 0)
                return NULL;
            p += len;
        }
    }
    return p < end ? p + 1 : NULL;
}

static const char *skip_digits(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p > start ? p : NULL;
}

static const char *skip_number(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    if (p < end && *p == '0')
        p++;
    else
        p = skip_digits(p, end);
    if (p != NULL && p < end && *p == '.')
        p = skip_digits(p + 1, end);
    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = skip_digits(p, end);
    }
    return p;
}

static const char *skip_scalar(const char *p, const char *end)
{
    static const char *const words[] = { "true", "false", "null" };

    if (p < end && *p == '"')
        return skip_string(p, end);
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(words[i]);

        if ((size_t)(end - p) >= len && memcmp(p, words[i], len) == 0)
            return p + len;
    }
    return skip_number(p, end);
}

static const char *skip_key(const char *p, const char *end)
{
    p = skip_string(skip_space(p, end), end);
    if (p == NULL)
        return NULL;
    p = skip_space(p, end);
    return p < end && *p == ':' ? p + 1 : NULL;
}

struct scan {
    const char *p, *end;
    char closers[DEPTH_MAX]; /* of the open objects and arrays */
    size_t depth;
};

/* Enters an object or array up to its first value, or passes an empty one. */
static bool scan_open(struct scan *scan, bool *value_next)
{
    char closer = *scan->p == '{' ? '}' : ']';
    const char *p = skip_space(scan->p + 1, scan->end);

    if (p < scan->end && *p == closer) {
        scan->p = p + 1;
        *value_next = false;
        return true;
    }
    if (scan->depth == DEPTH_MAX)
        return false;
    scan->closers[scan->depth++] = closer;
    *value_next = true;
    scan->p = closer == '}' ? skip_key(p, scan->end) : p;
    return scan->p != NULL;
}

/* After a value: on to the next one, or out of what ends here. */
static bool scan_on(struct scan *scan, bool *value_next)
{
    char closer = scan->closers[scan->depth - 1];
    const char *p = skip_space(scan->p, scan->end);

    *value_next = p < scan->end && *p == ',';
    if (*value_next) {
        scan->p = closer == '}' ? skip_key(p + 1, scan->end) : p + 1;
        return scan->p != NULL;
    }
    if (p == scan->end || *p != closer)
        return false;
    scan->depth--;
    scan->p = p + 1;
    return true;
}

static const char *skip_value(const char *p, const char *end)
{
    struct scan scan;
    bool value_next = true;

    scan.p = p;
    scan.end = end;
    scan.depth = 0;
    do {
        if (!value_next) {
            if (!scan_on(&scan, &value_next))
                return NULL;
            continue;
        }
        scan.p = skip_space(scan.p, end);
        if (scan.p < end && (*scan.p == '{' || *scan.p == '[')) {
            if (!scan_open(&scan, &value_next))
                return NULL;
        } else {
            scan.p = skip_scalar(scan.p, end);
            if (scan.p == NULL)
                return NULL;
            value_next = false;
        }
    } while (value_next || scan.depth > 0);
    return scan.p;
}

bool ex_json_valid(struct ex_slice text)
{
    const char *end = text.at + text.len;
    const char *p = skip_value(text.at, end);

    return p != NULL && skip_space(p, end) == end;
}

bool ex_json_members(struct ex_slice text,
                     void (*member)(void *arg, struct ex_slice key,
                                    struct ex_slice value),
                     void *arg)
{
    const char *end = text.at + text.len;
    const char *p = skip_space(text.at, end);

    if (p == end || *p != '{')
        return false;
    p = skip_space(p + 1, end);
    while (p < end && *p != '}') {
        const char *key = p;
        const char *key_end = skip_string(p, end);
        const char *value = skip_key(p, end);
        const char *value_end;

        if (value == NULL)
            return false;
        value = skip_space(value, end);
        value_end = skip_value(value, end);
        if (value_end == NULL)
            return false;
        member(arg, (struct ex_slice){ key + 1, (size_t)(key_end - key) - 2 },
               (struct ex_slice){ value, (size_t)(value_end - value) });
        p = skip_space(value_end, end);
        if (p == end || (*p != ',' && *p != '}'))
            return false;
        if (*p == ',') {
            p = skip_space(p + 1, end);
            if (p == end || *p != '"')
                return false;
        }
    }
    return p < end && skip_space(p + 1, end) == end;
}

/* ---- values */

bool ex_slice_is(struct ex_slice slice, const char *text)
{
    return slice.at != NULL && slice.len == strlen(text) &&
           memcmp(slice.at, text, slice.len) == 0;
}

bool ex_json_integer(struct ex_slice value, int64_t *out)
{
    char text[40];
    double number;
    char *end;

    if (value.at == NULL || value.len == 0 || value.len >= sizeof text ||
        (*value.at != '-' && (*value.at < '0' || *value.at > '9')))
        return false;
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
    number = strtod(text, &end);
    if (*end != '\0' || !isfinite(number) || fabs(number) > 9007199254740991.0 ||
        floor(number) != number)
        return false;
    *out = (int64_t)number;
    return true;
}

static int add_code_point(struct bw_buf *out, unsigned code)
{
    char bytes[4];
    size_t len;

    if (code >= 0xD800 && code < 0xE000)
        return bw_buf_add_str(out, REPLACEMENT);
    if (code < 0x80) {
        bytes[0] = (char)code;
        len = 1;
    } else if (code < 0x800) {
        bytes[0] = (char)(0xC0 | (code >> 6));
        len = 2;
    } else if (code < 0x10000) {
        bytes[0] = (char)(0xE0 | (code >> 12));
        len = 3;
    } else {
        bytes[0] = (char)(0xF0 | (code >> 18));
        len = 4;
    }
    for (size_t i = 1; i < len; i++)
        bytes[i] = (char)(0x80 | ((code >> (6 * (len - 1 - i))) & 0x3F));
    return bw_buf_add(out, bytes, len);
}

/* One escape, or two that are a surrogate pair. */
static int decode_escape(const char **pp, const char *end, struct bw_buf *out)
{
    static const char names[] = "bfnrt\"\\/";
    static const char values[] = "\b\f\n\r\t\"\\/";
    const char *p = *pp;
    unsigned code;

    if (p[1] != 'u') {
        *pp = p + 2;
        return bw_buf_add_char(out, values[strchr(names, p[1]) - names]);
    }
    code = (unsigned)hex_unit(p + 2, end);
    *pp = p + 6;
    if (code >= 0xD800 && code < 0xDC00 && end - *pp >= 6 && (*pp)[0] == '\\' &&
        (*pp)[1] == 'u') {
        unsigned low = (unsigned)hex_unit(*pp + 2, end);

        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            *pp += 6;
        }
    }
    return add_code_point(out, code);
}

int ex_json_decode(struct ex_slice value, struct bw_buf *out)
{
    const char *p = value.at;
    const char *end = p + value.len;
    int rc = BW_OK;

    if (value.len < 2 || *p != '"')
        return bw_buf_add(out, p, value.len);
    end--;
    for (p++; rc == BW_OK && p < end;) {
        const char *run = p;

        if (*p == '\\') {
            rc = decode_escape(&p, end, out);
            continue;
        }
        while (p < end && *p != '\\')
            p++;
        rc = bw_buf_add(out, run, (size_t)(p - run));
    }
    return rc;
}

/* ---- writing */

static int add_char(struct bw_buf *out, const char *p, size_t len)
{
    if (len == 0)
        return bw_buf_add_str(out, REPLACEMENT);
    if (*p == '"' || *p == '\\')
        return bw_buf_addf(out, "\\%c", *p);
    return bw_buf_addf(out, "\\u%04x", (unsigned)(unsigned char)*p);
}

int ex_json_add_string(struct bw_buf *out, const char *text, size_t len)
{
    const char *end = text + len;
    const char *run = text;
    int rc = bw_buf_add_char(out, '"');

    for (const char *p = text; rc == BW_OK && p < end;) {
        size_t size = utf8_len(p, end);

        if (size > 0 && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) {
            p += size;
            continue;
        }
        rc = bw_buf_add(out, run, (size_t)(p - run));
        if (rc == BW_OK)
            rc = add_char(out, p, size);
        p += size > 0 ? size : 1;
        run = p;
    }
    if (rc == BW_OK && run < end)
        rc = bw_buf_add(out, run, (size_t)(end - run));
    return rc == BW_OK ? bw_buf_add_char(out, '"') : rc;
}

int ex_json_add_line(struct bw_buf *out, struct ex_slice value)
{
    size_t start = out->len;
    int rc = bw_buf_add(out, value.at, value.len);

    if (rc != BW_OK)
        return rc;
    for (size_t i = start; i < out->len; i++) { /* inside strings there are none */
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
    }
    return BW_OK;
}

int ex_json_add_compact(struct bw_buf *out, struct ex_slice value)
{
    const char *end = value.at + value.len;
    int rc = BW_OK;

    for (const char *p = value.at; rc == BW_OK && p < end;) {
        const char *run = p;

        while (p < end && skip_space(p, end) == p)
            p = *p == '"' ? skip_string(p, end) : p + 1;
        rc = bw_buf_add(out, run, (size_t)(p - run));
        p = skip_space(p, end);
    }
    return rc;
}
