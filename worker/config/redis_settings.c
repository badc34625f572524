#include "config/redis_settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/schema.h"

#define DEFAULT_URL "redis://127.0.0.1:6379/0"
#define DB_MAX      65535

/* One of the two while it is put together. */
struct target {
    struct wk_config *config;
    struct bw_redis_options *redis;
    struct bw_redis_url_notes url; /* all said: nothing is filled in */
    const char *url_name;          /* NULL: no URL was given */
    bool tells;                    /* the queues': what holds for both is noted once */
};

static int note(struct target *target, struct bw_error *err, const char *variable)
{
    if (!target->tells)
        return BW_OK;
    if (wk_config_note(target->config, "%s is not used: %s says otherwise", variable,
                       target->url_name) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return BW_OK;
}

/* ---- the single variables */

static int parse_number(const char *text, const char *what, long least, long most,
                        long *out, struct bw_error *err)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number < least || number > most)
        return bw_error_set(err, BW_EINVAL, "%s: must be a number from %ld to %ld", what,
                            least, most);
    *out = number;
    return BW_OK;
}

static int parse_switch(const char *text, bool *out, struct bw_error *err)
{
    static const char *const words[] = { "false", "true", "0",   "1",
                                         "no",    "yes",  "off", "on" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return BW_OK;
        }
    }
    return bw_error_set(err, BW_EINVAL, "REDIS_TLS: must be true or false");
}

static int fill_text(struct target *target, char **at, const char *value,
                     const char *variable, struct bw_error *err)
{
    if (value == NULL)
        return BW_OK;
    if (*at == NULL)
        return wk_set_text(at, value, err);
    return strcmp(*at, value) != 0 ? note(target, err, variable) : BW_OK;
}

/* A URL's host comes with its port, the default one as well. */
static int fill_port(struct target *target, struct bw_error *err)
{
    const char *text = target->config->redis_env.port;
    long port = 0;
    int rc;

    if (text == NULL)
        return BW_OK;
    rc = parse_number(text, "REDIS_PORT", 1, 65535, &port, err);
    if (rc != BW_OK)
        return rc;
    if (target->url_name != NULL)
        return port != target->redis->port ? note(target, err, "REDIS_PORT") : BW_OK;
    target->redis->port = (uint16_t)port;
    return BW_OK;
}

static int fill_db(struct target *target, struct bw_error *err)
{
    const char *text = target->config->redis_env.db;
    long db = 0;
    int rc;

    if (text == NULL)
        return BW_OK;
    rc = parse_number(text, "REDIS_DB", 0, DB_MAX, &db, err);
    if (rc != BW_OK)
        return rc;
    if (target->url.has_db)
        return db != target->redis->db ? note(target, err, "REDIS_DB") : BW_OK;
    target->redis->db = (int)db;
    return BW_OK;
}

/* A URL's scheme says whether it is TLS. */
static int fill_tls(struct target *target, struct bw_error *err)
{
    const char *text = target->config->redis_env.tls;
    bool tls = false;
    int rc;

    if (text == NULL)
        return BW_OK;
    rc = parse_switch(text, &tls, err);
    if (rc != BW_OK)
        return rc;
    if (target->url_name != NULL)
        return tls != target->redis->tls ? note(target, err, "REDIS_TLS") : BW_OK;
    target->redis->tls = tls;
    return BW_OK;
}

static int fill(struct target *target, bool with_username, struct bw_error *err)
{
    const struct wk_config *config = target->config;
    int rc = fill_port(target, err);

    if (rc == BW_OK && with_username)
        rc = fill_text(target, &target->redis->username, config->redis_env.username,
                       "REDIS_USERNAME", err);
    if (rc == BW_OK)
        rc = fill_text(target, &target->redis->password, config->redis_env.password,
                       "REDIS_PASSWORD", err);
    if (rc == BW_OK)
        rc = fill_db(target, err);
    if (rc == BW_OK)
        rc = fill_tls(target, err);
    return rc;
}

/* ---- what they fill */

static int parse_url(struct target *target, const char *url, const char *name,
                     struct bw_error *err)
{
    const struct wk_config *config = target->config;
    int rc = bw_redis_options_parse_url(target->redis, url, &target->url, err);

    if (rc != BW_OK)
        return bw_error_prefix(err, "%s", name);
    if (!target->url.has_timeout)
        target->redis->connect_timeout_ms = (unsigned)config->redis.connect_timeout;
    if (config->redis.ca_file != NULL)
        rc = wk_set_text(&target->redis->ca_file, config->redis.ca_file, err);
    if (rc == BW_OK && target->tells && target->url.unknown[0] != '\0' &&
        wk_config_note(target->config, "%s: of its query this is not known: %s", name,
                       target->url.unknown) != BW_OK)
        rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    return rc;
}

static int settle_url(struct target *target, const char *url, const char *name,
                      struct bw_error *err)
{
    int rc;

    target->url_name = name;
    rc = parse_url(target, url, name, err);
    return rc == BW_OK ? fill(target, true, err) : rc;
}

/* REDIS_HOST, or nothing at all. */
static int settle_parts(struct target *target, const char *host, bool with_username,
                        struct bw_error *err)
{
    int rc = parse_url(target, DEFAULT_URL, "REDIS_HOST", err);

    target->url = (struct bw_redis_url_notes){ 0 };
    if (rc == BW_OK && host != NULL)
        rc = wk_set_text(&target->redis->host, host, err);
    return rc == BW_OK ? fill(target, with_username, err) : rc;
}

static int settle_rest(struct target *target, struct bw_error *err)
{
    const struct wk_config *config = target->config;

    if (config->redis_env.url != NULL)
        return settle_url(target, config->redis_env.url, "REDIS_URL", err);
    if (config->redis.url != NULL)
        return settle_url(target, config->redis.url, "redis.url", err);
    return settle_parts(target, NULL, true, err);
}

static int settle_queues(struct target *target, struct bw_error *err)
{
    const struct wk_config *config = target->config;

    if (config->redis_env.host == NULL)
        return settle_rest(target, err);
    if (config->redis_env.url != NULL &&
        wk_config_note(target->config,
                       "REDIS_URL is not used for queues: REDIS_HOST goes before it") !=
            BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return settle_parts(target, config->redis_env.host, true, err);
}

/* The Node services look for their caches in this order; the caches must meet. */
static int settle_caches(struct target *target, struct bw_error *err)
{
    const struct wk_config *config = target->config;

    if (config->redis_env.host != NULL &&
        (config->redis_env.password != NULL || config->redis_env.url == NULL))
        return settle_parts(target, config->redis_env.host, false, err);
    return settle_rest(target, err);
}

int wk_redis_settle(struct wk_config *config, struct bw_error *err)
{
    struct target queues = { .config = config,
                             .redis = &config->queue_redis,
                             .tells = true };
    struct target caches = { .config = config, .redis = &config->cache_redis };
    int rc = settle_queues(&queues, err);

    if (rc == BW_OK)
        rc = settle_caches(&caches, err);
    if (rc == BW_OK && config->redis.ca_file != NULL && !config->queue_redis.tls &&
        !config->cache_redis.tls &&
        wk_config_note(config, "redis.caFile is not used: there is no TLS") != BW_OK)
        rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    return rc;
}
