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
};

struct bw_admin_call {
    const struct bw_admin_kind *kind;
    struct bw_redis *redis;
    struct bw_keys keys;
    const struct bw_clock *clock;
    unsigned timeout_ms;
    bool strict, begun;
    int line;

    /* what the kind makes of them; texts are owned */
    char *id, *state, **names;
    int64_t one, two;
    bool flag, other;

    int64_t number;
    struct bw_buf json;
    bw_number_cb *number_cb; /* one of these two */
    bw_json_cb *json_cb;
    void *arg;
};

/* New, or NULL with `*rcp`: the queue's name is bad, or memory is out. `id`, `state` are
 * copied; NULL: none. */
struct bw_admin_call *bw_admin_call_new(const struct bw_queue_at *at,
                                        const struct bw_admin_kind *kind, const char *id,
                                        const char *state, int *rcp);
/* Takes the call; NULL: returns `rc`. */
int bw_admin_call_run(struct bw_admin_call *call, int rc);
void bw_admin_call_free(struct bw_admin_call *call);

/* A call of a script on the queue's base. */
void bw_admin_script(struct bw_admin_call *call, struct bw_cmd *cmd,
                     const struct bw_script *script);

#endif
