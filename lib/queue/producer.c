/* The producer's and the administrator's calls. */
#include <bulwark/queue.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "queue/add_reply.h"
#include "queue/calls.h"
#include "redis/client.h"

/* --- add */

struct add_call {
    bw_add_cb *cb;
    void *arg;
};

int bw_add_reply_decode(const struct bw_reply *reply, struct bw_error *err)
{
    int code = BW_EPROTO;

    if (bw_reply_kind(reply) == BW_REPLY_STRING)
        return BW_OK;
    if (bw_reply_kind(reply) == BW_REPLY_INTEGER && bw_reply_integer(reply) < 0)
        code = bw_script_code(bw_reply_integer(reply));
    return bw_error_set(err, code, "add: %s",
                        code == BW_EJOB_PARENT_MISSING ? "the parent job is missing"
                        : code == BW_EJOB_OTHER_PARENT
                            ? "the job belongs to another parent already"
                            : "unexpected reply");
}

static void add_done(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct add_call *call = arg;
    struct bw_error own;

    if (err == NULL && bw_add_reply_decode(reply, &own) != BW_OK)
        err = &own;
    call->cb(err == NULL ? bw_reply_text(reply, NULL) : NULL, err, call->arg);
    free(call);
}

int bw_queue_add(struct bw_redis *redis, const struct bw_add *add,
                 const struct bw_clock *clock, unsigned timeout_ms, bw_add_cb *cb,
                 void *arg, struct bw_error *err)
{
    struct bw_wall now = bw_wall_now(clock);
    struct bw_add_options options = { 0 };
    struct bw_cmd cmd = BW_CMD_INIT;
    struct add_call *call = NULL;
    struct bw_keys keys;
    int rc;

    if (redis == NULL || add == NULL || cb == NULL)
        return bw_error_set(err, BW_EINVAL, "add: something that it needs is NULL");
    rc = bw_keys_init(&keys, add->prefix, add->queue, err);
    if (rc != BW_OK)
        return rc;
    rc = bw_add_options_parse(&options, add, now, err);
    if (rc != BW_OK)
        goto out;
    call = bw_alloc(sizeof(*call));
    if (call == NULL) {
        rc = bw_error_set(err, BW_ENOMEM, "add: out of memory");
        goto out;
    }
    *call = (struct add_call){ cb, arg };
    bw_add_build(&cmd, &keys, now, add, &options);
    rc = bw_redis_send_cmd(redis, &cmd, timeout_ms, add_done, call);
    if (rc == BW_OK)
        call = NULL; /* add_done() frees it */
    else
        (void)bw_error_set(err, rc, "add: %s",
                           rc == BW_ENOMEM ? "out of memory" : "not connected");
out:
    free(call);
    bw_cmd_fini(&cmd);
    bw_add_options_fini(&options);
    bw_keys_fini(&keys);
    return rc;
}

/* --- names */

char *bw_queue_client_name(const char *prefix, const char *queue)
{
    return bw_keys_client_name(prefix, queue, NULL);
}

/* --- pause */

int bw_queue_pause(struct bw_redis *redis, const char *prefix, const char *queue,
                   unsigned timeout_ms, bw_redis_cb *cb, void *arg)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    struct bw_keys keys;
    int rc = BW_EINVAL;

    if (redis != NULL && cb != NULL)
        rc = bw_keys_init(&keys, prefix, queue, NULL);
    if (rc != BW_OK)
        return rc;
    bw_pause_build(&cmd, &keys);
    rc = bw_redis_send_cmd(redis, &cmd, timeout_ms, cb, arg);
    bw_cmd_fini(&cmd);
    bw_keys_fini(&keys);
    return rc;
}

/* --- resume: repeated while 5.x's paused list is not merged yet */

struct resume_call {
    struct bw_redis *redis;
    struct bw_keys keys;
    unsigned timeout_ms;
    bw_redis_cb *cb;
    void *arg;
};

static void resume_free(struct resume_call **callp)
{
    struct resume_call *call = *callp;

    if (call == NULL)
        return;
    *callp = NULL;
    bw_keys_fini(&call->keys);
    free(call);
}

static void resume_done(const struct bw_reply *reply, const struct bw_error *err,
                        void *arg);

static int resume_send(struct resume_call *call, bool tell)
{
    struct bw_cmd cmd = BW_CMD_INIT;

    bw_resume_build(&cmd, &call->keys, tell);
    int rc = bw_redis_send_cmd(call->redis, &cmd, call->timeout_ms, resume_done, call);

    bw_cmd_fini(&cmd);
    return rc;
}

static void resume_done(const struct bw_reply *reply, const struct bw_error *err,
                        void *arg)
{
    struct resume_call *call = arg;
    struct bw_error own;

    if (err == NULL && bw_reply_integer(reply) > 0) {
        int rc = resume_send(call, false);

        if (rc == BW_OK)
            return;
        (void)bw_error_set(&own, rc, "resume: jobs are left in the paused list");
        call->cb(NULL, &own, call->arg);
    } else {
        call->cb(reply, err, call->arg);
    }
    resume_free(&call);
}

int bw_queue_resume(struct bw_redis *redis, const char *prefix, const char *queue,
                    unsigned timeout_ms, bw_redis_cb *cb, void *arg)
{
    struct resume_call *call;
    int rc;

    if (redis == NULL || cb == NULL)
        return BW_EINVAL;
    call = bw_calloc(1, sizeof(*call));
    if (call == NULL)
        return BW_ENOMEM;
    call->redis = redis;
    call->timeout_ms = timeout_ms;
    call->cb = cb;
    call->arg = arg;
    rc = bw_keys_init(&call->keys, prefix, queue, NULL);
    if (rc == BW_OK)
        rc = resume_send(call, true);
    if (rc != BW_OK)
        resume_free(&call);
    return rc;
}
