/* One connection to Redis: a state machine without a terminal state.
 *
 * idle → lookup → connecting → tls → handshake (→ standby → handshake)* → ready
 *      → (lost → waiting → lookup …)*
 *
 * Owned by one loop's thread. The handshake authenticates, selects the database, names
 * the connection, reads server version, client id and role, and loads the scripts.
 * Reconnects for ever with back-off and jitter (50 ms doubling to 2 s, so that a server
 * that is back is found within 2 s). Every command has a deadline. A link that is half
 * open is noticed by TCP_USER_TIMEOUT, keepalive, and by deadlines: a command that is
 * answered too late kills the connection; one that is idle asks with PING. A server that
 * is a replica or still loads is asked over the same link until it serves, so that work
 * goes on milliseconds after a promotion; now and then the link is made anew, for its
 * name may lead elsewhere by then. READONLY, LOADING or MASTERDOWN in a reply kills the
 * connection (a failover happened); its command fails with BW_ECLOSED, for it was not
 * executed. */
#ifndef BW_REDIS_CONN_H
#define BW_REDIS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/log.h>
#include <bulwark/redis.h>

#include "redis/cmd.h"
#include "redis/loop.h"

struct bw_conn;

struct bw_conn_options {
    const struct bw_redis_options *redis; /* copied */
    const char *name;                     /* CLIENT SETNAME; NULL: none; copied */
    bool scripts;                         /* load all scripts at each handshake */
    bool second;  /* another connection to the same server logs what it lacks */
    bool patient; /* nobody waits for it: a replica is asked seldom for its promotion */
    unsigned idle_ms;         /* silence after which Redis is asked; 0: 15 s */
    const struct bw_log *log; /* parent of the connection's context */
    /* All on the loop's thread; each may use the connection but not destroy it. */
    void (*on_ready)(struct bw_conn *conn, void *arg);
    void (*on_lost)(struct bw_conn *conn, const struct bw_error *why, void *arg);
    /* An attempt failed; NULL: nobody wants to know. */
    void (*on_failed)(struct bw_conn *conn, const struct bw_error *why, void *arg);
    void *arg;
};

BW_MUSTCHECK int bw_conn_create(struct bw_conn **connp, struct bw_loop *loop,
                                const struct bw_conn_options *options,
                                struct bw_error *err);
/* Begins to connect; at once. */
void bw_conn_open(struct bw_conn *conn);
/* Drops the link now; pending commands fail; reconnects at once if `reopen`. */
void bw_conn_reset(struct bw_conn *conn, const char *reason, bool reopen);
/* Pending commands fail with BW_EIO or BW_ECLOSED; no further callback. */
void bw_conn_destroy(struct bw_conn **connp);

bool bw_conn_is_ready(const struct bw_conn *conn);
int64_t
bw_conn_client_id(const struct bw_conn *conn); /* CLIENT ID of this link; 0: none */
unsigned
bw_conn_server_version(const struct bw_conn *conn); /* 0x070015 for 7.0.21; 0: unknown */
/* What the last handshake learnt of the server: its maxmemory-policy ("": unknown). */
const char *bw_conn_eviction(const struct bw_conn *conn);
bool bw_conn_is_cluster(const struct bw_conn *conn);
uint64_t bw_conn_reconnects(const struct bw_conn *conn);
/* Commands whose callbacks have not run. */
size_t bw_conn_pending(const struct bw_conn *conn);
struct bw_mono bw_conn_last_heard(const struct bw_conn *conn);

/* Appends the command to what is sent at the end of the turn (one write for all). The
 * command is copied and can be cleared and reused. `timeout_ms` > 0 counts from now. The
 * callback is called exactly once unless this fails (BW_ECLOSED: not ready; BW_ENOMEM),
 * never from inside this call; NULL: nobody wants to know. It may do anything but destroy
 * the connection. A reply that is an error arrives as BW_EREDIS. At a loss all pending
 * callbacks run first, in order, then on_lost. NOSCRIPT is answered by loading the script
 * and sending again, once, in here (with EVAL where SCRIPT is refused): callers never see
 * it (which is why script calls must be sendable twice: NOSCRIPT means that nothing ran).
 */
BW_MUSTCHECK int bw_conn_send(struct bw_conn *conn, const struct bw_cmd *cmd,
                              unsigned timeout_ms, bw_redis_cb *cb, void *arg);

#endif
