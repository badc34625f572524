#include "daemon/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bulwark/time.h>

#include "base/exit_code.h"
#include "http/server.h"
#include "pg/pool.h"
#include "daemon/notes.h"
#include "daemon/routes.h"
#include "daemon/steer.h"
#include "telegram/client.h"
#include "base/version.h"

/* What handlers get that the worker's failure has surprised. */
#define STOP_FAILED_MS 1000
/* … and at least, when all time is used up. */
#define STOP_LEAST_MS 20

/* ---- building */

static int make_pg(struct wk_app *app, struct bw_error *err)
{
    struct pg_options options = { .url = app->config->database.url,
                                  .connections = app->config->database.connections,
                                  .log = &app->log };

    if (!wk_config_needs_pg(app->config))
        return BW_OK;
    if (pg_pool_create(&app->pg, &options, err) != BW_OK)
        return bw_error_prefix(err, "database.url");
    return BW_OK;
}

static int make_telegram(struct wk_app *app, struct bw_error *err)
{
    struct tg_options options = { .api_url = app->config->telegram.api_url,
                                  .proxy_url = app->config->telegram.proxy_url,
                                  .log = &app->log };

    if (!wk_config_needs_telegram(app->config))
        return BW_OK;
    if (tg_client_create(&app->telegram, &options, err) != BW_OK)
        return bw_error_prefix(err, "telegram");
    return BW_OK;
}

static bool asks_others(const struct wk_config *config)
{
    for (size_t i = 0; i < config->queues.count; i++) {
        if (config->queues.items[i].options.remote_cancel)
            return true;
    }
    return false;
}

static int make_worker(struct wk_app *app, struct bw_error *err)
{
    struct bw_worker_options options = { .redis = &app->config->queue_redis,
                                         .log = &app->output->sink,
                                         .processors = app->config->processors };
    int rc = bw_worker_create(&app->worker, &options, err);

    if (rc == BW_OK && wk_config_needs_cache(app->config))
        rc = bw_worker_redis(app->worker, &app->config->cache_redis, &app->cache, err);
    if (rc == BW_OK && asks_others(app->config))
        rc = bw_worker_redis(app->worker, NULL, &app->requests, err);
    return rc;
}

/* All queues are served by programs, and none has ever been ready: nobody would notice
 * for long. With other queues beside it the worker goes on (/readyz tells). */
static void on_hopeless(void *arg)
{
    struct wk_app *app = arg;

    for (size_t i = 0; i < app->instance_count; i++) {
        const struct wk_instance *instance = &app->instances[i];

        if (instance->type->is_hopeless == NULL ||
            !instance->type->is_hopeless(instance->state))
            return;
    }
    if (__atomic_exchange_n(&app->hopeless, true, __ATOMIC_RELAXED))
        return;
    bw_log(&app->log, BW_LOG_ERROR, "no processor of any queue has ever been ready");
    bw_worker_drain(app->worker, 0);
}

static int make_queue(struct wk_app *app, size_t index, struct bw_error *err)
{
    const struct wk_queue_config *queue = &app->config->queues.items[index];
    const struct wk_handler_type *type = queue->handler.type;
    struct wk_instance *instance = &app->instances[index];
    struct wk_handler_env env = {
        .worker = app->worker,
        .pg = type->needs_pg ? app->pg : NULL,
        .telegram = type->needs_telegram ? app->telegram : NULL,
        .cache = type->needs_cache ? app->cache : NULL,
        .redis = &app->config->queue_redis,
        .prefix = app->config->prefix,
        .queue = queue->name,
        .options = &queue->options,
        .workflow = app->config->workflow,
        .telegram_api_url = app->config->telegram.api_url,
        .log = &instance->log,
        .hopeless = on_hopeless,
        .hopeless_arg = app,
    };
    int rc;

    bw_log_child(&instance->log, &app->log, "queue", queue->name);
    rc = type->create(&env, queue->handler.settings, &instance->state, err);
    if (rc == BW_OK) {
        instance->type = type;
        app->instance_count = index + 1;
        rc = bw_worker_add_queue(app->worker, &queue->options, &type->handler,
                                 instance->state, err);
    }
    if (rc != BW_OK)
        return bw_error_prefix(err, "queues[%zu] (%.100s)", index, queue->name);
    return BW_OK;
}

static int make_queues(struct wk_app *app, struct bw_error *err)
{
    size_t count = app->config->queues.count;
    int rc = BW_OK;

    app->instances = calloc(count, sizeof *app->instances);
    if (app->instances == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    for (size_t i = 0; rc == BW_OK && i < count; i++)
        rc = make_queue(app, i, err);
    return rc;
}

/* The default address may be taken by another worker on the machine: that must not stop
 * this one. An address that was asked for must be there. */
static int make_http(struct wk_app *app, struct bw_error *err)
{
    const char *asked = app->config->http.listen;
    struct http_options options = { .listen = asked != NULL ? asked : WK_HTTP_LISTEN,
                                    .answer = wk_routes_answer,
                                    .arg = app,
                                    .log = &app->log };
    int rc;

    if (asked != NULL && strcmp(asked, "off") == 0)
        return BW_OK;
    rc = http_server_create(&app->http, &options, err);
    if (rc != BW_OK && asked == NULL) {
        bw_log(&app->log, BW_LOG_WARNING, "no status server",
               bw_text("listen", options.listen), bw_text("reason", err->text));
        bw_error_clear(err);
        return BW_OK;
    }
    if (rc != BW_OK)
        return bw_error_prefix(err, "http.listen");
    bw_log(&app->log, BW_LOG_INFO, "status server listens",
           bw_text("listen", http_server_address(app->http)));
    return BW_OK;
}

static int build(struct wk_app *app, struct bw_error *err)
{
    int rc = make_pg(app, err);

    if (rc == BW_OK)
        rc = make_telegram(app, err);
    if (rc == BW_OK)
        rc = make_worker(app, err);
    if (rc == BW_OK)
        rc = make_queues(app, err);
    return rc;
}

/* ---- tearing down */

static struct bw_mono stop_by(struct wk_app *app)
{
    int64_t until_ns = __atomic_load_n(&app->drain_until_ns, __ATOMIC_RELAXED);

    if (until_ns == 0)
        return bw_mono_add_ms(bw_mono_now(NULL), STOP_FAILED_MS);
    return bw_mono_add_ms((struct bw_mono){ until_ns }, WK_STOP_GRACE_MS);
}

/* All within one time, however many they are. A second signal may shorten it. */
static bool stop_instances(struct wk_app *app)
{
    struct bw_mono by = stop_by(app);
    bool all = true;

    for (size_t i = 0; i < app->instance_count; i++) {
        const struct wk_instance *instance = &app->instances[i];

        int64_t left = bw_mono_ms_until(bw_mono_now(NULL), by);

        if (instance->type->stop != NULL &&
            !instance->type->stop(instance->state,
                                  left > STOP_LEAST_MS ? left : STOP_LEAST_MS))
            all = false;
    }
    return all;
}

static void destroy(struct wk_app *app)
{
    http_server_destroy(&app->http);
    pg_pool_destroy(&app->pg);
    tg_client_destroy(&app->telegram);
    bw_worker_destroy(&app->worker);
    for (size_t i = 0; i < app->instance_count; i++)
        app->instances[i].type->destroy(app->instances[i].state);
    free(app->instances);
}

/* ---- running */

static int exit_code(const struct wk_app *app, enum bw_worker_end end,
                     const struct bw_error *err)
{
    switch (end) {
    case BW_END_DRAINED:
        bw_log(&app->log, BW_LOG_INFO, "ended: every job in flight is recorded");
        return WK_EXIT_OK;
    case BW_END_HANDED_BACK:
        bw_log(&app->log, BW_LOG_WARNING, "ended: unfinished jobs were handed back");
        return WK_EXIT_HANDED_BACK;
    case BW_END_FAILED:
        bw_log(&app->log, BW_LOG_ERROR, "ended: the worker failed",
               bw_text("reason", err->text));
        break;
    }
    return WK_EXIT_FAILED;
}

/* Until the worker has ended. Handlers that are stuck in mid-job, beyond every deadline,
 * cannot be torn down: the process ends with them, and Redis has what matters. */
static int await_end(struct wk_app *app)
{
    struct bw_error err = { 0 };
    enum bw_worker_end end = bw_worker_wait(app->worker, &err);
    int code = __atomic_load_n(&app->hopeless, __ATOMIC_RELAXED)
                   ? WK_EXIT_FAILED
                   : exit_code(app, end, &err);

    wk_deadline_exit_code(&app->deadline, code);
    if (!stop_instances(app)) {
        bw_log(&app->log, BW_LOG_WARNING,
               "handlers have not returned: ending without them");
        _exit(code);
    }
    return code;
}

static void start_instances(const struct wk_app *app)
{
    for (size_t i = 0; i < app->instance_count; i++) {
        const struct wk_instance *instance = &app->instances[i];

        if (instance->type->start != NULL)
            instance->type->start(instance->state);
    }
}

static int run(struct wk_app *app, struct bw_error *err)
{
    struct wk_signals signals = { 0 };
    int rc;
    int code;

    rc = wk_deadline_start(&app->deadline, &app->log, err);
    if (rc == BW_OK)
        rc = bw_worker_start(app->worker, err);
    if (rc != BW_OK) {
        (void)stop_instances(app); /* they have no jobs */
        return wk_exit_of(rc);
    }
    start_instances(app);
    rc = make_http(app, err);
    if (rc == BW_OK)
        rc = wk_steer_start(&signals, app, err);
    if (rc != BW_OK)
        bw_worker_drain(app->worker, 0);
    else
        bw_log(&app->log, BW_LOG_INFO, "running", bw_text("version", WK_VERSION),
               bw_num("pid", getpid()), bw_num("queues", (int64_t)app->instance_count));
    code = await_end(app);
    wk_signals_stop(&signals);
    return rc == BW_OK ? code : wk_exit_of(rc);
}

/* ---- checking */

#define READY_MAX_MS 60000   /* handlers that start programs give up before */
#define LOOK_EVERY   5000000 /* ns */

/* BW_OK while all is well; `*open`: not all is known. */
static int look_at_handlers(const struct wk_app *app, bool *open, struct bw_error *err)
{
    *open = false;
    for (size_t i = 0; i < app->instance_count; i++) {
        const struct wk_instance *instance = &app->instances[i];
        enum wk_prospect prospect = instance->type->prospect != NULL
                                        ? instance->type->prospect(instance->state)
                                        : WK_PROSPECT_READY;

        if (prospect == WK_PROSPECT_HOPELESS)
            return bw_error_set(err, BW_EINVAL,
                                "queues[%zu] (%.100s): its program ends, or is ended, "
                                "before it says that it is ready",
                                i, app->config->queues.items[i].name);
        *open = *open || prospect == WK_PROSPECT_OPEN;
    }
    return BW_OK;
}

static int await_handlers(const struct wk_app *app, struct bw_error *err)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), READY_MAX_MS);
    struct timespec pause = { .tv_nsec = LOOK_EVERY };
    bool open = true;
    int rc;

    for (size_t i = 0; i < app->instance_count; i++) {
        if (app->instances[i].type->prospect != NULL)
            app->instances[i].type->start(app->instances[i].state);
    }
    while ((rc = look_at_handlers(app, &open, err)) == BW_OK && open) {
        if (!bw_mono_before(bw_mono_now(NULL), deadline))
            return bw_error_set(err, BW_ETIMEDOUT,
                                "the handlers' programs are not ready");
        (void)nanosleep(&pause, NULL); /* woken early it only looks early */
    }
    return rc;
}

int wk_app_check(struct wk_config *config, struct wk_log_output *output,
                 struct bw_error *err)
{
    struct wk_app app = { .config = config,
                          .output = output,
                          .started_ms = bw_wall_now(NULL).ms };
    int rc;

    bw_log_init(&app.log, &output->sink);
    rc = build(&app, err);
    if (rc == BW_OK)
        rc = make_http(&app, err);
    if (rc == BW_OK)
        rc = await_handlers(&app, err);
    if (stop_instances(&app)) /* else something of theirs still runs, and is left */
        destroy(&app);
    return rc;
}

int wk_app_run(struct wk_config *config, const struct wk_config_sources *sources,
               struct wk_log_output *output)
{
    struct wk_app app = { .config = config,
                          .sources = sources,
                          .output = output,
                          .started_ms = bw_wall_now(NULL).ms,
                          .shutdown_timeout = config->shutdown_timeout };
    struct bw_error err = { 0 };
    int rc;
    int code;

    bw_log_init(&app.log, &output->sink);
    wk_notes_log(&app.log, config);
    rc = build(&app, &err);
    if (rc != BW_OK)
        (void)stop_instances(&app); /* they have no jobs */
    code = rc == BW_OK ? run(&app, &err) : wk_exit_of(rc);
    if (err.code != BW_OK)
        bw_log(&app.log, BW_LOG_ERROR, "cannot run", bw_text("reason", err.text));
    destroy(&app);
    wk_deadline_stop(&app.deadline);
    return code;
}
