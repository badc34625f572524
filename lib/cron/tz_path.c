#include "cron/tz_path.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <bulwark/error.h>

#define DEFAULT_DIR "/usr/share/zoneinfo"

enum { NAME_MAX_LEN = 255 };

/* No empty part, none that begins with a dot. */
static bool is_plain_name(const char *name)
{
    if (strlen(name) > NAME_MAX_LEN)
        return false;
    for (const char *at = name; *at != '\0'; at++) {
        bool starts = at == name || at[-1] == '/';
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                      (*at >= '0' && *at <= '9') || *at == '_';

        if (!letter && (starts || strchr("/+-.", *at) == NULL))
            return false;
        if (*at == '/' && at[1] == '\0')
            return false;
    }
    return *name != '\0';
}

/* Appends the entry of the folder that is called so but for its case. */
static int add_entry(struct bw_buf *path, const char *part, size_t len)
{
    DIR *dir = opendir(path->data);
    const struct dirent *entry;
    int rc = BW_EINVAL;

    if (dir == NULL)
        return BW_EINVAL;
    while (rc == BW_EINVAL && (entry = readdir(dir)) != NULL) {
        if (strlen(entry->d_name) == len && strncasecmp(entry->d_name, part, len) == 0)
            rc = bw_buf_addf(path, "/%s", entry->d_name);
    }
    (void)closedir(dir); /* only read from */
    return rc;
}

static int add_part(struct bw_buf *path, const char *part, size_t len)
{
    size_t before = path->len;
    int rc = bw_buf_addf(path, "/%.*s", (int)len, part);

    if (rc != BW_OK || access(path->data, F_OK) == 0)
        return rc;
    path->len = before;
    path->data[before] = '\0';
    return add_entry(path, part, len);
}

int bw_tz_path(struct bw_buf *path, const char *name, size_t *at)
{
    const char *dir = getenv("TZDIR");
    int rc;

    if (!is_plain_name(name))
        return BW_EINVAL;
    rc = bw_buf_addf(path, "%s", dir != NULL && *dir != '\0' ? dir : DEFAULT_DIR);
    *at = path->len + 1;
    while (rc == BW_OK && *name != '\0') {
        size_t len = strcspn(name, "/");

        rc = add_part(path, name, len);
        name += len + (name[len] == '/');
    }
    return rc;
}
