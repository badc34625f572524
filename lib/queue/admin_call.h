/* An administrator's call: a command, or several one after the other, until the answer is
 * complete. */
#ifndef BW_QUEUE_ADMIN_CALL_H
#define BW_QUEUE_ADMIN_CALL_H

#include <bulwark/admin.h>
#include <bulwark/buf.h>

#include "queue/calls.h"

struct bw_admin_call;

/* What comes after a reply. */
enum bw_admin_step { BW_ADMIN_AGAIN, BW_ADMIN_END };

struct bw_admin_kind {
    const char *name; /* in errors */
    /* The next command. */
    void (*build)(struct bw_admin_call *call, struct bw_cmd *cmd);
    /* Takes its reply: sets call->number, or appends to call->json. A failure is set in
     * `err`. NULL: the number, or a script's code. */
    enum bw_admin_step (*take)(struct bw_admin_call *call, const struct bw_reply *reply,
                               struct bw_error *err);
    bool of_job; /* an id must be given */
};

/* What an operation asks for; the kind makes of it what it will. */
struct bw_admin_ask {
    const char *id, *state;   /* NULL: none */
    const char *const *names; /* NULL at the end; NULL: none */
    int64_t one, two;
    bool flag, other;
    bw_number_cb *number_cb; /* one of these two */
    bw_json_cb *json_cb;
    void *arg;
};

struct bw_admin_call {
    const struct bw_admin_kind *kind;
    struct bw_redis *redis;
    struct bw_keys keys;
    const struct bw_clock *clock;
    unsigned timeout_ms;
    bool strict, begun;
    int line;

    /* of the ask; texts are owned */
    char *id, *state, **names;
    int64_t one, two;
    bool flag, other;
    bw_number_cb *number_cb;
    bw_json_cb *json_cb;
    void *arg;

    int64_t number;
    struct bw_buf json;
};

/* A queue to ask is there. */
bool bw_queue_at_is_whole(const struct bw_queue_at *at);
/* Begins a call; copies the ask. BW_EINVAL: something that it needs is NULL. */
int bw_admin_run(const struct bw_queue_at *at, const struct bw_admin_kind *kind,
                 const struct bw_admin_ask *ask);

/* A call of a script on the queue's base. */
void bw_admin_script(struct bw_admin_call *call, struct bw_cmd *cmd,
                     const struct bw_script *script);

#endif
