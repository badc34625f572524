#include "jobs/adopt.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "run/reactor.h"

static void on_adopted(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_lane *lane = arg;
    size_t count;

    lane->adopting = false;
    bw_lane_touch(lane);
    if (err != NULL) {
        if (err->code == BW_EREDIS)
            bw_lane_refused(lane, "adopt", err);
        return; /* still wanted: done after the pause, or the reconnect */
    }
    lane->adopt_wanted = false;
    lane->refusals = 0;
    count = bw_reply_count(reply);
    if (count > 0)
        bw_log(&lane->log, BW_LOG_INFO, "jobs of a lost reply found",
               bw_num("jobs", (int64_t)count));
    for (size_t i = 0; i < count; i++)
        bw_intake_start(lane, bw_reply_at(reply, i), lane->adopt_sent, lane->lost_token);
}

void bw_adopt_want(struct bw_lane *lane, uint64_t first_token)
{
    if (!lane->adopt_wanted || first_token < lane->lost_token)
        lane->lost_token = first_token;
    lane->adopt_wanted = true;
}

static size_t list_known(const struct bw_lane *lane, struct bw_text *known)
{
    size_t count = 0;

    for (const struct bw_job *job = NULL; (job = bw_lane_next_job(lane, job)) != NULL;)
        known[count++] = job->data.id;
    return count;
}

void bw_adopt_send(struct bw_lane *lane)
{
    struct bw_reactor *reactor = lane->reactor;
    struct bw_cmd *cmd = bw_reactor_cmd(reactor);
    struct bw_text *known = bw_calloc(lane->job_count + 1, sizeof *known);
    struct bw_error err = { BW_ENOMEM, "out of memory" };
    int result = BW_ENOMEM;

    if (known != NULL) {
        bw_adopt_build(cmd, &lane->keys, bw_loop_wall(reactor->loop), lane->token_prefix,
                       lane->options.lock_duration, known, list_known(lane, known));
        result = bw_reactor_call(reactor, cmd, on_adopted, lane);
        free(known);
    }
    lane->adopting = result == BW_OK;
    lane->adopt_sent = bw_reactor_now(reactor);
    if (result == BW_ENOMEM)
        bw_lane_refused(lane, "adopt", &err);
}
