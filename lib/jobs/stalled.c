#include "jobs/stalled.h"

#include "jobs/groups.h"
#include "jobs/lane.h"
#include "run/reactor.h"

static void on_checked(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_lane *lane = arg;

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

static void check(struct bw_lane *lane)
{
    struct bw_reactor *reactor = lane->reactor;
    struct bw_cmd *cmd;

    if (!bw_reactor_can_call(reactor))
        return;
    cmd = bw_reactor_cmd(reactor);
    bw_check_stalled_build(
        cmd, &lane->keys, bw_loop_wall(reactor->loop), lane->options.stalled_interval,
        lane->options.max_stalled_count, (int)lane->options.pause_layout);
    /* Not connected, or out of memory: the next interval tries again. */
    if (bw_reactor_call(reactor, cmd, on_checked, lane) != BW_OK)
        bw_log(&lane->log, BW_LOG_WARNING, "stalled check could not be sent");
}

void bw_stalled_tick(void *arg)
{
    struct bw_lane *lane = arg;

    bw_timer_start(lane->stalled_timer, lane->options.stalled_interval);
    if (lane->reactor->draining)
        return;
    if (!lane->options.skip_stalled_check)
        check(lane);
    bw_groups_check(lane);
}

void bw_stalled_start(struct bw_lane *lane)
{
    bool wanted = !lane->options.skip_stalled_check || lane->groups.key != NULL;

    if (wanted && !bw_timer_is_running(lane->stalled_timer))
        bw_stalled_tick(lane);
}
