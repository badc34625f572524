#include "jobs/adopt.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "queue/calls.h"
#include "jobs/base/caller.h"
#include "jobs/intake.h"
#include "jobs/job.h"
#include "jobs/lane.h"

static void on_adopted(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg);

static size_t list_known(const struct bw_lane *lane, struct bw_text *known)
{
    size_t count = 0;

    for (const struct bw_job *job = NULL; (job = bw_lane_next_job(lane, job)) != NULL;)
        known[count++] = job->data.id;
    BW_ASSERT(count == lane->jobs.count);
    return count;
}

void bw_adopt_send(struct bw_lane *lane)
{
    struct bw_adopting *adopting = &lane->adopting;
    struct bw_caller *caller = lane->caller;
    struct bw_cmd *cmd = bw_caller_cmd(caller);
    const struct bw_error no_memory = { BW_ENOMEM, "out of memory" };
    struct bw_text *known;
    int result = BW_ENOMEM;

    if (!adopting->wanted || adopting->out)
        return;
    known = bw_calloc(lane->jobs.count + 1, sizeof *known);
    if (known != NULL) {
        bw_adopt_build(cmd, &lane->keys, bw_caller_wall(caller), lane->token_prefix,
                       lane->options.lock_duration, known, list_known(lane, known));
        result = bw_caller_call(caller, cmd, on_adopted, lane);
        free(known);
    }
    adopting->out = result == BW_OK;
    adopting->sent = bw_caller_now(caller);
    if (result == BW_ENOMEM)
        bw_lane_refused(lane, "adopt", &no_memory);
}

static void on_adopted(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_lane *lane = arg;
    struct bw_adopting *adopting = &lane->adopting;
    size_t count;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC && adopting->out);
    adopting->out = false;
    bw_lane_touch(lane);
    if (err != NULL) {
        if (err->code == BW_EREDIS)
            bw_lane_refused(lane, "adopt", err);
        return; /* still wanted: done after the pause, or the reconnect */
    }
    adopting->wanted = false;
    bw_lane_accepted(lane);
    count = bw_reply_count(reply);
    if (count > 0)
        bw_log(&lane->log, BW_LOG_INFO, "jobs of a lost reply found",
               bw_num("jobs", (int64_t)count));
    for (size_t i = 0; i < count; i++)
        bw_intake_start(lane, bw_reply_at(reply, i), adopting->sent,
                        adopting->first_token);
}
