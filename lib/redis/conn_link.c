#include "redis/conn_link.h"

#include <stdio.h>
#include <string.h>

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define STEADY_MS      1000 /* a link that lived so long resets the back-off */

/* --- attempts that fail */

/* Doubling, less a quarter to a half: the clients of one Redis come back at different
 * times, and the longest wait leaves time to be at work within 2 s of its return. */
int64_t bw_conn_next_delay(struct bw_conn *conn)
{
    unsigned doublings = conn->failures < 6 ? conn->failures : 6;
    int64_t delay = (int64_t)BACKOFF_MIN_MS << doublings;

    if (delay > BACKOFF_MAX_MS)
        delay = BACKOFF_MAX_MS;
    conn->failures++;
    return delay / 2 + (int64_t)(bw_rand_unit(&conn->rand) * (double)(delay / 4));
}

void bw_conn_log_loss(struct bw_conn *conn, const struct bw_error *why, bool was_ready,
                      int64_t delay_ms)
{
    bool news = was_ready || strcmp(conn->last_failure, why->text) != 0;
    enum bw_log_level level = news ? BW_LOG_WARNING : BW_LOG_DEBUG;
    const char *what = was_ready ? "Redis connection lost" : "Redis not reached";

    (void)snprintf(conn->last_failure, sizeof conn->last_failure, "%s", why->text);
    bw_log(&conn->log, level, what, bw_text("reason", why->text),
           bw_num("retryMs", delay_ms));
    if (conn->on_failed != NULL)
        conn->on_failed(conn, why, conn->arg);
}

/* --- the end of a link */

static void hang_up(struct bw_conn *conn)
{
    conn->links++;
    bw_timer_stop(conn->retry);
    bw_timer_stop(conn->watch);
    bw_dial_cancel(conn->dial);
    bw_io_destroy(&conn->io);
    bw_stream_fini(&conn->stream);
    bw_list_remove(&conn->flush.node);
    bw_error_clear(&conn->broken);
    conn->state = BW_CONN_IDLE;
    conn->handshake.client_id = 0;
}

/* The failure of one command of a lost link. */
static void set_failure(struct bw_error *err, const struct bw_pending *pending,
                        const struct bw_pending_entry *entry, const struct bw_error *why,
                        struct bw_mono at)
{
    if (why->code == BW_ETIMEDOUT && !bw_mono_before(at, entry->deadline))
        *err = *why;
    else
        (void)bw_error_set(err, bw_pending_is_begun(pending, entry) ? BW_EIO : BW_ECLOSED,
                           "%s", why->text);
}

/* A callback may do anything to the connection but destroy it, so it must not see this
 * list. */
static void fail_pending(struct bw_conn *conn, const struct bw_error *why)
{
    struct bw_pending lost = conn->pending;
    struct bw_mono at = bw_conn_now(conn);

    conn->pending = (struct bw_pending){ 0 };
    for (const struct bw_pending_entry *entry;
         (entry = bw_pending_first(&lost)) != NULL;) {
        struct bw_pending_entry one = *entry;
        struct bw_error err;

        set_failure(&err, &lost, entry, why, at);
        bw_pending_shift(&lost);
        if (one.cb != NULL)
            one.cb(NULL, &err, one.arg);
    }
    bw_pending_fini(&lost);
}

/* The reader stays until the next link needs one: a callback that resets the connection
 * may still look at its reply. */
void bw_conn_end_link(struct bw_conn *conn, const struct bw_error *why)
{
    enum bw_conn_state before = conn->state;

    hang_up(conn);
    fail_pending(conn, why);
    if (before == BW_CONN_READY && conn->on_lost != NULL)
        conn->on_lost(conn, why, conn->arg);
}

void bw_conn_lose(struct bw_conn *conn, const struct bw_error *why)
{
    struct bw_error copy = *why; /* may lie in what ends now */
    bool was_ready = conn->state == BW_CONN_READY;
    uint64_t links;
    int64_t delay_ms;

    if (was_ready && bw_mono_ms_until(conn->ready_since, bw_conn_now(conn)) >= STEADY_MS)
        conn->failures = 0;
    delay_ms = bw_conn_next_delay(conn);
    bw_conn_log_loss(conn, &copy, was_ready, delay_ms);
    links = conn->links + 1;
    bw_conn_end_link(conn, &copy);
    if (conn->links != links || conn->state != BW_CONN_IDLE)
        return; /* a callback decided otherwise */
    conn->state = BW_CONN_WAITING;
    bw_timer_start(conn->retry, delay_ms);
}

/* --- writing */

static void watch_io(struct bw_conn *conn)
{
    size_t len;
    int events;

    (void)bw_pending_output(&conn->pending, &len);
    events = bw_stream_events(&conn->stream, len > 0);
    if (events != conn->watching)
        bw_io_watch(conn->io, events);
    conn->watching = events;
}

void bw_conn_flush(void *arg)
{
    struct bw_conn *conn = arg;
    size_t len, put = 0;
    const char *data = bw_pending_output(&conn->pending, &len);

    if (!bw_conn_has_link(conn) || conn->broken.code != BW_OK)
        return;
    if (len > 0 &&
        bw_stream_write(&conn->stream, data, len, &put, &conn->broken) != BW_OK) {
        bw_timer_start(conn->retry, 0);
        return;
    }
    bw_pending_advance(&conn->pending, put);
    watch_io(conn);
}

struct bw_mono bw_conn_idle_from_now(const struct bw_conn *conn)
{
    return bw_mono_add_ms(bw_conn_now(conn), conn->idle_ms);
}

/* Has on_watch() look at `at`, or before. A deadline that is met moves nothing, so a busy
 * connection rarely touches its timer. */
void bw_conn_watch_until(struct bw_conn *conn, struct bw_mono at)
{
    int64_t delay_ms;

    if (bw_timer_is_running(conn->watch) && !bw_mono_before(at, conn->watch_at))
        return;
    delay_ms = bw_mono_ms_until(bw_conn_now(conn), at);
    conn->watch_at = at;
    bw_timer_start(conn->watch, delay_ms > 0 ? delay_ms : 1);
}

int bw_conn_push(struct bw_conn *conn, const struct bw_cmd *cmd, unsigned timeout_ms,
                 bw_redis_cb *cb, void *arg)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_conn_now(conn), timeout_ms);

    if (cmd->failed != BW_OK)
        return cmd->failed;
    if (bw_pending_push(&conn->pending, cmd, deadline, cb, arg) != BW_OK)
        return BW_ENOMEM;
    bw_conn_watch_until(conn, bw_conn_sooner(deadline, bw_conn_idle_from_now(conn)));
    bw_loop_flush(conn->loop, &conn->flush);
    return BW_OK;
}

void bw_conn_lose_for(struct bw_conn *conn, int code, const char *text)
{
    struct bw_error why;

    (void)bw_error_set(&why, code, "%s", text);
    bw_conn_lose(conn, &why);
}
