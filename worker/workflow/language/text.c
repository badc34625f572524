#include "workflow/language/text.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <wctype.h>

struct wf_text wf_text_of(const char *data)
{
    return (struct wf_text){ data, strlen(data) };
}

/* Length of the sequence a lead byte announces, its payload bits in `*code`; 0: no lead
 * byte. */
static size_t lead_length(unsigned char lead, uint32_t *code)
{
    if (lead >= 0xc2 && lead <= 0xdf) {
        *code = lead & 0x1fu;
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *code = lead & 0x0fu;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *code = lead & 0x07u;
        return 4;
    }
    return 0;
}

static bool code_fits(uint32_t code, size_t length)
{
    if (length == 3)
        return code >= 0x800;
    if (length == 4)
        return code >= 0x10000 && code <= 0x10ffff;
    return true;
}

uint32_t wf_text_next(struct wf_text text, size_t *at)
{
    unsigned char lead = (unsigned char)text.data[*at];
    uint32_t code = 0;
    size_t length;

    (*at)++;
    if (lead < 0x80)
        return lead;
    length = lead_length(lead, &code);
    if (length == 0 || length - 1 > text.len - *at)
        return 0xfffd;
    for (size_t i = 0; i + 1 < length; i++) {
        unsigned char byte = (unsigned char)text.data[*at + i];

        if ((byte & 0xc0) != 0x80)
            return 0xfffd;
        code = code << 6 | (byte & 0x3fu);
    }
    if (!code_fits(code, length))
        return 0xfffd;
    *at += length - 1;
    return code;
}

size_t wf_text_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (code >> 18 & 0x07));
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

bool wf_text_is_ascii(struct wf_text text)
{
    unsigned char all = 0;

    for (size_t i = 0; i < text.len; i++)
        all |= (unsigned char)text.data[i];
    return all < 0x80;
}

size_t wf_text_units(struct wf_text text)
{
    size_t units = 0;

    for (size_t at = 0; at < text.len;)
        units += wf_text_next(text, &at) >= 0x10000 ? 2 : 1;
    return units;
}

bool wf_text_equal(struct wf_text a, struct wf_text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Code units order differently from code points only where a pair (first unit D800…DBFF)
 * meets U+E000…U+FFFF. */
static uint32_t first_unit(uint32_t code)
{
    return code >= 0x10000 ? 0xd800 + ((code - 0x10000) >> 10) : code;
}

int wf_text_compare(struct wf_text a, struct wf_text b)
{
    size_t at = 0, bt = 0;

    while (at < a.len && bt < b.len) {
        uint32_t left = wf_text_next(a, &at);
        uint32_t right = wf_text_next(b, &bt);

        if (left == right)
            continue;
        if (first_unit(left) != first_unit(right))
            return first_unit(left) < first_unit(right) ? -1 : 1;
        return left < right ? -1 : 1;
    }
    return (at < a.len) - (bt < b.len);
}

bool wf_text_is_space(uint32_t code)
{
    if (code < 0x80)
        return code == ' ' || (code >= '\t' && code <= '\r');
    return code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
           code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f ||
           code == 0x3000 || code == 0xfeff;
}

struct wf_text wf_text_trim(struct wf_text text)
{
    size_t start = 0, end = 0;
    bool started = false;

    for (size_t at = 0; at < text.len;) {
        size_t from = at;

        if (wf_text_is_space(wf_text_next(text, &at)))
            continue;
        if (!started)
            start = from;
        started = true;
        end = at;
    }
    return (struct wf_text){ text.data + start, started ? end - start : 0 };
}

bool wf_text_blank(struct wf_text text)
{
    return wf_text_trim(text).len == 0;
}

/* Case mapping comes from the C library's UTF-8 locale, whatever the process's own locale
 * is. */
static pthread_once_t case_once = PTHREAD_ONCE_INIT;
static locale_t case_locale;

static void case_open(void)
{
    case_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (case_locale == (locale_t)0)
        case_locale = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
}

static uint32_t lower_code(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + 32 : code;
    (void)pthread_once(&case_once, case_open); /* cannot fail with a static control */
    if (case_locale == (locale_t)0)
        return code;
    return (uint32_t)towlower_l((wint_t)code, case_locale);
}

static uint32_t upper_code(uint32_t code)
{
    if (code < 0x80)
        return code >= 'a' && code <= 'z' ? code - 32 : code;
    (void)pthread_once(&case_once, case_open); /* cannot fail with a static control */
    if (case_locale == (locale_t)0)
        return code;
    return (uint32_t)towupper_l((wint_t)code, case_locale);
}

static int append_code(struct bw_buf *out, uint32_t code)
{
    char bytes[4];
    size_t len = wf_text_encode(code, bytes);

    return bw_buf_add(out, bytes, len);
}

int wf_text_lower(struct wf_text text, struct bw_buf *out)
{
    int rc = bw_buf_reserve(out, text.len);

    for (size_t at = 0; rc == BW_OK && at < text.len;)
        rc = append_code(out, lower_code(wf_text_next(text, &at)));
    return rc;
}

int wf_text_upper(struct wf_text text, struct bw_buf *out)
{
    int rc = bw_buf_reserve(out, text.len);

    for (size_t at = 0; rc == BW_OK && at < text.len;) {
        uint32_t code = wf_text_next(text, &at);

        rc =
            code == 0xdf ? bw_buf_add_str(out, "SS") : append_code(out, upper_code(code));
    }
    return rc;
}

/* Consumes `part` from the start of `text`; `*used` bytes of text were taken. */
static bool prefix_nocase(struct wf_text text, struct wf_text part, size_t *used)
{
    size_t at = 0, pt = 0;

    while (pt < part.len) {
        if (at >= text.len)
            return false;
        if (lower_code(wf_text_next(text, &at)) != lower_code(wf_text_next(part, &pt)))
            return false;
    }
    *used = at;
    return true;
}

bool wf_text_equal_nocase(struct wf_text a, struct wf_text b)
{
    size_t used = 0;

    return prefix_nocase(a, b, &used) && used == a.len;
}

static bool has_nocase(struct wf_text text, struct wf_text part, enum wf_text_where where)
{
    size_t used = 0;

    if (where == WF_TEXT_START)
        return prefix_nocase(text, part, &used);
    for (size_t at = 0; at <= text.len;) {
        struct wf_text rest = { text.data + at, text.len - at };

        if (prefix_nocase(rest, part, &used) &&
            (where == WF_TEXT_ANYWHERE || used == rest.len))
            return true;
        if (at == text.len)
            break;
        (void)wf_text_next(text, &at); /* one code point further */
    }
    return false;
}

bool wf_text_has(struct wf_text text, struct wf_text part, enum wf_text_where where,
                 bool nocase)
{
    if (part.len == 0)
        return true;
    if (nocase)
        return has_nocase(text, part, where);
    if (part.len > text.len)
        return false;
    if (where == WF_TEXT_START)
        return memcmp(text.data, part.data, part.len) == 0;
    if (where == WF_TEXT_END)
        return memcmp(text.data + text.len - part.len, part.data, part.len) == 0;
    return memmem(text.data, text.len, part.data, part.len) != NULL;
}
