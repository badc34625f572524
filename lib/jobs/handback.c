#include "jobs/handback.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "jobs/job.h"
#include "jobs/outcome.h"
#include "jobs/lane.h"
#include "run/reactor.h"

struct handback_call {
    struct bw_lane *lane;
    unsigned count;
    struct bw_job *jobs[BW_SETTLE_BATCH];
};

/* --- those that wait, in the order of the fetch */

void bw_handback_add(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;
    uint64_t number = bw_lane_token_number(job);
    struct bw_list *before = lane->handbacks.prev;

    job->place = BW_JOB_READY;
    while (before != &lane->handbacks &&
           bw_lane_token_number(BW_LIST_OF(before, struct bw_job, handback)) > number)
        before = before->prev;
    bw_list_insert_after(before, &job->handback);
    bw_lane_touch(lane);
}

/* The last of them come first: each call puts its jobs before those of the one before. */
static void take_last(struct handback_call *call)
{
    struct bw_list *waiting = &call->lane->handbacks;
    unsigned start = BW_SETTLE_BATCH;

    while (start > 0 && waiting->prev != waiting) {
        struct bw_job *job = BW_LIST_OF(waiting->prev, struct bw_job, handback);

        bw_list_remove(&job->handback);
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
        bw_handback_add(call->jobs[i]);
    }
}

/* --- calls */

static void on_handed_back(const struct bw_reply *reply, const struct bw_error *err,
                           void *arg)
{
    struct handback_call *call = arg;
    struct bw_lane *lane = call->lane;
    const struct bw_error odd = { BW_EPROTO, "hand_back: unexpected form of reply" };

    if (err == NULL && bw_reply_count(reply) != call->count)
        err = &odd;
    if (err != NULL) {
        return_jobs(call, err->code != BW_ECLOSED);
        if (err->code == BW_EREDIS || err->code == BW_EPROTO)
            bw_lane_refused(lane, "hand back", err);
    } else {
        lane->refusals = 0;
        for (unsigned i = 0; i < call->count; i++) {
            const char *why;
            int code = bw_item_code(bw_reply_at(reply, i), &why);

            if (why != NULL)
                bw_outcome_refused(call->jobs[i], why);
            else
                bw_outcome_settled(call->jobs[i], code);
        }
    }
    free(call);
}

/* False: the rest waits. */
static bool send_one(struct bw_lane *lane)
{
    struct bw_reactor *reactor = lane->reactor;
    struct handback_call *call = bw_calloc(1, sizeof *call);
    struct bw_cmd *cmd = bw_reactor_cmd(reactor);
    const struct bw_error no_memory = { BW_ENOMEM, "out of memory" };
    int result = BW_ENOMEM;

    if (call != NULL) {
        call->lane = lane;
        take_last(call);
        for (unsigned i = 0; i < call->count; i++)
            reactor->items[i] = call->jobs[i]->item;
        bw_hand_back_build(cmd, &lane->keys, (int)lane->options.pause_layout,
                           reactor->items, call->count);
        result = bw_reactor_call(reactor, cmd, on_handed_back, call);
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
    while (!bw_list_is_empty(&lane->handbacks) && send_one(lane))
        continue;
}
