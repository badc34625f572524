/* Time zones as the system has them.
 *
 * Zones are read once and then kept, unchanging, for the life of the process: there are
 * no more of them than files of the system's zone database. Any thread. The first use of
 * a zone reads a file of a few kB. */
#ifndef BW_CRON_TZ_H
#define BW_CRON_TZ_H

#include <stdint.h>

#include <bulwark/error.h>

struct bw_tz;

/* `name`, in any case: IANA's ("Europe/Madrid"), "UTC", or "UTC+h[:mm]"; looked up in
 * $TZDIR, else /usr/share/zoneinfo; UTC needs no file. NULL, "local", "system",
 * "default": the local zone of the process, that is $TZ, else /etc/localtime, else UTC.
 * BW_EINVAL: there is no such zone; BW_ENOMEM. */
BW_MUSTCHECK int bw_tz_find(const struct bw_tz **tz, const char *name,
                            struct bw_error *err);
/* Seconds east of UTC at an instant (s since the epoch). */
int32_t bw_tz_offset(const struct bw_tz *tz, int64_t at);

#endif
