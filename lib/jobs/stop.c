#include "jobs/stop.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include <bulwark/buf.h>

#include "base/assert.h"
#include "jobs/base/caller.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/outcome.h"
#include "jobs/ready.h"

enum { AGAIN_MS = 1000 };

static void on_tick(void *arg);

int bw_stop_init(struct bw_lane *lane)
{
    return bw_timer_create(&lane->stopping.timer, lane->caller->loop, on_tick, lane);
}

void bw_stop_fini(struct bw_lane *lane)
{
    bw_timer_destroy(&lane->stopping.timer);
}

/* --- when */

static int64_t limit_of(const struct bw_job *job)
{
    int64_t own = job->data.parsed.timeout;

    return own > 0 ? own : job->lane->options.timeout;
}

/* The queue's timer runs for the earliest. */
static void wake_at(struct bw_lane *lane, struct bw_mono at)
{
    int64_t wait;

    if (lane->stopping.next.ns != 0 && !bw_mono_before(at, lane->stopping.next))
        return;
    lane->stopping.next = at;
    wait = bw_mono_ms_until(bw_caller_now(lane->caller), at);
    bw_timer_start(lane->stopping.timer, wait > 0 ? wait : 1);
}

void bw_stop_watch(struct bw_job *job)
{
    int64_t limit = limit_of(job);

    if (limit <= 0)
        return;
    job->stop.at = bw_mono_add_ms(bw_caller_now(job->lane->caller), limit);
    wake_at(job->lane, job->stop.at);
}

/* --- the two steps */

static void fail(struct bw_job *job)
{
    BW_ASSERT(job->stop.reason != NULL);
    bw_job_answer_fail(
        job, (struct bw_text){ job->stop.reason, strlen(job->stop.reason) },
        job->stop.is_final ? "UnrecoverableError" : "Error", job->stop.is_final);
}

bool bw_stop_end(struct bw_job *job)
{
    if (job->stop.reason == NULL || job->plan.waits || !bw_job_take_answer(job, false))
        return false;
    atomic_store(&job->given_up, true);
    fail(job);
    bw_lane_release(job);
    if (bw_outcome_decide(job))
        bw_ready_add(job);
    else
        bw_lane_job_gone(job);
    return true;
}

/* Takes `reason`. */
static void stop(struct bw_job *job, char *reason, bool final)
{
    struct bw_lane *lane = job->lane;

    BW_ASSERT(job->stop.reason == NULL && reason != NULL);
    job->stop.reason = reason;
    job->stop.is_final = final;
    atomic_store(&job->revoked, final);
    job->stop.at = bw_mono_add_ms(bw_caller_now(lane->caller), BW_STOP_GRACE_MS);
    bw_log(&job->log, BW_LOG_WARNING, "job is stopped", bw_text("reason", reason));
    if (job->plan.waits)
        return; /* its start will see it */
    bw_job_cancel(job);
    /* A handler that has not got it yet need not be waited for. */
    if (bw_job_take_answer(job, true)) {
        (void)bw_stop_end(job); /* nobody else can have its answer */
        return;
    }
    wake_at(lane, job->stop.at);
}

int bw_stop_cancel(struct bw_job *job, const char *reason)
{
    struct bw_buf text = BW_BUF_INIT;

    if (job->stop.reason != NULL)
        return BW_OK;
    if (bw_buf_addf(&text, "job cancelled: %s", reason) != BW_OK) {
        bw_buf_fini(&text);
        return BW_ENOMEM;
    }
    stop(job, bw_buf_take(&text), true);
    return BW_OK;
}

static void time_out(struct bw_job *job)
{
    struct bw_buf text = BW_BUF_INIT;

    if (bw_buf_addf(&text, "job timed out after %" PRId64 " ms", limit_of(job)) ==
        BW_OK) {
        stop(job, bw_buf_take(&text), false);
        return;
    }
    bw_buf_fini(&text);
    job->stop.at = bw_mono_add_ms(bw_caller_now(job->lane->caller), AGAIN_MS);
}

/* --- the timer */

static void look_at(struct bw_job *job, struct bw_mono now)
{
    /* On its way to wait for children: it may come back. */
    if (job->place != BW_JOB_HELD)
        job->stop.at = bw_mono_add_ms(now, AGAIN_MS);
    else if (job->stop.reason == NULL)
        time_out(job);
    else if (!bw_stop_end(job))
        job->stop.at = bw_mono_add_ms(now, AGAIN_MS); /* its answer is on the way */
}

static void on_tick(void *arg)
{
    struct bw_lane *lane = arg;
    struct bw_mono now = bw_caller_now(lane->caller);
    struct bw_job *next;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC);
    lane->stopping.next.ns = 0;
    for (struct bw_job *job = bw_lane_next_job(lane, NULL); job != NULL; job = next) {
        next = bw_lane_next_job(lane, job);
        if (job->stop.at.ns != 0 && !bw_mono_before(now, job->stop.at))
            look_at(job, now);
    }
    for (struct bw_job *job = bw_lane_next_job(lane, NULL); job != NULL;
         job = bw_lane_next_job(lane, job)) {
        if (job->stop.at.ns != 0)
            wake_at(lane, job->stop.at);
    }
}

void bw_stop_overrule(struct bw_job *job)
{
    enum bw_outcome_kind kind = job->outcome.kind;

    if (job->stop.reason != NULL && kind != BW_OUTCOME_COMPLETE &&
        kind != BW_OUTCOME_MOVED && kind != BW_OUTCOME_LEAVE)
        fail(job);
}
