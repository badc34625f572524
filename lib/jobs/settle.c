#include "jobs/settle.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "redis/refusal.h"
#include "queue/calls.h"
#include "jobs/base/caller.h"
#include "jobs/adopt.h"
#include "jobs/intake.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/outcome.h"
#include "jobs/ready.h"
#include "jobs/recheck.h"

static void on_settled(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg);
static void return_jobs(struct bw_settle_call *call, bool unsure, bool to_front);

/* --- life */

/* Two calls of half the slots each keep Redis busy with one while we see to the other. */
static unsigned batch_for(unsigned concurrency)
{
    unsigned half = (concurrency + 1) / 2;

    return half < BW_SETTLE_BATCH ? half : BW_SETTLE_BATCH;
}

int bw_settle_init(struct bw_lane *lane)
{
    struct bw_settling *settling = &lane->settling;

    settling->batch = batch_for(lane->options.concurrency);
    BW_ASSERT(settling->batch > 0);
    for (unsigned i = 0; i < BW_SETTLE_CALLS; i++) {
        struct bw_settle_call *call = &settling->calls[i];

        call->lane = lane;
        call->jobs = bw_calloc(settling->batch, sizeof(struct bw_job *));
        if (call->jobs == NULL)
            return BW_ENOMEM;
    }
    return BW_OK;
}

void bw_settle_fini(struct bw_lane *lane)
{
    for (unsigned i = 0; i < BW_SETTLE_CALLS; i++) {
        BW_ASSERT(!lane->settling.calls[i].out); /* a lost link calls back */
        free(lane->settling.calls[i].jobs);
    }
}

/* --- the call */

static struct bw_settle_call *free_call(struct bw_settling *settling)
{
    for (unsigned i = 0; i < BW_SETTLE_CALLS; i++) {
        if (!settling->calls[i].out)
            return &settling->calls[i];
    }
    return NULL;
}

static void gather(struct bw_settle_call *call, unsigned items)
{
    struct bw_lane *lane = call->lane;

    for (call->count = 0; call->count < items; call->count++) {
        struct bw_job *job;

        if (call->count > 0 && bw_ready_is_alone(lane))
            break; /* the next call is its own */
        job = bw_ready_take(lane);
        call->jobs[call->count] = job;
        job->place = BW_JOB_SENT;
    }
}

static void build(struct bw_cmd *cmd, struct bw_settle_call *call)
{
    struct bw_lane *lane = call->lane;
    const struct bw_queue_options *options = &lane->options;
    struct bw_settle_item items[BW_SETTLE_BATCH];
    struct bw_take take = {
        .count = call->asked,
        .token_prefix = lane->token_prefix,
        .first_token = call->first_token,
        .lock_duration = options->lock_duration,
        .limiter_max = options->limiter_max,
        .limiter_duration = options->limiter_duration,
        .worker_name = options->worker_name,
        .pause_layout = (int)options->pause_layout,
        .groups = bw_groups_of(&lane->grouping),
    };

    for (unsigned i = 0; i < call->count; i++)
        items[i] = call->jobs[i]->item;
    bw_settle_build(cmd, &lane->keys, bw_caller_wall(lane->caller), items, call->count,
                    &take, options->metrics_max_data_points);
}

bool bw_settle_send(struct bw_lane *lane, unsigned items, unsigned take)
{
    struct bw_settling *settling = &lane->settling;
    struct bw_caller *caller = lane->caller;
    struct bw_settle_call *call = free_call(settling);
    struct bw_cmd *cmd = bw_caller_cmd(caller);
    const struct bw_error no_memory = { BW_ENOMEM, "out of memory" };
    int result;

    BW_ASSERT(call != NULL && items <= settling->batch && take <= settling->batch);
    gather(call, items);
    /* Slots that are not freed after all cannot be filled. */
    take -= take < items - call->count ? take : items - call->count;
    call->asked = take;
    call->first_token = settling->next_token;
    settling->next_token += take;
    call->sent = bw_caller_now(caller);
    build(cmd, call);
    result = bw_caller_call(caller, cmd, on_settled, call);
    if (result != BW_OK) {
        return_jobs(call, false, true);
        if (result == BW_ENOMEM) /* another result means: just lost */
            bw_lane_refused(lane, "settle", &no_memory);
        return false;
    }
    if (take > 0) {
        bw_known_fetch_sent(&lane->known);
        settling->fetches++;
    }
    call->out = true;
    settling->calls_out++;
    bw_lane_reserve(lane, take);
    return true;
}

/* The jobs go back to the front, in their order; or to the end, behind those whose turn
 * it is. */
static void return_jobs(struct bw_settle_call *call, bool unsure, bool to_front)
{
    for (unsigned i = call->count; i > 0; i--) {
        struct bw_job *job = call->jobs[to_front ? i - 1 : call->count - i];

        BW_ASSERT(job->place == BW_JOB_SENT);
        job->unsure = job->unsure || unsure;
        if (to_front)
            bw_ready_add_first(job);
        else
            bw_ready_add(job);
    }
    call->count = 0;
}

/* --- the answer */

static void end_call(struct bw_settle_call *call)
{
    struct bw_settling *settling = &call->lane->settling;

    BW_ASSERT(call->out && settling->calls_out > 0);
    call->out = false;
    settling->calls_out--;
    settling->ended++;
    bw_lane_unreserve(call->lane, call->asked);
    bw_lane_touch(call->lane);
}

/* Redis refused the call as a whole and did nothing of it (lua/README.md), or its reply
 * is none. What passes (OOM, BUSY, MISCONF …) is waited out; else the jobs go one by one,
 * and whose end is refused alone is refused for good. */
static void call_refused(struct bw_settle_call *call, const struct bw_error *err)
{
    struct bw_lane *lane = call->lane;
    bool understood = err->code == BW_EREDIS;
    bool passing = understood && bw_refusal_passes(err->text);

    if (understood && !passing && call->count == 1 && call->asked == 0) {
        bw_outcome_refused(call->jobs[0], err->text);
        call->count = 0;
        return;
    }
    for (unsigned i = 0; i < call->count && !passing; i++)
        call->jobs[i]->alone = true;
    return_jobs(call, !understood, passing);
    if (call->asked > 0 && !passing)
        bw_adopt_want(&lane->adopting, call->first_token);
    bw_lane_refused(lane, "settle", err);
}

static void call_lost(struct bw_settle_call *call, const struct bw_error *err)
{
    bool nothing_sent = err->code == BW_ECLOSED;

    return_jobs(call, !nothing_sent, true);
    if (call->asked > 0 && !nothing_sent)
        bw_adopt_want(&call->lane->adopting, call->first_token);
}

static void settle_jobs(struct bw_settle_call *call, const struct bw_settle_reply *reply)
{
    for (unsigned i = 0; i < call->count; i++) {
        struct bw_job *job = call->jobs[i];
        const char *why;
        int code = bw_settle_code(reply, i, &why);

        BW_ASSERT(job->magic == BW_JOB_MAGIC && job->place == BW_JOB_SENT);
        if (why != NULL)
            bw_outcome_refused(job, why);
        else if (!bw_recheck(job, code))
            bw_outcome_settled(job, code);
    }
    call->count = 0;
}

static void on_settled(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_settle_call *call = arg;
    struct bw_lane *lane = call->lane;
    struct bw_settle_reply settled;
    struct bw_error wrong;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC);
    end_call(call);
    if (err == NULL && bw_settle_decode(&settled, reply, call->count, &wrong) != BW_OK)
        err = &wrong;
    if (err != NULL) {
        if (err->code == BW_EREDIS || err->code == BW_EPROTO)
            call_refused(call, err);
        else
            call_lost(call, err);
        return;
    }
    bw_lane_accepted(lane);
    bw_lane_heard(lane);
    settle_jobs(call, &settled);
    if (settled.trouble != NULL)
        bw_lane_trouble(lane, settled.trouble);
    if (call->asked == 0)
        return;
    bw_intake_fetched(lane, &settled, call->asked);
    for (size_t i = 0; i < settled.job_count; i++)
        bw_intake_start(lane, bw_reply_at(settled.jobs, i), call->sent,
                        call->first_token);
}
