#include "handlers/exec/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/queue.h>

#include "base/assert.h"

enum { ADD_TIMEOUT_MS = 10000, BARRIER_RETRY_MS = 100 };

/* Made before the library is called, so that the callback, on the reactor, has nothing
 * that can fail but copying the answer. */
struct call {
    struct ex_letter letter;
    struct ex_common *common;
    struct ex_program *program;
    unsigned generation;
    struct ex_entry *entry;        /* of a move: it waits for the answer */
    struct bw_buf req;             /* as the program wrote it */
    struct bw_buf result;          /* JSON */
    char error[BW_ERROR_TEXT_MAX]; /* "": none */
    const char *error_name;        /* NULL: none */
    bool moved;
    bool lost; /* Redis did not answer */
};

struct params {
    struct ex_slice timestamp, duration, queue, name, data, opts, child;
};

static const struct ex_slice none = { NULL, 0 };
static const struct ex_slice true_text = { "true", 4 };

/* ---- replies */

static void reply(struct ex_program *program, struct ex_slice req, struct ex_slice result,
                  const char *error, const char *name)
{
    if (program->state == EX_DYING || program->state == EX_DOWN)
        return;
    if (ex_wire_reply(&program->out, req, result, error, name) != BW_OK) {
        ex_program_kill(program, "processor killed: out of memory");
        return;
    }
    program->unread++;
    ex_program_flush(program);
}

static void call_free(struct call *call)
{
    BW_ASSERT(call->common->calls > 0);
    call->common->calls--;
    bw_buf_fini(&call->req);
    bw_buf_fini(&call->result);
    free(call);
}

/* The program may have been restarted since. */
static bool still_there(const struct call *call)
{
    return call->program->generation == call->generation &&
           call->program->state == EX_READY;
}

static void answer_call(struct call *call)
{
    struct ex_slice req = { bw_buf_text(&call->req), call->req.len };
    struct ex_slice result = { bw_buf_text(&call->result), call->result.len };

    if (call->program->generation == call->generation) {
        BW_ASSERT(call->program->asked > 0);
        call->program->asked--;
    }
    if (still_there(call))
        reply(call->program, req, result, call->error[0] != '\0' ? call->error : NULL,
              call->error_name);
}

static void deliver_call(struct ex_letter *letter, void *owner)
{
    struct call *call = (struct call *)letter; /* its first member */

    (void)owner;
    answer_call(call);
    call_free(call);
}

static struct call *call_new(struct ex_program *program, struct ex_slice req)
{
    struct call *call = calloc(1, sizeof *call);

    if (call == NULL || bw_buf_add(&call->req, req.at, req.len) != BW_OK) {
        free(call);
        reply(program, req, none, "out of memory", NULL);
        return NULL;
    }
    call->letter.deliver = deliver_call;
    call->common = program->common;
    call->program = program;
    call->generation = program->generation;
    call->common->calls++;
    program->asked++;
    return call;
}

/* The library has refused the call: there will be no callback. */
static void call_refused(struct call *call, int rc, const char *text)
{
    (void)snprintf(call->error, sizeof call->error, "%s",
                   text[0] != '\0'    ? text
                   : rc == BW_ECLOSED ? "Redis is not reachable"
                                      : bw_code_name(rc));
    answer_call(call);
    call_free(call);
}

/* ---- callbacks, on the reactor */

static void set_error(struct call *call, const struct bw_error *err)
{
    BW_ASSERT(err->code != BW_OK);
    (void)snprintf(call->error, sizeof call->error, "%s",
                   err->text[0] != '\0' ? err->text : bw_code_name(err->code));
}

static void finish(struct call *call, int rc)
{
    if (rc != BW_OK)
        (void)snprintf(call->error, sizeof call->error, "out of memory");
    ex_inbox_post(&call->common->inbox, &call->letter);
}

static void got_json(const char *json, size_t len, const struct bw_error *err, void *arg)
{
    struct call *call = arg;
    int rc = BW_OK;

    if (err != NULL)
        set_error(call, err);
    else
        rc = bw_buf_add(&call->result, json, len);
    finish(call, rc);
}

static void got_lock(bool held, const struct bw_error *err, void *arg)
{
    struct call *call = arg;
    int rc = BW_OK;

    if (err != NULL)
        set_error(call, err);
    else
        rc = bw_buf_add_str(&call->result, held ? "1" : "0"); /* as BullMQ's */
    finish(call, rc);
}

static void got_id(const char *id, const struct bw_error *err, void *arg)
{
    struct call *call = arg;
    int rc = BW_OK;

    if (err != NULL) {
        set_error(call, err);
    } else {
        rc = bw_buf_add_str(&call->result, "{\"id\":");
        if (rc == BW_OK)
            rc = ex_json_add_string(&call->result, id, strlen(id));
        if (rc == BW_OK)
            rc = bw_buf_add_char(&call->result, '}');
    }
    finish(call, rc);
}

static void got_move(bool moved, const struct bw_error *err, void *arg)
{
    struct call *call = arg;

    call->moved = moved;
    if (err != NULL)
        set_error(call, err);
    if (err != NULL && err->code == BW_EJOB_FAILED_CHILD) /* BMQ-174 */
        call->error_name = "UnrecoverableError";
    finish(call, bw_buf_add_str(&call->result, moved ? "true" : "false"));
}

static void got_barrier(const struct bw_reply *answer, const struct bw_error *err,
                        void *arg)
{
    struct call *call = arg;

    (void)answer; /* that it came is all there is to know */
    call->lost = err != NULL && err->code != BW_EREDIS;
    ex_inbox_post(&call->common->inbox, &call->letter);
}

/* ---- a job that moves is the library's */

static void deliver_move(struct ex_letter *letter, void *owner)
{
    struct call *call = (struct call *)letter; /* its first member */

    (void)owner;
    BW_ASSERT(call->entry != NULL);
    ex_entry_moved(call->entry, call->moved);
    answer_call(call);
    call_free(call);
}

/* ---- parameters */

static void take_param(void *arg, struct ex_slice key, struct ex_slice value)
{
    struct params *params = arg;
    const struct {
        const char *key;
        struct ex_slice *at;
    } rows[] = { { "timestamp", &params->timestamp }, { "durationMs", &params->duration },
                 { "queue", &params->queue },         { "name", &params->name },
                 { "data", &params->data },           { "opts", &params->opts },
                 { "child", &params->child } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (ex_slice_is(key, rows[i].key))
            *rows[i].at = value;
    }
}

static bool is_string(struct ex_slice value)
{
    return value.len > 2 && *value.at == '"';
}

/* As a C string, which is what the library takes. */
static bool is_whole(const struct bw_buf *text)
{
    return text->len == 0 || strlen(bw_buf_text(text)) == text->len;
}

/* ---- methods; an error text answers at once, NULL: an answer comes or has come */

struct request {
    struct ex_program *program;
    struct ex_entry *entry;
    struct ex_slice req;
    struct params params;
};

typedef int json_question(struct bw_job *job, bw_json_cb *cb, void *arg);

static const char *ask_json(struct request *request, json_question *question)
{
    struct call *call = call_new(request->program, request->req);
    int rc;

    if (call == NULL)
        return NULL;
    rc = question(request->entry->job, got_json, call);
    if (rc != BW_OK)
        call_refused(call, rc, "");
    return NULL;
}

static const char *ask_children(struct request *request)
{
    return ask_json(request, bw_job_children_values);
}

static const char *ask_ignored(struct request *request)
{
    return ask_json(request, bw_job_ignored_failures);
}

static const char *ask_state(struct request *request)
{
    return ask_json(request, bw_job_state);
}

static const char *ask_lock(struct request *request)
{
    int64_t duration;
    struct call *call;
    int rc;

    if (!ex_json_integer(request->params.duration, &duration) || duration <= 0)
        return "extendLock: durationMs must be a whole number above 0";
    call = call_new(request->program, request->req);
    if (call == NULL)
        return NULL;
    rc = bw_job_extend_lock(request->entry->job, duration, got_lock, call);
    if (rc != BW_OK)
        call_refused(call, rc, "");
    return NULL;
}

static const char *ask_children_move(struct request *request)
{
    struct bw_buf child = BW_BUF_INIT;
    struct call *call;
    int rc = BW_OK;

    if (request->entry->overdue)
        return "moveToWaitingChildren: the job is cancelled";
    if (is_string(request->params.child))
        rc = ex_json_decode(request->params.child, &child);
    if (!is_whole(&child)) {
        bw_buf_fini(&child);
        return "moveToWaitingChildren: U+0000 is not allowed in child";
    }
    call = rc == BW_OK ? call_new(request->program, request->req) : NULL;
    if (call == NULL) {
        bw_buf_fini(&child);
        return rc == BW_OK ? NULL : "out of memory";
    }
    call->letter.deliver = deliver_move;
    call->entry = request->entry;
    ex_entry_move(request->entry);
    rc = bw_job_move_to_waiting_children(
        request->entry->job, child.len > 0 ? bw_buf_text(&child) : NULL, got_move, call);
    if (rc != BW_OK) {
        ex_entry_moved(request->entry, false);
        call_refused(call, rc, "");
    }
    bw_buf_fini(&child);
    return NULL;
}

/* Done when the attempt ends, so that what the program stores meanwhile is stored first
 * and under the lock. */
static const char *ask_delay(struct request *request)
{
    if (!ex_json_integer(request->params.timestamp, &request->entry->after_ms))
        return "moveToDelayed: timestamp must be a whole number";
    request->entry->after = EX_AFTER_DELAY;
    reply(request->program, request->req, true_text, NULL, NULL);
    return NULL;
}

static const char *ask_wait(struct request *request)
{
    request->entry->after = EX_AFTER_WAIT;
    reply(request->program, request->req, true_text, NULL, NULL);
    return NULL;
}

static void add_job(struct request *request, struct call *call, const char *queue,
                    const char *name)
{
    const struct params *params = &request->params;
    const struct bw_job *job = request->entry->job;
    struct bw_add add = { .prefix = bw_job_prefix(job),
                          .queue = queue,
                          .name = name,
                          .data = params->data.at,
                          .data_len = params->data.len,
                          .opts = params->opts.at,
                          .opts_len = params->opts.len };
    struct bw_error err = { 0 };
    int rc =
        bw_queue_add(bw_job_redis(job), &add, NULL, ADD_TIMEOUT_MS, got_id, call, &err);

    if (rc != BW_OK)
        call_refused(call, rc, err.text);
}

static const char *ask_add(struct request *request)
{
    struct bw_buf queue = BW_BUF_INIT;
    struct bw_buf name = BW_BUF_INIT;
    struct call *call;
    const char *error = NULL;

    if (!is_string(request->params.queue) || !is_string(request->params.name))
        return "addJob: queue and name must be texts";
    if (ex_json_decode(request->params.queue, &queue) != BW_OK ||
        ex_json_decode(request->params.name, &name) != BW_OK) {
        error = "out of memory";
    } else if (!is_whole(&queue) || !is_whole(&name)) {
        error = "addJob: U+0000 is not allowed in queue and name";
    } else {
        call = call_new(request->program, request->req);
        if (call != NULL)
            add_job(request, call, bw_buf_text(&queue), bw_buf_text(&name));
    }
    bw_buf_fini(&queue);
    bw_buf_fini(&name);
    return error;
}

struct method {
    const char *name;
    const char *(*ask)(struct request *request);
};

static const struct method methods[] = {
    { "\"childrenValues\"", ask_children },
    { "\"ignoredChildrenFailures\"", ask_ignored },
    { "\"moveToWaitingChildren\"", ask_children_move },
    { "\"moveToDelayed\"", ask_delay },
    { "\"moveToWait\"", ask_wait },
    { "\"addJob\"", ask_add },
    { "\"extendLock\"", ask_lock },
    { "\"state\"", ask_state },
};

void ex_request_take(struct ex_program *program, struct ex_entry *entry,
                     const struct ex_message *message)
{
    struct request request = { .program = program, .entry = entry, .req = message->req };
    const char *error = "unknown method";

    if (entry->job == NULL) {
        error = "the job has ended";
    } else if (message->params.at == NULL ||
               ex_json_members(message->params, take_param, &request.params) ||
               ex_slice_is(message->params, "null")) {
        for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
            if (ex_slice_is(message->method, methods[i].name)) {
                error = methods[i].ask(&request);
                break;
            }
        }
    } else {
        error = "params must be an object";
    }
    if (error != NULL)
        reply(program, message->req, none, error, NULL);
}

/* ---- floods */

static void ask_later(struct ex_program *program)
{
    program->ask_at = bw_mono_add_ms(bw_mono_now(NULL), BARRIER_RETRY_MS);
}

static void deliver_barrier(struct ex_letter *letter, void *owner)
{
    struct call *call = (struct call *)letter; /* its first member */
    struct ex_program *program = call->program;

    (void)owner;
    if (program->generation == call->generation && program->barrier) {
        if (call->lost)
            ask_later(program);
        else
            program->barrier = false;
    }
    call_free(call);
}

void ex_request_barrier(struct ex_program *program)
{
    static const struct bw_redis_arg ping = { "PING", 4 };
    struct call *call = calloc(1, sizeof *call);

    BW_ASSERT(program->redis != NULL); /* a side effect went over it */
    program->barrier = true;
    program->ask_at = (struct bw_mono){ EX_NEVER };
    if (call == NULL) {
        ask_later(program);
        return;
    }
    call->letter.deliver = deliver_barrier;
    call->common = program->common;
    call->program = program;
    call->generation = program->generation;
    call->common->calls++;
    if (bw_redis_command(program->redis, &ping, 1, ADD_TIMEOUT_MS, got_barrier, call) ==
        BW_OK)
        return;
    call_free(call);
    ask_later(program);
}
