/* One attempt to reach Redis: name lookup, connect to each address in turn, TLS.
 *
 * Belongs to a loop's thread. Made once for a connection and used for each attempt. The
 * whole attempt has one deadline, options.connect_timeout_ms, shared out among the
 * addresses. */
#ifndef BW_REDIS_DIAL_H
#define BW_REDIS_DIAL_H

#include <bulwark/error.h>
#include <bulwark/redis.h>

struct bw_dial;
struct bw_loop;
struct bw_stream;

/* BW_OK: the stream is open and the callback's to take (it is emptied by moving it); else
 * `err` says what failed. Runs on the loop, never inside bw_dial_start(); the dial may be
 * started again from it. */
typedef void bw_dial_cb(struct bw_stream *stream, const struct bw_error *err, void *arg);

/* `options` is borrowed for as long as the dial lives. */
BW_MUSTCHECK int bw_dial_create(struct bw_dial **dialp, struct bw_loop *loop,
                                const struct bw_redis_options *options, bw_dial_cb *cb,
                                void *arg, struct bw_error *err);
void bw_dial_destroy(struct bw_dial **dialp);

/* Begins an attempt; none must be running. */
void bw_dial_start(struct bw_dial *dial);
/* Ends an attempt without a callback; harmless when none runs. */
void bw_dial_cancel(struct bw_dial *dial);

#endif
