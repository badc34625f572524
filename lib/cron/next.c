/* The next instant of a pattern: day by day, and hour by hour where the clock changes.
 * lib/spec/bullmq.md §9.5 */
#include <bulwark/cron.h>

#include "cron/civil.h"
#include "cron/pattern.h"

enum { SEARCH_DAYS = 60 * 366, HOUR_SECONDS = 3600 };

#define NEVER INT64_MAX

struct search {
    const struct bw_cron *cron;
    int64_t after;  /* s since the epoch; found is what lies behind it */
    int64_t first;  /* the day of `after` */
    int64_t month;  /* the first day of the month behind it, if its own does not match */
    int64_t time;   /* of that day: where `after` lies in it, s */
    bool in_day;    /* that day matches: the reference goes through its hours */
    bool by_hour;   /* `after` lies in the last hour of a day, and both match */
    bool in_second; /* `after` lies in an hour that the clock repeats */
    /* Of the day that is looked at: */
    int32_t before_day, after_day; /* offsets a day before and a day after it */
    bool before_change;            /* `after` lies before its change of the clock */
    bool by_day;                   /* it is entered as a whole, not by its first hour */
    bool late; /* by the reference's step from within the day or month before */
};

/* --- days */

static bool weekday_matches(const struct bw_cron *cron, int64_t days,
                            const struct bw_civil *date)
{
    unsigned weekday = bw_weekday_of(days);

    if (bw_bit(cron->last_weekdays, weekday) &&
        date->day + 7 > bw_month_days(date->year, date->month))
        return true;
    return bw_bit(cron->weekdays, weekday) &&
           (cron->nth == 0 || (date->day - 1) / 7 + 1 == cron->nth);
}

static bool day_matches(const struct bw_cron *cron, int64_t days,
                        const struct bw_civil *date)
{
    bool day = bw_bit(cron->days, date->day) ||
               (cron->last_day && date->day == bw_month_days(date->year, date->month));
    bool weekday = weekday_matches(cron, days, date);

    if (cron->any_day)
        return weekday;
    return cron->any_weekday ? day : day || weekday;
}

/* --- the time of the day */

/* The lowest bit from `from` on; -1: none. */
static int first_from(uint64_t set, unsigned from)
{
    uint64_t rest = from < 64 ? set >> from << from : 0;

    return rest != 0 ? __builtin_ctzll(rest) : -1;
}

/* The first second of an hour that matches, from `from` (s of the hour) on; -1: none. */
static int64_t first_in_hour(const struct bw_cron *cron, int64_t from)
{
    unsigned minute = (unsigned)(from / 60), second = (unsigned)(from % 60);
    int at_minute = first_from(cron->minutes, minute);
    int at_second = 0;

    if (at_minute == (int)minute) {
        at_second = first_from(cron->seconds, second);
        if (at_second < 0)
            at_minute = first_from(cron->minutes, minute + 1);
    }
    if (at_minute < 0)
        return -1;
    if (at_minute != (int)minute || at_second < 0)
        at_second = first_from(cron->seconds, 0);
    return (int64_t)at_minute * 60 + at_second;
}

/* The first match behind `after` in an hour that begins at `start`, both as instants. */
static int64_t match_in_hour(const struct search *search, int64_t start)
{
    int64_t from = search->after + 1 - start, found;

    if (from >= HOUR_SECONDS)
        return NEVER;
    found = first_in_hour(search->cron, from > 0 ? from : 0);
    return found < 0 ? NEVER : start + found;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Does the wall clock show `local` at that offset? */
static bool is_shown(const struct search *search, int64_t local, int32_t offset)
{
    return bw_tz_offset(search->cron->tz, local - offset) == offset;
}

/* One second of the wall clock on a day when it changes. The exceptions are the
 * reference's: from within the day or month before it steps to the second of two
 * midnights, and nothing makes up for an hour skipped at the beginning of a day that is
 * entered as a whole, or at the end of one. */
static int64_t resolve(const struct search *search, int64_t local, int hour)
{
    int64_t first = local - search->before_day, second = local - search->after_day;
    bool in_first = is_shown(search, local, search->before_day);
    bool in_second = is_shown(search, local, search->after_day);
    bool late = hour == 0 && search->late;

    if (in_first && in_second && first != second) {
        bool twice = search->cron->hours == BW_CRON_ALL_HOURS || search->in_second;

        if (first > search->after && !late)
            return first;
        return (twice || late) && second > search->after ? second : NEVER;
    }
    if (in_first || in_second) {
        first = in_first ? first : second;
        return first > search->after ? first : NEVER;
    }
    /* Skipped: the offset before the change leads as far behind it as this is before. */
    return search->before_change && !(hour == 0 && search->by_day) && hour != 23 ? first
                                                                                 : NEVER;
}

static bool changes_in(const struct search *search, int64_t local)
{
    for (int64_t at = local; at <= local + HOUR_SECONDS; at += HOUR_SECONDS / 2) {
        bool in_first = is_shown(search, at, search->before_day);

        if (in_first == is_shown(search, at, search->after_day))
            return true;
    }
    return false;
}

/* An hour in which the clock changes, second by second. */
static int64_t search_change(const struct search *search, int64_t local, int hour)
{
    int64_t best = NEVER;

    for (int64_t at = first_in_hour(search->cron, 0); at >= 0 && at < HOUR_SECONDS;
         at = at + 1 < HOUR_SECONDS ? first_in_hour(search->cron, at + 1) : -1)
        best = sooner(best, resolve(search, local + at, hour));
    return best;
}

static int64_t search_hour(const struct search *search, int64_t local, int hour)
{
    int32_t offset = search->before_day;

    if (offset != search->after_day) {
        if (changes_in(search, local))
            return search_change(search, local, hour);
        if (!is_shown(search, local, offset))
            offset = search->after_day;
    }
    return match_in_hour(search, local - offset);
}

/* --- the search */

/* From within another day or month the reference steps to the same time of this day, and
 * from there to midnight: to the second one, unless it has come to before the change. */
static bool comes_late(const struct search *search, int64_t days)
{
    int64_t local = days * BW_DAY_SECONDS + search->time;

    return search->by_day && (days == search->first + 1 || days == search->month) &&
           (search->in_day || !is_shown(search, local, search->before_day));
}

static void look_around(struct search *search, int64_t days)
{
    search->before_day = bw_tz_offset(search->cron->tz, (days - 1) * BW_DAY_SECONDS);
    search->after_day = bw_tz_offset(search->cron->tz, (days + 2) * BW_DAY_SECONDS);
    search->before_change =
        search->after < (days - 1) * BW_DAY_SECONDS ||
        bw_tz_offset(search->cron->tz, search->after) == search->before_day;
    search->by_day = days > search->first + search->by_hour;
    search->late = comes_late(search, days);
}

static int64_t search_day(struct search *search, int64_t days)
{
    int64_t best = NEVER;

    look_around(search, days);
    for (int hour = first_from(search->cron->hours, 0); hour >= 0;
         hour = first_from(search->cron->hours, (unsigned)hour + 1)) {
        int64_t local = days * BW_DAY_SECONDS + (int64_t)hour * HOUR_SECONDS;

        best = sooner(best, search_hour(search, local, hour));
        if (best != NEVER && search->before_day == search->after_day)
            break; /* the hours of an ordinary day come one after the other */
    }
    return best;
}

/* Does the wall clock show the time of `at` a second time? */
static bool is_repeated(const struct bw_tz *tz, int64_t at)
{
    int32_t now = bw_tz_offset(tz, at), before = bw_tz_offset(tz, at - BW_DAY_SECONDS);

    return before > now && bw_tz_offset(tz, at + now - before) == before;
}

static void start(struct search *search)
{
    const struct bw_tz *tz = search->cron->tz;
    int64_t local = search->after + bw_tz_offset(tz, search->after);
    int64_t hour;
    struct bw_civil date;

    search->first = bw_floor_div(local, BW_DAY_SECONDS);
    search->time = local - search->first * BW_DAY_SECONDS;
    hour = search->time / HOUR_SECONDS;
    date = bw_civil_of(search->first);
    search->month = NEVER;
    if (!bw_bit(search->cron->months, date.month))
        search->month =
            search->first + bw_month_days(date.year, date.month) - date.day + 1;
    search->in_day = bw_bit(search->cron->months, date.month) &&
                     day_matches(search->cron, search->first, &date);
    search->by_hour = hour == 23 && bw_bit(search->cron->hours, 23) && search->in_day;
    search->in_second = is_repeated(tz, search->after);
}

int bw_cron_next(const struct bw_cron *cron, int64_t after, int64_t *next,
                 struct bw_error *err)
{
    struct search search = { .cron = cron, .after = bw_floor_div(after, 1000) };
    int64_t best = NEVER;

    if (after < INT64_C(-8640000000000000) || after > INT64_C(8640000000000000))
        return bw_error_set(err, BW_EINVAL, "pattern: the time is out of range");
    start(&search);
    /* When the clock is put back past midnight, the day before comes again. */
    for (int64_t days = search.first - 1; days < search.first + SEARCH_DAYS; days++) {
        struct bw_civil date = bw_civil_of(days);
        bool found = best != NEVER;

        if (!bw_bit(cron->months, date.month)) {
            days += bw_month_days(date.year, date.month) - date.day;
            if (found)
                break;
            continue;
        }
        if (day_matches(cron, days, &date))
            best = sooner(best, search_day(&search, days));
        /* When the clock changes about midnight, days overlap. */
        if (found || (best != NEVER && search.before_day == search.after_day))
            break;
    }
    if (best == NEVER)
        return bw_error_set(err, BW_EINVAL, "pattern: nothing within 60 years");
    *next = best * 1000;
    return BW_OK;
}
