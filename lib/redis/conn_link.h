/* What the files of a connection share: its state, writing, and how a link ends. Only
 * conn.c, conn_answer.c and conn_link.c include this. */
#ifndef BW_REDIS_CONN_LINK_H
#define BW_REDIS_CONN_LINK_H

#include "base/rand.h"
#include "redis/conn.h"
#include "redis/dial.h"
#include "redis/handshake.h"
#include "redis/pending.h"
#include "redis/reply.h"
#include "redis/stream.h"

enum bw_conn_state {
    BW_CONN_IDLE,    /* not opened, or reset for good */
    BW_CONN_DIALING, /* lookup, connecting, TLS */
    BW_CONN_HANDSHAKE,
    BW_CONN_STANDBY, /* linked to a server that does not serve yet */
    BW_CONN_READY,
    BW_CONN_WAITING /* for the next attempt */
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

    enum bw_conn_state state;
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

static inline bool bw_conn_has_link(const struct bw_conn *conn)
{
    return conn->state == BW_CONN_HANDSHAKE || conn->state == BW_CONN_STANDBY ||
           conn->state == BW_CONN_READY;
}

static inline struct bw_mono bw_conn_now(const struct bw_conn *conn)
{
    return bw_loop_mono(conn->loop);
}

static inline struct bw_mono bw_conn_sooner(struct bw_mono a, struct bw_mono b)
{
    return bw_mono_before(a, b) ? a : b;
}

/* Appends the command to what goes out when the turn ends; in any state with a link. */
BW_MUSTCHECK int bw_conn_push(struct bw_conn *conn, const struct bw_cmd *cmd,
                              unsigned timeout_ms, bw_redis_cb *cb, void *arg);
/* Writes what waits; `arg` is the connection. */
void bw_conn_flush(void *arg);
/* Has deadlines and silence looked at then, or before. */
void bw_conn_watch_until(struct bw_conn *conn, struct bw_mono at);
struct bw_mono bw_conn_idle_from_now(const struct bw_conn *conn);

/* How long to wait before the next attempt; longer each time. */
int64_t bw_conn_next_delay(struct bw_conn *conn);
/* Logs it, if it is news, and tells `on_failed`. */
void bw_conn_log_loss(struct bw_conn *conn, const struct bw_error *why, bool was_ready,
                      int64_t delay_ms);
/* Hangs up; what is pending fails, then `on_lost` is told. */
void bw_conn_end_link(struct bw_conn *conn, const struct bw_error *why);
/* The same, and another attempt follows after a while. `why` may lie in what ends. */
void bw_conn_lose(struct bw_conn *conn, const struct bw_error *why);
void bw_conn_lose_for(struct bw_conn *conn, int code, const char *text);

#endif
