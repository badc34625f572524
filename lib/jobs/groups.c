#include "jobs/groups.h"

#include "jobs/job.h"
#include "jobs/lane.h"
#include "run/reactor.h"

static void build(struct bw_cmd *cmd, const struct bw_lane *lane,
                  const struct bw_text *ended, size_t count)
{
    bw_check_groups_build(cmd, &lane->keys, bw_loop_wall(lane->reactor->loop),
                          lane->options.stalled_interval, (int)lane->options.pause_layout,
                          &lane->groups, ended, count);
}

static void on_checked(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_lane *lane = arg;

    lane->groups_asked = false;
    if (err != NULL) { /* the next interval tries again */
        bw_log(&lane->log, BW_LOG_WARNING, "check of groups failed",
               bw_text("error", err->text));
        return;
    }
    if (bw_reply_integer(reply) == BW_GROUPS_AT_ONCE)
        bw_groups_check(lane);
    else if (bw_reply_integer(reply) == BW_GROUPS_DONE && lane->groups.key == NULL)
        lane->groups_left = false;
}

void bw_groups_check(struct bw_lane *lane)
{
    struct bw_reactor *reactor = lane->reactor;
    struct bw_cmd *cmd;

    if (!lane->groups_left || lane->groups_asked || !bw_reactor_can_call(reactor))
        return;
    cmd = bw_reactor_cmd(reactor);
    build(cmd, lane, NULL, 0);
    /* Not connected, or out of memory: the next interval tries again. */
    lane->groups_asked = bw_reactor_call(reactor, cmd, on_checked, lane) == BW_OK;
}

void bw_groups_left(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;
    struct bw_cmd *cmd;

    if (lane->groups.key == NULL)
        return;
    cmd = bw_reactor_cmd(lane->reactor);
    build(cmd, lane, &job->data.id, 1);
    /* When this is lost the next check notices. */
    bw_reactor_tell(lane->reactor, cmd, lane);
}
