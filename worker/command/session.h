/* Redis for commands that ask something and end: the library's asynchronous calls,
 * awaited.
 *
 * One thread, one call at a time: pass wk_session_answer (or wk_session_added) and the
 * session as callback and argument, then wk_session_wait(). */
#ifndef WORKER_SESSION_H
#define WORKER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/redis.h>
#include <bulwark/thread.h>
#include <bulwark/worker.h>

#define WK_SESSION_TIMEOUT_MS 5000

struct wk_session {
    struct bw_worker *worker;
    struct bw_redis *redis;
    struct bw_mutex mtx;
    struct bw_cond answered;
    /* under mtx: the last answer */
    bool done;
    struct bw_error err;
    int64_t number;
    char text[256];
};

/* Connects; BW_EIO, and why, after the first attempt that fails; BW_ETIMEDOUT.
 * Initializes the caller's storage, which must not move; on failure nothing is owned. */
BW_MUSTCHECK int wk_session_open(struct wk_session *session,
                                 const struct bw_redis_options *redis,
                                 const struct bw_log_sink *log, struct bw_error *err);
void wk_session_close(struct wk_session *session);

void wk_session_answer(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg);
void wk_session_added(const char *id, const struct bw_error *err, void *arg);

/* Blocks until the answer to the call whose sending returned `sent`; then `number` and
 * `text` hold it. */
BW_MUSTCHECK int wk_session_wait(struct wk_session *session, int sent,
                                 struct bw_error *err);

/* A plain command of words; NULL ends them. */
BW_MUSTCHECK int wk_session_command(struct wk_session *session, struct bw_error *err,
                                    const char *word, ...) __attribute__((sentinel));

#endif
