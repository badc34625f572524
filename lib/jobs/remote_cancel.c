#include "jobs/remote_cancel.h"

#include <bulwark/buf.h>

#include "base/assert.h"
#include "jobs/base/caller.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/stop.h"

static void on_requests(const struct bw_reply *reply, const struct bw_error *err,
                        void *arg);

static void add_key(struct bw_cmd *cmd, const struct bw_lane *lane)
{
    struct bw_buf key = BW_BUF_INIT;

    if (bw_buf_addf(&key, "%s::bulwark:%s:cancel", lane->prefix, lane->name) == BW_OK)
        bw_cmd_str(cmd, bw_buf_text(&key));
    else
        cmd->failed = BW_ENOMEM;
    bw_buf_fini(&key);
}

void bw_remote_cancel_ask(struct bw_lane *lane)
{
    struct bw_caller *caller = lane->caller;
    struct bw_cmd *cmd;

    if (!lane->options.remote_cancel || lane->jobs.held == 0 ||
        lane->remote_cancel.asked || !bw_caller_can_call(caller))
        return;
    cmd = bw_caller_cmd(caller);
    bw_cmd_str(cmd, "HGETALL");
    add_key(cmd, lane);
    lane->remote_cancel.asked = bw_caller_call(caller, cmd, on_requests, lane) == BW_OK;
}

static void take_out(struct bw_lane *lane, struct bw_text id)
{
    struct bw_cmd *cmd = bw_caller_cmd(lane->caller);

    bw_cmd_str(cmd, "HDEL");
    add_key(cmd, lane);
    bw_cmd_arg(cmd, id.data, id.len);
    /* When it is lost the request stands until it expires: the job is gone by then. */
    bw_caller_tell(lane->caller, cmd, &lane->log);
}

static void stop(struct bw_lane *lane, struct bw_text id, const char *reason)
{
    struct bw_job *job = bw_lane_find_held(lane, id);

    if (job == NULL)
        return; /* another worker's, or not running */
    take_out(lane, id);
    if (bw_stop_cancel(job, reason) != BW_OK)
        bw_log(&lane->log, BW_LOG_ERROR, "a job could not be cancelled: out of memory",
               bw_text_len("job", id.data, id.len));
}

static void on_requests(const struct bw_reply *reply, const struct bw_error *err,
                        void *arg)
{
    struct bw_lane *lane = arg;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC && lane->remote_cancel.asked);
    lane->remote_cancel.asked = false;
    if (err != NULL)
        return; /* asked again within a second */
    for (size_t i = 0; i + 1 < bw_reply_count(reply); i += 2) {
        struct bw_text id = { 0 };
        const char *reason = bw_reply_text(bw_reply_at(reply, i + 1), NULL);

        id.data = bw_reply_text(bw_reply_at(reply, i), &id.len);
        if (id.data != NULL && reason != NULL)
            stop(lane, id, reason);
    }
}
