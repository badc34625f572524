/* A cron pattern, compiled: sets as bits. For lib/cron only. */
#ifndef BW_CRON_PATTERN_H
#define BW_CRON_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "cron/tz.h"

struct bw_cron {
    uint64_t seconds, minutes, hours;
    uint64_t days, months;  /* from bit 1 on */
    uint64_t weekdays;      /* bit 0: Sunday */
    uint64_t last_weekdays; /* the last of the month */
    unsigned nth;           /* `weekdays` only the nth time in a month; 0: each time */
    bool last_day;
    bool any_day, any_weekday; /* left open, not just full */
    const struct bw_tz *tz;
};

#define BW_CRON_ALL_HOURS ((UINT64_C(1) << 24) - 1)

static inline bool bw_bit(uint64_t set, unsigned bit)
{
    return (set >> bit & 1) != 0;
}

#endif
