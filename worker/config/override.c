#include "config/override.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/schema.h"
#include "config/config_schema.h"
#include "handlers/exec/split.h"

const char *wk_lookup_value(const struct wk_lookup *lookup, const char *name)
{
    const char *value = lookup->get != NULL ? lookup->get(lookup->arg, name) : NULL;

    return value != NULL && *value != '\0' ? value : NULL;
}

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

/* As a queue's own, which it is laid over. */
static int apply_concurrency(struct wk_config *config, const char *value,
                             const char *what, struct bw_error *err)
{
    struct wk_queue_config queue = { 0 };
    int rc = wk_schema_read_text(wk_schema_find(&wk_queue_schema, "concurrency"), &queue,
                                 value, what, err);

    if (rc == BW_OK)
        config->concurrency = queue.options.concurrency;
    return rc;
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

#define TEXT(member) .text = offsetof(struct wk_config, member)

/* In the order in which they are applied: of two for one setting the later wins. */
static const struct wk_override overrides[] = {
    { "REDIS_URL", NULL, NULL, "Redis, as redis.url", TEXT(redis_env.url) },
    { "REDIS_HOST", NULL, NULL, "Redis by its parts; wins over REDIS_URL",
      TEXT(redis_env.host) },
    { "REDIS_PORT", NULL, NULL, "with REDIS_HOST [6379]", TEXT(redis_env.port) },
    { "REDIS_USERNAME", NULL, NULL, "with REDIS_HOST, or where the URL has none",
      TEXT(redis_env.username) },
    { "REDIS_PASSWORD", NULL, NULL, "the same", TEXT(redis_env.password) },
    { "REDIS_DB", NULL, NULL, "the same", TEXT(redis_env.db) },
    { "REDIS_TLS", NULL, NULL, "true: TLS, with REDIS_HOST", TEXT(redis_env.tls) },
    { "DATABASE_URL", NULL, NULL, "PostgreSQL, as database.url", .key = "database.url" },
    { "TELEGRAM_API_ROOT", NULL, NULL, "another name of TELEGRAM_API_URL",
      .key = "telegram.apiUrl" },
    { "TELEGRAM_API_URL", NULL, NULL, "Bot API, as telegram.apiUrl",
      .key = "telegram.apiUrl" },
    { "TELEGRAM_PROXY_URL", NULL, NULL, "proxy for it, as telegram.proxyUrl",
      .key = "telegram.proxyUrl" },
    { "BULWARK_HTTP_TOKEN", NULL, NULL, "bearer token, as http.token",
      .key = "http.token" },
    { "BULWARK_HTTP_LISTEN", "http-listen", "ADDRESS", "as http.listen; off: none",
      .key = "http.listen" },
    { "BULWARK_LOG_LEVEL", "log-level", "LEVEL", "debug, info, warning or error",
      .apply = apply_log_level },
    { "BULWARK_LOG_FORMAT", "log-format", "FORMAT", "json, text or auto",
      .apply = apply_log_format },
    { "BULWARK_CONCURRENCY", "concurrency", "N", "jobs run at once, for every queue",
      .apply = apply_concurrency },
    { NULL, "prefix", "TEXT", "as prefix", .key = "prefix" },
    { NULL, "exec", "COMMAND", "without a file: the program that runs --queue's jobs",
      .apply = apply_exec },
    { NULL, "queue", "NAME", "the queue of --exec", TEXT(quick.queue) },
    { NULL, "processors", "N", "threads for handlers that block", .key = "processors" },
    { NULL, "shutdown-timeout", "MS", "time for jobs in flight at the end",
      .key = "shutdownTimeout" },
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

static int apply_one(const struct wk_override *row, struct wk_config *config,
                     const char *value, const char *what, struct bw_error *err)
{
    const struct wk_field *field;

    if (row->apply != NULL)
        return row->apply(config, value, what, err);
    if (row->text != 0)
        return wk_set_text((char **)(void *)((char *)config + row->text), value, err);
    field = wk_schema_find(&wk_config_schema, row->key);
    BW_ASSERT(field != NULL);
    return wk_schema_read_text(field, config, value, what, err);
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
        rc = apply_one(row, config, value, what, err);
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
