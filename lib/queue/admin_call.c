#include "queue/admin_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/calls_impl.h"
#include "redis/client.h"

static void free_call(struct bw_admin_call *call)
{
    bw_keys_fini(&call->keys);
    for (char **name = call->names; name != NULL && *name != NULL; name++)
        free(*name);
    free(call->names);
    free(call->id);
    free(call->state);
    bw_buf_fini(&call->json);
    free(call);
}

/* New, with a NULL at the end; NULL: memory is out. */
static char **copy_names(const char *const *names)
{
    size_t count = 0;
    char **copy;

    while (names[count] != NULL)
        count++;
    copy = bw_calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = bw_strdup(names[i]);
        if (copy[i] == NULL) {
            while (i > 0)
                free(copy[--i]);
            free(copy);
            return NULL;
        }
    }
    return copy;
}

static int copy_ask(struct bw_admin_call *call, const struct bw_admin_ask *ask)
{
    call->id = ask->id != NULL ? bw_strdup(ask->id) : NULL;
    call->state = ask->state != NULL ? bw_strdup(ask->state) : NULL;
    call->names = ask->names != NULL ? copy_names(ask->names) : NULL;
    call->one = ask->one;
    call->two = ask->two;
    call->flag = ask->flag;
    call->other = ask->other;
    call->number_cb = ask->number_cb;
    call->json_cb = ask->json_cb;
    call->arg = ask->arg;
    return (ask->id != NULL && call->id == NULL) ||
                   (ask->state != NULL && call->state == NULL) ||
                   (ask->names != NULL && call->names == NULL)
               ? BW_ENOMEM
               : BW_OK;
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
    free_call(call);
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

bool bw_queue_at_is_whole(const struct bw_queue_at *at)
{
    return at != NULL && at->redis != NULL && at->queue != NULL;
}

static bool is_whole(const struct bw_queue_at *at, const struct bw_admin_kind *kind,
                     const struct bw_admin_ask *ask)
{
    return bw_queue_at_is_whole(at) && (ask->number_cb != NULL || ask->json_cb != NULL) &&
           (ask->id != NULL || !kind->of_job);
}

int bw_admin_run(const struct bw_queue_at *at, const struct bw_admin_kind *kind,
                 const struct bw_admin_ask *ask)
{
    struct bw_admin_call *call;
    int rc;

    if (!is_whole(at, kind, ask))
        return BW_EINVAL;
    call = bw_calloc(1, sizeof *call);
    if (call == NULL)
        return BW_ENOMEM;
    call->kind = kind;
    call->redis = at->redis;
    call->clock = at->clock;
    call->timeout_ms = at->timeout_ms;
    call->strict = at->strict;
    call->line = at->line == 5 ? 5 : 6;
    rc = bw_keys_init(&call->keys, at->prefix, at->queue, NULL);
    if (rc == BW_OK)
        rc = copy_ask(call, ask);
    if (rc == BW_OK)
        rc = send_next(call);
    if (rc != BW_OK)
        free_call(call); /* else answered() frees it */
    return rc;
}
