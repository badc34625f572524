#include "redis/client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <bulwark/thread.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "redis/conn.h"

struct bw_redis {
    struct bw_loop *loop;
    struct bw_conn *conn; /* NULL: lent none at present */
    bool lent;            /* the connection is another's */
    struct bw_waker *waker;
    struct bw_mailbox calls;
    atomic_bool ready;
    _Atomic int64_t since_ms; /* wall clock of the last handshake */
    /* Sending against closing: a call is refused, or it is called back. */
    struct bw_mutex mutex;
    bool closed;                 /* under the mutex */
    struct bw_redis_state state; /* under the mutex; `ready` is the one above */
};

struct call {
    struct bw_mail mail; /* first: a letter is its call */
    struct bw_cmd cmd;
    struct bw_mono deadline; /* of the system's clock: counts from the call */
    bw_redis_cb *cb;
    void *arg;
};

static void call_free(struct call *call)
{
    bw_cmd_fini(&call->cmd);
    free(call);
}

static void fail(const struct call *call, int code, const char *text)
{
    struct bw_error err;

    (void)bw_error_set(&err, code, "%s", text);
    if (call->cb != NULL)
        call->cb(NULL, &err, call->arg);
}

/* --- on the loop */

static void forward(struct bw_redis *redis, const struct call *call)
{
    int64_t left_ms = bw_mono_ms_until(bw_mono_now(NULL), call->deadline);
    int rc = redis->conn != NULL ? BW_ETIMEDOUT : BW_ECLOSED;

    if (left_ms > 0 && redis->conn != NULL)
        rc =
            bw_conn_send(redis->conn, &call->cmd, (unsigned)left_ms, call->cb, call->arg);
    if (rc == BW_ETIMEDOUT)
        fail(call, rc, "the time was over before the command was sent");
    else if (rc == BW_ENOMEM)
        fail(call, rc, "out of memory");
    else if (rc != BW_OK)
        fail(call, rc, "not connected to Redis");
}

static void on_wake(void *arg)
{
    struct bw_redis *redis = arg;
    struct bw_mail *mail = bw_mailbox_take_all(&redis->calls);

    while (mail != NULL) {
        struct call *call = BW_LIST_OF(mail, struct call, mail);

        mail = mail->next;
        forward(redis, call);
        call_free(call);
    }
}

static void on_ready(struct bw_conn *conn, void *arg)
{
    struct bw_redis *redis = arg;

    bw_mutex_lock(&redis->mutex);
    redis->state.trouble[0] = '\0';
    redis->state.version = bw_conn_server_version(conn);
    redis->state.cluster = bw_conn_is_cluster(conn);
    (void)snprintf(redis->state.eviction, sizeof redis->state.eviction, "%s",
                   bw_conn_eviction(conn));
    bw_mutex_unlock(&redis->mutex);
    atomic_store_explicit(&redis->since_ms, bw_wall_now(NULL).ms, memory_order_relaxed);
    atomic_store_explicit(&redis->ready, true, memory_order_relaxed);
}

static void on_failed(struct bw_conn *conn, const struct bw_error *why, void *arg)
{
    struct bw_redis *redis = arg;

    (void)conn;
    bw_mutex_lock(&redis->mutex);
    (void)snprintf(redis->state.trouble, sizeof redis->state.trouble, "%s", why->text);
    redis->state.attempts++;
    bw_mutex_unlock(&redis->mutex);
}

static void on_lost(struct bw_conn *conn, const struct bw_error *why, void *arg)
{
    struct bw_redis *redis = arg;

    (void)conn;
    (void)why; /* the connection logged it */
    atomic_store_explicit(&redis->ready, false, memory_order_relaxed);
}

/* --- life */

int bw_redis_create(struct bw_redis **redisp, struct bw_loop *loop,
                    const struct bw_redis_options *options, bool second,
                    const struct bw_log *log, struct bw_error *err)
{
    struct bw_redis *redis = bw_calloc(1, sizeof *redis);
    struct bw_conn_options conn = { .redis = options,
                                    .second = second,
                                    .log = log,
                                    .on_ready = on_ready,
                                    .on_lost = on_lost,
                                    .on_failed = on_failed,
                                    .arg = redis };
    int rc;

    if (redis == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    redis->loop = loop;
    atomic_init(&redis->ready, false);
    atomic_init(&redis->since_ms, 0);
    bw_mailbox_init(&redis->calls);
    bw_mutex_init(&redis->mutex);
    rc = bw_waker_create(&redis->waker, loop, on_wake, redis, err);
    if (rc == BW_OK)
        rc = bw_conn_create(&redis->conn, loop, &conn, err);
    if (rc != BW_OK) {
        bw_redis_destroy(&redis);
        return rc;
    }
    *redisp = redis;
    return BW_OK;
}

int bw_redis_create_lent(struct bw_redis **redisp, struct bw_loop *loop,
                         struct bw_error *err)
{
    struct bw_redis *redis = bw_calloc(1, sizeof *redis);
    int rc;

    if (redis == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    redis->loop = loop;
    redis->lent = true;
    atomic_init(&redis->ready, false);
    bw_mailbox_init(&redis->calls);
    bw_mutex_init(&redis->mutex);
    rc = bw_waker_create(&redis->waker, loop, on_wake, redis, err);
    if (rc != BW_OK) {
        bw_redis_destroy(&redis);
        return rc;
    }
    *redisp = redis;
    return BW_OK;
}

void bw_redis_lend(struct bw_redis *redis, struct bw_conn *conn)
{
    redis->conn = conn;
    atomic_store_explicit(&redis->ready, conn != NULL, memory_order_relaxed);
}

void bw_redis_open(struct bw_redis *redis)
{
    bw_conn_open(redis->conn);
}

void bw_redis_close(struct bw_redis *redis)
{
    atomic_store_explicit(&redis->ready, false, memory_order_relaxed);
    bw_mutex_lock(&redis->mutex);
    redis->closed = true;
    bw_mutex_unlock(&redis->mutex);
    if (redis->lent)
        redis->conn = NULL;
    else
        bw_conn_reset(redis->conn, "the loop has ended", false);
    on_wake(redis); /* what is on its way finds no connection */
}

void bw_redis_destroy(struct bw_redis **redisp)
{
    struct bw_redis *redis = *redisp;
    struct bw_mail *mail;

    if (redis == NULL)
        return;
    *redisp = NULL;
    /* So that a callback that tries again is refused, and the mailbox stays empty. */
    atomic_store_explicit(&redis->ready, false, memory_order_relaxed);
    if (!redis->lent)
        bw_conn_destroy(&redis->conn);
    mail = bw_mailbox_take_all(&redis->calls);
    while (mail != NULL) {
        struct call *call = BW_LIST_OF(mail, struct call, mail);

        mail = mail->next;
        fail(call, BW_ECLOSED, "the connection was ended");
        call_free(call);
    }
    bw_waker_destroy(&redis->waker);
    bw_mailbox_fini(&redis->calls);
    bw_mutex_fini(&redis->mutex);
    free(redis);
}

/* --- from any thread */

static int put(struct bw_redis *redis, struct call *call)
{
    bool first = false, closed;

    bw_mutex_lock(&redis->mutex);
    closed = redis->closed;
    if (!closed)
        first = bw_mailbox_push(&redis->calls, &call->mail);
    bw_mutex_unlock(&redis->mutex);
    if (closed) {
        call_free(call);
        return BW_ECLOSED;
    }
    if (first)
        bw_waker_wake(redis->waker);
    return BW_OK;
}

int bw_redis_send_cmd(struct bw_redis *redis, struct bw_cmd *cmd, unsigned timeout_ms,
                      bw_redis_cb *cb, void *arg)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);
    struct call *call = NULL;
    int rc = cmd->failed;

    if (rc == BW_OK && (redis == NULL || cmd->count == 0 || timeout_ms == 0))
        rc = BW_EINVAL;
    if (rc == BW_OK && !bw_redis_is_ready(redis))
        rc = BW_ECLOSED;
    if (rc == BW_OK && cb == NULL)
        rc = BW_EINVAL;
    if (rc == BW_OK) {
        call = bw_alloc(sizeof *call);
        rc = call != NULL ? BW_OK : BW_ENOMEM;
    }
    if (rc != BW_OK) {
        bw_cmd_clear(cmd);
        return rc;
    }
    *call = (struct call){ .cmd = *cmd, .deadline = deadline, .cb = cb, .arg = arg };
    *cmd = (struct bw_cmd)BW_CMD_INIT;
    return put(redis, call);
}

int bw_redis_command(struct bw_redis *redis, const struct bw_redis_arg *args,
                     size_t count, unsigned timeout_ms, bw_redis_cb *cb, void *arg)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    int rc;

    for (size_t i = 0; i < count; i++)
        bw_cmd_arg(&cmd, args[i].data, args[i].len);
    rc = bw_redis_send_cmd(redis, &cmd, timeout_ms, cb, arg);
    bw_cmd_fini(&cmd);
    return rc;
}

int64_t bw_redis_since(const struct bw_redis *redis)
{
    return atomic_load_explicit(&redis->since_ms, memory_order_relaxed);
}

bool bw_redis_is_ready(const struct bw_redis *redis)
{
    return atomic_load_explicit(&redis->ready, memory_order_relaxed);
}

void bw_redis_state(struct bw_redis *redis, struct bw_redis_state *state)
{
    bw_mutex_lock(&redis->mutex);
    *state = redis->state;
    bw_mutex_unlock(&redis->mutex);
    state->ready = bw_redis_is_ready(redis);
}
