/* The `stacktrace` field: a JSON array of texts, oldest first. §2.2 */
#include "queue/job.h"

#include <jansson.h>
#include <string.h>

/* The length of the UTF-8 sequence at `text`; 0 when it is none. */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = { { 0x80, 0x00, 0 },
                  { 0xe0, 0xc0, 0x80 },
                  { 0xf0, 0xe0, 0x800 },
                  { 0xf8, 0xf0, 0x10000 } };

    for (size_t n = 0; n < sizeof(forms) / sizeof(forms[0]); n++) {
        if ((text[0] & forms[n].mask) != forms[n].lead)
            continue;
        uint32_t code = text[0] & (unsigned char)~forms[n].mask;

        for (size_t i = 1; i <= n; i++) { /* a NUL ends the loop: it is no continuation */
            if ((text[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (text[i] & 0x3fu);
        }
        bool valid = code >= forms[n].least && code <= 0x10ffff &&
                     (code < 0xd800 || code > 0xdfff);
        return valid ? n + 1 : 0;
    }
    return 0;
}

/* Foreign text as a JSON string: what is not UTF-8 becomes U+FFFD, byte by byte. */
static json_t *make_string(const char *text)
{
    struct bw_buf clean = BW_BUF_INIT;
    const unsigned char *at = (const unsigned char *)text;
    json_t *string = NULL;

    while (*at != '\0') {
        size_t len = utf8_length(at);
        int rc = len > 0 ? bw_buf_add(&clean, at, len)
                         : bw_buf_add_str(&clean, "\xef\xbf\xbd");

        if (rc != BW_OK)
            goto out;
        at += len > 0 ? len : 1;
    }
    string = json_stringn(bw_buf_text(&clean), clean.len);
out:
    bw_buf_fini(&clean);
    return string;
}

static json_t *load_array(const struct bw_text *old)
{
    if (old != NULL && old->data != NULL) {
        json_t *value = json_loadb(old->data, old->len, JSON_ALLOW_NUL, NULL);

        if (json_is_array(value))
            return value;
        json_decref(value); /* invalid: begin anew */
    }
    return json_array();
}

static int add_dumped(const char *data, size_t len, void *out)
{
    return bw_buf_add(out, data, len) == BW_OK ? 0 : -1;
}

int bw_stacktrace_append(struct bw_buf *out, const struct bw_text *old, const char *entry,
                         int64_t limit)
{
    json_t *entries = load_array(old);
    int rc = BW_ENOMEM;

    if (entries == NULL)
        return BW_ENOMEM;
    if (entry != NULL && json_array_append_new(entries, make_string(entry)) != 0)
        goto out;
    if (limit == 0)
        (void)json_array_clear(entries); /* fails on a non-array only */
    while (limit > 0 && json_array_size(entries) > (size_t)limit)
        (void)json_array_remove(entries, 0);
    if (json_dump_callback(entries, add_dumped, out, JSON_COMPACT) != 0)
        goto out;
    rc = BW_OK;
out:
    json_decref(entries);
    return rc;
}
