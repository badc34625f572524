#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bulwark/queue.h>

#include "command/command.h"
#include "command/command_queue.h"
#include "command/command_cancel.h"
#include "base/exit_code.h"
#include "command/job_options.h"
#include "base/log_output.h"
#include "command/session.h"

static const char usage[] =
    "Usage: bulwark queue counts QUEUE            jobs by state\n"
    "       bulwark queue pause QUEUE             for all workers, until resumed\n"
    "       bulwark queue resume QUEUE\n"
    "       bulwark queue add QUEUE NAME [DATA [OPTIONS]]   JSON; prints the job's id\n"
    "       bulwark queue cancel QUEUE ID [REASON]          a running job, where the "
    "queue\n"
    "                                                       has remoteCancel\n";

struct request {
    struct wk_session session;
    const char *prefix;
    const char *queue;
    char **args; /* after the queue */
    int arg_count;
};

static int print(const char *text, struct bw_error *err)
{
    if (wk_print(text) != WK_EXIT_OK)
        return bw_error_set(err, BW_ESYSTEM, "standard output cannot be written");
    return BW_OK;
}

/* ---- is there such a queue */

/* What tells of a queue: a name that was misspelt must not be taken for one that is
 * empty, nor get keys of its own. */
static const char *const traces[] = { "meta",   "id",        "wait",
                                      "paused", "active",    "delayed",
                                      "failed", "completed", "prioritized",
                                      "events", "repeat",    "waiting-children" };

static int find_queue(struct request *request, struct bw_error *err)
{
    struct bw_buf key = BW_BUF_INIT;
    int64_t found = 0;
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && found == 0 && i < sizeof traces / sizeof traces[0];
         i++) {
        bw_buf_clear(&key);
        rc = bw_buf_addf(&key, "%s:%s:%s", request->prefix, request->queue, traces[i]);
        if (rc == BW_OK)
            rc = wk_session_command(&request->session, err, "EXISTS", bw_buf_text(&key),
                                    NULL);
        found = request->session.number;
    }
    if (rc == BW_ENOMEM)
        (void)bw_error_set(err, rc, "out of memory");
    if (rc == BW_OK && found == 0)
        rc = bw_error_set(err, BW_EREDIS,
                          "there is no queue \"%s\" with the prefix \"%s\"",
                          request->queue, request->prefix);
    bw_buf_fini(&key);
    return rc;
}

/* For all workers, by whoever. */
static int ask_paused(struct request *request, bool *paused, struct bw_error *err)
{
    struct bw_buf key = BW_BUF_INIT;
    int rc = bw_buf_addf(&key, "%s:%s:meta", request->prefix, request->queue);

    if (rc == BW_OK)
        rc = wk_session_command(&request->session, err, "HEXISTS", bw_buf_text(&key),
                                "paused", NULL);
    else
        (void)bw_error_set(err, rc, "out of memory");
    *paused = rc == BW_OK && request->session.number != 0;
    bw_buf_fini(&key);
    return rc;
}

/* ---- counts (lib/spec/bullmq.md §7.4). While paused, 5.x keeps the waiting jobs in
 * `paused`. */

static const struct {
    const char *state, *suffix, *command;
} states[] = {
    { "waiting", "wait", "LLEN" },
    { "paused", "paused", "LLEN" },
    { "active", "active", "LLEN" },
    { "prioritized", "prioritized", "ZCARD" },
    { "delayed", "delayed", "ZCARD" },
    { "waiting-children", "waiting-children", "ZCARD" },
    { "completed", "completed", "ZCARD" },
    { "failed", "failed", "ZCARD" },
};

static int count_state(struct request *request, size_t index, struct bw_buf *out,
                       struct bw_error *err)
{
    struct bw_buf key = BW_BUF_INIT;
    int rc = bw_buf_addf(&key, "%s:%s:%s", request->prefix, request->queue,
                         states[index].suffix);

    if (rc == BW_OK)
        rc = wk_session_command(&request->session, err, states[index].command,
                                bw_buf_text(&key), NULL);
    if (rc == BW_OK)
        rc = bw_buf_addf(out, "%-17s %" PRId64 "\n", states[index].state,
                         request->session.number);
    if (rc == BW_ENOMEM)
        (void)bw_error_set(err, rc, "out of memory");
    bw_buf_fini(&key);
    return rc;
}

static int run_counts(struct request *request, struct bw_error *err)
{
    struct bw_buf out = BW_BUF_INIT;
    bool paused;
    int rc = ask_paused(request, &paused, err);

    for (size_t i = 0; rc == BW_OK && i < sizeof states / sizeof states[0]; i++)
        rc = count_state(request, i, &out, err);
    if (rc == BW_OK && paused &&
        bw_buf_add_str(&out, "the queue is paused for all workers\n") != BW_OK)
        rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    if (rc == BW_OK)
        rc = print(bw_buf_text(&out), err);
    bw_buf_fini(&out);
    return rc;
}

/* ---- the rest */

typedef int steer_fn(struct bw_redis *redis, const char *prefix, const char *queue,
                     unsigned timeout_ms, bw_redis_cb *cb, void *arg);

/* Says what came of it: `did`, or that there was nothing to do. */
static int steer(struct request *request, steer_fn *fn, bool pauses, const char *did,
                 struct bw_error *err)
{
    bool paused;
    char text[256];
    int rc = ask_paused(request, &paused, err);

    if (rc == BW_OK)
        rc = wk_session_wait(&request->session,
                             fn(request->session.redis, request->prefix, request->queue,
                                WK_SESSION_TIMEOUT_MS, wk_session_answer,
                                &request->session),
                             err);
    if (rc != BW_OK)
        return rc;
    (void)snprintf(text, sizeof text, "%.200s: %s%s\n", request->queue,
                   paused == pauses ? "already " : "", did);
    return print(text, err);
}

static int run_pause(struct request *request, struct bw_error *err)
{
    return steer(request, bw_queue_pause, true, "paused for all workers", err);
}

static int run_resume(struct request *request, struct bw_error *err)
{
    return steer(request, bw_queue_resume, false, "running", err);
}

static int run_add(struct request *request, struct bw_error *err)
{
    struct bw_add add = { .prefix = request->prefix, .queue = request->queue };
    int rc = BW_OK;

    add.name = request->args[0];
    add.data = request->arg_count > 1 ? request->args[1] : NULL;
    add.data_len = add.data != NULL ? strlen(add.data) : 0;
    add.opts = request->arg_count > 2 ? request->args[2] : NULL;
    add.opts_len = add.opts != NULL ? strlen(add.opts) : 0;
    if (add.opts != NULL)
        rc = wk_job_options_check(add.opts, err);
    if (rc == BW_OK)
        rc = bw_queue_add(request->session.redis, &add, NULL, WK_SESSION_TIMEOUT_MS,
                          wk_session_added, &request->session, err);
    if (rc == BW_OK)
        rc = wk_session_wait(&request->session, BW_OK, err);
    if (rc == BW_OK)
        rc = print(request->session.text, err);
    if (rc == BW_OK)
        rc = print("\n", err);
    return rc;
}

static int run_cancel(struct request *request, struct bw_error *err)
{
    return wk_cancel_job(&request->session, request->prefix, request->queue,
                         request->args[0],
                         request->arg_count > 1 ? request->args[1] : NULL, err);
}

static const struct action {
    const char *name;
    int args_min, args_max; /* after the queue */
    int (*run)(struct request *request, struct bw_error *err);
    bool makes; /* the queue, where there is none */
} actions[] = {
    { "counts", 0, 0, run_counts, false }, { "pause", 0, 0, run_pause, false },
    { "resume", 0, 0, run_resume, false }, { "add", 1, 3, run_add, true },
    { "cancel", 1, 2, run_cancel, false },
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    return NULL;
}

static int understand(const struct wk_flags *flags, struct request *request,
                      const struct action **action, struct bw_error *err)
{
    *action = flags->rest_count > 0 ? find_action(flags->rest[0]) : NULL;
    if (*action == NULL)
        return bw_error_set(err, BW_EINVAL,
                            "queue: expected counts, pause, resume, add or cancel; see "
                            "bulwark queue --help");
    request->arg_count = flags->rest_count - 2;
    if (request->arg_count < (*action)->args_min ||
        request->arg_count > (*action)->args_max)
        return bw_error_set(
            err, BW_EINVAL,
            "queue %s: wrong number of arguments; see bulwark queue --help",
            (*action)->name);
    request->queue = flags->rest[1];
    request->args = flags->rest + 2;
    if (*request->queue == '\0' || strchr(request->queue, ':') != NULL)
        return bw_error_set(err, BW_EINVAL,
                            "queue: a queue's name is not empty and without \":\"");
    return BW_OK;
}

int wk_command_queue(int argc, char **argv)
{
    struct wk_invocation invocation;
    struct wk_log_output output;
    struct bw_error err = { 0 };
    struct request request;
    const struct action *action;
    int code;
    int rc;

    if (!wk_invocation_init(&invocation, argc, argv, usage, true, &code))
        return code;
    rc = understand(&invocation.flags, &request, &action, &err);
    if (rc == BW_OK) {
        request.prefix = invocation.config.prefix;
        wk_log_output_init(&output, STDERR_FILENO, BW_LOG_WARNING, false);
        rc = wk_session_open(&request.session, &invocation.config.queue_redis,
                             &output.sink, &err);
        if (rc == BW_OK) {
            if (!action->makes)
                rc = find_queue(&request, &err);
            if (rc == BW_OK)
                rc = action->run(&request, &err);
            wk_session_close(&request.session);
        }
    }
    wk_config_fini(&invocation.config);
    return rc == BW_OK ? WK_EXIT_OK : wk_complain(&err);
}
