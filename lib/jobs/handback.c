#include "jobs/handback.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "queue/calls.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"
#include "jobs/outcome.h"
#include "jobs/ready.h"
#include "jobs/recheck.h"

struct handback_call {
    struct bw_lane *lane;
    unsigned count;
    struct bw_job *jobs[BW_SETTLE_BATCH];
};

static void on_handed_back(const struct bw_reply *reply, const struct bw_error *err,
                           void *arg);

/* --- the call */

/* The last of them come first: each call puts its jobs before those of the one before. */
static void take_last(struct handback_call *call)
{
    unsigned start = BW_SETTLE_BATCH;

    while (start > 0) {
        struct bw_job *job = bw_ready_take_handback(call->lane);

        if (job == NULL)
            break;
        job->place = BW_JOB_SENT;
        call->jobs[--start] = job;
    }
    call->count = BW_SETTLE_BATCH - start;
    for (unsigned i = 0; i < call->count; i++)
        call->jobs[i] = call->jobs[start + i];
}

static void return_jobs(struct handback_call *call, bool unsure)
{
    for (unsigned i = 0; i < call->count; i++) {
        call->jobs[i]->unsure = call->jobs[i]->unsure || unsure;
        bw_ready_add(call->jobs[i]);
    }
}

static int send_call(struct handback_call *call)
{
    struct bw_lane *lane = call->lane;
    struct bw_cmd *cmd = bw_caller_cmd(lane->caller);
    struct bw_settle_item items[BW_SETTLE_BATCH];

    BW_ASSERT(call->count > 0);
    for (unsigned i = 0; i < call->count; i++)
        items[i] = call->jobs[i]->item;
    bw_hand_back_build(cmd, &lane->keys, (int)lane->options.pause_layout, items,
                       call->count);
    return bw_caller_call(lane->caller, cmd, on_handed_back, call);
}

/* False: the rest waits. */
static bool send_one(struct bw_lane *lane)
{
    struct handback_call *call = bw_calloc(1, sizeof *call);
    const struct bw_error no_memory = { BW_ENOMEM, "out of memory" };
    int result = BW_ENOMEM;

    if (call != NULL) {
        call->lane = lane;
        take_last(call);
        result = send_call(call);
        if (result != BW_OK) {
            return_jobs(call, false);
            free(call);
        }
    }
    if (result == BW_ENOMEM)
        bw_lane_refused(lane, "hand back", &no_memory);
    return result == BW_OK;
}

void bw_handback_send(struct bw_lane *lane)
{
    /* What a fetch under way brings was fetched later than what is handed back already,
     * and belongs behind it. */
    if (lane->lanes->ending.handbacks_wait && !bw_lane_is_last(lane))
        return;
    while (!bw_list_is_empty(&lane->ready.handbacks) && send_one(lane))
        continue;
}

/* --- the answer */

static void end_jobs(struct handback_call *call, const struct bw_reply *reply)
{
    for (unsigned i = 0; i < call->count; i++) {
        const char *why;
        int code = bw_item_code(bw_reply_at(reply, i), &why);

        if (why != NULL)
            bw_outcome_refused(call->jobs[i], why);
        else if (!bw_recheck(call->jobs[i], code))
            bw_outcome_settled(call->jobs[i], code);
    }
}

static void on_handed_back(const struct bw_reply *reply, const struct bw_error *err,
                           void *arg)
{
    struct handback_call *call = arg;
    struct bw_lane *lane = call->lane;
    const struct bw_error odd = { BW_EPROTO, "hand_back: unexpected form of reply" };

    BW_ASSERT(lane->magic == BW_LANE_MAGIC);
    if (err == NULL && bw_reply_count(reply) != call->count)
        err = &odd;
    if (err != NULL) {
        return_jobs(call, err->code != BW_ECLOSED);
        if (err->code == BW_EREDIS || err->code == BW_EPROTO)
            bw_lane_refused(lane, "hand back", err);
    } else {
        bw_lane_accepted(lane);
        end_jobs(call, reply);
    }
    free(call);
}
