/* Cron patterns in time zones, as the cron-parser that BullMQ uses reads them.
 * lib/spec/bullmq.md §9.5.
 *
 * Five or six fields: second (0 when left out), minute, hour, day of the month, month,
 * day of the week; what is missing further on the left is 0 for the second and any for
 * the rest. `*`, `?`, lists `a,b`, ranges `a-b`, steps `/n` (`a/n` is a to the end),
 * names of months and days (three letters, any case), days of the week 0–7 (0 and 7:
 * Sunday), `L` the month's last day, `nL` its last weekday n, `n#k` its k-th weekday n; a
 * value twice in a list is an error. `H` and `H(a-b)` are one value of the field or
 * range, drawn from a key; with /n each nth from there. When both kinds of day are
 * restricted, either is enough. @yearly @annually @monthly @weekly @daily @hourly
 * @minutely @secondly
 * @weekdays @weekends.
 *
 * When clocks go forward, an hour that does not exist is run an hour later; but nothing
 * makes up for the first or last hour of a day. When they go back, the repeated hour is
 * run the first time only, unless every hour of the day is. (The reference does both.) */
#ifndef BULWARK_CRON_H
#define BULWARK_CRON_H

#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bw_cron; /* constant once made: any thread */

/* `tz` is IANA's name in any case; NULL: the local zone of the process. The first use of
 * a zone reads its file. BW_EINVAL names field and byte (from 1) of what is wrong, or
 * that no day can ever match; BW_ENOMEM. H is drawn as for an empty key. */
BW_MUSTCHECK BW_API int bw_cron_parse(struct bw_cron **cronp, const char *pattern,
                                      const char *tz, struct bw_error *err);
/* `key`: a scheduler's id, say. The same key draws the same values for H, in every
 * process; the reference may draw others (BMQ-172). */
BW_MUSTCHECK BW_API int bw_cron_parse_for(struct bw_cron **cronp, const char *pattern,
                                          const char *tz, const char *key,
                                          struct bw_error *err);
/* The first instant strictly after `after` (ms since the epoch); whole seconds. Bounded
 * work. BW_EINVAL: none within 60 years. */
BW_MUSTCHECK BW_API int bw_cron_next(const struct bw_cron *cron, int64_t after,
                                     int64_t *next, struct bw_error *err);
BW_API void bw_cron_destroy(struct bw_cron **cronp);

/* Seconds that the clocks of a zone, named as above, are ahead of UTC at an instant (s
 * since the epoch). BW_EINVAL: there is no such zone; BW_ENOMEM. */
BW_MUSTCHECK BW_API int bw_cron_offset(const char *tz, int64_t at, int32_t *seconds,
                                       struct bw_error *err);

#ifdef __cplusplus
}
#endif

#endif
