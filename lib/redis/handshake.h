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

/* Why a server that can be reached does not serve yet: worth asking again soon. */
enum bw_not_yet { BW_NOT_YET_NOTHING, BW_NOT_YET_REPLICA, BW_NOT_YET_LOADING };

struct bw_handshake {
    const struct bw_redis_options *redis;
    const char *name; /* NULL: none */
    bool scripts;
    const struct bw_log *log;
    unsigned *told;        /* what was logged about this server before, as bits; or NULL:
                              another connection tells */
    size_t sent, answered; /* steps, skipped ones included */
    /* learnt */
    enum bw_not_yet not_yet; /* set with the failure */
    bool no_script_load;     /* Redis refuses SCRIPT: EVAL has to do */
    bool knows_role;         /* INFO was answered */
    bool cluster;
    int64_t client_id;
    unsigned server_version;
    char eviction[32]; /* maxmemory-policy; "": unknown */
};

/* The next command, in a cleared `cmd`; false when all are out. */
bool bw_handshake_next(struct bw_handshake *handshake, struct bw_cmd *cmd);
/* What INFO says about serving: BW_OK, or why not, and `*not_yet`. */
BW_MUSTCHECK int bw_handshake_judge_role(const char *info, enum bw_not_yet *not_yet,
                                         struct bw_error *err);
/* The next answer, as a command's callback gets it. `*done` tells of the last. A failure:
 * this link is of no use now; another one may be, later. */
BW_MUSTCHECK int bw_handshake_answer(struct bw_handshake *handshake,
                                     const struct bw_reply *reply,
                                     const struct bw_error *failed, bool *done,
                                     struct bw_error *err);

#endif
