#include <stdio.h>
#include <unistd.h>

#include <bulwark/thread.h>

#include "command.h"
#include "exit_code.h"
#include "log_output.h"
#include "pg/pool.h"
#include "session.h"
#include "telegram/client.h"

#define CHECK_TIMEOUT_MS 10000

static const char usage[] =
    "Usage: bulwark check [--config FILE] [options]\n"
    "\n"
    "Checks the configuration and reaches every dependency that the queues need.\n"
    "Exit codes: 0 all is well; 1 something cannot be reached; 2 wrong configuration.\n";

/* One answer from another thread. */
struct latch {
    struct bw_mutex mtx;
    struct bw_cond open;
    bool done; /* under mtx */
};

static void latch_init(struct latch *latch)
{
    latch->done = false;
    bw_mutex_init(&latch->mtx);
    bw_cond_init(&latch->open);
}

static void latch_fini(struct latch *latch)
{
    bw_cond_fini(&latch->open);
    bw_mutex_fini(&latch->mtx);
}

static void latch_open(struct latch *latch)
{
    bw_mutex_lock(&latch->mtx);
    latch->done = true;
    bw_cond_signal(&latch->open);
    bw_mutex_unlock(&latch->mtx);
}

static bool latch_wait(struct latch *latch)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), CHECK_TIMEOUT_MS);
    bool done;

    bw_mutex_lock(&latch->mtx);
    while (!latch->done && bw_cond_wait_until(&latch->open, &latch->mtx, deadline))
        ;
    done = latch->done;
    bw_mutex_unlock(&latch->mtx);
    return done;
}

/* ---- Redis */

static int check_redis(const struct bw_redis_options *redis, const struct bw_log *log,
                       struct bw_error *err)
{
    struct wk_session session;
    int rc = wk_session_open(&session, redis, log->sink, err);

    if (rc != BW_OK)
        return rc;
    rc = wk_session_command(&session, err, "PING", NULL);
    wk_session_close(&session);
    return rc;
}

/* ---- PostgreSQL */

static void pg_done(struct pg_batch *batch, void *arg)
{
    (void)batch;
    latch_open(arg);
}

static int pg_ask(struct pg_pool *pool, struct pg_batch *batch, struct bw_error *err)
{
    static const struct pg_statement probe = { "check", "SELECT 1", 0 };
    struct latch latch;
    bool done;
    int rc = pg_batch_add(batch, &probe, NULL, 0);

    if (rc < 0)
        return bw_error_set(err, rc, "PostgreSQL: out of memory");
    latch_init(&latch);
    (void)pg_pool_submit(pool, batch, CHECK_TIMEOUT_MS / 2, pg_done, &latch);
    done = latch_wait(&latch);
    if (done)
        latch_fini(&latch);
    if (!done) /* the pool broke its promise; batch and latch are still its own */
        return bw_error_set(err, BW_ETIMEDOUT, "PostgreSQL: no answer");
    if (pg_batch_outcome(batch) != PG_OK)
        return bw_error_set(err, BW_EIO, "PostgreSQL: %s", pg_batch_message(batch));
    return BW_OK;
}

static int check_pg(const struct wk_config *config, const struct bw_log *log,
                    struct bw_error *err)
{
    struct pg_options options = { .url = config->database.url,
                                  .connections = 1,
                                  .log = log };
    struct pg_pool *pool = NULL;
    struct pg_batch *batch = NULL;
    int rc;

    if (pg_pool_create(&pool, &options, err) != BW_OK)
        return bw_error_prefix(err, "database.url");
    rc = pg_batch_create(&batch);
    rc = rc == BW_OK ? pg_ask(pool, batch, err)
                     : bw_error_set(err, rc, "PostgreSQL: out of memory");
    pg_pool_destroy(&pool);
    pg_batch_destroy(&batch);
    return rc;
}

/* ---- Telegram: any answer to a token that is none shows that the Bot API is there */

static void tg_done(struct tg_call *call, void *arg)
{
    (void)call;
    latch_open(arg);
}

static int tg_ask(struct tg_client *client, struct tg_call *call, struct bw_error *err)
{
    struct latch latch;

    latch_init(&latch);
    tg_client_submit(client, call, tg_done, &latch);
    if (!latch_wait(&latch)) {
        tg_client_cancel(client, call);
        if (!latch_wait(
                &latch)) /* the client broke its promise; the latch is still its own */
            return bw_error_set(err, BW_ETIMEDOUT, "Telegram: no answer");
    }
    latch_fini(&latch);
    if (tg_call_status(call) == 0)
        return bw_error_set(err, BW_EIO, "Telegram: %s", tg_call_description(call));
    return BW_OK;
}

static int check_telegram(const struct wk_config *config, const struct bw_log *log,
                          struct bw_error *err)
{
    struct tg_options options = { .api_url = config->telegram.api_url,
                                  .proxy_url = config->telegram.proxy_url,
                                  .log = log };
    struct tg_client *client = NULL;
    struct tg_call *call = NULL;
    json_t *params = json_object();
    int rc;

    if (tg_client_create(&client, &options, err) != BW_OK) {
        json_decref(params);
        return bw_error_prefix(err, "telegram");
    }
    call = params != NULL ? tg_call_create("0:check", "getMe", params) : NULL;
    rc = call != NULL ? tg_ask(client, call, err)
                      : bw_error_set(err, BW_ENOMEM, "Telegram: out of memory");
    tg_client_destroy(&client);
    tg_call_destroy(&call);
    return rc;
}

/* ---- */

/* One line a dependency. Remembers the worst exit code. */
static void report(const char *what, int rc, const struct bw_error *err, int *code)
{
    int own = wk_exit_of(rc);

    (void)printf("%-12s %s%s\n", what, rc == BW_OK ? "ok" : "FAILED: ",
                 rc == BW_OK ? "" : err->text); /* wk_print() reports a broken output */
    if (own > *code)
        *code = own;
}

/* What the queues' handlers need on this machine: programs, shared objects. */
static void probe_handlers(const struct wk_config *config, int *code)
{
    for (size_t i = 0; i < config->queues.count; i++) {
        const struct wk_queue_config *queue = &config->queues.items[i];
        const struct wk_handler_type *type = queue->handler.type;
        struct bw_error err = { 0 };
        int rc;

        if (type->probe == NULL)
            continue;
        rc = type->probe(queue->handler.settings, &err);
        if (rc != BW_OK)
            (void)bw_error_prefix(&err, "queues[%zu] (%.100s)", i, queue->name);
        report("handler", rc, &err, code);
    }
}

static int check_all(const struct wk_config *config, const struct bw_log *log)
{
    struct bw_error err = { 0 };
    int code = WK_EXIT_OK;

    report("configuration", BW_OK, &err, &code);
    probe_handlers(config, &code);
    report("redis", check_redis(&config->queue_redis, log, &err), &err, &code);
    if (wk_config_needs_cache(config))
        report("cache", check_redis(&config->cache_redis, log, &err), &err, &code);
    if (wk_config_needs_pg(config))
        report("postgresql", check_pg(config, log, &err), &err, &code);
    if (wk_config_needs_telegram(config))
        report("telegram", check_telegram(config, log, &err), &err, &code);
    return wk_print("") == WK_EXIT_OK ? code : WK_EXIT_FAILED;
}

int wk_command_check(int argc, char **argv)
{
    struct wk_invocation invocation;
    struct wk_log_output output;
    struct bw_log log;
    int code;

    if (!wk_invocation_init(&invocation, argc, argv, usage, false, &code))
        return code;
    wk_network_init(&invocation.config);
    wk_log_output_init(&output, STDERR_FILENO, BW_LOG_WARNING, false);
    bw_log_init(&log, &output.sink);
    code = check_all(&invocation.config, &log);
    wk_config_fini(&invocation.config);
    return code;
}
