#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bulwark/queue.h>

#include "command.h"
#include "command_cancel.h"
#include "exit_code.h"
#include "log_output.h"
#include "session.h"

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

/* ---- counts (spec/bullmq.md §7.4). While paused, 5.x keeps the waiting jobs in
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
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < sizeof states / sizeof states[0]; i++)
        rc = count_state(request, i, &out, err);
    if (rc == BW_OK && wk_print(bw_buf_text(&out)) != WK_EXIT_OK)
        rc = bw_error_set(err, BW_ESYSTEM, "standard output cannot be written");
    bw_buf_fini(&out);
    return rc;
}

/* ---- the rest */

static int run_pause(struct request *request, struct bw_error *err)
{
    int sent =
        bw_queue_pause(request->session.redis, request->prefix, request->queue,
                       WK_SESSION_TIMEOUT_MS, wk_session_answer, &request->session);

    return wk_session_wait(&request->session, sent, err);
}

static int run_resume(struct request *request, struct bw_error *err)
{
    int sent =
        bw_queue_resume(request->session.redis, request->prefix, request->queue,
                        WK_SESSION_TIMEOUT_MS, wk_session_answer, &request->session);

    return wk_session_wait(&request->session, sent, err);
}

static int check_json(const char *what, const char *text, struct bw_error *err)
{
    json_error_t at;
    json_t *value;

    if (text == NULL)
        return BW_OK;
    value = json_loads(text, JSON_DECODE_ANY, &at);
    json_decref(value);
    if (value == NULL)
        return bw_error_set(err, BW_EINVAL, "%s: not JSON: line %d, column %d", what,
                            at.line, at.column);
    return BW_OK;
}

static int run_add(struct request *request, struct bw_error *err)
{
    struct bw_add add = { .prefix = request->prefix, .queue = request->queue };
    int rc;

    add.name = request->args[0];
    add.data = request->arg_count > 1 ? request->args[1] : NULL;
    add.data_len = add.data != NULL ? strlen(add.data) : 0;
    add.opts = request->arg_count > 2 ? request->args[2] : NULL;
    add.opts_len = add.opts != NULL ? strlen(add.opts) : 0;
    rc = check_json("DATA", add.data, err);
    if (rc == BW_OK)
        rc = check_json("OPTIONS", add.opts, err);
    if (rc == BW_OK)
        rc = bw_queue_add(request->session.redis, &add, NULL, WK_SESSION_TIMEOUT_MS,
                          wk_session_added, &request->session, err);
    if (rc == BW_OK)
        rc = wk_session_wait(&request->session, BW_OK, err);
    if (rc == BW_OK &&
        (wk_print(request->session.text) != WK_EXIT_OK || wk_print("\n") != WK_EXIT_OK))
        rc = bw_error_set(err, BW_ESYSTEM, "standard output cannot be written");
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
} actions[] = {
    { "counts", 0, 0, run_counts }, { "pause", 0, 0, run_pause },
    { "resume", 0, 0, run_resume }, { "add", 1, 3, run_add },
    { "cancel", 1, 2, run_cancel },
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
            rc = action->run(&request, &err);
            wk_session_close(&request.session);
        }
    }
    wk_config_fini(&invocation.config);
    return rc == BW_OK ? WK_EXIT_OK : wk_complain(&err);
}
