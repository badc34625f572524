/* For tests of lib/redis: a loop, a connection, what it was told and what it logged.
 *
 * Everything runs on the test's own thread. Storage of the test; fini is harmless on a
 * zeroed one. */
#ifndef TESTS_INTEGRATION_REDIS_RIG_H
#define TESTS_INTEGRATION_REDIS_RIG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/redis.h>

#include "redis/conn.h"
#include "redis/loop.h"

struct rig {
    struct bw_loop *loop;
    struct bw_conn *conn;
    struct bw_redis_options options;
    struct bw_timer *tick; /* lets the loop look at its condition */
    bool (*condition)(struct rig *rig);
    struct bw_mono deadline;
    bool in_time;
    struct bw_log_sink sink;
    struct bw_log log;
    struct bw_buf logged; /* "message key=value …\n" */
    unsigned idle_ms;     /* for the connection; 0: its own */
    int ready, lost;
    struct bw_error why;
    void (*on_ready)(struct rig *rig); /* a test's own; may be NULL */
    struct bw_buf answers;             /* one a line: the reply, or "!CODE text" */
    int answered;
    int wanted; /* for rig_answered */
};

/* A rig for the URL; `change` may alter the options before they are used; NULL: nothing
 * to alter. */
void rig_init(struct rig *rig, const char *url,
              void (*change)(struct bw_redis_options *options));
/* Makes the connection and opens it. `name` may be NULL. */
void rig_open(struct rig *rig, const char *name, bool scripts);
void rig_fini(struct rig *rig);

/* Turns the loop until the condition holds; fails the test after `limit_ms`. Returns the
 * ms that it took. */
int64_t rig_run(struct rig *rig, bool (*condition)(struct rig *rig), int64_t limit_ms,
                const char *what);
#define RIG_RUN(rig, condition, limit_ms)                                                \
    rig_run((rig), (condition), (limit_ms), #condition)

bool rig_is_ready(struct rig *rig);
bool rig_is_lost(struct rig *rig);     /* lost at least once since rig_forget() */
bool rig_has_answers(struct rig *rig); /* as many as were sent since rig_forget() */
void rig_forget(struct rig *rig);

/* Sends a command, blank separated; the answer goes to rig->answers. Returns
 * bw_conn_send()'s. */
int rig_send(struct rig *rig, unsigned timeout_ms, const char *words);
/* Sends, waits and returns the answer without its newline; borrowed until the next. */
const char *rig_ask(struct rig *rig, const char *words);
/* The callback that rig_send() uses; `arg` is the rig. */
void rig_on_answer(const struct bw_reply *reply, const struct bw_error *err, void *arg);

#endif
