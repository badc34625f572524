#include "jobs/settle.h"

#include <assert.h>

#include "redis/refusal.h"
#include "jobs/adopt.h"
#include "jobs/job.h"
#include "jobs/outcome.h"
#include "jobs/lane.h"
#include "run/reactor.h"

static struct bw_settle_call *free_call(struct bw_lane *lane)
{
    for (unsigned i = 0; i < BW_SETTLE_CALLS; i++) {
        if (!lane->calls[i].out)
            return &lane->calls[i];
    }
    return NULL;
}

static void end_call(struct bw_settle_call *call)
{
    struct bw_lane *lane = call->lane;

    call->out = false;
    lane->calls_out--;
    lane->reserved -= call->asked;
    bw_markers_answered(lane->reactor, lane);
    bw_lane_touch(lane);
}

/* The jobs go back to the front, in their order; or to the end, behind those whose turn
 * it is. */
static void return_jobs(struct bw_settle_call *call, bool unsure, bool to_front)
{
    for (unsigned i = call->count; i > 0; i--) {
        struct bw_job *job = call->jobs[to_front ? i - 1 : call->count - i];

        job->unsure = job->unsure || unsure;
        if (to_front)
            bw_ready_add_first(job);
        else
            bw_ready_add(job);
    }
    call->count = 0;
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
        bw_adopt_want(lane, call->first_token);
    bw_lane_refused(lane, "settle", err);
}

static void call_lost(struct bw_settle_call *call, const struct bw_error *err)
{
    bool nothing_sent = err->code == BW_ECLOSED;

    return_jobs(call, !nothing_sent, true);
    if (call->asked > 0 && !nothing_sent)
        bw_adopt_want(call->lane, call->first_token);
}

static void settle_jobs(struct bw_settle_call *call, const struct bw_settle_reply *reply)
{
    for (unsigned i = 0; i < call->count; i++) {
        const char *why;
        int code = bw_settle_code(reply, i, &why);

        if (why != NULL)
            bw_outcome_refused(call->jobs[i], why);
        else
            bw_outcome_settled(call->jobs[i], code);
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
    lane->refusals = 0;
    lane->deaf_ms = 0;
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

static void build(struct bw_cmd *cmd, struct bw_settle_call *call)
{
    struct bw_lane *lane = call->lane;
    struct bw_reactor *reactor = lane->reactor;
    const struct bw_queue_options *options = &lane->options;
    struct bw_take take = {
        .count = call->asked,
        .token_prefix = lane->token_prefix,
        .first_token = call->first_token,
        .lock_duration = options->lock_duration,
        .limiter_max = options->limiter_max,
        .limiter_duration = options->limiter_duration,
        .worker_name = options->worker_name,
        .pause_layout = (int)options->pause_layout,
        .groups = lane->groups.key != NULL ? &lane->groups : NULL,
    };

    for (unsigned i = 0; i < call->count; i++)
        reactor->items[i] = call->jobs[i]->item;
    bw_settle_build(cmd, &lane->keys, bw_loop_wall(reactor->loop), reactor->items,
                    call->count, &take, options->metrics_max_data_points);
}

static void gather(struct bw_settle_call *call, unsigned items)
{
    struct bw_lane *lane = call->lane;

    for (call->count = 0; call->count < items; call->count++) {
        struct bw_job *job = lane->ready_head;

        if (job->alone && call->count > 0)
            break; /* the next call is its own */
        call->jobs[call->count] = bw_ready_take(lane);
        job->place = BW_JOB_SENT;
    }
}

bool bw_settle_send(struct bw_lane *lane, unsigned items, unsigned take)
{
    struct bw_reactor *reactor = lane->reactor;
    struct bw_settle_call *call = free_call(lane);
    struct bw_cmd *cmd = bw_reactor_cmd(reactor);
    const struct bw_error no_memory = { BW_ENOMEM, "out of memory" };
    int result;

    assert(call != NULL && items <= lane->batch && take <= lane->batch);
    gather(call, items);
    /* Slots that are not freed after all cannot be filled. */
    take -= take < items - call->count ? take : items - call->count;
    call->asked = take;
    call->first_token = lane->next_token;
    lane->next_token += take;
    call->sent = bw_reactor_now(reactor);
    build(cmd, call);
    result = bw_reactor_call(reactor, cmd, on_settled, call);
    if (result != BW_OK) {
        return_jobs(call, false, true);
        if (result == BW_ENOMEM) /* another result means: just lost */
            bw_lane_refused(lane, "settle", &no_memory);
        return false;
    }
    if (take > 0) {
        lane->woken = lane->owes_marker = false;
        lane->owes_due_ms = 0;
    }
    call->out = true;
    lane->calls_out++;
    lane->reserved += take;
    return true;
}
