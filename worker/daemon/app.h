/* The running daemon: a worker with its handlers and what they use, and the status
 * server.
 *
 * Built and torn down on the main thread. While it runs, the signal thread and the HTTP
 * thread look in and steer through the functions below and those of status.h and
 * routes.h. */
#ifndef WORKER_APP_H
#define WORKER_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/worker.h>

#include "config/load.h"
#include "daemon/deadline.h"
#include "base/log_output.h"

struct http_server;
struct pg_pool;
struct tg_client;

struct wk_instance { /* a queue's handler */
    const struct wk_handler_type *type;
    void *state;
    struct bw_log log;
};

struct wk_app {
    struct wk_config *config;                /* borrowed */
    const struct wk_config_sources *sources; /* borrowed: for reloading */
    struct wk_log_output *output;            /* borrowed */
    struct bw_log log;
    struct bw_worker *worker;
    struct pg_pool *pg;
    struct tg_client *telegram;
    struct bw_redis *cache;
    struct bw_redis *requests; /* to other replicas; NULL: no queue has remoteCancel */
    struct wk_instance *instances; /* as the configuration's queues */
    size_t instance_count;
    struct http_server *http;
    int64_t started_ms; /* wall clock */

    int64_t shutdown_timeout; /* atomic; ms */
    bool draining;            /* atomic */
    bool hopeless;            /* atomic: no queue could ever be served */
    int64_t drain_until_ns;   /* atomic; monotonic clock; 0: it does not drain */
    struct wk_deadline deadline;
    bool terminal; /* standard input was one at the start, and /dev/tty was there */
};

/* The whole end of a drain stays within a second of its deadline: so much of that second
 * is for handlers to stop, and after so much the process ends whatever is left. */
#define WK_STOP_GRACE_MS 750
#define WK_END_GRACE_MS  850

/* Builds everything as wk_app_run() does, has the handlers' programs say that they are
 * ready, and tears it down: nothing is fetched. Blocks for as long as they take. */
BW_MUSTCHECK int wk_app_check(struct wk_config *config, struct wk_log_output *output,
                              struct bw_error *err);

/* Runs until the worker has ended, and tears down. Returns the program's exit code.
 * Signals must be blocked. */
int wk_app_run(struct wk_config *config, const struct wk_config_sources *sources,
               struct wk_log_output *output);

#endif
