#include "jobs/stalled.h"

#include "base/assert.h"
#include "queue/calls.h"
#include "jobs/base/caller.h"
#include "jobs/groups.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"

static void on_tick(void *arg);
static void on_checked(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg);

int bw_stalled_init(struct bw_lane *lane)
{
    return bw_timer_create(&lane->stalling.timer, lane->caller->loop, on_tick, lane);
}

void bw_stalled_fini(struct bw_lane *lane)
{
    bw_timer_destroy(&lane->stalling.timer);
}

void bw_stalled_start(struct bw_lane *lane)
{
    bool wanted =
        !lane->options.skip_stalled_check || bw_groups_of(&lane->grouping) != NULL;

    if (wanted && !bw_timer_is_running(lane->stalling.timer))
        on_tick(lane);
}

static void check(struct bw_lane *lane)
{
    struct bw_caller *caller = lane->caller;
    struct bw_cmd *cmd;

    if (!bw_caller_can_call(caller))
        return;
    cmd = bw_caller_cmd(caller);
    bw_check_stalled_build(
        cmd, &lane->keys, bw_caller_wall(caller), lane->options.stalled_interval,
        lane->options.max_stalled_count, (int)lane->options.pause_layout);
    /* Not connected, or out of memory: the next interval tries again. */
    if (bw_caller_call(caller, cmd, on_checked, lane) != BW_OK)
        bw_log(&lane->log, BW_LOG_WARNING, "stalled check could not be sent");
}

static void on_tick(void *arg)
{
    struct bw_lane *lane = arg;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC && lane->options.stalled_interval > 0);
    bw_timer_start(lane->stalling.timer, lane->options.stalled_interval);
    if (lane->lanes->ending.draining)
        return;
    if (!lane->options.skip_stalled_check)
        check(lane);
    bw_groups_check(lane);
}

static void on_checked(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_lane *lane = arg;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC);
    if (err != NULL) { /* the next interval tries again */
        bw_log(&lane->log, BW_LOG_WARNING, "stalled check failed",
               bw_text("error", err->text));
        if (err->code == BW_EREDIS) /* a lost connection is told by itself */
            bw_lane_tell_error(lane, err->text);
        return;
    }
    for (size_t i = 0; i < bw_reply_count(reply); i++) {
        size_t len;
        const char *id = bw_reply_text(bw_reply_at(reply, i), &len);

        if (bw_reply_kind(bw_reply_at(reply, i)) == BW_REPLY_ERROR) {
            bw_log(&lane->log, BW_LOG_WARNING, "a stalled job cannot be put back",
                   bw_text("error", id));
            bw_lane_tell_error(lane, id);
            continue;
        }
        bw_count(&lane->counters.stalled);
        bw_log(&lane->log, BW_LOG_WARNING, "stalled job put back to wait",
               bw_text_len("job", id, len));
        bw_lane_tell(lane, BW_EVENT_STALLED, (struct bw_text){ id, len });
    }
    if (bw_reply_count(reply) > 0)
        bw_lane_wake(lane);
}
