/* The rule a zone follows for ever: what POSIX writes in TZ, and a TZif file in its last
 * line ("CET-1CEST,M3.5.0,M10.5.0/3"). */
#ifndef BW_CRON_TZ_RULE_H
#define BW_CRON_TZ_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum bw_tz_date_kind {
    BW_TZ_DATE_MONTH,  /* Mm.w.d */
    BW_TZ_DATE_JULIAN, /* Jn, without 29 February */
    BW_TZ_DATE_DAY     /* n, from 0 */
};

struct bw_tz_date {
    enum bw_tz_date_kind kind;
    unsigned month, week, day; /* `day`: of the week, or of the year */
    int32_t second;            /* of the day, local; may lie outside of it */
};

struct bw_tz_rule {
    int32_t standard, summer; /* seconds east of UTC */
    bool has_summer;
    struct bw_tz_date start, end; /* of summer time */
};

/* False: no such rule. */
bool bw_tz_rule_parse(struct bw_tz_rule *rule, const char *text);
/* Seconds east of UTC at an instant (s since the epoch). */
int32_t bw_tz_rule_offset(const struct bw_tz_rule *rule, int64_t at);

#endif
