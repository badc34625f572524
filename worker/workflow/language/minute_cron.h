/* The five-field cron of schedule triggers, by rules of its own.
 * worker/workflow/spec/workflow.md §11.2. It is not the cron of bulwark/cron.h: no
 * seconds, no `L`, `?`, `#`, Sunday is 0 only. Pure; any thread. */
#ifndef WORKFLOW_MINUTE_CRON_H
#define WORKFLOW_MINUTE_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>

struct wf_cron { /* sets as bits */
    uint64_t minutes, hours, days, months, weekdays;
};

/* A minute as a calendar and a clock on the wall show it. */
struct wf_minute {
    int year;
    unsigned month, day;   /* from 1 */
    unsigned hour, minute; /* from 0 */
    unsigned weekday;      /* 0: Sunday */
};

/* BW_EINVAL names the field and what is wrong with it. */
BW_MUSTCHECK int wf_cron_parse(struct wf_cron *cron, const char *text,
                               struct bw_error *err);
bool wf_cron_matches(const struct wf_cron *cron, const struct wf_minute *at);

/* Seconds since the epoch, in UTC or moved by a zone's offset; the year 1970 or later. */
struct wf_minute wf_minute_of(int64_t seconds);

#endif
