/* The proleptic Gregorian calendar in days since 1970-01-01. Any thread. */
#ifndef BW_CRON_CIVIL_H
#define BW_CRON_CIVIL_H

#include <stdint.h>

enum { BW_DAY_SECONDS = 86400 };

struct bw_civil {
    int64_t year;
    unsigned month; /* 1…12 */
    unsigned day;   /* 1…31 */
};

static inline int64_t bw_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a ^ b) < 0);
}

static inline int bw_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline unsigned bw_month_days(int64_t year, unsigned month)
{
    static const unsigned char days[12] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    return month == 2 && bw_is_leap(year) ? 29 : days[month - 1];
}

/* Years that begin in March put the leap day last; 400 of them have 146097 days. */
static inline int64_t bw_days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = year - (month <= 2), era = bw_floor_div(y, 400), in_era = y - era * 400;
    int64_t in_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static inline struct bw_civil bw_civil_of(int64_t days)
{
    int64_t z = days + 719468, era = bw_floor_div(z, 146097), at = z - era * 146097;
    int64_t year = (at - at / 1460 + at / 36524 - at / 146096) / 365;
    int64_t in_year = at - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * in_year + 2) / 153;
    unsigned month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);

    return (struct bw_civil){ .year = year + era * 400 + (month <= 2),
                              .month = month,
                              .day = (unsigned)(in_year - (153 * shifted + 2) / 5 + 1) };
}

/* 0: Sunday. */
static inline unsigned bw_weekday_of(int64_t days)
{
    return (unsigned)(((days + 4) % 7 + 7) % 7);
}

#endif
