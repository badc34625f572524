/* Job schedulers, seen from the producer's side. lib/spec/bullmq.md §§9.2, 9.4 */
#include <bulwark/scheduler.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "queue/calls_schedulers.h"
#include "redis/client.h"

static int not_sent(struct bw_error *err, int rc)
{
    return bw_error_set(err, rc, "scheduler: %s",
                        rc == BW_ENOMEM ? "out of memory" : "not connected");
}

/* --- upsert */

struct upsert_call {
    bw_scheduler_cb *cb;
    void *arg;
};

static void upsert_done(const struct bw_reply *reply, const struct bw_error *err,
                        void *arg)
{
    struct upsert_call *call = arg;
    struct bw_error own;
    int code;

    if (err != NULL) {
        call->cb(NULL, err, call->arg);
    } else if (bw_reply_kind(reply) == BW_REPLY_ARRAY) {
        call->cb(bw_reply_text(bw_reply_at(reply, 0), NULL), NULL, call->arg);
    } else {
        code = bw_script_code(bw_reply_integer(reply));
        (void)bw_error_set(&own, code != BW_OK ? code : BW_EPROTO, "scheduler: %s",
                           code == BW_EJOB_SLOT_TAKEN ? "the iteration exists already"
                           : code == BW_EJOB_NO_SLOT  ? "33 slots in a row are taken"
                                                      : "unexpected reply");
        call->cb(NULL, &own, call->arg);
    }
    free(call);
}

static int send_upsert(struct bw_redis *redis, const struct bw_scheduler *scheduler,
                       const struct bw_iteration *iteration, struct bw_wall now,
                       unsigned timeout_ms, struct upsert_call *call,
                       struct bw_error *err)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    struct bw_keys keys;
    int rc = bw_keys_init(&keys, scheduler->prefix, scheduler->queue, err);

    if (rc != BW_OK)
        return rc;
    bw_upsert_scheduler_build(&cmd, &keys, now, scheduler, iteration);
    rc = bw_redis_send_cmd(redis, &cmd, timeout_ms, upsert_done, call);
    if (rc != BW_OK)
        (void)not_sent(err, rc); /* `rc` says it */
    bw_cmd_fini(&cmd);
    bw_keys_fini(&keys);
    return rc;
}

int bw_scheduler_upsert(struct bw_redis *redis, const struct bw_scheduler *scheduler,
                        const struct bw_clock *clock, unsigned timeout_ms,
                        bw_scheduler_cb *cb, void *arg, struct bw_error *err)
{
    struct bw_wall now = bw_wall_now(clock);
    struct bw_iteration iteration;
    struct upsert_call *call;
    bool due;
    int rc;

    if (redis == NULL || scheduler == NULL || cb == NULL)
        return bw_error_set(err, BW_EINVAL, "scheduler: something that it needs is NULL");
    rc = bw_iteration_first(&iteration, &due, scheduler, now, err);
    if (rc != BW_OK)
        return rc;
    if (!due) {
        cb(NULL, NULL, arg);
        return BW_OK;
    }
    call = bw_alloc(sizeof(*call));
    if (call == NULL) {
        rc = not_sent(err, BW_ENOMEM);
    } else {
        *call = (struct upsert_call){ cb, arg };
        rc = send_upsert(redis, scheduler, &iteration, now, timeout_ms, call, err);
        if (rc != BW_OK) /* else upsert_done() frees it */
            free(call);
    }
    bw_iteration_fini(&iteration);
    return rc;
}

/* --- remove, count */

int bw_scheduler_remove(struct bw_redis *redis, const char *prefix, const char *queue,
                        const char *id, unsigned timeout_ms, bw_redis_cb *cb, void *arg)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    struct bw_keys keys;
    int rc = BW_EINVAL;

    if (redis != NULL && id != NULL && cb != NULL)
        rc = bw_keys_init(&keys, prefix, queue, NULL);
    if (rc != BW_OK)
        return rc;
    bw_remove_scheduler_build(&cmd, &keys, id);
    rc = bw_redis_send_cmd(redis, &cmd, timeout_ms, cb, arg);
    bw_cmd_fini(&cmd);
    bw_keys_fini(&keys);
    return rc;
}

int bw_scheduler_count(struct bw_redis *redis, const char *prefix, const char *queue,
                       unsigned timeout_ms, bw_redis_cb *cb, void *arg)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    struct bw_keys keys;
    int rc = BW_EINVAL;

    if (redis != NULL && cb != NULL)
        rc = bw_keys_init(&keys, prefix, queue, NULL);
    if (rc != BW_OK)
        return rc;
    bw_cmd_str(&cmd, "ZCARD");
    bw_cmd_arg(&cmd, keys.text[BW_KEY_REPEAT], keys.len[BW_KEY_REPEAT]);
    rc = bw_redis_send_cmd(redis, &cmd, timeout_ms, cb, arg);
    bw_cmd_fini(&cmd);
    bw_keys_fini(&keys);
    return rc;
}
