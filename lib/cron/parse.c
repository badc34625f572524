/* From the text of a pattern to its sets. lib/spec/bullmq.md §9.5 */
#include <bulwark/cron.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "cron/civil.h"
#include "cron/pattern.h"

enum { DRAWS_MAX = 64 };

enum field_kind { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

static const struct field {
    const char *name;
    unsigned min, max;
} fields[FIELD_COUNT] = {
    [SECOND] = { "second", 0, 59 }, [MINUTE] = { "minute", 0, 59 },
    [HOUR] = { "hour", 0, 23 },     [DAY] = { "day of the month", 1, 31 },
    [MONTH] = { "month", 1, 12 },   [WEEKDAY] = { "day of the week", 0, 7 },
};

/* Either kind is understood in both fields, as the reference does. */
static const struct {
    const char *name;
    unsigned value;
} names[] = {
    { "jan", 1 },  { "feb", 2 },  { "mar", 3 }, { "apr", 4 }, { "may", 5 },
    { "jun", 6 },  { "jul", 7 },  { "aug", 8 }, { "sep", 9 }, { "oct", 10 },
    { "nov", 11 }, { "dec", 12 }, { "sun", 0 }, { "mon", 1 }, { "tue", 2 },
    { "wed", 3 },  { "thu", 4 },  { "fri", 5 }, { "sat", 6 },
};

static const struct {
    const char *name, *pattern;
} aliases[] = {
    { "@yearly", "0 0 0 1 1 *" },     { "@annually", "0 0 0 1 1 *" },
    { "@monthly", "0 0 0 1 * *" },    { "@weekly", "0 0 0 * * 0" },
    { "@daily", "0 0 0 * * *" },      { "@hourly", "0 0 * * * *" },
    { "@minutely", "0 * * * * *" },   { "@secondly", "* * * * * *" },
    { "@weekdays", "0 0 0 * * 1-5" }, { "@weekends", "0 0 0 * * 0,6" },
};

struct parser {       /* reads one field after the other */
    const char *text; /* the whole pattern, for positions */
    const char *at;
    const struct field *field;
    struct bw_cron *cron;
    uint64_t set;
    const char *key;      /* what H is drawn from, */
    unsigned draws, salt; /* and what makes each draw another */
    struct bw_error *err;
};

static int wrong(const struct parser *parser, const char *what)
{
    return bw_error_set(parser->err, BW_EINVAL, "pattern: %s, byte %zu: %s",
                        parser->field->name, (size_t)(parser->at - parser->text) + 1,
                        what);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool ends_item(char c)
{
    return c == '\0' || c == ',' || is_blank(c);
}

/* --- values */

static bool has_names(const struct field *field)
{
    return field == &fields[MONTH] || field == &fields[WEEKDAY];
}

static bool take_digits(struct parser *parser, unsigned *out)
{
    unsigned number = 0;

    if (!is_digit(*parser->at))
        return false;
    for (; is_digit(*parser->at); parser->at++) {
        if (number < 100000000)
            number = number * 10 + (unsigned)(*parser->at - '0');
    }
    *out = number;
    return true;
}

static bool take_name(struct parser *parser, unsigned *out)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncasecmp(parser->at, names[i].name, 3) == 0) {
            parser->at += 3;
            *out = names[i].value;
            return true;
        }
    }
    return false;
}

static int take_value(struct parser *parser, unsigned *out)
{
    const char *start = parser->at;

    if (!take_digits(parser, out) &&
        !(has_names(parser->field) && take_name(parser, out)))
        return wrong(parser, "a value is expected");
    if (*out >= parser->field->min && *out <= parser->field->max)
        return BW_OK;
    parser->at = start;
    return wrong(parser, "the value is out of range");
}

/* --- ranges */

static int add(struct parser *parser, uint64_t *set, uint64_t values)
{
    if ((*set & values) != 0)
        return wrong(parser, "a value is there twice");
    *set |= values;
    return BW_OK;
}

struct range {
    unsigned from, to, step;
    bool single; /* one value, not written as a range */
};

static int add_range(struct parser *parser, const struct range *range)
{
    uint64_t values = 0;

    for (unsigned value = range->from; value <= range->to; value += range->step)
        values |= UINT64_C(1) << value;
    if (parser->field == &fields[WEEKDAY] && bw_bit(values, 7))
        values = (values | 1) & ~(UINT64_C(1) << 7);
    return add(parser, &parser->set, values);
}

/* L and nL in the day of the month; the reference takes both for the last day. */
static int add_last_day(struct parser *parser)
{
    if (parser->cron->last_day)
        return wrong(parser, "L is there twice");
    parser->cron->last_day = true;
    return BW_OK;
}

/* [/n] after a value or a range */
static int take_step(struct parser *parser, unsigned *step)
{
    if (*parser->at != '/')
        return BW_OK;
    parser->at++;
    if (!take_digits(parser, step) || *step == 0)
        return wrong(parser, "a step of at least 1 is expected");
    return BW_OK;
}

static int take_range(struct parser *parser, struct range *range)
{
    int rc;

    *range = (struct range){ .step = 1 };
    if (*parser->at == '*' || *parser->at == '?') {
        parser->at++;
        range->from = parser->field->min;
        range->to = parser->field->max;
        if (parser->field == &fields[WEEKDAY])
            range->to = 6;
        return BW_OK;
    }
    rc = take_value(parser, &range->from);
    if (rc != BW_OK)
        return rc;
    range->to = range->from;
    range->single = *parser->at != '-';
    if (range->single)
        return BW_OK;
    parser->at++;
    rc = take_value(parser, &range->to);
    if (rc == BW_OK && range->to < range->from)
        rc = wrong(parser, "the range ends before it begins");
    return rc;
}

/* --- H: a value drawn from the key, so that schedulers do not all start at once */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* One of `count` numbers, the same one for the same key and place in the pattern. */
static unsigned draw(struct parser *parser, unsigned count)
{
    uint64_t hash = mix(parser->salt, parser->draws++);

    hash = mix(hash, (uint64_t)(parser->field - fields));
    for (const char *at = parser->key; *at != '\0'; at++)
        hash = mix(hash, (unsigned char)*at);
    return (unsigned)(mix(hash, 0) % count);
}

/* A bound of H(a-b): what lies outside of the field is its end. */
static int take_bound(struct parser *parser, unsigned *bound)
{
    if (!take_digits(parser, bound) &&
        !(has_names(parser->field) && take_name(parser, bound)))
        return wrong(parser, "a value is expected");
    if (*bound < parser->field->min)
        *bound = parser->field->min;
    if (*bound > parser->field->max)
        *bound = parser->field->max;
    return BW_OK;
}

static int take_char(struct parser *parser, char c)
{
    if (*parser->at != c)
        return wrong(parser, "H(a-b) is expected");
    parser->at++;
    return BW_OK;
}

static int take_bounds(struct parser *parser, struct range *range)
{
    int rc = take_bound(parser, &range->from);

    if (rc == BW_OK)
        rc = take_char(parser, '-');
    if (rc == BW_OK)
        rc = take_bound(parser, &range->to);
    if (rc == BW_OK)
        rc = take_char(parser, ')');
    if (rc == BW_OK && range->to < range->from)
        rc = wrong(parser, "the range ends before it begins");
    return rc;
}

/* H, H(a-b): one value; with /n, each nth from one of the first n. */
static int take_hashed(struct parser *parser, struct range *range)
{
    unsigned width;
    int rc = BW_OK;

    *range = (struct range){ .from = parser->field->min, .to = parser->field->max };
    parser->at++;
    if (*parser->at == '(') {
        parser->at++;
        rc = take_bounds(parser, range);
    }
    if (rc == BW_OK)
        rc = take_step(parser, &range->step);
    if (rc != BW_OK)
        return rc;
    width = range->to - range->from + 1;
    range->from +=
        draw(parser, range->step != 0 && range->step < width ? range->step : width);
    range->single = range->step == 0;
    if (range->single) {
        range->to = range->from;
        range->step = 1;
    }
    return BW_OK;
}

/* --- items of a list */

static int take_last(struct parser *parser, unsigned weekday)
{
    parser->at++;
    if (!ends_item(*parser->at))
        return wrong(parser, "nothing can follow L");
    if (parser->field == &fields[DAY])
        return add_last_day(parser);
    return add(parser, &parser->cron->last_weekdays, UINT64_C(1) << weekday % 7);
}

/* a, a-b, *; with /n, where `a` alone goes on to the end. */
static int take_stepped(struct parser *parser, struct range *range)
{
    int rc = take_range(parser, range);

    if (rc != BW_OK || *parser->at != '/')
        return rc;
    if (range->single) {
        range->to = parser->field->max;
        range->single = false;
    }
    return take_step(parser, &range->step);
}

static int take_item(struct parser *parser)
{
    bool is_day = parser->field == &fields[DAY];
    struct range range;
    int rc;

    if (is_day && *parser->at == 'L')
        return take_last(parser, 0);
    rc = *parser->at == 'H' ? take_hashed(parser, &range) : take_stepped(parser, &range);
    if (rc != BW_OK)
        return rc;
    if (range.single && *parser->at == 'L' &&
        (is_day || parser->field == &fields[WEEKDAY]))
        return take_last(parser, range.from);
    if (!ends_item(*parser->at))
        return wrong(parser, "unexpected character");
    return add_range(parser, &range);
}

/* #k at the end of the whole field: n#k stands alone. */
static int take_nth(struct parser *parser)
{
    const char *at = parser->at;
    const char *hash = strchr(at, '#');
    size_t len = 0;

    while (at[len] != '\0' && !is_blank(at[len]))
        len++;
    if (hash == NULL || hash >= at + len)
        return BW_OK;
    parser->at = hash + 1;
    if (parser->at + 1 != at + len || *parser->at < '1' || *parser->at > '5')
        return wrong(parser, "after # a number from 1 to 5 is expected");
    parser->cron->nth = (unsigned)(*parser->at - '0');
    parser->at = at;
    return BW_OK;
}

static int take_nth_day(struct parser *parser)
{
    struct range range;
    int rc =
        *parser->at == 'H' ? take_hashed(parser, &range) : take_range(parser, &range);

    if (rc != BW_OK)
        return rc;
    if (*parser->at != '#' || (!range.single && range.from != 0))
        return wrong(parser, "# follows one day of the week");
    parser->at += 2;
    return add_range(parser, &range);
}

static bool is_open(const char *at)
{
    return (*at == '*' || *at == '?') && (at[1] == '\0' || is_blank(at[1]));
}

static int take_field(struct parser *parser)
{
    int rc = BW_OK;

    parser->set = 0;
    if (parser->field == &fields[DAY])
        parser->cron->any_day = is_open(parser->at);
    if (parser->field == &fields[WEEKDAY]) {
        parser->cron->any_weekday = is_open(parser->at);
        rc = take_nth(parser);
        if (rc != BW_OK || parser->cron->nth != 0)
            return rc != BW_OK ? rc : take_nth_day(parser);
    }
    for (;;) {
        rc = take_item(parser);
        if (rc != BW_OK || *parser->at != ',')
            return rc;
        parser->at++;
    }
}

/* --- all fields */

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at))
        at++;
    return at;
}

static size_t count_fields(const char *text)
{
    size_t count = 0;

    for (const char *at = skip_blanks(text); *at != '\0'; at = skip_blanks(at)) {
        count++;
        while (*at != '\0' && !is_blank(*at))
            at++;
    }
    return count;
}

static void set_defaults(struct bw_cron *cron)
{
    cron->seconds = 1;
    cron->minutes = (UINT64_C(1) << 60) - 1;
    cron->hours = BW_CRON_ALL_HOURS;
    cron->days = ((UINT64_C(1) << 31) - 1) << 1;
    cron->months = ((UINT64_C(1) << 12) - 1) << 1;
    cron->weekdays = (1 << 7) - 1;
    cron->any_day = cron->any_weekday = true;
}

static uint64_t *set_of(struct bw_cron *cron, size_t field)
{
    uint64_t *const sets[FIELD_COUNT] = {
        [SECOND] = &cron->seconds, [MINUTE] = &cron->minutes, [HOUR] = &cron->hours,
        [DAY] = &cron->days,       [MONTH] = &cron->months,   [WEEKDAY] = &cron->weekdays,
    };

    return sets[field];
}

static int parse_fields(struct parser *parser)
{
    size_t count = count_fields(parser->text);
    int rc;

    if (count > FIELD_COUNT)
        return bw_error_set(parser->err, BW_EINVAL, "pattern: more than 6 fields");
    parser->at = parser->text;
    for (size_t i = FIELD_COUNT - count; i < FIELD_COUNT; i++) {
        parser->at = skip_blanks(parser->at);
        parser->field = &fields[i];
        rc = take_field(parser);
        if (rc != BW_OK)
            return rc;
        *set_of(parser->cron, i) = parser->set;
    }
    return BW_OK;
}

/* 31 February never comes. */
static int check_days(const struct bw_cron *cron, struct bw_error *err)
{
    if (!cron->any_weekday || cron->last_day)
        return BW_OK;
    for (unsigned month = 1; month <= 12; month++) {
        uint64_t days = (UINT64_C(1) << (bw_month_days(2000, month) + 1)) - 1;

        if (bw_bit(cron->months, month) && (cron->days & days) != 0)
            return BW_OK;
    }
    return bw_error_set(err, BW_EINVAL,
                        "pattern: no such day of the month in these months");
}

static const char *resolve_alias(const char *pattern)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcmp(pattern, aliases[i].name) == 0)
            return aliases[i].pattern;
    }
    return pattern;
}

/* A draw can meet a value that stands in the list, too; another one need not. */
static int parse_text(struct bw_cron *cron, const char *pattern, const char *key,
                      struct bw_error *err)
{
    struct parser parser = {
        .text = resolve_alias(pattern), .cron = cron, .key = key, .err = err
    };
    int rc;

    do {
        *cron = (struct bw_cron){ 0 };
        set_defaults(cron);
        parser.draws = 0;
        rc = parse_fields(&parser);
        if (rc == BW_OK)
            rc = check_days(cron, err);
    } while (rc == BW_EINVAL && parser.draws > 0 && ++parser.salt < DRAWS_MAX);
    return rc;
}

int bw_cron_parse_for(struct bw_cron **cronp, const char *pattern, const char *tz,
                      const char *key, struct bw_error *err)
{
    struct bw_cron cron;
    int rc = parse_text(&cron, pattern, key, err);

    if (rc == BW_OK)
        rc = bw_tz_find(&cron.tz, tz, err);
    if (rc != BW_OK)
        return rc;
    *cronp = bw_alloc(sizeof(cron));
    if (*cronp == NULL)
        return bw_error_set(err, BW_ENOMEM, "pattern: out of memory");
    **cronp = cron;
    return BW_OK;
}

int bw_cron_parse(struct bw_cron **cronp, const char *pattern, const char *tz,
                  struct bw_error *err)
{
    return bw_cron_parse_for(cronp, pattern, tz, "", err);
}

void bw_cron_destroy(struct bw_cron **cronp)
{
    free(*cronp);
    *cronp = NULL;
}
