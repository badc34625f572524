/* What a fresh link is told and asked before it is of use: who we are, which database,
 * which server, and the scripts.
 *
 * A list of steps: the connection sends them all at once and hands in the answers, in
 * order. Storage of the connection. */
#ifndef BW_REDIS_HANDSHAKE_H
#define BW_REDIS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/redis.h>

struct bw_cmd;

struct bw_handshake {
    const struct bw_redis_options *redis;
    const char *name; /* NULL: none */
    bool scripts;
    const struct bw_log *log;
    size_t sent, answered; /* steps, skipped ones included */
    /* learnt */
    int64_t client_id;
    unsigned server_version;
};

/* The next command, in a cleared `cmd`; false when all are out. */
bool bw_handshake_next(struct bw_handshake *handshake, struct bw_cmd *cmd);
/* The next answer, as a command's callback gets it. `*done` tells of the last. A failure:
 * this link is of no use now; another one may be, later. */
BW_MUSTCHECK int bw_handshake_answer(struct bw_handshake *handshake,
                                     const struct bw_reply *reply,
                                     const struct bw_error *failed, bool *done,
                                     struct bw_error *err);

#endif
