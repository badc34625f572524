#include "queue/json_text.h"

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>

/* The length of the UTF-8 sequence at `text`, of `len` > 0 bytes; 0 when it is none. */
static size_t utf8_length(const unsigned char *text, size_t len)
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

        if (n >= len)
            return 0;
        for (size_t i = 1; i <= n; i++) {
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

json_t *bw_json_string(const char *data, size_t len)
{
    struct bw_buf clean = BW_BUF_INIT;
    const unsigned char *at = (const unsigned char *)data, *end = at + len;
    json_t *string = NULL;

    while (at < end) {
        size_t length = utf8_length(at, (size_t)(end - at));
        int rc = length > 0 ? bw_buf_add(&clean, at, length)
                            : bw_buf_add_str(&clean, "\xef\xbf\xbd");

        if (rc != BW_OK)
            goto out;
        at += length > 0 ? length : 1;
    }
    string = json_stringn(bw_buf_text(&clean), clean.len);
out:
    bw_buf_fini(&clean);
    return string;
}

static int add_dumped(const char *data, size_t len, void *out)
{
    return bw_buf_add(out, data, len) == BW_OK ? 0 : -1;
}

int bw_json_add(struct bw_buf *out, const json_t *value)
{
    return json_dump_callback(value, add_dumped, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0
               ? BW_OK
               : BW_ENOMEM;
}

int bw_json_add_string(struct bw_buf *out, const char *data, size_t len)
{
    json_t *string = bw_json_string(data, len);
    int rc = string != NULL ? bw_json_add(out, string) : BW_ENOMEM;

    json_decref(string);
    return rc;
}

int bw_json_add_text(struct bw_buf *out, const char *data, size_t len)
{
    json_error_t why;
    json_t *value = json_loadb(
        data, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &why);

    if (value == NULL && json_error_code(&why) == json_error_out_of_memory)
        return BW_ENOMEM;
    if (value == NULL)
        return bw_json_add_string(out, data, len);
    json_decref(value);
    return bw_buf_add(out, data, len);
}
