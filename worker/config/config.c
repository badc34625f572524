#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config_schema.h"
#include "http/listen.h"
#include "config/override.h"
#include "pg/url.h"
#include "config/redis_settings.h"
#include "config/schema.h"
#include "telegram/client.h"
#include "workflow/engine/settings.h"

#define FILE_MAX             (8u * 1024 * 1024)
#define IMPLICIT_QUEUE       "workflow-processing"
#define IMPLICIT_DELAYS      "workflow-delays"
#define IMPLICIT_CONCURRENCY 64

/* ---- words */

static const char *const level_names[] = { "debug", "info", "warning", "error" };
static const char *const format_names[] = { "auto", "text", "json" };

static int word_index(const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return (int)i;
    }
    return -1;
}

int wk_log_level_parse(const char *text, enum bw_log_level *out)
{
    int index = word_index(text, level_names, 4);

    if (index < 0)
        return BW_EINVAL;
    *out = (enum bw_log_level)index;
    return BW_OK;
}

int wk_log_format_parse(const char *text, enum wk_log_format *out)
{
    int index = word_index(text, format_names, 3);

    if (index < 0)
        return BW_EINVAL;
    *out = (enum wk_log_format)index;
    return BW_OK;
}

/* ---- the file */

static int read_whole(const char *path, struct bw_buf *out, struct bw_error *err)
{
    FILE *file = fopen(path, "re");
    char chunk[4096];
    size_t got;
    int rc = BW_OK;

    if (file == NULL)
        return bw_error_errno(err, errno, "%.200s", path);
    while (rc == BW_OK && (got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        if (out->len + got > FILE_MAX)
            rc = bw_error_set(err, BW_EINVAL, "%.200s: larger than %u bytes", path,
                              FILE_MAX);
        else if (bw_buf_add(out, chunk, got) != BW_OK)
            rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    }
    if (rc == BW_OK && ferror(file))
        rc = bw_error_errno(err, errno, "%.200s", path);
    (void)fclose(file); /* it was only read */
    return rc;
}

/* jansson ends its texts with the token it stumbled over ("near '…'"), which may be a
 * part of a password: that is cut off. */
static int syntax_error(const char *path, const json_error_t *at, struct bw_error *err)
{
    const char *near = strstr(at->text, " near ");
    int len = near != NULL ? (int)(near - at->text) : (int)strlen(at->text);

    if (json_error_code(at) == json_error_duplicate_key)
        len = (int)strlen(at->text);
    return bw_error_set(err, BW_EINVAL, "%.200s: line %d, column %d, byte %d: %.*s", path,
                        at->line, at->column, at->position, len, at->text);
}

static int read_file(struct wk_config *config, const char *path, struct bw_error *err)
{
    struct bw_buf text = BW_BUF_INIT;
    json_error_t at;
    int rc;

    rc = read_whole(path, &text, err);
    if (rc == BW_OK) {
        config->source =
            json_loadb(bw_buf_text(&text), text.len, JSON_REJECT_DUPLICATES, &at);
        if (config->source == NULL)
            rc = syntax_error(path, &at, err);
        else
            rc = wk_schema_read(&wk_config_schema, config, config->source, "", err);
    }
    bw_buf_fini(&text);
    return rc;
}

/* ---- without queues in the file: the one that teams coming from Node have, and the one
 * on which its workflows put what is to go on later */

static int fill_implicit_queue(struct wk_queue_config *queue, const char *name,
                               struct bw_error *err)
{
    int rc;

    bw_queue_options_init(&queue->options);
    rc = wk_schema_defaults(&wk_queue_schema, queue, err);
    if (rc == BW_OK)
        rc = wk_set_text(&queue->name, name, err);
    if (rc != BW_OK)
        return rc;
    queue->options.concurrency = IMPLICIT_CONCURRENCY;
    queue->handler.type = wk_handler_find("workflow");
    return BW_OK;
}

/* --exec and --queue: the quick start. */
static int add_quick_queue(struct wk_config *config, struct bw_error *err)
{
    struct wk_queue_config *queue;
    int rc;

    if (config->quick.queue == NULL || config->quick.exec == NULL)
        return bw_error_set(err, BW_EINVAL, "--exec and --queue: one needs the other");
    if (config->queues.count > 0)
        return bw_error_set(err, BW_EINVAL,
                            "--exec: the configuration has queues of its own");
    queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    config->queues.items = queue;
    config->queues.count = 1;
    bw_queue_options_init(&queue->options);
    rc = wk_schema_defaults(&wk_queue_schema, queue, err);
    if (rc == BW_OK)
        rc = wk_set_text(&queue->name, config->quick.queue, err);
    if (rc == BW_OK) {
        queue->handler.type = wk_handler_find("exec");
        queue->handler.settings = json_incref(config->quick.exec);
    }
    return rc;
}

static int add_implicit_queues(struct wk_config *config, struct bw_error *err)
{
    static const char *const names[] = { IMPLICIT_QUEUE, IMPLICIT_DELAYS };
    size_t count = sizeof names / sizeof *names;
    struct wk_queue_config *queues = calloc(count, sizeof *queues);
    int rc = BW_OK;

    if (queues == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    config->queues.items = queues;
    config->queues.count = count;
    for (size_t i = 0; rc == BW_OK && i < count; i++)
        rc = fill_implicit_queue(&queues[i], names[i], err);
    return rc;
}

/* ---- checks of the whole */

static int check_queue(const struct wk_config *config, size_t index, struct bw_error *err)
{
    const struct wk_queue_config *queue = &config->queues.items[index];
    const struct bw_queue_options *options = &queue->options;

    if (queue->name == NULL)
        return bw_error_set(err, BW_EINVAL, "queues[%zu].name: is missing", index);
    if (strchr(queue->name, ':') != NULL)
        return bw_error_set(err, BW_EINVAL, "queues[%zu].name: must not contain \":\"",
                            index);
    for (size_t i = 0; i < index; i++) {
        if (strcmp(config->queues.items[i].name, queue->name) == 0)
            return bw_error_set(err, BW_EINVAL,
                                "queues[%zu].name: \"%.100s\" is queues[%zu] already",
                                index, queue->name, i);
    }
    if (queue->handler.type == NULL)
        return bw_error_set(err, BW_EINVAL, "queues[%zu].handler: is missing", index);
    if (queue->handler.type->refusal != NULL)
        return bw_error_set(err, BW_EINVAL, "queues[%zu].handler: \"%s\": %s", index,
                            queue->handler.type->name, queue->handler.type->refusal);
    if ((options->limiter_max == 0) != (options->limiter_duration == 0))
        return bw_error_set(err, BW_EINVAL, "queues[%zu].limiter.%s: is missing", index,
                            options->limiter_max == 0 ? "max" : "duration");
    if ((options->group_rate_max == 0) != (options->group_rate_duration == 0))
        return bw_error_set(err, BW_EINVAL, "queues[%zu].groupRate.%s: is missing", index,
                            options->group_rate_max == 0 ? "max" : "duration");
    if (queue->handler.type->needs_pg && config->database.url == NULL)
        return bw_error_set(
            err, BW_EINVAL,
            "database.url: is missing: queue \"%.100s\" runs workflows; set "
            "it, or DATABASE_URL",
            queue->name);
    return BW_OK;
}

static void settle_queue(struct wk_config *config, struct wk_queue_config *queue)
{
    struct bw_queue_options *options = &queue->options;

    options->name = queue->name;
    options->prefix = config->prefix;
    options->worker_name = queue->worker_name;
    options->group_key = queue->group_key;
    if (config->concurrency != 0)
        options->concurrency = config->concurrency;
    if (options->lock_renew_time == 0)
        options->lock_renew_time = options->lock_duration / 2;
}

/* What will work, but hardly as it was meant. */
static int note_options(struct wk_config *config, size_t index)
{
    const struct bw_queue_options *options = &config->queues.items[index].options;
    const struct bw_queue_options *o = options;
    const struct {
        bool holds;
        const char *text;
    } notes[] = {
        { o->max_started_attempts == 0,
          "maxStartedAttempts: 0 fails every job without running it" },
        { o->lock_duration < 1000,
          "lockDuration: below a second locks run out whenever Redis or this machine "
          "pauses" },
        { o->skip_lock_renewal && o->timeout > o->lock_duration,
          "timeout: jobs may take longer than their locks live, which are not renewed "
          "(skipLockRenewal)" },
        { o->group_key == NULL &&
              (o->group_concurrency != 1 || o->group_rate_max != 0 || o->group_strict),
          "groupConcurrency, groupRate, groupStrict are not used: there is no groupKey" },
        { o->group_concurrency > o->concurrency,
          "groupConcurrency: more than concurrency" },
        { o->limiter_max > 0 && o->limiter_duration > 86400000,
          "limiter.duration: more than a day" },
    };

    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        if (notes[i].holds &&
            wk_config_note(config, "queues[%zu].%s", index, notes[i].text) != BW_OK)
            return BW_ENOMEM;
    }
    return BW_OK;
}

/* As the library will judge them. */
static int check_options(struct wk_config *config, size_t index, struct bw_error *err)
{
    struct bw_error inner = { 0 };
    int rc = bw_queue_options_check(&config->queues.items[index].options, &inner);

    if (rc != BW_OK)
        return bw_error_set(err, rc, "queues[%zu].%s", index, inner.text);
    return note_options(config, index) == BW_OK
               ? BW_OK
               : bw_error_set(err, BW_ENOMEM, "out of memory");
}

static int settle_queues(struct wk_config *config, struct bw_error *err)
{
    int rc = BW_OK;

    if (config->quick.exec != NULL || config->quick.queue != NULL)
        rc = add_quick_queue(config, err);
    else if (config->queues.count == 0)
        rc = add_implicit_queues(config, err);
    for (size_t i = 0; rc == BW_OK && i < config->queues.count; i++) {
        rc = check_queue(config, i, err);
        if (rc == BW_OK) {
            settle_queue(config, &config->queues.items[i]);
            rc = check_options(config, i, err);
        }
    }
    return rc;
}

/* ---- what the parts will be made of: each says itself what it takes */

static int check_workflow(const struct wk_config *config, struct bw_error *err)
{
    struct wf_settings settings;
    struct bw_error inner = { 0 };
    int rc;

    if (config->workflow == NULL)
        return BW_OK;
    rc = wf_settings_parse(&settings, config->workflow, &inner);
    if (rc != BW_OK) /* it names itself with a dot before */
        return bw_error_set(err, rc, "%s", inner.text + (inner.text[0] == '.'));
    wf_settings_fini(&settings);
    return BW_OK;
}

static int check_http(const struct wk_config *config, struct bw_error *err)
{
    const char *listen = config->http.listen;

    if (listen == NULL || strcmp(listen, "off") == 0 ||
        http_listen_check(listen, err) == BW_OK)
        return BW_OK;
    return bw_error_prefix(err, "http.listen");
}

static int check_database(const struct wk_config *config, struct bw_error *err)
{
    struct pg_url url;

    if (!wk_config_needs_pg(config))
        return BW_OK;
    if (pg_url_parse(&url, config->database.url, err) != BW_OK)
        return bw_error_prefix(err, "database.url");
    pg_url_fini(&url);
    return BW_OK;
}

static int check_telegram(const struct wk_config *config, struct bw_error *err)
{
    struct tg_options options = { .api_url = config->telegram.api_url,
                                  .proxy_url = config->telegram.proxy_url };

    if (!wk_config_needs_telegram(config) || tg_options_check(&options, err) == BW_OK)
        return BW_OK;
    return bw_error_prefix(err, "telegram");
}

static int check_parts(const struct wk_config *config, struct bw_error *err)
{
    int rc = check_workflow(config, err);

    if (rc == BW_OK)
        rc = check_http(config, err);
    if (rc == BW_OK)
        rc = check_database(config, err);
    if (rc == BW_OK)
        rc = check_telegram(config, err);
    return rc;
}

int wk_config_note(struct wk_config *config, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return bw_buf_addf(&config->notes, "%s\n", text);
}

static const char *config_path(const struct wk_config_sources *sources)
{
    const char *path = wk_lookup_value(&sources->flags, "config");

    return path != NULL ? path : wk_lookup_value(&sources->env, "BULWARK_CONFIG");
}

int wk_config_load(struct wk_config *config, const struct wk_config_sources *sources,
                   struct bw_error *err)
{
    const char *path = config_path(sources);
    int rc;

    *config = (struct wk_config){ .log = { BW_LOG_INFO, WK_LOG_AUTO } };
    rc = wk_schema_defaults(&wk_config_schema, config, err);
    if (rc == BW_OK && path != NULL)
        rc = read_file(config, path, err);
    if (rc == BW_OK)
        rc = wk_override_apply(config, sources, err);
    if (rc == BW_OK && path == NULL && config->database.url == NULL &&
        config->quick.exec == NULL && !sources->redis_only)
        rc = bw_error_set(err, BW_EINVAL,
                          "nothing to run: give --config FILE, or set REDIS_URL and "
                          "DATABASE_URL");
    if (rc == BW_OK && !sources->redis_only)
        rc = settle_queues(config, err);
    if (rc == BW_OK && !sources->redis_only)
        rc = check_parts(config, err);
    if (rc == BW_OK)
        rc = wk_redis_settle(config, err);
    if (rc != BW_OK)
        wk_config_fini(config);
    return rc;
}

void wk_config_fini(struct wk_config *config)
{
    for (size_t i = 0; i < config->queues.count; i++)
        wk_queue_config_fini(&config->queues.items[i]);
    free(config->queues.items);
    wk_schema_fini(&wk_config_schema, config);
    free(config->redis_env.url);
    free(config->redis_env.host);
    free(config->redis_env.port);
    free(config->redis_env.username);
    free(config->redis_env.password);
    free(config->redis_env.db);
    free(config->redis_env.tls);
    bw_buf_fini(&config->notes);
    bw_redis_options_fini(&config->queue_redis);
    bw_redis_options_fini(&config->cache_redis);
    json_decref(config->quick.exec);
    free(config->quick.queue);
    json_decref(config->workflow);
    json_decref(config->http.hosts);
    json_decref(config->source);
    *config = (struct wk_config){ 0 };
}

/* ---- questions */

#define NEEDS(what)                                                                      \
    bool wk_config_needs_##what(const struct wk_config *config)                          \
    {                                                                                    \
        for (size_t i = 0; i < config->queues.count; i++) {                              \
            if (config->queues.items[i].handler.type->needs_##what)                      \
                return true;                                                             \
        }                                                                                \
        return false;                                                                    \
    }
NEEDS(pg)
NEEDS(telegram)
NEEDS(cache)
#undef NEEDS

bool wk_config_logs_json(const struct wk_config *config, int fd)
{
    if (config->log.format == WK_LOG_AUTO)
        return isatty(fd) == 0;
    return config->log.format == WK_LOG_JSON;
}

/* What a running daemon takes over from a file that has changed. */
static bool key_is_live(const char *key)
{
    return strcmp(key, "log") == 0 || strcmp(key, "shutdownTimeout") == 0;
}

static int add_key(struct bw_buf *out, const char *key)
{
    int rc = out->len > 0 ? bw_buf_add_str(out, ", ") : BW_OK;

    return rc == BW_OK ? bw_buf_add_str(out, key) : rc;
}

int wk_config_restart_keys(const struct wk_config *a, const struct wk_config *b,
                           struct bw_buf *out)
{
    for (size_t i = 0; i < wk_config_schema.count; i++) {
        const char *key = wk_config_schema.fields[i].key;
        json_t *left = json_object_get(a->source, key);
        json_t *right = json_object_get(b->source, key);
        bool same =
            left == right || (left != NULL && right != NULL && json_equal(left, right));
        int rc;

        if (same || key_is_live(key))
            continue;
        rc = add_key(out, key);
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

int wk_config_help(struct bw_buf *out)
{
    int rc = wk_schema_help(&wk_config_schema, "", out);

    return rc == BW_OK ? wk_schema_help(&wk_queue_schema, "queues[]", out) : rc;
}
