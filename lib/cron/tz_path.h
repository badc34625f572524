/* The file of a zone, in whatever case its name is written. For lib/cron only. */
#ifndef BW_CRON_TZ_PATH_H
#define BW_CRON_TZ_PATH_H

#include <stddef.h>

#include <bulwark/api.h>
#include <bulwark/buf.h>

/* Appends the path in $TZDIR, else /usr/share/zoneinfo; the zone's own name begins at
 * `*at` in it. A name spelled as its file costs no look into a folder. BW_EINVAL: there
 * is no such file, or the name could not be one (an empty part, one that begins with a
 * dot); BW_ENOMEM. Blocks for the disk. Any thread. */
BW_MUSTCHECK int bw_tz_path(struct bw_buf *path, const char *name, size_t *at);

#endif
