/* The library's side of a `struct bw_redis`: a thread-safe front of one connection.
 *
 * Calls go through a mailbox to the loop's thread. Life: create and destroy on the thread
 * that holds the loop, open on it or before it runs; commands from any thread in between.
 */
#ifndef BW_REDIS_CLIENT_H
#define BW_REDIS_CLIENT_H

#include <stdbool.h>

#include <bulwark/error.h>
#include <bulwark/redis.h>

struct bw_cmd;
struct bw_conn;
struct bw_log;
struct bw_loop;

/* Copies the options. `log` may be NULL and is borrowed. `second`: another connection to
 * the same server logs what it lacks. */
BW_MUSTCHECK int bw_redis_create(struct bw_redis **redisp, struct bw_loop *loop,
                                 const struct bw_redis_options *options, bool second,
                                 const struct bw_log *log, struct bw_error *err);
/* One without a connection of its own: it uses the one that it is lent. */
BW_MUSTCHECK int bw_redis_create_lent(struct bw_redis **redisp, struct bw_loop *loop,
                                      struct bw_error *err);
/* On the loop: from now on commands go over `conn`, which is ready; NULL: it is taken
 * back, and commands are refused. */
void bw_redis_lend(struct bw_redis *redis, struct bw_conn *conn);
/* Begins to connect. */
void bw_redis_open(struct bw_redis *redis);
/* The loop has ended, but not all threads that may send: calls back what is pending, and
 * from now on commands are refused with BW_ECLOSED. On the loop's thread. */
void bw_redis_close(struct bw_redis *redis);
/* Calls back what is pending, with BW_EIO or BW_ECLOSED. No thread may send any more. */
void bw_redis_destroy(struct bw_redis **redisp);

/* As bw_redis_command() for a command that is built already. Takes the bytes of `cmd` and
 * leaves it cleared, on failure too. Any thread. */
BW_MUSTCHECK int bw_redis_send_cmd(struct bw_redis *redis, struct bw_cmd *cmd,
                                   unsigned timeout_ms, bw_redis_cb *cb, void *arg);

#endif
