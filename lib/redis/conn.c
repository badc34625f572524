#include "redis/conn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "redis/dial.h"
#include "redis/handshake.h"
#include "redis/pending.h"
#include "redis/refusal.h"
#include "redis/reply.h"
#include "redis/script.h"
#include "redis/stream.h"

#define READ_SIZE       ((size_t)64 * 1024)
#define READS_A_TURN    16 /* then others have their turn */
#define BACKOFF_MIN_MS  50
#define BACKOFF_MAX_MS  2000
#define STEADY_MS       1000  /* a link that lived so long resets the back-off */
#define IDLE_MS         15000 /* nothing heard for so long: ask */
#define PING_TIMEOUT_MS 5000
#define CONNECT_MS      5000 /* for options that do not say */
/* How often a server that does not serve yet is asked: at first so that nobody notices a
 * promotion, after half a minute so that the asking costs nothing. */
#define STANDBY_MS          20
#define STANDBY_PATIENT_MS  500
#define STANDBY_EAGER_TIMES 30 /* attempts of one to two seconds */

enum state {
    IDLE,    /* not opened, or reset for good */
    DIALING, /* lookup, connecting, TLS */
    HANDSHAKE,
    STANDBY, /* linked to a server that does not serve yet */
    READY,
    WAITING /* for the next attempt */
};

struct bw_conn {
    struct bw_loop *loop;
    struct bw_redis_options redis;
    char *name;
    char *label; /* host:port or path, for the log */
    bool scripts, second, patient;
    unsigned idle_ms;
    struct bw_log log;
    void (*on_ready)(struct bw_conn *conn, void *arg);
    void (*on_lost)(struct bw_conn *conn, const struct bw_error *why, void *arg);
    void (*on_failed)(struct bw_conn *conn, const struct bw_error *why, void *arg);
    void *arg;

    enum state state;
    uint64_t links; /* counts links; a callback may have ended the one it came from */
    struct bw_timer *retry;
    struct bw_rand rand;
    unsigned failures; /* attempts in a row that led to no steady link */
    uint64_t reconnects;
    bool was_ready;                       /* ever */
    unsigned told;                        /* of the server, as bits */
    char last_failure[BW_ERROR_TEXT_MAX]; /* logged; the same again is no news */

    /* of the link that lives */
    struct bw_dial *dial;
    struct bw_stream stream;
    struct bw_io *io;
    int watching;
    struct bw_reader *reader;
    struct bw_handshake handshake;
    struct bw_mono standby_until;
    struct bw_pending pending;
    struct bw_flush flush;
    const struct bw_script *loading; /* by a SCRIPT LOAD that is in flight */
    struct bw_error broken;          /* found while writing; told by the retry timer */
    struct bw_timer *watch;          /* deadlines and idleness */
    struct bw_mono watch_at;
    struct bw_mono last_heard;
    struct bw_mono ready_since;
};

static void lose(struct bw_conn *conn, const struct bw_error *why);
static void on_standby(struct bw_conn *conn);

static bool has_link(const struct bw_conn *conn)
{
    return conn->state == HANDSHAKE || conn->state == STANDBY || conn->state == READY;
}

static struct bw_mono now(const struct bw_conn *conn)
{
    return bw_loop_mono(conn->loop);
}

/* --- attempts */

static void attempt(struct bw_conn *conn)
{
    conn->state = DIALING;
    bw_timer_stop(conn->retry);
    bw_dial_start(conn->dial);
}

/* Doubling, less a quarter to a half: the clients of one Redis come back at different
 * times, and the longest wait leaves time to be at work within 2 s of its return. */
static int64_t next_delay(struct bw_conn *conn)
{
    unsigned doublings = conn->failures < 6 ? conn->failures : 6;
    int64_t delay = (int64_t)BACKOFF_MIN_MS << doublings;

    if (delay > BACKOFF_MAX_MS)
        delay = BACKOFF_MAX_MS;
    conn->failures++;
    return delay / 2 + (int64_t)(bw_rand_unit(&conn->rand) * (double)(delay / 4));
}

/* Also brings the news of a write that failed: lose() must not run at the end of a turn,
 * when what the callbacks gather would no longer be sent. */
static void on_retry(void *arg)
{
    struct bw_conn *conn = arg;
    struct bw_error why = conn->broken;

    if (conn->state == STANDBY && why.code == BW_OK)
        on_standby(conn);
    else if (has_link(conn))
        lose(conn, &why);
    else
        attempt(conn);
}

static void log_loss(struct bw_conn *conn, const struct bw_error *why, bool was_ready,
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
    conn->state = IDLE;
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
    struct bw_mono at = now(conn);

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
static void end_link(struct bw_conn *conn, const struct bw_error *why)
{
    enum state before = conn->state;

    hang_up(conn);
    fail_pending(conn, why);
    if (before == READY && conn->on_lost != NULL)
        conn->on_lost(conn, why, conn->arg);
}

static void lose(struct bw_conn *conn, const struct bw_error *why)
{
    struct bw_error copy = *why; /* may lie in what ends now */
    bool was_ready = conn->state == READY;
    uint64_t links;
    int64_t delay_ms;

    if (was_ready && bw_mono_ms_until(conn->ready_since, now(conn)) >= STEADY_MS)
        conn->failures = 0;
    delay_ms = next_delay(conn);
    log_loss(conn, &copy, was_ready, delay_ms);
    links = conn->links + 1;
    end_link(conn, &copy);
    if (conn->links != links || conn->state != IDLE)
        return; /* a callback decided otherwise */
    conn->state = WAITING;
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

static void on_flush(void *arg)
{
    struct bw_conn *conn = arg;
    size_t len, put = 0;
    const char *data = bw_pending_output(&conn->pending, &len);

    if (!has_link(conn) || conn->broken.code != BW_OK)
        return;
    if (len > 0 &&
        bw_stream_write(&conn->stream, data, len, &put, &conn->broken) != BW_OK) {
        bw_timer_start(conn->retry, 0);
        return;
    }
    bw_pending_advance(&conn->pending, put);
    watch_io(conn);
}

static struct bw_mono sooner(struct bw_mono a, struct bw_mono b)
{
    return bw_mono_before(a, b) ? a : b;
}

static struct bw_mono idle_from_now(const struct bw_conn *conn)
{
    return bw_mono_add_ms(now(conn), conn->idle_ms);
}

/* Has on_watch() look at `at`, or before. A deadline that is met moves nothing, so a busy
 * connection rarely touches its timer. */
static void watch_until(struct bw_conn *conn, struct bw_mono at)
{
    int64_t delay_ms;

    if (bw_timer_is_running(conn->watch) && !bw_mono_before(at, conn->watch_at))
        return;
    delay_ms = bw_mono_ms_until(now(conn), at);
    conn->watch_at = at;
    bw_timer_start(conn->watch, delay_ms > 0 ? delay_ms : 1);
}

static int push(struct bw_conn *conn, const struct bw_cmd *cmd, unsigned timeout_ms,
                bw_redis_cb *cb, void *arg)
{
    struct bw_mono deadline = bw_mono_add_ms(now(conn), timeout_ms);

    if (cmd->failed != BW_OK)
        return cmd->failed;
    if (bw_pending_push(&conn->pending, cmd, deadline, cb, arg) != BW_OK)
        return BW_ENOMEM;
    watch_until(conn, sooner(deadline, idle_from_now(conn)));
    bw_loop_flush(conn->loop, &conn->flush);
    return BW_OK;
}

int bw_conn_send(struct bw_conn *conn, const struct bw_cmd *cmd, unsigned timeout_ms,
                 bw_redis_cb *cb, void *arg)
{
    assert(cmd->count > 0 || cmd->failed != BW_OK);
    if (conn->state != READY)
        return BW_ECLOSED;
    return push(conn, cmd, timeout_ms, cb, arg);
}

static void lose_for(struct bw_conn *conn, int code, const char *text)
{
    struct bw_error why;

    (void)bw_error_set(&why, code, "%s", text);
    lose(conn, &why);
}

/* --- the handshake */

static void become_ready(struct bw_conn *conn)
{
    conn->state = READY;
    conn->ready_since = now(conn);
    conn->last_failure[0] = '\0';
    if (conn->was_ready)
        conn->reconnects++;
    conn->was_ready = true;
    watch_until(conn, idle_from_now(conn));
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
    int64_t delay_ms = next_delay(conn);

    conn->state = STANDBY;
    conn->standby_until = bw_mono_add_ms(now(conn), delay_ms);
    ask_again_later(conn);
    log_loss(conn, why, false, delay_ms);
}

static void on_role(const struct bw_reply *reply, const struct bw_error *failed,
                    void *arg)
{
    struct bw_conn *conn = arg;
    enum bw_not_yet not_yet;
    struct bw_error err;

    if (conn->state != STANDBY)
        return; /* the link is being given up already */
    if (failed != NULL)
        lose(conn, failed);
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
    rc = push(conn, &cmd, conn->redis.connect_timeout_ms, on_role, conn);
    bw_cmd_fini(&cmd);
    if (rc != BW_OK)
        ask_again_later(conn);
}

/* The time of this attempt is over: the next one may find another server. */
static void on_standby(struct bw_conn *conn)
{
    uint64_t links = conn->links + 1;
    struct bw_error why;

    if (bw_mono_before(now(conn), conn->standby_until)) {
        ask_role(conn);
        return;
    }
    (void)bw_error_set(&why, BW_EIO, "%s", conn->last_failure);
    end_link(conn, &why);
    if (conn->links == links && conn->state == IDLE)
        attempt(conn);
}

static void on_handshake_reply(const struct bw_reply *reply,
                               const struct bw_error *failed, void *arg)
{
    struct bw_conn *conn = arg;
    struct bw_error err;
    bool done;

    if (conn->state != HANDSHAKE)
        return; /* the link is being given up already */
    if (bw_handshake_answer(&conn->handshake, reply, failed, &done, &err) == BW_OK) {
        if (done)
            become_ready(conn);
    } else if (conn->handshake.not_yet != BW_NOT_YET_NOTHING) {
        stand_by(conn, &err);
    } else {
        lose(conn, &err);
    }
}

static void begin_handshake(struct bw_conn *conn)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    int rc = BW_OK;

    conn->state = HANDSHAKE;
    conn->handshake = (struct bw_handshake){
        .redis = &conn->redis,
        .name = conn->name,
        .scripts = conn->scripts,
        .log = &conn->log,
        .told = conn->second ? NULL : &conn->told,
    };
    while (rc == BW_OK && bw_handshake_next(&conn->handshake, &cmd)) {
        rc = push(conn, &cmd, conn->redis.connect_timeout_ms, on_handshake_reply, conn);
        bw_cmd_clear(&cmd);
    }
    bw_cmd_fini(&cmd);
    if (rc != BW_OK)
        lose_for(conn, rc, "out of memory for the handshake");
}

/* --- answers */

static void on_script_loaded(const struct bw_reply *reply, const struct bw_error *failed,
                             void *arg)
{
    struct bw_conn *conn = arg;

    (void)reply;
    conn->loading = NULL;
    if (failed != NULL && failed->code == BW_EREDIS &&
        bw_refusal_is_for_good(failed->text))
        conn->handshake.no_script_load =
            true; /* rights have changed: EVAL, from now on */
    if (failed != NULL && failed->code == BW_EREDIS)
        bw_log(&conn->log, BW_LOG_WARNING, "Redis does not load a script",
               bw_text("error", failed->text));
}

/* All calls in flight may ask for the same script: one loading, ahead of their
 * repetitions, serves them all. */
static int load_script(struct bw_conn *conn, const struct bw_script *script,
                       int64_t limit_ms)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    int rc;

    if (conn->loading == script)
        return BW_OK;
    bw_cmd_str(&cmd, "SCRIPT");
    bw_cmd_str(&cmd, "LOAD");
    bw_cmd_arg(&cmd, script->text, script->len);
    rc = push(conn, &cmd, (unsigned)limit_ms, on_script_loaded, conn);
    bw_cmd_fini(&cmd);
    if (rc != BW_OK)
        return rc;
    conn->loading = script;
    bw_log(&conn->log, BW_LOG_INFO, "script loaded again",
           bw_text("script", script->name));
    return BW_OK;
}

/* Redis does not know the script (restarted, or flushed), so nothing ran: load it and say
 * the same again. False when that cannot be done. */
static bool load_and_repeat(struct bw_conn *conn, const struct bw_pending_entry *entry)
{
    int64_t left_ms = bw_mono_ms_until(now(conn), entry->deadline);

    if (entry->script == NULL || left_ms <= 0)
        return false;
    /* Those that use few scripts may not be told by a handshake that SCRIPT is refused.
     */
    if (conn->handshake.no_script_load || !conn->scripts) {
        if (bw_pending_repeat_first_as_eval(&conn->pending) != BW_OK)
            return false;
    } else if (load_script(conn, entry->script, left_ms) != BW_OK ||
               bw_pending_repeat_first(&conn->pending) != BW_OK)
        return false;
    bw_loop_flush(conn->loop, &conn->flush);
    bw_pending_shift(&conn->pending);
    return true;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static void on_error_reply(struct bw_conn *conn, const struct bw_reply *reply)
{
    struct bw_pending_entry entry = *bw_pending_first(&conn->pending);
    const char *text = bw_reply_text(reply, NULL);
    bool away = conn->state == READY && bw_refusal_is_away(text);
    uint64_t links = conn->links;
    struct bw_error err;

    if (starts_with(text, "NOSCRIPT") && load_and_repeat(conn, &entry))
        return;
    /* Away: not executed, and what holds for a lost link holds for the command. The
     * server lives, and will say itself when it serves again: no reason to be slow. */
    if (away && conn->handshake.knows_role)
        conn->failures = 0;
    (void)bw_error_set(&err, away ? BW_ECLOSED : BW_EREDIS, "%s", text);
    bw_pending_shift(&conn->pending);
    if (entry.cb != NULL)
        entry.cb(NULL, &err, entry.arg);
    if (away && links == conn->links)
        lose(conn, &err);
}

/* Before it is known who we are, or when the server is full, errors come unasked. */
static void lose_for_unasked(struct bw_conn *conn, const struct bw_reply *reply)
{
    struct bw_error why;

    if (bw_reply_kind(reply) == BW_REPLY_ERROR) {
        bw_refusal_explain_secret(&why, bw_reply_text(reply, NULL));
        why.code = BW_EPROTO;
    } else {
        (void)bw_error_set(&why, BW_EPROTO, "Redis sent a reply that nobody asked for");
    }
    lose(conn, &why);
}

static void dispatch(struct bw_conn *conn, const struct bw_reply *reply)
{
    const struct bw_pending_entry *first = bw_pending_first(&conn->pending);
    struct bw_pending_entry entry;

    if (first == NULL || !bw_pending_is_written(&conn->pending, first)) {
        lose_for_unasked(conn, reply);
        return;
    }
    if (bw_reply_kind(reply) == BW_REPLY_ERROR) {
        on_error_reply(conn, reply);
        return;
    }
    entry = *first;
    bw_pending_shift(&conn->pending);
    if (entry.cb != NULL)
        entry.cb(reply, NULL, entry.arg);
}

/* --- reading */

static bool is_unanswered(const struct bw_conn *conn)
{
    return conn->state == HANDSHAKE && conn->handshake.answered == 0;
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
    lose(conn, why);
}

/* False when the link is no more. */
static bool take_bytes(struct bw_conn *conn, const char *data, size_t len)
{
    uint64_t links = conn->links;
    const struct bw_reply *reply;
    struct bw_error err;
    int rc;

    if (len > 1 && is_tls_alert(conn, data)) {
        lose_for(conn, BW_EPROTO, "the server speaks TLS: the URL must be rediss://");
        return false;
    }
    rc = bw_reader_feed(conn->reader, data, len, &err);
    conn->last_heard = now(conn);
    while (rc == BW_OK) {
        rc = bw_reader_next(conn->reader, &reply, &err);
        if (rc != BW_OK)
            break;
        if (reply == NULL)
            return true;
        dispatch(conn, reply);
        if (links != conn->links)
            return false;
    }
    lose(conn, &err);
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
        lose_for(conn, BW_EIO, "the socket failed");
        return;
    }
    bw_loop_flush(conn->loop, &conn->flush); /* also arms the watch anew */
}

static void on_dialed(struct bw_stream *stream, const struct bw_error *err, void *arg)
{
    struct bw_conn *conn = arg;
    struct bw_error failure;

    if (stream == NULL) {
        lose(conn, err);
        return;
    }
    conn->stream = *stream;
    *stream = (struct bw_stream){ 0 };
    conn->watching = 0;
    conn->last_heard = now(conn);
    bw_reader_destroy(&conn->reader);
    if (bw_reader_create(&conn->reader, 0) != BW_OK) {
        lose_for(conn, BW_ENOMEM, "out of memory");
        return;
    }
    if (bw_io_create(&conn->io, conn->loop, conn->stream.fd, on_io, conn, &failure) !=
        BW_OK) {
        lose(conn, &failure);
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

    return earliest_deadline(conn, &earliest) && !bw_mono_before(now(conn), earliest);
}

/* A link that nobody uses must prove that it lives, too. */
static void ask_if_idle(struct bw_conn *conn)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    struct bw_mono at = bw_mono_add_ms(conn->last_heard, conn->idle_ms);

    if (conn->state != READY || conn->pending.count > 0 || bw_mono_before(now(conn), at))
        return;
    bw_cmd_str(&cmd, "PING");
    (void)push(conn, &cmd, PING_TIMEOUT_MS, NULL,
               NULL); /* without memory: the next time */
    bw_cmd_fini(&cmd);
}

static void on_watch(void *arg)
{
    struct bw_conn *conn = arg;
    struct bw_mono next;

    /* Timers come before sockets. If it was we who slept, the answers lie there. */
    if (has_expired(conn) && (!read_bytes(conn, true) || !has_link(conn)))
        return;
    if (has_expired(conn)) {
        lose_for(conn, BW_ETIMEDOUT, "Redis did not answer in time");
        return;
    }
    ask_if_idle(conn);
    if (earliest_deadline(conn, &next))
        next = sooner(next, idle_from_now(conn));
    else
        next = bw_mono_add_ms(conn->last_heard, conn->idle_ms);
    watch_until(conn, next);
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
    conn->flush.fn = on_flush;
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

void bw_conn_open(struct bw_conn *conn)
{
    if (conn->state == IDLE)
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
    end_link(conn, &why);
    if (reopen && conn->links == links && conn->state == IDLE)
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
        end_link(conn, &why);
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
    return conn->state == READY;
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
