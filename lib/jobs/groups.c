#include "jobs/groups.h"

#include "base/assert.h"
#include "jobs/base/caller.h"
#include "jobs/job.h"
#include "jobs/lane.h"

static void on_checked(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg);

void bw_groups_init(struct bw_grouping *grouping, const struct bw_queue_options *options)
{
    grouping->groups = (struct bw_groups){
        .key = options->group_key,
        .concurrency = options->group_concurrency,
        .rate_max = options->group_rate_max,
        .rate_duration = options->group_rate_duration,
        .strict = options->group_strict,
    };
    grouping->left = true;
}

static void build(struct bw_cmd *cmd, const struct bw_lane *lane,
                  const struct bw_text *ended, size_t count)
{
    bw_check_groups_build(cmd, &lane->keys, bw_caller_wall(lane->caller),
                          lane->options.stalled_interval, (int)lane->options.pause_layout,
                          &lane->grouping.groups, ended, count);
}

/* --- the check */

void bw_groups_check(struct bw_lane *lane)
{
    struct bw_grouping *grouping = &lane->grouping;
    struct bw_caller *caller = lane->caller;
    struct bw_cmd *cmd;

    if (!grouping->left || grouping->asked || !bw_caller_can_call(caller))
        return;
    cmd = bw_caller_cmd(caller);
    build(cmd, lane, NULL, 0);
    /* Not connected, or out of memory: the next interval tries again. */
    grouping->asked = bw_caller_call(caller, cmd, on_checked, lane) == BW_OK;
}

static void on_checked(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_lane *lane = arg;
    struct bw_grouping *grouping = &lane->grouping;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC && grouping->asked);
    grouping->asked = false;
    if (err != NULL) { /* the next interval tries again */
        bw_log(&lane->log, BW_LOG_WARNING, "check of groups failed",
               bw_text("error", err->text));
        return;
    }
    if (bw_reply_integer(reply) == BW_GROUPS_AT_ONCE)
        bw_groups_check(lane);
    else if (bw_reply_integer(reply) == BW_GROUPS_DONE && bw_groups_of(grouping) == NULL)
        grouping->left = false;
}

/* --- a job that left otherwise */

void bw_groups_left(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;
    struct bw_cmd *cmd;

    if (bw_groups_of(&lane->grouping) == NULL)
        return;
    cmd = bw_caller_cmd(lane->caller);
    build(cmd, lane, &job->data.id, 1);
    /* When this is lost the next check notices. */
    bw_caller_tell(lane->caller, cmd, &lane->log);
}
