#include "config/override.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_schema.h"
#include "handlers/exec/split.h"
#include "config/schema.h"

const char *wk_lookup_value(const struct wk_lookup *lookup, const char *name)
{
    const char *value = lookup->get != NULL ? lookup->get(lookup->arg, name) : NULL;

    return value != NULL && *value != '\0' ? value : NULL;
}

static int parse_number(const char *text, int64_t min, int64_t max, const char *what,
                        int64_t *out, struct bw_error *err)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < min || number > max)
        return bw_error_set(err, BW_EINVAL,
                            "%s: must be a whole number from %lld to %lld", what,
                            (long long)min, (long long)max);
    *out = number;
    return BW_OK;
}

#define TEXT_OVERRIDE(name, field)                                                       \
    static int apply_##name(struct wk_config *config, const char *value,                 \
                            const char *what, struct bw_error *err)                      \
    {                                                                                    \
        (void)what;                                                                      \
        return wk_set_text(&config->field, value, err);                                  \
    }
TEXT_OVERRIDE(redis_url, redis_env.url)
TEXT_OVERRIDE(redis_host, redis_env.host)
TEXT_OVERRIDE(redis_port, redis_env.port)
TEXT_OVERRIDE(redis_username, redis_env.username)
TEXT_OVERRIDE(redis_password, redis_env.password)
TEXT_OVERRIDE(redis_db, redis_env.db)
TEXT_OVERRIDE(redis_tls, redis_env.tls)
TEXT_OVERRIDE(database_url, database.url)
TEXT_OVERRIDE(telegram_url, telegram.api_url)
TEXT_OVERRIDE(telegram_proxy, telegram.proxy_url)
TEXT_OVERRIDE(prefix, prefix)
TEXT_OVERRIDE(queue, quick.queue)
TEXT_OVERRIDE(http_listen, http.listen)
TEXT_OVERRIDE(http_token, http.token)
#undef TEXT_OVERRIDE

static int apply_log_level(struct wk_config *config, const char *value, const char *what,
                           struct bw_error *err)
{
    if (wk_log_level_parse(value, &config->log.level) != BW_OK)
        return bw_error_set(err, BW_EINVAL, "%s: must be debug, info, warning or error",
                            what);
    return BW_OK;
}

static int apply_log_format(struct wk_config *config, const char *value, const char *what,
                            struct bw_error *err)
{
    if (wk_log_format_parse(value, &config->log.format) != BW_OK)
        return bw_error_set(err, BW_EINVAL, "%s: must be json, text or auto", what);
    return BW_OK;
}

static int apply_concurrency(struct wk_config *config, const char *value,
                             const char *what, struct bw_error *err)
{
    int64_t number = 0;
    int rc = parse_number(value, 1, WK_CONCURRENCY_MAX, what, &number, err);

    if (rc == BW_OK)
        config->concurrency = (unsigned)number;
    return rc;
}

static int apply_processors(struct wk_config *config, const char *value, const char *what,
                            struct bw_error *err)
{
    int64_t number = 0;
    int rc = parse_number(value, 1, 1024, what, &number, err);

    if (rc == BW_OK)
        config->processors = (unsigned)number;
    return rc;
}

static int apply_shutdown_timeout(struct wk_config *config, const char *value,
                                  const char *what, struct bw_error *err)
{
    return parse_number(value, 0, 31536000000, what, &config->shutdown_timeout, err);
}

static int apply_exec(struct wk_config *config, const char *value, const char *what,
                      struct bw_error *err)
{
    json_t *words = NULL;
    int rc = ex_split(value, &words, err);

    if (rc != BW_OK)
        return bw_error_prefix(err, "%s", what);
    json_decref(config->quick.exec);
    config->quick.exec = json_pack("{s:o}", "exec", words);
    return config->quick.exec != NULL ? BW_OK
                                      : bw_error_set(err, BW_ENOMEM, "out of memory");
}

/* In the order in which they are applied: of two for one setting the later wins. */
static const struct wk_override overrides[] = {
    { "REDIS_URL", NULL, NULL, "Redis, as redis.url", apply_redis_url },
    { "REDIS_HOST", NULL, NULL, "Redis by its parts; wins over REDIS_URL",
      apply_redis_host },
    { "REDIS_PORT", NULL, NULL, "with REDIS_HOST [6379]", apply_redis_port },
    { "REDIS_USERNAME", NULL, NULL, "with REDIS_HOST, or where the URL has none",
      apply_redis_username },
    { "REDIS_PASSWORD", NULL, NULL, "the same", apply_redis_password },
    { "REDIS_DB", NULL, NULL, "the same", apply_redis_db },
    { "REDIS_TLS", NULL, NULL, "true: TLS, with REDIS_HOST", apply_redis_tls },
    { "DATABASE_URL", NULL, NULL, "PostgreSQL, as database.url", apply_database_url },
    { "TELEGRAM_API_ROOT", NULL, NULL, "another name of TELEGRAM_API_URL",
      apply_telegram_url },
    { "TELEGRAM_API_URL", NULL, NULL, "Bot API, as telegram.apiUrl", apply_telegram_url },
    { "TELEGRAM_PROXY_URL", NULL, NULL, "proxy for it, as telegram.proxyUrl",
      apply_telegram_proxy },
    { "BULWARK_HTTP_TOKEN", NULL, NULL, "bearer token, as http.token", apply_http_token },
    { "BULWARK_HTTP_LISTEN", "http-listen", "ADDRESS", "as http.listen; off: none",
      apply_http_listen },
    { "BULWARK_LOG_LEVEL", "log-level", "LEVEL", "debug, info, warning or error",
      apply_log_level },
    { "BULWARK_LOG_FORMAT", "log-format", "FORMAT", "json, text or auto",
      apply_log_format },
    { "BULWARK_CONCURRENCY", "concurrency", "N", "jobs run at once, for every queue",
      apply_concurrency },
    { NULL, "prefix", "TEXT", "as prefix", apply_prefix },
    { NULL, "exec", "COMMAND", "without a file: the program that runs --queue's jobs",
      apply_exec },
    { NULL, "queue", "NAME", "the queue of --exec", apply_queue },
    { NULL, "processors", "N", "threads for handlers that block", apply_processors },
    { NULL, "shutdown-timeout", "MS", "time for jobs in flight at the end",
      apply_shutdown_timeout },
};

const struct wk_override *wk_override_at(size_t index)
{
    return index < sizeof overrides / sizeof overrides[0] ? &overrides[index] : NULL;
}

/* "tcp://10.0.0.1:6379", which pods find in the variable NAME_PORT. */
static bool is_service_link(const char *value)
{
    static const char *const starts[] = { "tcp://", "udp://", "sctp://" };

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (strncmp(value, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return false;
}

static int apply_all(struct wk_config *config, const struct wk_lookup *lookup, bool flags,
                     struct bw_error *err)
{
    const struct wk_override *row;

    for (size_t i = 0; (row = wk_override_at(i)) != NULL; i++) {
        const char *name = flags ? row->flag : row->env;
        const char *value = name != NULL ? wk_lookup_value(lookup, name) : NULL;
        char what[64];
        int rc;

        if (value == NULL)
            continue;
        if (!flags && is_service_link(value)) {
            if (wk_config_note(
                    config,
                    "%s is ignored: it is the link that Kubernetes makes for a "
                    "service of this name",
                    name) != BW_OK)
                return bw_error_set(err, BW_ENOMEM, "out of memory");
            continue;
        }
        (void)snprintf(what, sizeof what, "%s%s", flags ? "--" : "", name);
        rc = row->apply(config, value, what, err);
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

int wk_override_apply(struct wk_config *config, const struct wk_config_sources *sources,
                      struct bw_error *err)
{
    int rc = apply_all(config, &sources->env, false, err);

    return rc == BW_OK ? apply_all(config, &sources->flags, true, err) : rc;
}
