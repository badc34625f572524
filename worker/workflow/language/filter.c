#include "workflow/language/filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json/read.h"
#include "workflow/language/value.h"

struct filter {
    const char *name;
    int (*apply)(struct wf_text arg, bool quoted, json_t **value);
};

/* Replaces the value by the text in `text`, which is emptied. */
static int put_text(struct bw_buf *text, int rc, json_t **value)
{
    if (rc == BW_OK) {
        json_t *made =
            wf_value_from_text((struct wf_text){ bw_buf_text(text), text->len });

        if (made == NULL) {
            rc = BW_ENOMEM;
        } else {
            json_decref(*value);
            *value = made;
        }
    }
    bw_buf_fini(text);
    return rc;
}

static bool missing(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

/* An argument without quotes may be a number, true or false; the whole-string rule then
 * keeps the type. */
static json_t *bare_value(struct wf_text arg)
{
    json_t *value = wk_json_read(arg.data, arg.len, JSON_DECODE_ANY, NULL);

    if (json_is_number(value) || json_is_boolean(value))
        return value;
    json_decref(value);
    return wf_value_from_text(arg);
}

static int filter_default(struct wf_text arg, bool quoted, json_t **value)
{
    json_t *made;

    if (!missing(*value))
        return BW_OK;
    made = quoted ? wf_value_from_text(arg) : bare_value(arg);
    if (made == NULL)
        return BW_ENOMEM;
    json_decref(*value);
    *value = made;
    return BW_OK;
}

typedef int (*text_change)(struct wf_text text, struct bw_buf *out);

static int change_text(json_t **value, text_change change)
{
    struct bw_buf text = BW_BUF_INIT, changed = BW_BUF_INIT;
    int rc;

    if (*value == NULL)
        return BW_OK;
    rc = wf_value_text(*value, &text);
    if (rc == BW_OK)
        rc = change((struct wf_text){ bw_buf_text(&text), text.len }, &changed);
    bw_buf_fini(&text);
    return put_text(&changed, rc, value);
}

static int filter_upper(struct wf_text arg, bool quoted, json_t **value)
{
    (void)arg, (void)quoted; /* takes none */
    return change_text(value, wf_text_upper);
}

static int filter_lower(struct wf_text arg, bool quoted, json_t **value)
{
    (void)arg, (void)quoted; /* takes none */
    return change_text(value, wf_text_lower);
}

static int add_trimmed(struct wf_text text, struct bw_buf *out)
{
    struct wf_text trimmed = wf_text_trim(text);

    return bw_buf_add(out, trimmed.data, trimmed.len);
}

static int filter_trim(struct wf_text arg, bool quoted, json_t **value)
{
    (void)arg, (void)quoted; /* takes none */
    return change_text(value, add_trimmed);
}

/* encodeURIComponent() */
static int add_urlencoded(struct wf_text text, struct bw_buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_.!~*'()";
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < text.len; i++) {
        char c = text.data[i];

        if (memchr(plain, c, sizeof plain - 1) != NULL)
            rc = bw_buf_add_char(out, c);
        else
            rc = bw_buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
    return rc;
}

static int filter_urlencode(struct wf_text arg, bool quoted, json_t **value)
{
    (void)arg, (void)quoted; /* takes none */
    return change_text(value, add_urlencoded);
}

static int filter_json(struct wf_text arg, bool quoted, json_t **value)
{
    struct bw_buf text = BW_BUF_INIT;
    int rc;

    (void)arg, (void)quoted; /* takes none */
    if (*value == NULL)
        return BW_OK;
    rc = wf_value_json(*value, &text);
    return put_text(&text, rc, value);
}

/* Halves go away from zero, as people expect of money; printf would take the even digit.
 */
static double off_half(double number, int places)
{
    double power = pow(10, places);
    double scaled = number * power;

    if (fabs(fma(number, power, -scaled)) > 0 || fabs(scaled - trunc(scaled)) < 0.5 ||
        fabs(scaled - trunc(scaled)) > 0.5)
        return number;
    return nextafter(number, number < 0 ? -INFINITY : INFINITY);
}

static int filter_number(struct wf_text arg, bool quoted, json_t **value)
{
    struct bw_buf text = BW_BUF_INIT;
    double number = wf_value_number(*value);
    int places = 0;
    int rc;

    (void)quoted; /* `number:2` and `number:"2"` are the same */
    if (arg.len == 1 && arg.data[0] >= '0' && arg.data[0] <= '9')
        places = arg.data[0] - '0';
    if (!isfinite(number) || fabs(number) >= 1e21)
        return BW_OK;
    rc = bw_buf_addf(&text, "%.*f", places, off_half(number, places));
    return put_text(&text, rc, value);
}

/* `2025-10-15`, `2025-10-15T16:30:00.000Z`, `…+03:00`; without a zone it is UTC
 * (worker/workflow/spec/workflow.md §0.3).
 */
static bool parse_iso(const char *text, time_t *seconds)
{
    struct tm tm = { .tm_mday = 1 };
    int used = 0, hours = 0, minutes = 0;
    char sign = 'Z';

    if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) != 3)
        return false;
    text += used;
    if ((*text == 'T' || *text == ' ') && sscanf(text + 1, "%2d:%2d:%2d%n", &tm.tm_hour,
                                                 &tm.tm_min, &tm.tm_sec, &used) == 3)
        text += 1 + used;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) == 3 &&
        (sign == '+' || sign == '-'))
        minutes += hours * 60;
    else
        minutes = 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *seconds = timegm(&tm) - (sign == '-' ? -minutes : minutes) * 60;
    return true;
}

static bool parse_time(const json_t *value, time_t *seconds)
{
    if (json_is_string(value))
        return parse_iso(json_string_value(value), seconds);
    if (!json_is_number(value) || fabs(json_number_value(value)) > 8.64e15)
        return false;
    *seconds = (time_t)floor(json_number_value(value) / 1000); /* milliseconds */
    return true;
}

static int add_date(struct wf_text format, const struct tm *tm, struct bw_buf *out)
{
    const struct {
        const char *token;
        int width, number;
    } parts[] = {
        { "YYYY", 4, tm->tm_year + 1900 }, { "YY", 2, tm->tm_year % 100 },
        { "MM", 2, tm->tm_mon + 1 },       { "DD", 2, tm->tm_mday },
        { "HH", 2, tm->tm_hour },          { "mm", 2, tm->tm_min },
        { "ss", 2, tm->tm_sec },
    };
    int rc = BW_OK;

    for (size_t at = 0; rc == BW_OK && at < format.len;) {
        struct wf_text rest = { format.data + at, format.len - at };
        size_t i = 0;

        while (i < sizeof parts / sizeof *parts &&
               !wf_text_has(rest, wf_text_of(parts[i].token), WF_TEXT_START, false))
            i++;
        if (i == sizeof parts / sizeof *parts) {
            rc = bw_buf_add_char(out, format.data[at++]);
            continue;
        }
        rc = bw_buf_addf(out, "%0*d", parts[i].width, parts[i].number);
        at += strlen(parts[i].token);
    }
    return rc;
}

static int filter_date(struct wf_text arg, bool quoted, json_t **value)
{
    struct bw_buf text = BW_BUF_INIT;
    struct tm tm;
    time_t seconds;
    int rc;

    (void)quoted; /* both ways */
    if (arg.len == 0)
        arg = wf_text_of("DD.MM.YYYY");
    if (!parse_time(*value, &seconds) || localtime_r(&seconds, &tm) == NULL)
        return BW_OK; /* no date: shown as it is */
    rc = add_date(arg, &tm, &text);
    return put_text(&text, rc, value);
}

static int filter_raw(struct wf_text arg, bool quoted, json_t **value)
{
    (void)arg, (void)quoted, (void)value; /* only a mark for the caller */
    return BW_OK;
}

static const struct filter filters_known[] = {
    { "default", filter_default }, { "upper", filter_upper },
    { "lower", filter_lower },     { "trim", filter_trim },
    { "number", filter_number },   { "date", filter_date },
    { "json", filter_json },       { "urlencode", filter_urlencode },
    { "raw", filter_raw },
};

static const struct filter *find_filter(struct wf_text name)
{
    for (size_t i = 0; i < sizeof filters_known / sizeof *filters_known; i++)
        if (wf_text_equal(name, wf_text_of(filters_known[i].name)))
            return &filters_known[i];
    return NULL;
}

/* The end of one filter: the next `|` outside quotes, or the end. */
static size_t filter_end(struct wf_text filters, size_t at)
{
    char quote = '\0';

    for (; at < filters.len; at++) {
        char c = filters.data[at];

        if (quote != '\0' ? c == quote : c == '"' || c == '\'')
            quote = quote != '\0' ? '\0' : c;
        else if (quote == '\0' && c == '|')
            break;
    }
    return at;
}

/* The name of one filter as written, blanks included. */
static struct wf_text filter_name(struct wf_text text)
{
    const char *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
    size_t len = colon != NULL ? (size_t)(colon - text.data) : text.len;

    return (struct wf_text){ text.data, len };
}

static int apply_one(struct wf_text text, json_t **value, bool *raw)
{
    size_t name_len = filter_name(text).len;
    const struct filter *filter = find_filter(wf_text_trim(filter_name(text)));
    struct wf_text arg = { "", 0 };
    bool quoted;

    if (filter == NULL) {
        json_decref(*value);
        *value = NULL;
        return BW_OK;
    }
    if (name_len < text.len)
        arg = wf_text_trim(
            (struct wf_text){ text.data + name_len + 1, text.len - name_len - 1 });
    quoted = arg.len >= 2 && (arg.data[0] == '"' || arg.data[0] == '\'') &&
             arg.data[arg.len - 1] == arg.data[0];
    if (quoted)
        arg = (struct wf_text){ arg.data + 1, arg.len - 2 };
    *raw = *raw || filter->apply == filter_raw;
    return filter->apply(arg, quoted, value);
}

int wf_filter_apply(struct wf_text filters, json_t **value, bool *raw)
{
    int rc = BW_OK;

    for (size_t at = 0; rc == BW_OK && at <= filters.len;) {
        size_t end = filter_end(filters, at);

        rc = apply_one((struct wf_text){ filters.data + at, end - at }, value, raw);
        at = end + 1;
    }
    return rc;
}

bool wf_filter_known(struct wf_text filters, struct wf_text *unknown)
{
    for (size_t at = 0; at <= filters.len;) {
        size_t end = filter_end(filters, at);

        *unknown =
            wf_text_trim(filter_name((struct wf_text){ filters.data + at, end - at }));
        if (find_filter(*unknown) == NULL)
            return false;
        at = end + 1;
    }
    return true;
}
