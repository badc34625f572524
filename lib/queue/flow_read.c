/* What a job's children left it, and where it is, as JSON. lib/spec/bullmq.md §§7.1, 8.7
 */
#include "queue/flow_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/calls.h"
#include "queue/json_text.h"
#include "redis/client.h"

/* --- replies as JSON; each appends one value */

typedef int print_fn(struct bw_buf *out, const struct bw_reply *reply);

static int add_text(struct bw_buf *out, const struct bw_reply *reply)
{
    size_t len;
    const char *text = bw_reply_text(reply, &len);

    return bw_json_add_text(out, text, len);
}

static int add_string(struct bw_buf *out, const struct bw_reply *reply)
{
    size_t len;
    const char *text = bw_reply_text(reply, &len);

    return bw_json_add_string(out, text, len);
}

static int add_number(struct bw_buf *out, const struct bw_reply *reply)
{
    return bw_buf_addf(out, "%lld", (long long)bw_reply_integer(reply));
}

static int print_list(struct bw_buf *out, const struct bw_reply *reply)
{
    int rc = bw_buf_add_char(out, '[');

    for (size_t i = 0; rc == BW_OK && i < bw_reply_count(reply); i++) {
        if (i > 0)
            rc = bw_buf_add_char(out, ',');
        if (rc == BW_OK)
            rc = add_string(out, bw_reply_at(reply, i));
    }
    return rc == BW_OK ? bw_buf_add_char(out, ']') : rc;
}

/* From a flat list of name and value. */
static int print_object(struct bw_buf *out, const struct bw_reply *reply,
                        print_fn *add_value)
{
    int rc = bw_buf_add_char(out, '{');

    for (size_t i = 0; rc == BW_OK && i + 1 < bw_reply_count(reply); i += 2) {
        if (i > 0)
            rc = bw_buf_add_char(out, ',');
        if (rc == BW_OK)
            rc = add_string(out, bw_reply_at(reply, i));
        if (rc == BW_OK)
            rc = bw_buf_add_char(out, ':');
        if (rc == BW_OK)
            rc = add_value(out, bw_reply_at(reply, i + 1));
    }
    return rc == BW_OK ? bw_buf_add_char(out, '}') : rc;
}

static int print_values(struct bw_buf *out, const struct bw_reply *reply)
{
    return print_object(out, reply, add_text);
}

static int print_reasons(struct bw_buf *out, const struct bw_reply *reply)
{
    return print_object(out, reply, add_string);
}

/* The four parts of lua/dependencies.lua. */
static int print_parts(struct bw_buf *out, const struct bw_reply *reply,
                       print_fn *const parts[4])
{
    static const char *const names[] = { "{\"processed\":", ",\"unprocessed\":",
                                         ",\"ignored\":", ",\"failed\":" };
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < 4; i++) {
        rc = bw_buf_add_str(out, names[i]);
        if (rc == BW_OK)
            rc = parts[i](out, bw_reply_at(reply, i));
    }
    return rc == BW_OK ? bw_buf_add_char(out, '}') : rc;
}

static int print_counts(struct bw_buf *out, const struct bw_reply *reply)
{
    static print_fn *const parts[] = { add_number, add_number, add_number, add_number };

    return print_parts(out, reply, parts);
}

static int print_dependencies(struct bw_buf *out, const struct bw_reply *reply)
{
    static print_fn *const parts[] = { print_values, print_list, print_reasons,
                                       print_list };

    return print_parts(out, reply, parts);
}

/* --- the calls */

struct read_call {
    print_fn *print;
    enum bw_reply_kind kind; /* of the reply */
    bw_json_cb *cb;
    void *arg;
};

static void read_done(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct read_call *call = arg;
    struct bw_buf json = BW_BUF_INIT;
    struct bw_error own;

    if (err == NULL && bw_reply_kind(reply) != call->kind) {
        (void)bw_error_set(&own, BW_EPROTO, "unexpected reply about a job");
        err = &own;
    } else if (err == NULL && call->print(&json, reply) != BW_OK) {
        (void)bw_error_set(&own, BW_ENOMEM, "reading a job: out of memory");
        err = &own;
    }
    if (err == NULL)
        call->cb(bw_buf_text(&json), json.len, NULL, call->arg);
    else
        call->cb(NULL, 0, err, call->arg);
    bw_buf_fini(&json);
    free(call);
}

typedef int build_fn(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_text id);

static int build_hash(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_text id,
                      const char *part)
{
    struct bw_buf key = BW_BUF_INIT;
    int rc = bw_buf_add_str(&key, keys->text[BW_KEY_BASE]);

    if (rc == BW_OK)
        rc = bw_buf_add(&key, id.data, id.len);
    if (rc == BW_OK)
        rc = bw_buf_add_str(&key, part);
    bw_cmd_str(cmd, "HGETALL");
    bw_cmd_arg(cmd, bw_buf_text(&key), key.len);
    bw_buf_fini(&key);
    return rc;
}

static int build_values(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_text id)
{
    return build_hash(cmd, keys, id, ":processed");
}

static int build_ignored(struct bw_cmd *cmd, const struct bw_keys *keys,
                         struct bw_text id)
{
    return build_hash(cmd, keys, id, ":failed");
}

static int build_counts(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_text id)
{
    bw_dependencies_build(cmd, keys, id, false);
    return BW_OK;
}

static int build_dependencies(struct bw_cmd *cmd, const struct bw_keys *keys,
                              struct bw_text id)
{
    bw_dependencies_build(cmd, keys, id, true);
    return BW_OK;
}

static int build_state(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_text id)
{
    bw_job_state_build(cmd, keys, id);
    return BW_OK;
}

static const struct {
    build_fn *build;
    print_fn *print;
    enum bw_reply_kind kind;
} questions[] = {
    [BW_FLOW_VALUES] = { build_values, print_values, BW_REPLY_ARRAY },
    [BW_FLOW_IGNORED] = { build_ignored, print_reasons, BW_REPLY_ARRAY },
    [BW_FLOW_COUNTS] = { build_counts, print_counts, BW_REPLY_ARRAY },
    [BW_FLOW_DEPENDENCIES] = { build_dependencies, print_dependencies, BW_REPLY_ARRAY },
    [BW_FLOW_STATE] = { build_state, add_string, BW_REPLY_STRING },
};

int bw_flow_ask(struct bw_redis *redis, const struct bw_flow_job *job,
                enum bw_flow_question question, unsigned timeout_ms, bw_json_cb *cb,
                void *arg)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    struct read_call *call;
    struct bw_keys keys;
    int rc;

    if (job->id.data == NULL || cb == NULL)
        return BW_EINVAL;
    rc = bw_keys_init(&keys, job->prefix, job->queue, NULL);
    if (rc != BW_OK)
        return rc;
    call = bw_alloc(sizeof *call);
    rc = call != NULL ? questions[question].build(&cmd, &keys, job->id) : BW_ENOMEM;
    if (rc == BW_OK) {
        *call = (struct read_call){ questions[question].print, questions[question].kind,
                                    cb, arg };
        rc = bw_redis_send_cmd(redis, &cmd, timeout_ms, read_done, call);
    }
    if (rc != BW_OK)
        free(call); /* else read_done() frees it */
    bw_cmd_fini(&cmd);
    bw_keys_fini(&keys);
    return rc;
}

static struct bw_flow_job job_named(const char *prefix, const char *queue, const char *id)
{
    return (struct bw_flow_job){ prefix, queue, { id, id != NULL ? strlen(id) : 0 } };
}

int bw_flow_children_values(struct bw_redis *redis, const char *prefix, const char *queue,
                            const char *id, unsigned timeout_ms, bw_json_cb *cb,
                            void *arg)
{
    struct bw_flow_job job = job_named(prefix, queue, id);

    return bw_flow_ask(redis, &job, BW_FLOW_VALUES, timeout_ms, cb, arg);
}

int bw_flow_ignored_failures(struct bw_redis *redis, const char *prefix,
                             const char *queue, const char *id, unsigned timeout_ms,
                             bw_json_cb *cb, void *arg)
{
    struct bw_flow_job job = job_named(prefix, queue, id);

    return bw_flow_ask(redis, &job, BW_FLOW_IGNORED, timeout_ms, cb, arg);
}

int bw_flow_dependency_counts(struct bw_redis *redis, const char *prefix,
                              const char *queue, const char *id, unsigned timeout_ms,
                              bw_json_cb *cb, void *arg)
{
    struct bw_flow_job job = job_named(prefix, queue, id);

    return bw_flow_ask(redis, &job, BW_FLOW_COUNTS, timeout_ms, cb, arg);
}

int bw_flow_dependencies(struct bw_redis *redis, const char *prefix, const char *queue,
                         const char *id, unsigned timeout_ms, bw_json_cb *cb, void *arg)
{
    struct bw_flow_job job = job_named(prefix, queue, id);

    return bw_flow_ask(redis, &job, BW_FLOW_DEPENDENCIES, timeout_ms, cb, arg);
}

int bw_flow_state(struct bw_redis *redis, const char *prefix, const char *queue,
                  const char *id, unsigned timeout_ms, bw_json_cb *cb, void *arg)
{
    struct bw_flow_job job = job_named(prefix, queue, id);

    return bw_flow_ask(redis, &job, BW_FLOW_STATE, timeout_ms, cb, arg);
}
