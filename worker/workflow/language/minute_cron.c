#include "workflow/language/minute_cron.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BLANKS " \t\r\n\f\v"

struct field {
    const char *name;
    unsigned least, greatest;
    const char *names; /* three letters each, from `least` on; or NULL */
};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const struct field fields[FIELDS] = {
    { "minute", 0, 59, NULL },
    { "hour", 0, 23, NULL },
    { "day of month", 1, 31, NULL },
    { "month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC" },
    { "weekday", 0, 6, "SUNMONTUEWEDTHUFRISAT" },
};

/* Where a field is read: `at` moves up to `end`. */
struct reader {
    const struct field *field;
    const char *at, *end;
};

static uint64_t bits(unsigned from, unsigned to, unsigned step)
{
    uint64_t set = 0;

    for (unsigned value = from; value <= to; value += step)
        set |= UINT64_C(1) << value;
    return set;
}

static uint64_t full(const struct field *field)
{
    return bits(field->least, field->greatest, 1);
}

static bool skip(struct reader *reader, char sign)
{
    if (reader->at == reader->end || *reader->at != sign)
        return false;
    reader->at++;
    return true;
}

/* Beyond every range all numbers are alike. */
static bool read_digits(struct reader *reader, unsigned *value)
{
    const char *start = reader->at;

    *value = 0;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
         reader->at++) {
        if (*value < 1000)
            *value = *value * 10 + (unsigned)(*reader->at - '0');
    }
    return reader->at > start;
}

static bool read_name(struct reader *reader, unsigned *value)
{
    const char *names = reader->field->names;

    if (names == NULL || reader->end - reader->at < 3)
        return false;
    for (unsigned i = 0; names[3 * i] != '\0'; i++) {
        if (strncasecmp(reader->at, &names[3 * i], 3) == 0) {
            *value = reader->field->least + i;
            reader->at += 3;
            return true;
        }
    }
    return false;
}

static bool read_value(struct reader *reader, unsigned *value)
{
    return (read_digits(reader, value) || read_name(reader, value)) &&
           *value >= reader->field->least && *value <= reader->field->greatest;
}

/* One member of the list: what is wrong with it, or NULL. */
static const char *read_item(struct reader *reader, uint64_t *set)
{
    unsigned from = reader->field->least, to = reader->field->greatest, step = 1;

    if (!skip(reader, '*')) {
        if (!read_value(reader, &from))
            return "a value out of its range, or none";
        to = from;
        if (skip(reader, '-') && !read_value(reader, &to))
            return "a range without its end";
        if (from > to)
            return "a range that ends before it begins";
    }
    if (skip(reader, '/') && (!read_digits(reader, &step) || step == 0))
        return "a step that is no number above 0";
    *set |= bits(from, to, step);
    return NULL;
}

static const char *read_field(struct reader *reader, uint64_t *set)
{
    const char *wrong;

    *set = 0;
    do {
        wrong = read_item(reader, set);
    } while (wrong == NULL && skip(reader, ','));
    if (wrong == NULL && reader->at != reader->end)
        wrong = "something behind a value that is no part of it";
    return wrong;
}

int wf_cron_parse(struct wf_cron *cron, const char *text, struct bw_error *err)
{
    uint64_t *const sets[FIELDS] = { &cron->minutes, &cron->hours, &cron->days,
                                     &cron->months, &cron->weekdays };

    for (size_t i = 0; i < FIELDS; i++) {
        struct reader reader = { .field = &fields[i] };
        const char *wrong;

        reader.at = text + strspn(text, BLANKS);
        reader.end = text = reader.at + strcspn(reader.at, BLANKS);
        if (reader.at == reader.end)
            return bw_error_set(err, BW_EINVAL, "cron: five fields expected");
        wrong = read_field(&reader, sets[i]);
        if (wrong != NULL)
            return bw_error_set(err, BW_EINVAL, "cron: %s: %s", fields[i].name, wrong);
    }
    if (text[strspn(text, BLANKS)] != '\0')
        return bw_error_set(err, BW_EINVAL, "cron: five fields expected");
    return BW_OK;
}

static bool has(uint64_t set, unsigned value)
{
    return (set >> value & 1) != 0;
}

bool wf_cron_matches(const struct wf_cron *cron, const struct wf_minute *at)
{
    bool day = has(cron->days, at->day), weekday = has(cron->weekdays, at->weekday);
    bool either = cron->days != full(&fields[DAY]) &&
                  cron->weekdays != full(&fields[WEEKDAY]); /* both are restricted */

    return has(cron->minutes, at->minute) && has(cron->hours, at->hour) &&
           has(cron->months, at->month) && (either ? day || weekday : day && weekday);
}

struct wf_minute wf_minute_of(int64_t seconds)
{
    time_t at = (time_t)seconds;
    struct tm tm = { 0 };

    (void)gmtime_r(&at, &tm); /* fails only for years beyond an int */
    return (struct wf_minute){ .year = tm.tm_year + 1900,
                               .month = (unsigned)tm.tm_mon + 1,
                               .day = (unsigned)tm.tm_mday,
                               .hour = (unsigned)tm.tm_hour,
                               .minute = (unsigned)tm.tm_min,
                               .weekday = (unsigned)tm.tm_wday };
}
