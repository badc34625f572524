/* How the parts of a worker call Redis: over the command connection, which comes and
 * goes, with one scratch command for all. On the reactor. */
#ifndef BW_JOBS_BASE_CALLER_H
#define BW_JOBS_BASE_CALLER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>

#include "redis/conn.h"
#include "redis/loop.h"

/* A script call that takes longer than this has lost its connection. */
#define BW_CALL_TIMEOUT_MS 10000

struct bw_caller {
    struct bw_loop *loop;
    /* Whoever makes and ends the connection sets it; NULL: none yet, or no more. */
    struct bw_conn *conn;
    /* What comes before the first call of this link is done. */
    bool open;
    struct bw_cmd cmd;
    /* Read by any thread. */
    _Atomic uint64_t calls;
};

/* The loop is borrowed. */
void bw_caller_init(struct bw_caller *caller, struct bw_loop *loop);
void bw_caller_fini(struct bw_caller *caller);

/* True while calls can be sent: connected, and what had to be done first is done. */
bool bw_caller_can_call(const struct bw_caller *caller);
/* The scratch command, empty: until the next that asks for it. */
struct bw_cmd *bw_caller_cmd(struct bw_caller *caller);
/* As bw_conn_send(); BW_ECLOSED while calls cannot be sent. */
BW_MUSTCHECK int bw_caller_call(struct bw_caller *caller, const struct bw_cmd *cmd,
                                bw_redis_cb *cb, void *arg);
/* The same for a call whose result changes nothing: a failure is logged. The log must
 * live as long as the connection. */
void bw_caller_tell(struct bw_caller *caller, const struct bw_cmd *cmd,
                    struct bw_log *log);

/* This turn's instant. */
static inline struct bw_mono bw_caller_now(const struct bw_caller *caller)
{
    return bw_loop_mono(caller->loop);
}

static inline struct bw_wall bw_caller_wall(const struct bw_caller *caller)
{
    return bw_loop_wall(caller->loop);
}

#endif
