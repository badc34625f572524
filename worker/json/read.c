#include "json/read.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* U+FFFD; what it stands for is one byte at least, so text grows threefold at most. */
static const char replacement[] = "\xef\xbf\xbd";
#define GROWTH 3

struct rewrite {
    const unsigned char *at, *end;
    char *out;
};

static void put(struct rewrite *rewrite, const void *bytes, size_t len)
{
    memcpy(rewrite->out, bytes, len);
    rewrite->out += len;
}

static void replace(struct rewrite *rewrite)
{
    put(rewrite, replacement, sizeof(replacement) - 1);
}

/* --- UTF-8, as the Encoding Standard decodes it: the longest beginning of a character
 * that breaks off is one U+FFFD */

struct lead {
    size_t more;           /* bytes that follow */
    unsigned char low, up; /* bounds of the first of them */
};

static struct lead lead_of(unsigned char byte)
{
    if (byte >= 0xc2 && byte <= 0xdf)
        return (struct lead){ 1, 0x80, 0xbf };
    if (byte >= 0xe0 && byte <= 0xef)
        return (struct lead){ 2, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf };
    if (byte >= 0xf0 && byte <= 0xf4)
        return (struct lead){ 3, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf };
    return (struct lead){ 0, 0, 0 };
}

/* One character from 0x80 on. */
static void take_character(struct rewrite *rewrite)
{
    const unsigned char *from = rewrite->at++;
    struct lead lead = lead_of(*from);
    size_t got = 0;

    while (got < lead.more && rewrite->at < rewrite->end) {
        unsigned char low = got == 0 ? lead.low : 0x80, up = got == 0 ? lead.up : 0xbf;

        if (*rewrite->at < low || *rewrite->at > up)
            break;
        rewrite->at++;
        got++;
    }
    if (lead.more > 0 && got == lead.more)
        put(rewrite, from, got + 1);
    else
        replace(rewrite);
}

/* --- strings */

/* The code of a `\uXXXX` at `at`; -1: there is none. */
static long unit_at(const unsigned char *at, const unsigned char *end)
{
    long code = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        const char *digits = "0123456789abcdef";
        const char *found = at[i] != '\0' ? strchr(digits, at[i] | 0x20) : NULL;

        if (found == NULL || (at[i] < 'A' && at[i] > '9'))
            return -1;
        code = code * 16 + (found - digits);
    }
    return code;
}

static void take_escape(struct rewrite *rewrite)
{
    long code = unit_at(rewrite->at, rewrite->end), next;
    size_t len = code < 0 ? 2 : 6;

    if ((size_t)(rewrite->end - rewrite->at) < len)
        len = (size_t)(rewrite->end - rewrite->at);
    if (code >= 0xd800 && code <= 0xdbff) {
        next = unit_at(rewrite->at + 6, rewrite->end);
        if (next >= 0xdc00 && next <= 0xdfff)
            len = 12;
    }
    if (code == 0 || (code >= 0xd800 && code <= 0xdfff && len == 6))
        replace(rewrite);
    else
        put(rewrite, rewrite->at, len);
    rewrite->at += len;
}

/* From behind the quote to behind the next. */
static void take_string(struct rewrite *rewrite)
{
    while (rewrite->at < rewrite->end) {
        if (*rewrite->at == '\\') {
            take_escape(rewrite);
        } else if (*rewrite->at >= 0x80) {
            take_character(rewrite);
        } else {
            bool last = *rewrite->at == '"';

            put(rewrite, rewrite->at++, 1);
            if (last)
                return;
        }
    }
}

/* --- numbers */

static void take_number(struct rewrite *rewrite)
{
    static const char greatest[] = "1.7976931348623157e308";
    char text[64];
    const unsigned char *from = rewrite->at;
    bool whole = true, overflow;
    size_t len;

    while (rewrite->at < rewrite->end && *rewrite->at != '\0' &&
           strchr("+-.0123456789eE", *rewrite->at) != NULL)
        whole = strchr(".eE", *rewrite->at++) == NULL && whole;
    len = (size_t)(rewrite->at - from);
    if (len >= sizeof(text)) { /* no 64 bits have so many digits */
        overflow = whole;
    } else {
        memcpy(text, from, len);
        text[len] = '\0';
        errno = 0;
        if (whole)
            (void)strtoll(text, NULL, 10);
        else
            (void)strtod(text, NULL);
        overflow = errno == ERANGE;
    }
    if (!whole && overflow && len < sizeof(text) &&
        (strtod(text, NULL) > 1 || strtod(text, NULL) < -1)) {
        if (*from == '-')
            put(rewrite, "-", 1);
        put(rewrite, greatest, sizeof(greatest) - 1);
        return;
    }
    put(rewrite, from, len);
    if (whole && overflow)
        put(rewrite, "e0", 2);
}

/* --- the whole */

static char *rewritten(const char *text, size_t len, size_t *out_len)
{
    /* a number grows by 20 bytes once, and only one of five at least */
    size_t room = len < (SIZE_MAX - 32) / (2 * GROWTH) ? 2 * GROWTH * len + 32 : 0;
    char *out = room > 0 ? malloc(room) : NULL;
    struct rewrite rewrite = { (const unsigned char *)text,
                               (const unsigned char *)text + len, out };

    if (out == NULL)
        return NULL;
    while (rewrite.at < rewrite.end) {
        unsigned char byte = *rewrite.at;

        if (byte == '-' || (byte >= '0' && byte <= '9')) {
            take_number(&rewrite);
            continue;
        }
        put(&rewrite, rewrite.at++, 1);
        if (byte == '"')
            take_string(&rewrite);
    }
    *out_len = (size_t)(rewrite.out - out);
    return out;
}

/* Whether another reading can help: all that is rewritten ends in one of these. */
static bool may_help(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_null_byte_in_key:
    case json_error_null_character:
    case json_error_invalid_utf8:
    case json_error_numeric_overflow:
    case json_error_invalid_syntax: /* halves of surrogate pairs */
        return true;
    default:
        return false;
    }
}

json_t *wk_json_read(const char *text, size_t len, size_t flags, json_error_t *error)
{
    json_error_t own;
    json_t *value;
    char *clean;
    size_t clean_len;

    if (error == NULL)
        error = &own;
    memset(error, 0, sizeof(*error)); /* jansson may say nothing when memory is out */
    value = json_loadb(text, len, flags, error);
    if (value != NULL || !may_help(error))
        return value;
    clean = rewritten(text, len, &clean_len);
    if (clean == NULL) {
        memset(error, 0, sizeof(*error));
        return NULL;
    }
    value = json_loadb(clean, clean_len, flags, error);
    free(clean);
    return value;
}

json_t *wk_json_read_file(FILE *file, size_t flags, json_error_t *error)
{
    char *text = NULL;
    size_t len = 0, size = 0, got;
    json_t *value = NULL;

    memset(error, 0, sizeof(*error));
    do {
        char *more = realloc(text, size = 2 * size + 65536);

        if (more == NULL) {
            free(text);
            return NULL;
        }
        text = more;
        got = fread(text + len, 1, size - len, file);
        len += got;
    } while (got > 0 && len == size);
    if (ferror(file) != 0)
        (void)snprintf(error->text, sizeof(error->text), "cannot be read");
    else
        value = wk_json_read(text, len, flags, error);
    free(text);
    return value;
}

json_t *wk_json_text(const char *data, size_t len)
{
    json_t *string = memchr(data, '\0', len) == NULL ? json_stringn(data, len) : NULL;
    struct rewrite rewrite = { (const unsigned char *)data,
                               (const unsigned char *)data + len, NULL };
    char *clean;

    if (string != NULL)
        return string;
    clean = len < SIZE_MAX / GROWTH ? malloc(GROWTH * len + 1) : NULL;
    if (clean == NULL)
        return NULL;
    rewrite.out = clean;
    while (rewrite.at < rewrite.end) {
        if (*rewrite.at >= 0x80) {
            take_character(&rewrite);
        } else if (*rewrite.at == '\0') {
            replace(&rewrite);
            rewrite.at++;
        } else {
            put(&rewrite, rewrite.at++, 1);
        }
    }
    string = json_stringn(clean, (size_t)(rewrite.out - clean));
    free(clean);
    return string;
}
