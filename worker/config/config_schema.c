#include "config/config_schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MS_MAX       INT64_C(31536000000) /* a year: more is a slip of the unit */
#define QUEUES_MAX   100000

/* Rows: kind, place, key, default, least, most, help. */
#define NUMBER_ROW(base, kind_, field, key_, def_, min_, max_, help_)                    \
    { .key = (key_),                                                                     \
      .kind = (kind_),                                                                   \
      .offset = offsetof(base, field),                                                   \
      .def = (def_),                                                                     \
      .min = (min_),                                                                     \
      .max = (max_),                                                                     \
      .help = (help_) },
#define TEXT_ROW(base, kind_, field, key_, def_, help_)                                  \
    { .key = (key_),                                                                     \
      .kind = (kind_),                                                                   \
      .offset = offsetof(base, field),                                                   \
      .def_text = (def_),                                                                \
      .help = (help_) },
#define CUSTOM_ROW(base, field, key_, read_, help_)                                      \
    { .key = (key_),                                                                     \
      .kind = WK_CUSTOM,                                                                 \
      .offset = offsetof(base, field),                                                   \
      .read = (read_),                                                                   \
      .help = (help_) },
#define OBJECT_ROW(offset_, key_, sub_)                                                  \
    { .key = (key_), .kind = WK_OBJECT, .offset = (offset_), .sub = (sub_) },

/* ---- retention (spec/bullmq.md §5.5): true, false, a count, or {count, age, limit} */

#define KEEP_ROWS(N)                                                                     \
    N(WK_INT, count, "count", -1, -1, INT64_MAX, "finished jobs kept; -1: no limit")     \
    N(WK_INT, age, "age", -1, -1, INT64_MAX, "seconds they are kept; -1: no limit")      \
    N(WK_INT, limit, "limit", -1, -1, INT64_MAX, "jobs removed at once")

#define N(kind, field, key, def, min, max, help)                                         \
    NUMBER_ROW(struct bw_keep, kind, field, key, def, min, max, help)
static const struct wk_field keep_fields[] = { KEEP_ROWS(N) };
#undef N
static const struct wk_schema keep_schema = { keep_fields, COUNT(keep_fields) };

static int read_keep(void *at, const json_t *value, const char *path,
                     struct bw_error *err)
{
    struct bw_keep *keep = at;
    int rc;

    *keep = (struct bw_keep){ .set = true, .count = -1, .age = -1, .limit = -1 };
    if (json_is_boolean(value)) {
        keep->set = json_is_true(value);
        keep->count = keep->set ? 0 : -1;
        return BW_OK;
    }
    if (json_is_object(value))
        rc = wk_schema_read(&keep_schema, keep, value, path, err);
    else if (json_is_number(value))
        rc = wk_read_number(value, -1, INT64_MAX, path, &keep->count, err);
    else
        return bw_error_set(err, BW_EINVAL,
                            "%s: must be true, false, a count or an object", path);
    keep->set = keep->count >= 0 || keep->age >= 0;
    return rc;
}

/* ---- handlers: NAME or {NAME: …} */

static const char *handler_name_at(const void *arg, size_t index)
{
    const struct wk_handler_type *type = wk_handler_at(index);

    (void)arg;
    return type != NULL ? type->name : NULL;
}

static int unknown_handler(const char *name, const char *path, struct bw_error *err)
{
    const char *near = wk_nearest(name, handler_name_at, NULL);

    if (near == NULL)
        return bw_error_set(err, BW_EINVAL, "%s: unknown handler \"%.64s\"", path, name);
    return bw_error_set(err, BW_EINVAL,
                        "%s: unknown handler \"%.64s\", did you mean \"%s\"?", path, name,
                        near);
}

/* The kind that a handler object names: the first of its keys that is one. */
static const struct wk_handler_type *handler_of_object(const json_t *value)
{
    const char *key;
    json_t *ignored;

    json_object_foreach((json_t *)value, key, ignored)
    {
        const struct wk_handler_type *type = wk_handler_find(key);

        if (type != NULL)
            return type;
    }
    return NULL;
}

/* A kind that is refused says so when the whole is checked, whatever its settings. */
static int check_handler(const struct wk_handler_type *type, const json_t *settings,
                         const char *path, struct bw_error *err)
{
    struct bw_error inner = { 0 };
    int rc = type->check != NULL ? type->check(settings, &inner) : BW_OK;

    return rc == BW_OK ? BW_OK : bw_error_set(err, rc, "%s%s", path, inner.text);
}

static int read_handler(void *at, const json_t *value, const char *path,
                        struct bw_error *err)
{
    struct wk_handler_config *handler = at;
    const struct wk_handler_type *type;
    int rc;

    if (json_is_string(value)) {
        type = wk_handler_find(json_string_value(value));
        if (type == NULL)
            return unknown_handler(json_string_value(value), path, err);
    } else if (json_is_object(value) && json_object_size(value) > 0) {
        type = handler_of_object(value);
        if (type == NULL)
            return unknown_handler(
                json_object_iter_key(json_object_iter((json_t *)value)), path, err);
    } else {
        return bw_error_set(err, BW_EINVAL,
                            "%s: must be a handler's name or {name: settings}", path);
    }
    rc = check_handler(type, json_is_object(value) ? value : NULL, path, err);
    if (rc != BW_OK)
        return rc;
    if (json_is_object(value)) {
        json_decref(handler->settings);
        handler->settings = json_incref((json_t *)value);
    }
    handler->type = type;
    return BW_OK;
}

/* ---- groups: a path into the job's data, or a list of them */

/* Keys joined by dots, paths joined by '+': nothing between two of these is empty, and
 * nothing separates paths as the library does. */
static bool is_path(const char *text)
{
    bool starts = true;

    for (; text != NULL && *text != '\0'; text++) {
        bool joins = *text == '.' || *text == '+';

        if ((joins && starts) || strchr("| \t\r\n", *text) != NULL)
            return false;
        starts = joins;
    }
    return !starts;
}

static int read_group_key(void *at, const json_t *value, const char *path,
                          struct bw_error *err)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    struct bw_buf paths = BW_BUF_INIT;
    int rc = count > 0 ? BW_OK : BW_EINVAL;

    for (size_t i = 0; i < count && rc == BW_OK; i++) {
        const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;

        rc = is_path(json_string_value(one))
                 ? bw_buf_addf(&paths, "%s%s", i > 0 ? "|" : "", json_string_value(one))
                 : BW_EINVAL;
    }
    if (rc == BW_OK)
        rc = wk_set_text(at, bw_buf_text(&paths), err);
    else if (rc == BW_EINVAL)
        (void)bw_error_set(
            err, rc, "%s: must be a path like \"context.chat.id\", or a list", path);
    else
        (void)bw_error_set(err, rc, "out of memory");
    bw_buf_fini(&paths);
    return rc;
}

/* ---- a queue; defaults are those of spec/bullmq.md §11.1 */

#define LIMITER_ROWS(N)                                                                  \
    N(WK_INT, limiter_max, "max", 0, 1, INT64_MAX, "jobs started in a window")           \
    N(WK_INT, limiter_duration, "duration", 0, 1, MS_MAX, "length of a window, ms")

#define GROUP_RATE_ROWS(N)                                                               \
    N(WK_INT, group_rate_max, "max", 0, 1, INT64_MAX,                                    \
      "jobs of a group started in a window")                                             \
    N(WK_INT, group_rate_duration, "duration", 0, 1, MS_MAX, "length of a window, ms")

#define METRICS_ROWS(N)                                                                  \
    N(WK_INT, metrics_max_data_points, "maxDataPoints", 0, 0, INT64_MAX,                 \
      "minutes of counts kept in Redis for dashboards")

#define N(kind, field, key, def, min, max, help)                                         \
    NUMBER_ROW(struct bw_queue_options, kind, field, key, def, min, max, help)
static const struct wk_field limiter_fields[] = { LIMITER_ROWS(N) };
static const struct wk_field group_rate_fields[] = { GROUP_RATE_ROWS(N) };
static const struct wk_field metrics_fields[] = { METRICS_ROWS(N) };
#undef N
static const struct wk_schema limiter_schema = { limiter_fields, COUNT(limiter_fields) };
static const struct wk_schema group_rate_schema = { group_rate_fields,
                                                    COUNT(group_rate_fields) };
static const struct wk_schema metrics_schema = { metrics_fields, COUNT(metrics_fields) };

#define QUEUE_ROWS(T, N, C, O)                                                           \
    T(WK_TEXT, name, "name", NULL, "the queue")                                          \
    C(handler, "handler", read_handler, "what runs its jobs")                            \
    N(WK_UINT, options.concurrency, "concurrency", 1, 1, WK_CONCURRENCY_MAX,             \
      "jobs run at once")                                                                \
    N(WK_INT, options.lock_duration, "lockDuration", 30000, 1, MS_MAX,                   \
      "ms a job's lock lives")                                                           \
    N(WK_INT, options.lock_renew_time, "lockRenewTime", 0, 1, MS_MAX,                    \
      "ms between renewals [lockDuration / 2]")                                          \
    N(WK_INT, options.stalled_interval, "stalledInterval", 30000, 1, MS_MAX,             \
      "ms between checks for stalled jobs")                                              \
    N(WK_INT, options.max_stalled_count, "maxStalledCount", 1, 0, INT32_MAX,             \
      "times a job may stall")                                                           \
    N(WK_INT, options.max_started_attempts, "maxStartedAttempts", -1, 0, INT32_MAX,      \
      "times a job may start [no limit]")                                                \
    N(WK_SECONDS, options.drain_delay, "drainDelay", 5000, 1, 86400000,                  \
      "longest wait for a job, seconds")                                                 \
    O(offsetof(struct wk_queue_config, options), "limiter", &limiter_schema)             \
    C(group_key, "groupKey", read_group_key,                                             \
      "path into a job's data, or a list of them: jobs with the same value there run "   \
      "one at a time, in order [off]")                                                   \
    N(WK_UINT, options.group_concurrency, "groupConcurrency", 1, 1, WK_CONCURRENCY_MAX,  \
      "jobs of a group run at once")                                                     \
    O(offsetof(struct wk_queue_config, options), "groupRate", &group_rate_schema)        \
    N(WK_BOOL, options.group_strict, "groupStrict", 0, 0, 1,                             \
      "a group waits for its job that is to be retried")                                 \
    N(WK_INT, options.maximum_rate_limit_delay, "maximumRateLimitDelay", 30000, 1,       \
      MS_MAX, "longest sleep while limited, ms")                                         \
    N(WK_INT, options.run_retry_delay, "runRetryDelay", 15000, 1, MS_MAX,                \
      "longest pause after failing calls, ms")                                           \
    C(options.remove_on_complete, "removeOnComplete", read_keep,                         \
      "completed jobs kept: {count, age, limit}, a count, true, false")                  \
    C(options.remove_on_fail, "removeOnFail", read_keep,                                 \
      "failed jobs kept: {count, age, limit}, a count, true, false")                     \
    O(offsetof(struct wk_queue_config, options), "metrics", &metrics_schema)             \
    T(WK_TEXT, worker_name, "workerName", NULL, "written into the jobs as processedBy")  \
    N(WK_INT, options.timeout, "timeout", 0, 0, MS_MAX,                                  \
      "ms a job may take; a job's own opts.timeout goes first; 0: no limit")             \
    N(WK_BOOL, options.remote_cancel, "remoteCancel", 0, 0, 1,                           \
      "let jobs be cancelled through Redis: bulwark queue cancel")                       \
    N(WK_INT, options.deaf_timeout, "deafTimeout", 0, 0, MS_MAX,                         \
      "ms without an answered fetch before new links, four times: the end [15000]")      \
    N(WK_UINT, options.pause_layout, "pauseLayout", 0, 5, 6,                             \
      "where a paused queue's jobs are: as in 5.x or 6.x [as its clients do]")           \
    N(WK_BOOL, options.skip_lock_renewal, "skipLockRenewal", 0, 0, 1,                    \
      "leave locks to run out")                                                          \
    N(WK_BOOL, options.skip_stalled_check, "skipStalledCheck", 0, 0, 1,                  \
      "leave stalled jobs to others")                                                    \
    N(WK_BOOL, options.strict, "strict", 0, 0, 1,                                        \
      "as BullMQ also where it loses or doubles work")                                   \
    N(WK_BOOL, options.skip_listing, "skipListing", 0, 0, 1,                             \
      "no connection that shows the worker on dashboards")

#define T(kind, field, key, def, help)                                                   \
    TEXT_ROW(struct wk_queue_config, kind, field, key, def, help)
#define N(kind, field, key, def, min, max, help)                                         \
    NUMBER_ROW(struct wk_queue_config, kind, field, key, def, min, max, help)
#define C(field, key, read, help)                                                        \
    CUSTOM_ROW(struct wk_queue_config, field, key, read, help)
#define O(offset, key, sub) OBJECT_ROW(offset, key, sub)
static const struct wk_field queue_fields[] = { QUEUE_ROWS(T, N, C, O) };
#undef T
#undef N
#undef C
#undef O
const struct wk_schema wk_queue_schema = { queue_fields, COUNT(queue_fields) };

void wk_queue_config_fini(struct wk_queue_config *queue)
{
    wk_schema_fini(&wk_queue_schema, queue);
    free(queue->group_key);
    queue->group_key = NULL;
    json_decref(queue->handler.settings);
    queue->handler.settings = NULL;
}

static int read_queue(struct wk_queue_config *queue, const json_t *value,
                      const char *path, struct bw_error *err)
{
    int rc;

    bw_queue_options_init(&queue->options);
    rc = wk_schema_defaults(&wk_queue_schema, queue, err);
    if (rc != BW_OK)
        return rc;
    return wk_schema_read(&wk_queue_schema, queue, value, path, err);
}

static int read_queues(void *at, const json_t *value, const char *path,
                       struct bw_error *err)
{
    struct wk_queue_list *list = at;
    size_t count = json_array_size(value);

    if (!json_is_array(value) || count == 0 || count > QUEUES_MAX)
        return bw_error_set(err, BW_EINVAL, "%s: must be an array of 1 to %d queues",
                            path, QUEUES_MAX);
    list->items = calloc(count, sizeof *list->items);
    if (list->items == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        char element[WK_PATH_MAX];
        int rc;

        list->count = i + 1; /* counted before it is whole, so that it is freed */
        (void)snprintf(element, sizeof element, "%.100s[%zu]", path, i);
        rc = read_queue(&list->items[i], json_array_get(value, i), element, err);
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

/* ---- the rest of the file */

static int read_log_level(void *at, const json_t *value, const char *path,
                          struct bw_error *err)
{
    if (!json_is_string(value) ||
        wk_log_level_parse(json_string_value(value), at) != BW_OK)
        return bw_error_set(err, BW_EINVAL,
                            "%s: must be \"debug\", \"info\", \"warning\" or \"error\"",
                            path);
    return BW_OK;
}

static int read_log_format(void *at, const json_t *value, const char *path,
                           struct bw_error *err)
{
    if (!json_is_string(value) ||
        wk_log_format_parse(json_string_value(value), at) != BW_OK)
        return bw_error_set(err, BW_EINVAL, "%s: must be \"json\", \"text\" or \"auto\"",
                            path);
    return BW_OK;
}

static int read_workflow(void *at, const json_t *value, const char *path,
                         struct bw_error *err)
{
    if (!json_is_object(value))
        return bw_error_set(err, BW_EINVAL, "%s: must be an object", path);
    *(json_t **)at = json_incref((json_t *)value);
    return BW_OK;
}

static int read_hosts(void *at, const json_t *value, const char *path,
                      struct bw_error *err)
{
    size_t i;
    const json_t *host;

    if (!json_is_array(value) || json_array_size(value) == 0)
        return bw_error_set(err, BW_EINVAL, "%s: must be a list of host names", path);
    json_array_foreach((json_t *)value, i, host)
    {
        if (!json_is_string(host) || json_string_length(host) == 0)
            return bw_error_set(err, BW_EINVAL, "%s[%zu]: must be a host name", path, i);
    }
    *(json_t **)at = json_incref((json_t *)value);
    return BW_OK;
}

#define REDIS_ROWS(T, N, C, O)                                                           \
    T(WK_SECRET, redis.url, "url", NULL,                                                 \
      "redis://[user:password@]host:port/db, rediss://…, unix:///path "                \
      "[redis://127.0.0.1:6379/0]")                                                      \
    T(WK_TEXT, redis.ca_file, "caFile", NULL,                                            \
      "certificates trusted for TLS [the system's]")                                     \
    N(WK_INT, redis.connect_timeout, "connectTimeout", 5000, 1, MS_MAX,                  \
      "ms for a connection")

#define DATABASE_ROWS(T, N, C, O)                                                        \
    T(WK_SECRET, database.url, "url", NULL, "postgresql://…, as Prisma takes it")        \
    N(WK_UINT, database.connections, "connections", 0, 1, 1000,                          \
      "most connections [connection_limit of the URL, or 4]")

#define TELEGRAM_ROWS(T, N, C, O)                                                        \
    T(WK_TEXT, telegram.api_url, "apiUrl", NULL, "Bot API [https://api.telegram.org]")   \
    T(WK_SECRET, telegram.proxy_url, "proxyUrl", NULL, "proxy for the Bot API [none]")

#define HTTP_ROWS(T, N, C, O)                                                            \
    T(WK_TEXT, http.listen, "listen", NULL,                                              \
      "address of /healthz, /readyz, /metrics, /status; \"off\": none "                  \
      "[" WK_HTTP_LISTEN "]")                                                            \
    T(WK_SECRET, http.token, "token", NULL,                                              \
      "bearer token; POSTs and /status need it where listen is not loopback")            \
    C(http.hosts, "hosts", read_hosts,                                                   \
      "what a Host header may name for POSTs and /status, where no token is given "      \
      "[localhost and loopback addresses]")

#define LOG_ROWS(T, N, C, O)                                                             \
    C(log.level, "level", read_log_level, "debug, info, warning, error [info]")          \
    C(log.format, "format", read_log_format,                                             \
      "json, text, auto: text on a terminal [auto]")

#define CONFIG_ROWS(T, N, C, O)                                                          \
    O(0, "redis", &redis_schema)                                                         \
    T(WK_TEXT, prefix, "prefix", "bull", "first part of every queue key")                \
    O(0, "database", &database_schema)                                                   \
    O(0, "telegram", &telegram_schema)                                                   \
    O(0, "http", &http_schema)                                                           \
    O(0, "log", &log_schema)                                                             \
    N(WK_INT, shutdown_timeout, "shutdownTimeout", 25000, 0, MS_MAX,                     \
      "ms that jobs in flight have to finish at the end")                                \
    N(WK_UINT, processors, "processors", 4, 1, 1024, "threads for handlers that block")  \
    C(workflow, "workflow", read_workflow, "settings of the workflow engine")            \
    C(queues, "queues", read_queues, "the queues:")

#define T(kind, field, key, def, help)                                                   \
    TEXT_ROW(struct wk_config, kind, field, key, def, help)
#define N(kind, field, key, def, min, max, help)                                         \
    NUMBER_ROW(struct wk_config, kind, field, key, def, min, max, help)
#define C(field, key, read, help) CUSTOM_ROW(struct wk_config, field, key, read, help)
/* Rows of inner objects are placed in the whole struct too: their base is the same. */
#define O(offset, key, sub) OBJECT_ROW(offset, key, sub)
static const struct wk_field redis_fields[] = { REDIS_ROWS(T, N, C, O) };
static const struct wk_field database_fields[] = { DATABASE_ROWS(T, N, C, O) };
static const struct wk_field telegram_fields[] = { TELEGRAM_ROWS(T, N, C, O) };
static const struct wk_field http_fields[] = { HTTP_ROWS(T, N, C, O) };
static const struct wk_field log_fields[] = { LOG_ROWS(T, N, C, O) };
static const struct wk_schema redis_schema = { redis_fields, COUNT(redis_fields) };
static const struct wk_schema database_schema = { database_fields,
                                                  COUNT(database_fields) };
static const struct wk_schema telegram_schema = { telegram_fields,
                                                  COUNT(telegram_fields) };
static const struct wk_schema http_schema = { http_fields, COUNT(http_fields) };
static const struct wk_schema log_schema = { log_fields, COUNT(log_fields) };
static const struct wk_field config_fields[] = { CONFIG_ROWS(T, N, C, O) };
const struct wk_schema wk_config_schema = { config_fields, COUNT(config_fields) };
