/* The options of the configuration file: one row each, but for those of a queue that the
 * library has (<bulwark/queue_options.h>).
 *
 * T: kind, member, key, default, when it counts, help
 * N: kind, member, key, default, least, most, unit, when it counts, help
 * C: member, key, how it is read, when it counts, help */
#ifndef WORKER_CONFIG_ROWS_H
#define WORKER_CONFIG_ROWS_H

#define WK_CONFIG_MS_MAX INT64_C(31536000000) /* a year: more is a slip of the unit */

/* Of struct wk_config. */
#define WK_CONFIG_ROWS(T, N, C)                                                          \
    T(WK_SECRET, redis.url, "redis.url", NULL, WK_AT_START,                              \
      "redis://[user:password@]host:port/db, rediss://…, unix:///path "                \
      "[redis://127.0.0.1:6379/0]")                                                      \
    T(WK_TEXT, redis.ca_file, "redis.caFile", NULL, WK_AT_START,                         \
      "certificates trusted for TLS [the system's]")                                     \
    N(WK_INT, redis.connect_timeout, "redis.connectTimeout", 5000, 1, WK_CONFIG_MS_MAX,  \
      "ms", WK_AT_START, "longest time for a connection")                                \
    T(WK_TEXT, prefix, "prefix", "bull", WK_AT_START, "first part of every queue key")   \
    T(WK_SECRET, database.url, "database.url", NULL, WK_AT_START,                        \
      "postgresql://…, as Prisma takes it")                                              \
    N(WK_UINT, database.connections, "database.connections", 0, 1, 1000, NULL,           \
      WK_AT_START, "most connections [connection_limit of the URL, or 4]")               \
    T(WK_TEXT, telegram.api_url, "telegram.apiUrl", NULL, WK_AT_START,                   \
      "Bot API [https://api.telegram.org]")                                              \
    T(WK_SECRET, telegram.proxy_url, "telegram.proxyUrl", NULL, WK_AT_START,             \
      "proxy for the Bot API [none]")                                                    \
    T(WK_TEXT, http.listen, "http.listen", NULL, WK_AT_START,                            \
      "address of /healthz, /readyz, /metrics, /status; \"off\": none "                  \
      "[" WK_HTTP_LISTEN "]")                                                            \
    T(WK_SECRET, http.token, "http.token", NULL, WK_AT_START,                            \
      "bearer token; POSTs and /status need it where listen is not loopback")            \
    C(http.hosts, "http.hosts", read_hosts, WK_AT_START,                                 \
      "what a Host header may name for POSTs and /status, where no token is given "      \
      "[localhost and loopback addresses]")                                              \
    C(log.level, "log.level", read_log_level, WK_LIVE,                                   \
      "debug, info, warning, error [info]")                                              \
    C(log.format, "log.format", read_log_format, WK_LIVE,                                \
      "json, text, auto: text on a terminal [auto]")                                     \
    N(WK_INT, shutdown_timeout, "shutdownTimeout", 25000, 0, WK_CONFIG_MS_MAX, "ms",     \
      WK_LIVE, "time that jobs in flight have to finish at the end")                     \
    N(WK_UINT, processors, "processors", 4, 1, 1024, NULL, WK_AT_START,                  \
      "threads for handlers that block")                                                 \
    C(workflow, "workflow", read_workflow, WK_AT_START,                                  \
      "settings of the workflow engine: below")                                          \
    C(queues, "queues", read_queues, WK_AT_START, "the queues, a list")

/* Of struct wk_queue_config, besides the library's. */
#define WK_QUEUE_ROWS(T, N, C)                                                           \
    T(WK_TEXT, name, "name", NULL, WK_AT_START, "the queue")                             \
    C(handler, "handler", read_handler, WK_AT_START,                                     \
      "what runs its jobs: a name, or an object: below")                                 \
    C(group_key, "groupKey", read_group_key, WK_AT_START,                                \
      "path into a job's data, or a list of them: jobs with the same value there run "   \
      "one at a time, in order [off]")                                                   \
    C(options.remove_on_complete, "removeOnComplete", read_keep, WK_AT_START,            \
      "completed jobs kept: {count, age, limit}, a count, true, false")                  \
    C(options.remove_on_fail, "removeOnFail", read_keep, WK_AT_START,                    \
      "failed jobs kept: {count, age, limit}, a count, true, false")                     \
    T(WK_TEXT, worker_name, "workerName", NULL, WK_AT_START,                             \
      "written into the jobs as processedBy")

#endif
