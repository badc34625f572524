#include "jobs/base/caller.h"

#include <stddef.h>

#include "base/assert.h"

static void on_told(const struct bw_reply *reply, const struct bw_error *err, void *arg);

void bw_caller_init(struct bw_caller *caller, struct bw_loop *loop)
{
    *caller = (struct bw_caller){ .loop = loop, .cmd = BW_CMD_INIT };
}

void bw_caller_fini(struct bw_caller *caller)
{
    BW_ASSERT(caller->conn == NULL && !caller->open);
    bw_cmd_fini(&caller->cmd);
}

bool bw_caller_can_call(const struct bw_caller *caller)
{
    BW_ASSERT(!caller->open || caller->conn != NULL);
    return caller->open && bw_conn_is_ready(caller->conn);
}

struct bw_cmd *bw_caller_cmd(struct bw_caller *caller)
{
    bw_cmd_clear(&caller->cmd);
    return &caller->cmd;
}

int bw_caller_call(struct bw_caller *caller, const struct bw_cmd *cmd, bw_redis_cb *cb,
                   void *arg)
{
    if (!bw_caller_can_call(caller))
        return BW_ECLOSED;
    atomic_fetch_add_explicit(&caller->calls, 1, memory_order_relaxed);
    return bw_conn_send(caller->conn, cmd, BW_CALL_TIMEOUT_MS, cb, arg);
}

void bw_caller_tell(struct bw_caller *caller, const struct bw_cmd *cmd,
                    struct bw_log *log)
{
    int result = bw_caller_call(caller, cmd, on_told, log);

    if (result != BW_OK)
        bw_log(log, BW_LOG_WARNING, "a call could not be sent",
               bw_text("error", bw_code_name(result)));
}

static void on_told(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_log *log = arg;

    (void)reply;
    if (err != NULL)
        bw_log(log, BW_LOG_WARNING, "a call failed", bw_text("error", err->text));
}
