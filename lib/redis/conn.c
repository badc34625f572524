#include "redis/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "redis/conn_answer.h"
#include "redis/conn_link.h"

#define READ_SIZE       ((size_t)64 * 1024)
#define READS_A_TURN    16    /* then others have their turn */
#define IDLE_MS         15000 /* nothing heard for so long: ask */
#define PING_TIMEOUT_MS 5000
#define CONNECT_MS      5000 /* for options that do not say */
/* How often a server that does not serve yet is asked: at first so that nobody notices a
 * promotion, after half a minute so that the asking costs nothing. */
#define STANDBY_MS          20
#define STANDBY_PATIENT_MS  500
#define STANDBY_EAGER_TIMES 30 /* attempts of one to two seconds */

static void on_standby(struct bw_conn *conn);

/* --- attempts */

static void attempt(struct bw_conn *conn)
{
    conn->state = BW_CONN_DIALING;
    bw_timer_stop(conn->retry);
    bw_dial_start(conn->dial);
}

/* Also brings the news of a write that failed: bw_conn_lose() must not run at the end of
 * a turn, when what the callbacks gather would no longer be sent. */
static void on_retry(void *arg)
{
    struct bw_conn *conn = arg;
    struct bw_error why = conn->broken;

    if (conn->state == BW_CONN_STANDBY && why.code == BW_OK)
        on_standby(conn);
    else if (bw_conn_has_link(conn))
        bw_conn_lose(conn, &why);
    else
        attempt(conn);
}

/* --- the handshake */

static void become_ready(struct bw_conn *conn)
{
    conn->state = BW_CONN_READY;
    conn->ready_since = bw_conn_now(conn);
    conn->last_failure[0] = '\0';
    if (conn->was_ready)
        conn->reconnects++;
    conn->was_ready = true;
    bw_conn_watch_until(conn, bw_conn_idle_from_now(conn));
    bw_log(&conn->log, BW_LOG_INFO, "Redis connected",
           bw_num("clientId", conn->handshake.client_id),
           bw_num("reconnects", (int64_t)conn->reconnects));
    if (conn->on_ready != NULL)
        conn->on_ready(conn, conn->arg);
}

/* --- a server that does not serve yet */

static void begin_handshake(struct bw_conn *conn);

static void ask_again_later(struct bw_conn *conn)
{
    bool eager = !conn->patient && conn->failures < STANDBY_EAGER_TIMES;

    bw_timer_start(conn->retry, eager ? STANDBY_MS : STANDBY_PATIENT_MS);
}

/* The rest of the handshake's answers is not listened to. */
static void stand_by(struct bw_conn *conn, const struct bw_error *why)
{
    int64_t delay_ms = bw_conn_next_delay(conn);

    conn->state = BW_CONN_STANDBY;
    conn->standby_until = bw_mono_add_ms(bw_conn_now(conn), delay_ms);
    ask_again_later(conn);
    bw_conn_log_loss(conn, why, false, delay_ms);
}

static void on_role(const struct bw_reply *reply, const struct bw_error *failed,
                    void *arg)
{
    struct bw_conn *conn = arg;
    enum bw_not_yet not_yet;
    struct bw_error err;

    if (conn->state != BW_CONN_STANDBY)
        return; /* the link is being given up already */
    if (failed != NULL)
        bw_conn_lose(conn, failed);
    else if (bw_handshake_judge_role(bw_reply_text(reply, NULL), &not_yet, &err) == BW_OK)
        begin_handshake(conn);
    else
        ask_again_later(conn);
}

static void ask_role(struct bw_conn *conn)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    int rc;

    bw_cmd_str(&cmd, "INFO");
    bw_cmd_str(&cmd, conn->handshake.not_yet == BW_NOT_YET_LOADING ? "persistence"
                                                                   : "replication");
    rc = bw_conn_push(conn, &cmd, conn->redis.connect_timeout_ms, on_role, conn);
    bw_cmd_fini(&cmd);
    if (rc != BW_OK)
        ask_again_later(conn);
}

/* The time of this attempt is over: the next one may find another server. */
static void on_standby(struct bw_conn *conn)
{
    uint64_t links = conn->links + 1;
    struct bw_error why;

    if (bw_mono_before(bw_conn_now(conn), conn->standby_until)) {
        ask_role(conn);
        return;
    }
    (void)bw_error_set(&why, BW_EIO, "%s", conn->last_failure);
    bw_conn_end_link(conn, &why);
    if (conn->links == links && conn->state == BW_CONN_IDLE)
        attempt(conn);
}

static void on_handshake_reply(const struct bw_reply *reply,
                               const struct bw_error *failed, void *arg)
{
    struct bw_conn *conn = arg;
    struct bw_error err;
    bool done;

    if (conn->state != BW_CONN_HANDSHAKE)
        return; /* the link is being given up already */
    if (bw_handshake_answer(&conn->handshake, reply, failed, &done, &err) == BW_OK) {
        if (done)
            become_ready(conn);
    } else if (conn->handshake.not_yet != BW_NOT_YET_NOTHING) {
        stand_by(conn, &err);
    } else {
        bw_conn_lose(conn, &err);
    }
}

static void begin_handshake(struct bw_conn *conn)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    int rc = BW_OK;

    conn->state = BW_CONN_HANDSHAKE;
    conn->handshake = (struct bw_handshake){
        .redis = &conn->redis,
        .name = conn->name,
        .scripts = conn->scripts,
        .log = &conn->log,
        .told = conn->second ? NULL : &conn->told,
    };
    while (rc == BW_OK && bw_handshake_next(&conn->handshake, &cmd)) {
        rc = bw_conn_push(conn, &cmd, conn->redis.connect_timeout_ms, on_handshake_reply,
                          conn);
        bw_cmd_clear(&cmd);
    }
    bw_cmd_fini(&cmd);
    if (rc != BW_OK)
        bw_conn_lose_for(conn, rc, "out of memory for the handshake");
}

/* --- reading */

static bool is_unanswered(const struct bw_conn *conn)
{
    return conn->state == BW_CONN_HANDSHAKE && conn->handshake.answered == 0;
}

/* A TLS server answers what is no TLS with an alert record, or hangs up without a word.
 */
static bool is_tls_alert(const struct bw_conn *conn, const char *data)
{
    return is_unanswered(conn) && data[0] == 0x15 && data[1] == 0x03;
}

static void lose_while_reading(struct bw_conn *conn, struct bw_error *why)
{
    if (is_unanswered(conn) && conn->stream.tls == NULL && why->code == BW_EIO)
        (void)bw_error_set(why, BW_EIO,
                           "the server hung up without an answer: does it want TLS "
                           "(rediss://)?");
    bw_conn_lose(conn, why);
}

/* False when the link is no more. */
static bool take_bytes(struct bw_conn *conn, const char *data, size_t len)
{
    uint64_t links = conn->links;
    const struct bw_reply *reply;
    struct bw_error err;
    int rc;

    if (len > 1 && is_tls_alert(conn, data)) {
        bw_conn_lose_for(conn, BW_EPROTO,
                         "the server speaks TLS: the URL must be rediss://");
        return false;
    }
    rc = bw_reader_feed(conn->reader, data, len, &err);
    conn->last_heard = bw_conn_now(conn);
    while (rc == BW_OK) {
        rc = bw_reader_next(conn->reader, &reply, &err);
        if (rc != BW_OK)
            break;
        if (reply == NULL)
            return true;
        bw_conn_dispatch(conn, reply);
        if (links != conn->links)
            return false;
    }
    bw_conn_lose(conn, &err);
    return false;
}

/* False when the link is no more. `all`: until nothing is there now. */
static bool read_bytes(struct bw_conn *conn, bool all)
{
    char data[READ_SIZE];
    struct bw_error err;

    for (int i = 0; all || i < READS_A_TURN; i++) {
        size_t got;
        int rc = bw_stream_read(&conn->stream, data, sizeof data, &got, &err);

        if (rc != BW_OK) {
            lose_while_reading(conn, &err);
            return false;
        }
        if (got == 0)
            return true;
        if (!take_bytes(conn, data, got))
            return false;
        if (got < sizeof data && !all)
            return true;
    }
    return true;
}

static void on_io(void *arg, int events)
{
    struct bw_conn *conn = arg;
    /* TLS keeps bytes that no poll would tell of. */
    bool all = conn->stream.tls != NULL || (events & BW_IO_ERROR) != 0;

    if ((events & BW_IO_READ) != 0 && !read_bytes(conn, all))
        return;
    if ((events & BW_IO_ERROR) != 0) {
        bw_conn_lose_for(conn, BW_EIO, "the socket failed");
        return;
    }
    bw_loop_flush(conn->loop, &conn->flush); /* also arms the watch anew */
}

static void on_dialed(struct bw_stream *stream, const struct bw_error *err, void *arg)
{
    struct bw_conn *conn = arg;
    struct bw_error failure;

    if (stream == NULL) {
        bw_conn_lose(conn, err);
        return;
    }
    conn->stream = *stream;
    *stream = (struct bw_stream){ 0 };
    conn->watching = 0;
    conn->last_heard = bw_conn_now(conn);
    bw_reader_destroy(&conn->reader);
    if (bw_reader_create(&conn->reader, 0) != BW_OK) {
        bw_conn_lose_for(conn, BW_ENOMEM, "out of memory");
        return;
    }
    if (bw_io_create(&conn->io, conn->loop, conn->stream.fd, on_io, conn, &failure) !=
        BW_OK) {
        bw_conn_lose(conn, &failure);
        return;
    }
    begin_handshake(conn);
}

/* --- deadlines */

/* Of the commands in flight; false when there are none. */
static bool earliest_deadline(const struct bw_conn *conn, struct bw_mono *earliest)
{
    for (size_t i = 0; i < conn->pending.count; i++) {
        struct bw_mono deadline = bw_pending_at(&conn->pending, i)->deadline;

        if (i == 0 || bw_mono_before(deadline, *earliest))
            *earliest = deadline;
    }
    return conn->pending.count > 0;
}

static bool has_expired(const struct bw_conn *conn)
{
    struct bw_mono earliest;

    return earliest_deadline(conn, &earliest) &&
           !bw_mono_before(bw_conn_now(conn), earliest);
}

/* A link that nobody uses must prove that it lives, too. */
static void ask_if_idle(struct bw_conn *conn)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    struct bw_mono at = bw_mono_add_ms(conn->last_heard, conn->idle_ms);

    if (conn->state != BW_CONN_READY || conn->pending.count > 0 ||
        bw_mono_before(bw_conn_now(conn), at))
        return;
    bw_cmd_str(&cmd, "PING");
    (void)bw_conn_push(conn, &cmd, PING_TIMEOUT_MS, NULL,
                       NULL); /* without memory: the next time */
    bw_cmd_fini(&cmd);
}

static void on_watch(void *arg)
{
    struct bw_conn *conn = arg;
    struct bw_mono next;

    /* Timers come before sockets. If it was we who slept, the answers lie there. */
    if (has_expired(conn) && (!read_bytes(conn, true) || !bw_conn_has_link(conn)))
        return;
    if (has_expired(conn)) {
        bw_conn_lose_for(conn, BW_ETIMEDOUT, "Redis did not answer in time");
        return;
    }
    ask_if_idle(conn);
    if (earliest_deadline(conn, &next))
        next = bw_conn_sooner(next, bw_conn_idle_from_now(conn));
    else
        next = bw_mono_add_ms(conn->last_heard, conn->idle_ms);
    bw_conn_watch_until(conn, next);
}

/* --- life */

static char *make_label(const struct bw_redis_options *redis)
{
    char *label = NULL;

    if (redis->path != NULL)
        return bw_strdup(redis->path);
    if (asprintf(&label, strchr(redis->host, ':') != NULL ? "[%s]:%u" : "%s:%u",
                 redis->host, (unsigned)redis->port) < 0)
        return NULL;
    return label;
}

static int copy_options(struct bw_conn *conn, const struct bw_conn_options *options,
                        struct bw_error *err)
{
    int rc = bw_redis_options_dup(&conn->redis, options->redis, err);

    if (rc != BW_OK)
        return rc;
    if (conn->redis.connect_timeout_ms == 0)
        conn->redis.connect_timeout_ms = CONNECT_MS;
    conn->label = make_label(&conn->redis);
    if (options->name != NULL)
        conn->name = bw_strdup(options->name);
    if (conn->label == NULL || (options->name != NULL && conn->name == NULL))
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    bw_log_child(&conn->log, options->log, "redis", conn->label);
    conn->scripts = options->scripts;
    conn->second = options->second;
    conn->patient = options->patient;
    conn->idle_ms = options->idle_ms != 0 ? options->idle_ms : IDLE_MS;
    conn->on_ready = options->on_ready;
    conn->on_lost = options->on_lost;
    conn->on_failed = options->on_failed;
    conn->arg = options->arg;
    return BW_OK;
}

int bw_conn_create(struct bw_conn **connp, struct bw_loop *loop,
                   const struct bw_conn_options *options, struct bw_error *err)
{
    struct bw_conn *conn = bw_calloc(1, sizeof *conn);
    int rc;

    if (conn == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    conn->loop = loop;
    bw_list_init(&conn->flush.node);
    conn->flush.fn = bw_conn_flush;
    conn->flush.arg = conn;
    /* Differs from connection to connection, too. */
    bw_rand_init(&conn->rand, bw_rand_process_seed() ^ (uint64_t)(uintptr_t)conn);
    rc = copy_options(conn, options, err);
    if (rc == BW_OK)
        rc = bw_dial_create(&conn->dial, loop, &conn->redis, on_dialed, conn, err);
    if (rc == BW_OK && (bw_timer_create(&conn->retry, loop, on_retry, conn) != BW_OK ||
                        bw_timer_create(&conn->watch, loop, on_watch, conn) != BW_OK))
        rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    if (rc != BW_OK) {
        bw_conn_destroy(&conn);
        return rc;
    }
    *connp = conn;
    return BW_OK;
}

int bw_conn_send(struct bw_conn *conn, const struct bw_cmd *cmd, unsigned timeout_ms,
                 bw_redis_cb *cb, void *arg)
{
    BW_ASSERT(cmd->count > 0 || cmd->failed != BW_OK);
    if (conn->state != BW_CONN_READY)
        return BW_ECLOSED;
    return bw_conn_push(conn, cmd, timeout_ms, cb, arg);
}

void bw_conn_open(struct bw_conn *conn)
{
    if (conn->state == BW_CONN_IDLE)
        attempt(conn);
}

void bw_conn_reset(struct bw_conn *conn, const char *reason, bool reopen)
{
    uint64_t links = conn->links + 1;
    struct bw_error why;

    (void)bw_error_set(&why, BW_EIO, "%s", reason);
    if (reopen)
        bw_log(&conn->log, BW_LOG_INFO, "Redis connection reset",
               bw_text("reason", reason));
    else /* somebody wants no more of it: no fault */
        bw_log(&conn->log, BW_LOG_DEBUG, "Redis connection closed",
               bw_text("reason", reason));
    bw_conn_end_link(conn, &why);
    if (reopen && conn->links == links && conn->state == BW_CONN_IDLE)
        attempt(conn);
}

void bw_conn_destroy(struct bw_conn **connp)
{
    struct bw_conn *conn = *connp;
    struct bw_error why;

    if (conn == NULL)
        return;
    *connp = NULL;
    conn->on_lost = NULL;
    (void)bw_error_set(&why, BW_ECLOSED, "the connection was ended");
    if (conn->watch != NULL)
        bw_conn_end_link(conn, &why);
    bw_timer_destroy(&conn->retry);
    bw_timer_destroy(&conn->watch);
    bw_dial_destroy(&conn->dial);
    bw_reader_destroy(&conn->reader);
    bw_redis_options_fini(&conn->redis);
    free(conn->name);
    free(conn->label);
    free(conn);
}

/* --- looking in */

bool bw_conn_is_ready(const struct bw_conn *conn)
{
    return conn->state == BW_CONN_READY;
}

int64_t bw_conn_client_id(const struct bw_conn *conn)
{
    return conn->handshake.client_id;
}

unsigned bw_conn_server_version(const struct bw_conn *conn)
{
    return conn->handshake.server_version;
}

const char *bw_conn_eviction(const struct bw_conn *conn)
{
    return conn->handshake.eviction;
}

bool bw_conn_is_cluster(const struct bw_conn *conn)
{
    return conn->handshake.cluster;
}

uint64_t bw_conn_reconnects(const struct bw_conn *conn)
{
    return conn->reconnects;
}

size_t bw_conn_pending(const struct bw_conn *conn)
{
    return conn->pending.count;
}

struct bw_mono bw_conn_last_heard(const struct bw_conn *conn)
{
    return conn->last_heard;
}
