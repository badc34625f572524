#include "jobs/stop.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include <bulwark/buf.h>

#include "jobs/job.h"
#include "jobs/outcome.h"
#include "jobs/lane.h"
#include "run/reactor.h"

enum { AGAIN_MS = 1000 };

static int64_t limit_of(const struct bw_job *job)
{
    int64_t own = job->data.parsed.timeout;

    return own > 0 ? own : job->lane->options.timeout;
}

/* The queue's timer runs for the earliest. */
static void wake_at(struct bw_lane *lane, struct bw_mono at)
{
    int64_t wait;

    if (lane->stop_next.ns != 0 && !bw_mono_before(at, lane->stop_next))
        return;
    lane->stop_next = at;
    wait = bw_mono_ms_until(bw_reactor_now(lane->reactor), at);
    bw_timer_start(lane->stop_timer, wait > 0 ? wait : 1);
}

void bw_stop_watch(struct bw_job *job)
{
    int64_t limit = limit_of(job);

    if (limit <= 0)
        return;
    job->stop_at = bw_mono_add_ms(bw_reactor_now(job->lane->reactor), limit);
    wake_at(job->lane, job->stop_at);
}

/* --- the two steps */

static void fail(struct bw_job *job)
{
    bw_job_answer_fail(job,
                       (struct bw_text){ job->stop_reason, strlen(job->stop_reason) },
                       job->stop_final ? "UnrecoverableError" : "Error", job->stop_final);
}

bool bw_stop_end(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    if (job->stop_reason == NULL || job->planning || !bw_job_take_answer(job, false))
        return false;
    atomic_store(&job->given_up, true);
    fail(job);
    lane->held_count--;
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

    job->stop_reason = reason;
    job->stop_final = final;
    atomic_store(&job->revoked, final);
    job->stop_at = bw_mono_add_ms(bw_reactor_now(lane->reactor), BW_STOP_GRACE_MS);
    bw_log(&job->log, BW_LOG_WARNING, "job is stopped", bw_text("reason", reason));
    if (job->planning)
        return; /* bw_intake_begin() will see it */
    bw_job_cancel(job);
    /* A handler that has not got it yet need not be waited for. */
    if (bw_job_take_answer(job, true)) {
        (void)bw_stop_end(job); /* nobody else can have its answer */
        return;
    }
    wake_at(lane, job->stop_at);
}

int bw_stop_cancel(struct bw_job *job, const char *reason)
{
    struct bw_buf text = BW_BUF_INIT;

    if (job->stop_reason != NULL)
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
    job->stop_at = bw_mono_add_ms(bw_reactor_now(job->lane->reactor), AGAIN_MS);
}

/* --- the timer */

static void look_at(struct bw_job *job, struct bw_mono now)
{
    /* On its way to wait for children: it may come back. */
    if (job->place != BW_JOB_HELD)
        job->stop_at = bw_mono_add_ms(now, AGAIN_MS);
    else if (job->stop_reason == NULL)
        time_out(job);
    else if (!bw_stop_end(job))
        job->stop_at = bw_mono_add_ms(now, AGAIN_MS); /* its answer is on the way */
}

void bw_stop_tick(void *arg)
{
    struct bw_lane *lane = arg;
    struct bw_mono now = bw_reactor_now(lane->reactor);
    struct bw_job *next;

    lane->stop_next.ns = 0;
    for (struct bw_job *job = bw_lane_next_job(lane, NULL); job != NULL; job = next) {
        next = bw_lane_next_job(lane, job);
        if (job->stop_at.ns != 0 && !bw_mono_before(now, job->stop_at))
            look_at(job, now);
    }
    for (struct bw_job *job = bw_lane_next_job(lane, NULL); job != NULL;
         job = bw_lane_next_job(lane, job)) {
        if (job->stop_at.ns != 0)
            wake_at(lane, job->stop_at);
    }
}

void bw_stop_overrule(struct bw_job *job)
{
    enum bw_outcome_kind kind = job->outcome.kind;

    if (job->stop_reason != NULL && kind != BW_OUTCOME_COMPLETE &&
        kind != BW_OUTCOME_MOVED && kind != BW_OUTCOME_LEAVE)
        fail(job);
}
