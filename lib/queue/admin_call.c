#include "queue/admin_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/calls_impl.h"
#include "redis/client.h"

void bw_admin_call_free(struct bw_admin_call *call)
{
    if (call == NULL)
        return;
    bw_keys_fini(&call->keys);
    for (char **name = call->names; name != NULL && *name != NULL; name++)
        free(*name);
    free(call->names);
    free(call->id);
    free(call->state);
    bw_buf_fini(&call->json);
    free(call);
}

struct bw_admin_call *bw_admin_call_new(const struct bw_queue_at *at,
                                        const struct bw_admin_kind *kind, const char *id,
                                        const char *state, int *rcp)
{
    struct bw_admin_call *call = bw_calloc(1, sizeof *call);

    *rcp =
        call != NULL ? bw_keys_init(&call->keys, at->prefix, at->queue, NULL) : BW_ENOMEM;
    if (*rcp != BW_OK) {
        free(call);
        return NULL;
    }
    call->kind = kind;
    call->redis = at->redis;
    call->clock = at->clock;
    call->timeout_ms = at->timeout_ms;
    call->strict = at->strict;
    call->line = at->line == 5 ? 5 : 6;
    call->id = id != NULL ? bw_strdup(id) : NULL;
    call->state = state != NULL ? bw_strdup(state) : NULL;
    if ((id != NULL && call->id == NULL) || (state != NULL && call->state == NULL)) {
        bw_admin_call_free(call);
        *rcp = BW_ENOMEM;
        return NULL;
    }
    return call;
}

void bw_admin_script(struct bw_admin_call *call, struct bw_cmd *cmd,
                     const struct bw_script *script)
{
    bw_cmd_queue_script(cmd, script, &call->keys);
}

static void end(struct bw_admin_call *call, const struct bw_error *err)
{
    if (call->number_cb != NULL)
        call->number_cb(call->number, err, call->arg);
    else if (err != NULL)
        call->json_cb(NULL, 0, err, call->arg);
    else
        call->json_cb(bw_buf_text(&call->json), call->json.len, NULL, call->arg);
    bw_admin_call_free(call);
}

static enum bw_admin_step take_number(struct bw_admin_call *call,
                                      const struct bw_reply *reply, struct bw_error *err)
{
    int rc = bw_reply_kind(reply) == BW_REPLY_INTEGER
                 ? bw_script_code(bw_reply_integer(reply))
                 : BW_EPROTO;

    if (rc != BW_OK)
        (void)bw_error_set(err, rc, "%s: %s", call->kind->name,
                           rc == BW_EJOB_MISSING     ? "there is no such job"
                           : rc == BW_EJOB_STATE     ? "the job is not in that state"
                           : rc == BW_EJOB_SCHEDULED ? "it is a scheduler's iteration"
                                                     : "unexpected reply");
    else
        call->number = bw_reply_integer(reply);
    return BW_ADMIN_END;
}

static int send_next(struct bw_admin_call *call);

static void answered(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_admin_call *call = arg;
    struct bw_error own = { .code = BW_OK };
    enum bw_admin_step step;

    if (err != NULL) {
        end(call, err);
        return;
    }
    step = call->kind->take != NULL ? call->kind->take(call, reply, &own)
                                    : take_number(call, reply, &own);
    if (own.code == BW_OK && step == BW_ADMIN_AGAIN) {
        int rc = send_next(call);

        if (rc == BW_OK)
            return;
        (void)bw_error_set(&own, rc, "%s: interrupted", call->kind->name);
    }
    end(call, own.code != BW_OK ? &own : NULL);
}

static int send_next(struct bw_admin_call *call)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    int rc;

    call->kind->build(call, &cmd);
    call->begun = true;
    rc = bw_redis_send_cmd(call->redis, &cmd, call->timeout_ms, answered, call);
    bw_cmd_fini(&cmd);
    return rc;
}

int bw_admin_call_run(struct bw_admin_call *call, int rc)
{
    if (call == NULL)
        return rc;
    rc = send_next(call);
    if (rc != BW_OK)
        bw_admin_call_free(call); /* else answered() frees it */
    return rc;
}
