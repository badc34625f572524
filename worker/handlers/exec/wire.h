/* What a program is told: one message a line (worker/handlers/exec/protocol.md, "Worker
 * to program").
 *
 * Each function appends one line, whole or, without memory (BW_ENOMEM), not at all. Any
 * thread. */
#ifndef WORKER_HANDLERS_EXEC_WIRE_H
#define WORKER_HANDLERS_EXEC_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/buf.h>
#include <bulwark/job.h>
#include <bulwark/redis.h>

#include "handlers/exec/json.h"

struct ex_hello {
    const char *version, *queue, *prefix, *worker;
    const struct bw_redis_options *redis; /* NULL: not told */
    bool share_redis;                     /* with user and password */
};

BW_MUSTCHECK int ex_wire_hello(struct bw_buf *out, const struct ex_hello *hello);
BW_MUSTCHECK int ex_wire_job(struct bw_buf *out, int64_t seq, const struct bw_job *job);
BW_MUSTCHECK int ex_wire_cancel(struct bw_buf *out, int64_t seq, const char *reason);
/* `req` as the program wrote it. Either `error` or the result, JSON, is given. `name`:
 * under which name the error is to be passed on (as in `error` of a program); NULL: none.
 */
BW_MUSTCHECK int ex_wire_reply(struct bw_buf *out, struct ex_slice req,
                               struct ex_slice result, const char *error,
                               const char *name);
BW_MUSTCHECK int ex_wire_close(struct bw_buf *out, int64_t deadline_ms);

struct ex_event {
    const char *event;
    struct ex_slice id;     /* absent: none; so for the others */
    struct ex_slice result; /* JSON; of completed */
    struct ex_slice error;
    int64_t attempts_made; /* < 0: none */
};

BW_MUSTCHECK int ex_wire_event(struct bw_buf *out, const struct ex_event *event);

#endif
