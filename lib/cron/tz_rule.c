#include "cron/tz_rule.h"

#include <string.h>

#include "cron/civil.h"

/* --- the text */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_number(const char **at, unsigned max, unsigned *out)
{
    unsigned number = 0;

    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++) {
        number = number * 10 + (unsigned)(**at - '0');
        if (number > max)
            return false;
    }
    *out = number;
    return true;
}

static bool take_char(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* At least three letters, or anything in angle brackets. */
static bool skip_name(const char **at)
{
    const char *start = *at;

    if (take_char(at, '<')) {
        while (**at != '\0' && **at != '>')
            (*at)++;
        return take_char(at, '>');
    }
    while ((**at >= 'a' && **at <= 'z') || (**at >= 'A' && **at <= 'Z'))
        (*at)++;
    return *at - start >= 3;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds */
static bool take_time(const char **at, int32_t *out)
{
    unsigned hours, minutes = 0, seconds = 0;
    bool negative = take_char(at, '-');

    if (!negative)
        (void)take_char(at, '+'); /* optional */
    if (!take_number(at, 167, &hours))
        return false;
    if (take_char(at, ':') && !take_number(at, 59, &minutes))
        return false;
    if ((*at)[-1] != ':' && take_char(at, ':') && !take_number(at, 59, &seconds))
        return false;
    *out = (int32_t)(hours * 3600 + minutes * 60 + seconds);
    if (negative)
        *out = -*out;
    return true;
}

static bool take_date(const char **at, struct bw_tz_date *date)
{
    *date = (struct bw_tz_date){ .second = 7200 };
    if (take_char(at, 'M')) {
        date->kind = BW_TZ_DATE_MONTH;
        if (!take_number(at, 12, &date->month) || date->month == 0 ||
            !take_char(at, '.') || !take_number(at, 5, &date->week) || date->week == 0 ||
            !take_char(at, '.') || !take_number(at, 6, &date->day))
            return false;
    } else if (take_char(at, 'J')) {
        date->kind = BW_TZ_DATE_JULIAN;
        if (!take_number(at, 365, &date->day) || date->day == 0)
            return false;
    } else {
        date->kind = BW_TZ_DATE_DAY;
        if (!take_number(at, 365, &date->day))
            return false;
    }
    return !take_char(at, '/') || take_time(at, &date->second);
}

bool bw_tz_rule_parse(struct bw_tz_rule *rule, const char *text)
{
    const char *at = text;
    int32_t west;

    memset(rule, 0, sizeof(*rule));
    if (!skip_name(&at) || !take_time(&at, &west))
        return false;
    rule->standard = -west;
    if (*at == '\0')
        return true;
    rule->has_summer = true;
    if (!skip_name(&at))
        return false;
    rule->summer = rule->standard + 3600;
    if (*at != ',') {
        if (!take_time(&at, &west))
            return false;
        rule->summer = -west;
    }
    return take_char(&at, ',') && take_date(&at, &rule->start) && take_char(&at, ',') &&
           take_date(&at, &rule->end) && *at == '\0';
}

/* --- the calendar */

static int64_t day_of(const struct bw_tz_date *date, int64_t year)
{
    int64_t first;
    unsigned day;

    if (date->kind == BW_TZ_DATE_DAY)
        return bw_days_of(year, 1, 1) + date->day;
    if (date->kind == BW_TZ_DATE_JULIAN)
        return bw_days_of(year, 1, 1) + date->day - 1 +
               (bw_is_leap(year) && date->day >= 60);
    first = bw_days_of(year, date->month, 1);
    day = (date->day + 7 - bw_weekday_of(first)) % 7 + (date->week - 1) * 7;
    if (day >= bw_month_days(year, date->month)) /* week 5: the last one */
        day -= 7;
    return first + day;
}

static int64_t instant_of(const struct bw_tz_date *date, int64_t year, int32_t offset)
{
    return day_of(date, year) * BW_DAY_SECONDS + date->second - offset;
}

int32_t bw_tz_rule_offset(const struct bw_tz_rule *rule, int64_t at)
{
    int64_t year, start, end;
    bool summer;

    if (!rule->has_summer)
        return rule->standard;
    year = bw_civil_of(bw_floor_div(at + rule->standard, BW_DAY_SECONDS)).year;
    start = instant_of(&rule->start, year, rule->standard);
    end = instant_of(&rule->end, year, rule->summer);
    /* South of the equator summer spans the turn of the year. */
    summer = start < end ? at >= start && at < end : at >= start || at < end;
    return summer ? rule->summer : rule->standard;
}
