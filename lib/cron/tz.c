#include "cron/tz.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bulwark/buf.h>
#include <bulwark/cron.h>
#include <bulwark/thread.h>

#include "base/alloc.h"
#include "base/map.h"
#include "cron/tz_file.h"
#include "cron/tz_path.h"

#define LOCAL_FILE "/etc/localtime"

enum { FILE_MAX = 1 << 20, SPELLINGS_MAX = 1000 };

/* --- what is known: only zones that exist are kept, and not each way to write them, so
 * that names from job data cannot fill the memory */

static struct {
    struct bw_mutex mutex; /* guards what follows; the zones themselves never change */
    struct bw_map zones;   /* by their files' names, and as they were written */
    size_t spellings;
    const struct bw_tz *local;
} known;

static pthread_once_t known_once = PTHREAD_ONCE_INIT;

static void init_known(void)
{
    bw_mutex_init(&known.mutex);
}

/* --- zones of three sources */

static int make_zone(struct bw_tz **tzp, const struct bw_tz *from)
{
    struct bw_tz *tz = bw_alloc(sizeof(*tz));

    if (tz == NULL)
        return BW_ENOMEM;
    *tz = *from;
    *tzp = tz;
    return BW_OK;
}

static int read_file(struct bw_buf *bytes, const char *path)
{
    FILE *file = fopen(path, "rbe");
    char chunk[4096];
    size_t got;
    int rc = BW_OK;

    if (file == NULL)
        return BW_EINVAL;
    while (rc == BW_OK && (got = fread(chunk, 1, sizeof(chunk), file)) > 0)
        rc = bytes->len + got > FILE_MAX ? BW_EINVAL : bw_buf_add(bytes, chunk, got);
    if (rc == BW_OK && ferror(file)) /* a directory, say */
        rc = BW_EINVAL;
    (void)fclose(file); /* only read from */
    return rc;
}

static int load_file(struct bw_tz **tzp, const char *path)
{
    struct bw_buf bytes = BW_BUF_INIT;
    struct bw_tz tz = { 0 };
    int rc = read_file(&bytes, path);

    if (rc == BW_OK)
        rc = bw_tz_decode(&tz, (const unsigned char *)bw_buf_text(&bytes), bytes.len);
    if (rc == BW_OK)
        rc = make_zone(tzp, &tz);
    if (rc != BW_OK)
        bw_tz_fini(&tz);
    bw_buf_fini(&bytes);
    return rc;
}

static bool is_utc(const char *name)
{
    return strcasecmp(name, "UTC") == 0 || strcasecmp(name, "Etc/UTC") == 0 ||
           strcasecmp(name, "GMT") == 0;
}

/* The zone of the process by the names the reference has for it. */
static bool is_local(const char *name)
{
    return strcasecmp(name, "local") == 0 || strcasecmp(name, "system") == 0 ||
           strcasecmp(name, "default") == 0;
}

/* UTC+h, UTC-hh:mm; as the reference, up to two digits of whatever number. */
static bool parse_fixed(const char *name, struct bw_tz *tz)
{
    int hours, minutes = 0, len = 0;
    char sign;

    if (strncasecmp(name, "UTC", 3) != 0)
        return false;
    if (sscanf(name + 3, "%c%2d%n", &sign, &hours, &len) != 2 ||
        (sign != '+' && sign != '-') || name[4] < '0' || name[4] > '9')
        return false;
    name += 3 + len;
    if (*name == ':') {
        if (strlen(name) != 3 || strspn(name + 1, "0123456789") != 2)
            return false;
        minutes = (name[1] - '0') * 10 + (name[2] - '0');
    } else if (*name != '\0') {
        return false;
    }
    minutes += hours * 60;
    memset(tz, 0, sizeof(*tz));
    tz->first = (sign == '-' ? -60 : 60) * minutes;
    return true;
}

/* Where a zone comes from, and the one name it is kept by. */
struct source {
    struct bw_tz fixed; /* where there is no path */
    struct bw_buf path;
    const char *name;
    char fixed_name[16];
};

static int find_source(struct source *source, const char *name)
{
    size_t at = 0;
    int rc;

    *source = (struct source){ .path = BW_BUF_INIT };
    if (is_utc(name) || parse_fixed(name, &source->fixed)) {
        (void)snprintf(source->fixed_name, sizeof(source->fixed_name), "%+d",
                       (int)source->fixed.first); /* it fits */
        source->name = source->fixed_name;
        return BW_OK;
    }
    rc = bw_tz_path(&source->path, name, &at);
    if (rc == BW_OK)
        source->name = source->path.data + at;
    return rc;
}

static int load_source(struct bw_tz **tzp, const struct source *source)
{
    return source->path.len == 0 ? make_zone(tzp, &source->fixed)
                                 : load_file(tzp, source->path.data);
}

static int load(struct bw_tz **tzp, const char *name)
{
    struct source source;
    int rc = find_source(&source, name);

    if (rc == BW_OK)
        rc = load_source(tzp, &source);
    bw_buf_fini(&source.path);
    return rc;
}

static int load_local(struct bw_tz **tzp)
{
    const char *name = getenv("TZ");
    struct bw_tz rule = { .has_rule = true };
    int rc;

    if (name == NULL || *name == '\0') {
        rc = name == NULL ? load_file(tzp, LOCAL_FILE) : BW_EINVAL;
    } else {
        if (*name == ':')
            name++;
        rc = *name == '/' ? load_file(tzp, name) : load(tzp, name);
        if (rc == BW_EINVAL && bw_tz_rule_parse(&rule.rule, name))
            rc = make_zone(tzp, &rule);
    }
    /* As the C library: what cannot be understood is UTC. */
    return rc == BW_EINVAL ? load(tzp, "UTC") : rc;
}

/* --- looking up */

static int find_local(const struct bw_tz **tzp)
{
    struct bw_tz *tz;
    int rc;

    if (known.local == NULL) {
        rc = load_local(&tz);
        if (rc != BW_OK)
            return rc;
        known.local = tz;
    }
    *tzp = known.local;
    return BW_OK;
}

static int keep(const char *name, struct bw_tz *tz)
{
    return bw_map_put(&known.zones, name, strlen(name), tz, NULL);
}

static int load_and_keep(struct bw_tz **tzp, const struct source *source)
{
    int rc = load_source(tzp, source);

    if (rc != BW_OK)
        return rc;
    rc = keep(source->name, *tzp);
    if (rc != BW_OK) {
        bw_tz_fini(*tzp);
        free(*tzp);
    }
    return rc;
}

/* One spelling of many: the zone is kept by its own name, and by so many others. */
static int find_spelled(struct bw_tz **tzp, const char *name)
{
    struct source source;
    int rc = find_source(&source, name);

    if (rc == BW_OK) {
        *tzp = bw_map_get(&known.zones, source.name, strlen(source.name));
        if (*tzp == NULL)
            rc = load_and_keep(tzp, &source);
        if (rc == BW_OK && strcmp(source.name, name) != 0 &&
            known.spellings < SPELLINGS_MAX && keep(name, *tzp) == BW_OK)
            known.spellings++; /* what is not kept is looked up again */
    }
    bw_buf_fini(&source.path);
    return rc;
}

static int find_named(const struct bw_tz **tzp, const char *name)
{
    struct bw_tz *tz = bw_map_get(&known.zones, name, strlen(name));
    int rc = BW_OK;

    if (tz == NULL && is_local(name))
        return find_local(tzp);
    if (tz == NULL)
        rc = find_spelled(&tz, name);
    if (rc == BW_OK)
        *tzp = tz;
    return rc;
}

int bw_tz_find(const struct bw_tz **tz, const char *name, struct bw_error *err)
{
    int rc;

    bw_thread_check(pthread_once(&known_once, init_known), "pthread_once");
    bw_mutex_lock(&known.mutex);
    rc = name == NULL ? find_local(tz) : find_named(tz, name);
    bw_mutex_unlock(&known.mutex);
    if (rc == BW_EINVAL)
        return bw_error_set(err, rc, "tz: there is no zone \"%.64s\"",
                            name != NULL ? name : "");
    if (rc != BW_OK)
        return bw_error_set(err, rc, "tz: out of memory");
    return BW_OK;
}

/* --- using */

int32_t bw_tz_offset(const struct bw_tz *tz, int64_t at)
{
    size_t low = 0, high = tz->count;

    if (tz->has_rule && (tz->count == 0 || at >= tz->changes[tz->count - 1].at))
        return bw_tz_rule_offset(&tz->rule, at);
    while (low < high) { /* the first change after `at` */
        size_t middle = low + (high - low) / 2;

        if (tz->changes[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? tz->first : tz->changes[low - 1].offset;
}

int bw_cron_offset(const char *tz, int64_t at, int32_t *seconds, struct bw_error *err)
{
    const struct bw_tz *zone;
    int rc = bw_tz_find(&zone, tz, err);

    if (rc == BW_OK)
        *seconds = bw_tz_offset(zone, at);
    return rc;
}
