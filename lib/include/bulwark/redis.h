/* Redis: where it is, and asynchronous commands on a connection that never gives up.
 *
 * A `struct bw_redis` lives on a worker's reactor (bw_worker_redis() in worker.h). It
 * reconnects by itself, for ever, with back-off and jitter, until its worker is
 * destroyed. Commands may be sent from any thread and are pipelined in the order of the
 * calls; the callback runs on the reactor thread and must not block: hand the result over
 * and return. */
#ifndef BULWARK_REDIS_H
#define BULWARK_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bw_redis;
struct bw_reply;

/* Where Redis is. All texts are owned by the struct. */
struct bw_redis_options {
    char *host;     /* name, IPv4 or IPv6 without brackets */
    char *path;     /* a UNIX socket instead of host and port; or NULL */
    char *username; /* or NULL */
    char *password; /* or NULL; never logged */
    char *ca_file;  /* trusted certificates for TLS; NULL: the system's */
    uint16_t port;
    int db;
    int family;                  /* 4 or 6: addresses of that kind only; 0: both */
    bool tls;                    /* host names are verified */
    unsigned connect_timeout_ms; /* 0: 5 s */
};

/* redis://[user][:password]@host[:port][/db], rediss:// for TLS, unix:///path; percent
 * encoding is undone. Of the query `db`, `username`, `password`, `family` (0, 4, 6) and
 * `connectTimeout` (ms) count, where the URL itself does not say. Fills defaults
 * (127.0.0.1:6379, db 0, 5 s). On failure nothing is owned. Errors: BW_EINVAL naming the
 * part and the byte, never the password; BW_ENOMEM. */
BW_MUSTCHECK BW_API int bw_redis_options_parse(struct bw_redis_options *options,
                                               const char *url, struct bw_error *err);

struct bw_redis_url_notes { /* what else there is to know of a URL */
    bool has_port, has_db, has_timeout;
    char unknown[128]; /* names of the query that mean nothing, with ", " between them */
};

/* The same; `notes` may be NULL. */
BW_MUSTCHECK BW_API int bw_redis_options_parse_url(struct bw_redis_options *options,
                                                   const char *url,
                                                   struct bw_redis_url_notes *notes,
                                                   struct bw_error *err);
BW_MUSTCHECK BW_API int bw_redis_options_dup(struct bw_redis_options *to,
                                             const struct bw_redis_options *from,
                                             struct bw_error *err);
/* Harmless on a zeroed or finished struct. */
BW_API void bw_redis_options_fini(struct bw_redis_options *options);

enum bw_reply_kind {
    BW_REPLY_NIL,
    BW_REPLY_STRING, /* bulk and simple strings */
    BW_REPLY_INTEGER,
    BW_REPLY_ARRAY,
    BW_REPLY_ERROR /* only inside an array; a whole reply that is an error arrives as
                      BW_EREDIS */
};

/* Replies are borrowed: valid until the callback returns. NULL counts as BW_REPLY_NIL. */
BW_API enum bw_reply_kind bw_reply_kind(const struct bw_reply *reply);
/* "" for what is not a string or an error. */
BW_API const char *bw_reply_text(const struct bw_reply *reply, size_t *len);
/* Also a string that is a decimal integer; 0 otherwise. */
BW_API int64_t bw_reply_integer(const struct bw_reply *reply);
BW_API size_t bw_reply_count(const struct bw_reply *reply);
/* NULL when there is no such element. */
BW_API const struct bw_reply *bw_reply_at(const struct bw_reply *reply, size_t index);

/* `reply` is NULL exactly when `err` is not. Error codes: BW_EREDIS (the text is
 * Redis's), BW_ETIMEDOUT, BW_EIO (the connection was lost after sending: it may have been
 * executed), BW_ECLOSED (nothing was sent, or the server turned it away: it is a replica
 * now, or still loads its data). */
typedef void bw_redis_cb(const struct bw_reply *reply, const struct bw_error *err,
                         void *arg);

struct bw_redis_arg {
    const void *data;
    size_t len;
};

/* Sends one command; copies the arguments. The callback is called exactly once, unless
 * this returns an error (BW_ENOMEM, BW_EINVAL, BW_ECLOSED while not connected): then
 * never. A command that is not answered within `timeout_ms` (> 0) is given up, and with
 * it the connection, which may be half open: other commands in flight fail with BW_EIO,
 * and no late answer is mistaken for another's. */
BW_MUSTCHECK BW_API int bw_redis_command(struct bw_redis *redis,
                                         const struct bw_redis_arg *args, size_t count,
                                         unsigned timeout_ms, bw_redis_cb *cb, void *arg);

/* True between a finished handshake and the loss of the connection; a hint, from any
 * thread. */
BW_API bool bw_redis_is_ready(const struct bw_redis *redis);
/* Wall clock in ms of the last finished handshake, 0: none yet. What Redis holds from
 * before may have been lost since, with a server that came back older. Any thread. */
BW_API int64_t bw_redis_since(const struct bw_redis *redis);

/* What is known of a connection and its server. */
struct bw_redis_state {
    bool ready;
    char trouble[BW_ERROR_TEXT_MAX]; /* why the last attempt failed; "": none has, or it
                                        is ready */
    uint64_t attempts;               /* that failed */
    /* of the last handshake */
    unsigned version;  /* 0x070015 for 7.0.21; 0: unknown */
    char eviction[32]; /* maxmemory-policy, which queues need to be "noeviction"; "":
                          unknown */
    bool cluster;      /* a node of a cluster */
};

/* Any thread. */
BW_API void bw_redis_state(struct bw_redis *redis, struct bw_redis_state *state);

#ifdef __cplusplus
}
#endif

#endif
