#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bulwark/queue.h>

#include "daemon/app.h"
#include "command/command.h"
#include "command/command_check.h"
#include "base/exit_code.h"
#include "base/latch.h"
#include "base/log_output.h"
#include "pg/ask.h"
#include "command/session.h"
#include "telegram/client.h"
#include "workflow/jobs/foreign.h"

#define CHECK_TIMEOUT_MS 10000

static const char usage[] =
    "Usage: bulwark check [--config FILE] [options]\n"
    "\n"
    "Checks the configuration and reaches every dependency that the queues need. Of the\n"
    "database it names every table, column and right that is missing.\n"
    "Exit codes: 0 all is well; 1 something cannot be reached; 2 wrong configuration.\n";

/* ---- Redis */

#define OLDEST_REDIS 0x060200u

static bool has_hash_tag(const char *prefix)
{
    const char *open = strchr(prefix, '{');
    const char *close = open != NULL ? strchr(open, '}') : NULL;

    return close != NULL && close > open + 1;
}

/* What a server that answers is not fit for. `prefix` NULL: it holds caches only. */
static int judge_redis(const struct bw_redis_state *state, const char *prefix,
                       struct bw_buf *notes, struct bw_error *err)
{
    int rc = BW_OK;

    if (state->version != 0 && state->version < OLDEST_REDIS)
        rc =
            bw_buf_addf(notes, "Redis %u.%u.%u is older than 6.2\n", state->version >> 16,
                        state->version >> 8 & 255, state->version & 255);
    if (rc == BW_OK && prefix != NULL && state->eviction[0] != '\0' &&
        strcmp(state->eviction, "noeviction") != 0)
        rc = bw_buf_addf(notes,
                         "maxmemory-policy is %s: it must be noeviction, or jobs may be "
                         "evicted\n",
                         state->eviction);
    if (rc == BW_OK && state->cluster && prefix != NULL && !has_hash_tag(prefix))
        return bw_error_set(err, BW_EREDIS,
                            "Redis: a node of a cluster: the prefix needs a hash tag, "
                            "such as {bull}");
    if (rc == BW_OK && state->cluster)
        rc = bw_buf_add_str(notes, "a node of a cluster: keys whose slot another node "
                                   "owns are out of reach\n");
    return rc == BW_OK ? BW_OK : bw_error_set(err, rc, "out of memory");
}

/* Connected is enough: the handshake was answered. */
static int check_redis(const struct bw_redis_options *redis, const char *prefix,
                       const struct bw_log *log, struct bw_buf *notes,
                       struct bw_error *err)
{
    struct wk_session session;
    struct bw_redis_state state;
    int rc = wk_session_open(&session, redis, log->sink, err);

    if (rc != BW_OK)
        return rc;
    bw_redis_state(session.redis, &state);
    wk_session_close(&session);
    return judge_redis(&state, prefix, notes, err);
}

/* ---- workers of another kind on the queues of workflows */

struct foreign_call {
    struct wk_session *session;
    const char *name;
    unsigned count;
    char address[128];
};

static void foreign_listed(const struct bw_reply *reply, const struct bw_error *err,
                           void *arg)
{
    struct foreign_call *call = arg;

    if (err == NULL)
        call->count = wf_foreign_count(bw_reply_text(reply, &(size_t){ 0 }), call->name,
                                       call->address, sizeof call->address);
    wk_session_answer(reply, err, call->session);
}

/* Without the right to look there is nothing to say. */
static void check_foreign(struct wk_session *session, const char *prefix,
                          const char *queue)
{
    static const struct bw_redis_arg words[] = { { "CLIENT", 6 }, { "LIST", 4 } };
    char *name = bw_queue_client_name(prefix, queue);
    struct foreign_call call = { .session = session, .name = name };
    struct bw_error err = { 0 };

    if (name != NULL &&
        wk_session_wait(session,
                        bw_redis_command(session->redis, words, 2, WK_SESSION_TIMEOUT_MS,
                                         foreign_listed, &call),
                        &err) == BW_OK &&
        call.count > 0)
        (void)printf("%-12s WARNING: queue %s: %u %s of another kind, at %s, would take "
                     "jobs of workflows\n",
                     "workers", queue, call.count,
                     call.count == 1 ? "worker" : "workers, the first",
                     call.address); /* wk_print() reports a broken output */
    free(name);
}

static void report_foreign(const struct wk_config *config, const struct bw_log *log)
{
    struct wk_session session;
    struct bw_error err = { 0 };

    if (wk_session_open(&session, &config->queue_redis, log->sink, &err) != BW_OK)
        return; /* that was reported */
    for (size_t i = 0; i < config->queues.count; i++) {
        const struct wk_queue_config *queue = &config->queues.items[i];

        if (strcmp(queue->handler.type->name, "workflow") == 0)
            check_foreign(&session, config->prefix, queue->name);
    }
    wk_session_close(&session);
}

/* ---- PostgreSQL */

static int check_pg(const struct wk_config *config, const struct bw_log *log,
                    struct bw_error *err)
{
    static const struct pg_statement probe = { "check", "SELECT 1", 0 };
    struct pg_batch *batch = NULL;
    int rc = pg_batch_create(&batch);

    if (rc == BW_OK && pg_batch_add(batch, &probe, NULL, 0) < 0)
        rc = BW_ENOMEM;
    rc = rc == BW_OK ? wk_ask_pg(config->database.url, log, batch, err)
                     : bw_error_set(err, rc, "PostgreSQL: out of memory");
    pg_batch_destroy(&batch);
    return rc;
}

struct findings {
    int *code;
    size_t count;
};

static void found(const char *text, void *arg)
{
    struct findings *findings = arg;

    findings->count++;
    if (*findings->code < WK_EXIT_FAILED)
        *findings->code = WK_EXIT_FAILED;
    (void)printf("%-12s FAILED: %s\n", "postgresql", text); /* see report() */
}

/* Once a kind of handler, in the schema that the URL names. */
static int probe_pg(const struct wk_config *config, const struct bw_log *log,
                    struct findings *findings, struct bw_error *err)
{
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < config->queues.count; i++) {
        const struct wk_handler_type *type = config->queues.items[i].handler.type;
        bool asked = type->probe_pg == NULL;

        for (size_t j = 0; j < i && !asked; j++)
            asked = config->queues.items[j].handler.type == type;
        if (!asked)
            rc = type->probe_pg(config->database.url, log, found, findings, err);
    }
    return rc;
}

/* ---- Telegram: any answer to a token that is none shows that the Bot API is there */

static void tg_done(struct tg_call *call, void *arg)
{
    (void)call;
    wk_latch_open(arg);
}

static int tg_ask(struct tg_client *client, struct tg_call *call, struct bw_error *err)
{
    struct wk_latch latch;

    wk_latch_init(&latch);
    tg_client_submit(client, call, tg_done, &latch);
    if (!wk_latch_wait(&latch, CHECK_TIMEOUT_MS)) {
        tg_client_cancel(client, call);
        if (!wk_latch_wait(&latch, CHECK_TIMEOUT_MS))
            /* the client broke its promise; the latch is still its own */
            return bw_error_set(err, BW_ETIMEDOUT, "Telegram: no answer");
    }
    wk_latch_fini(&latch);
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

/* Lines of notes, each with what it is about. */
static void report_notes(const char *what, const struct bw_buf *notes)
{
    const char *line = bw_buf_text(notes);

    while (*line != '\0') {
        size_t len = strcspn(line, "\n");

        (void)printf("%-12s WARNING: %.*s\n", what, (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void report_redis(const char *what, const struct bw_redis_options *redis,
                         const char *prefix, const struct bw_log *log, int *code)
{
    struct bw_buf notes = BW_BUF_INIT;
    struct bw_error err = { 0 };

    report(what, check_redis(redis, prefix, log, &notes, &err), &err, code);
    report_notes(what, &notes);
    bw_buf_fini(&notes);
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

static void report_pg(const struct wk_config *config, const struct bw_log *log, int *code)
{
    struct findings findings = { .code = code };
    struct bw_error err = { 0 };
    int rc = check_pg(config, log, &err);

    if (rc == BW_OK)
        rc = probe_pg(config, log, &findings, &err);
    if (rc != BW_OK || findings.count == 0)
        report("postgresql", rc, &err, code);
}

static int check_all(struct wk_config *config, struct wk_log_output *output,
                     const struct bw_log *log)
{
    struct bw_error err = { 0 };
    int code = WK_EXIT_OK;

    report("configuration", BW_OK, &err, &code);
    report_notes("configuration", &config->notes);
    probe_handlers(config, &code);
    if (code == WK_EXIT_OK)
        report("worker", wk_app_check(config, output, &err), &err, &code);
    report_redis("redis", &config->queue_redis, config->prefix, log, &code);
    report_foreign(config, log);
    if (wk_config_needs_cache(config))
        report_redis("cache", &config->cache_redis, NULL, log, &code);
    if (wk_config_needs_pg(config))
        report_pg(config, log, &code);
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
    code = check_all(&invocation.config, &output, &log);
    wk_config_fini(&invocation.config);
    return code;
}
