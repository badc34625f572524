#include "config/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "config/override.h"

#define BLANK " \t\r\n\v\f"

/* Those that are not in the table of overrides. */
static const char *const others[] = {
    "BULWARK_CONFIG",
#ifdef BULWARK_FAULT_POINTS
    "BULWARK_FAULT",
#endif
    "ANALYTICS_API_KEY", "ANALYTICS_SERVICE_URL", "TZ", "API_REQUEST_ALLOWED_DOMAINS",
};

#define OTHER_COUNT (sizeof others / sizeof others[0])

/* NULL past the end; rows that are flags only have no name and are skipped. */
static const char *name_at(const void *arg, size_t index)
{
    const struct wk_override *row;

    (void)arg;
    if (index < OTHER_COUNT)
        return others[index];
    index -= OTHER_COUNT;
    for (size_t i = 0; (row = wk_override_at(i)) != NULL; i++) {
        if (row->env != NULL && index-- == 0)
            return row->env;
    }
    return NULL;
}

static void trim(const char *name)
{
    const char *value = getenv(name);
    size_t start, end;
    char *copy;

    if (value == NULL)
        return;
    start = strspn(value, BLANK);
    end = strlen(value);
    while (end > start && strchr(BLANK, value[end - 1]) != NULL)
        end--;
    if (start == 0 && value[end] == '\0')
        return;
    copy = strndup(value + start, end - start);
    if (copy == NULL || setenv(name, copy, 1) != 0)
        (void)fprintf(stderr, "bulwark: %s: out of memory\n",
                      name); /* it stays as it is */
    free(copy);
}

void wk_environment_trim(void)
{
    const char *name;

    for (size_t i = 0; (name = name_at(NULL, i)) != NULL; i++)
        trim(name);
}

/* ---- strangers */

static bool is_ours(const char *name)
{
    const char *known;

    for (size_t i = 0; (known = name_at(NULL, i)) != NULL; i++) {
        if (strcmp(known, name) == 0)
            return true;
    }
    return false;
}

/* What Kubernetes makes for a service called "bulwark" or "redis". */
static bool is_of_a_service(const char *name)
{
    const char *port = strstr(name, "_PORT");

    return strstr(name, "_SERVICE_HOST") != NULL ||
           strstr(name, "_SERVICE_PORT") != NULL ||
           (port != NULL && (port[5] == '\0' || port[5] == '_'));
}

/* What other programs call Redis's, and what is nearly one of them. */
static const char *near_redis(const char *name)
{
    static const char *const aliases[][2] = {
        { "REDIS_USER", "REDIS_USERNAME" }, { "REDIS_PASS", "REDIS_PASSWORD" },
        { "REDIS_AUTH", "REDIS_PASSWORD" }, { "REDIS_DATABASE", "REDIS_DB" },
        { "REDIS_SSL", "REDIS_TLS" },       { "REDIS_URI", "REDIS_URL" },
    };

    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (strcmp(name, aliases[i][0]) == 0)
            return aliases[i][1];
    }
    return wk_nearest_within(name, 2, name_at, NULL);
}

/* Everything that starts with our own name, and what is nearly one of Redis's. */
static int note_one(struct wk_config *config, const char *name)
{
    const char *near;
    bool own = strncmp(name, "BULWARK_", 8) == 0;

    if ((!own && strncmp(name, "REDIS_", 6) != 0) || is_ours(name) ||
        is_of_a_service(name))
        return BW_OK;
    near = own ? wk_nearest(name, name_at, NULL) : near_redis(name);
    if (near != NULL)
        return wk_config_note(config, "%.64s is not known, and ignored: did you mean %s?",
                              name, near);
    return own ? wk_config_note(config, "%.64s is not known, and ignored", name) : BW_OK;
}

int wk_environment_note(struct wk_config *config, struct bw_error *err)
{
    for (char **at = environ; *at != NULL; at++) {
        char name[128];
        size_t len = strcspn(*at, "=");

        if (len >= sizeof name)
            continue;
        memcpy(name, *at, len);
        name[len] = '\0';
        if (note_one(config, name) != BW_OK)
            return bw_error_set(err, BW_ENOMEM, "out of memory");
    }
    return BW_OK;
}
