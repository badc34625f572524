/* A zone as a TZif file (RFC 9636) describes it: a table of changes, and a rule for the
 * time after the last. */
#ifndef BW_CRON_TZ_FILE_H
#define BW_CRON_TZ_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>

#include "cron/tz_rule.h"

struct bw_tz_change {
    int64_t at; /* s since the epoch */
    int32_t offset;
};

struct bw_tz {
    int32_t first; /* before all changes */
    struct bw_tz_change *changes;
    size_t count;
    bool has_rule; /* else the last change holds for ever */
    struct bw_tz_rule rule;
};

/* BW_EINVAL: the bytes are no TZif file; BW_ENOMEM. On failure nothing is owned. */
BW_MUSTCHECK int bw_tz_decode(struct bw_tz *tz, const unsigned char *bytes, size_t len);
/* Harmless on a zeroed struct. */
void bw_tz_fini(struct bw_tz *tz);

#endif
