#include "jobs/intake.h"

#include <stdatomic.h>

#include "base/assert.h"
#include "queue/calls.h"
#include "jobs/adopt.h"
#include "jobs/batch.h"
#include "jobs/iterations.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"
#include "jobs/outcome.h"
#include "jobs/ready.h"
#include "jobs/stop.h"

static const struct bw_text started_too_often = {
    "job started more than allowable limit",
    sizeof "job started more than allowable limit" - 1
};

static void begin(struct bw_job *job);
static void answered(struct bw_job *job);

/* --- what a reply says of the queue */

static void note_times(struct bw_lane *lane, bool jobs)
{
    int64_t now = bw_caller_wall(lane->caller).ms;

    atomic_store_explicit(&lane->counters.last_fetch_ms, now, memory_order_relaxed);
    if (jobs)
        atomic_store_explicit(&lane->counters.last_job_ms, now, memory_order_relaxed);
}

/* By somebody's Queue.pause(), for all workers; ours learn of it when they fetch. */
static void note_paused(struct bw_lane *lane, bool paused)
{
    if (atomic_exchange(&lane->counters.paused, paused) != paused)
        bw_log(&lane->log, BW_LOG_INFO,
               paused ? "the queue is paused for all workers" : "the queue goes on");
}

void bw_intake_fetched(struct bw_lane *lane, const struct bw_settle_reply *reply,
                       unsigned asked)
{
    note_times(lane, reply->job_count > 0);
    note_paused(lane, reply->paused);
    bw_known_fetched(&lane->known, reply, asked, bw_caller_now(lane->caller),
                     &lane->options);
    if (reply->job_count > 0)
        bw_lane_found_jobs(lane);
    if (lane->known.drained)
        bw_lane_tell_drained(lane);
    if (reply->ghosts > 0)
        bw_log(&lane->log, BW_LOG_WARNING, "ids without a job dropped",
               bw_num("ids", reply->ghosts));
    if (reply->refusal != NULL)
        bw_lane_fetch_refused(lane, reply->refusal);
    else
        bw_lane_fetch_accepted(lane);
}

/* --- a job comes */

/* A job whose hash is gone has no name: it is nobody's (§4.2, BMQ-065). */
static void drop_ghost(struct bw_lane *lane, const struct bw_job *job)
{
    struct bw_cmd *cmd = bw_caller_cmd(lane->caller);

    bw_log(&lane->log, BW_LOG_WARNING, "job without data dropped",
           bw_text_len("job", job->data.id.data, job->data.id.len));
    bw_drop_ghost_build(cmd, &lane->keys, job->data.id);
    /* A failure is left to the stalled check, which brings the ghost here again. */
    bw_caller_tell(lane->caller, cmd, &lane->log);
}

/* Without memory the job is ours, locked and unheard of, as after a lost reply: it is
 * adopted. */
static void forgo_job(struct bw_lane *lane, const struct bw_error *err,
                      uint64_t first_token)
{
    bw_log(&lane->log, BW_LOG_ERROR, "a job could not be taken in",
           bw_text("error", err->text));
    if (err->code != BW_ENOMEM)
        return; /* it would be no better the next time: the stalled check counts it */
    bw_adopt_want(&lane->adopting, first_token);
    bw_lane_refused(lane, "fetch", err);
}

/* True: the job is ours. */
static bool is_taken(struct bw_job *job, const struct bw_reply *fields,
                     uint64_t first_token)
{
    struct bw_error err;

    if (bw_job_data_decode(&job->data, fields, &err) != BW_OK) {
        forgo_job(job->lane, &err, first_token);
        return false;
    }
    if (bw_lane_token_number(job) < first_token)
        return false;
    if (job->data.name.data == NULL) {
        drop_ghost(job->lane, job);
        return false;
    }
    return true;
}

void bw_intake_start(struct bw_lane *lane, const struct bw_reply *fields,
                     struct bw_mono since, uint64_t first_token)
{
    const struct bw_error no_memory = { BW_ENOMEM, "out of memory" };
    struct bw_job *job = bw_job_create(lane, answered);

    if (job == NULL) {
        forgo_job(lane, &no_memory, first_token);
        return;
    }
    if (!is_taken(job, fields, first_token)) {
        bw_job_destroy(&job);
        return;
    }
    bw_lane_enter(job, since);
    bw_log(&job->log, BW_LOG_DEBUG, "job taken",
           bw_num("attempt", job->data.attempts_started));
    if (job->data.repeat_key.data != NULL && !lane->lanes->ending.deadline_passed)
        bw_iterations_want(job, begin);
    else
        begin(job);
}

/* --- nothing stands before it: to its handler, or not */

/* §5.1: some jobs are failed without being run. */
static bool is_refused(struct bw_job *job)
{
    int64_t most = job->lane->options.max_started_attempts;

    if (job->data.deferred_failure.data != NULL)
        bw_job_answer_fail(job, job->data.deferred_failure, "UnrecoverableError", true);
    else if (most >= 0 && most < (int64_t)job->data.attempts_started)
        bw_job_answer_fail(job, started_too_often, "UnrecoverableError", true);
    else
        return job->stop.reason != NULL; /* cancelled already: overruled when it ends */
    return true;
}

static void hand_over(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    bw_stop_watch(job);
    if (lane->handler.process_batch != NULL)
        bw_batch_add(job);
    else if (lane->handler.inline_)
        bw_job_run(job);
    else
        bw_gather_add(&lane->lanes->gather, &job->task);
}

static void begin(struct bw_job *job)
{
    BW_ASSERT(job->place == BW_JOB_HELD && !job->answered && !job->plan.waits);
    if (job->lane->lanes->ending.deadline_passed) {
        job->answered = true; /* no handler gets it */
        bw_intake_give_up(job);
    } else if (is_refused(job)) {
        answered(job);
    } else {
        hand_over(job);
    }
}

/* --- the handler has answered, or is done without */

static void answered(struct bw_job *job)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC && !job->answered);
    job->answered = true;
    if (job->place == BW_JOB_GONE) {
        bw_lane_bury(job);
        return;
    }
    if (atomic_load_explicit(&job->given_up, memory_order_relaxed))
        return; /* too late: it is being put back */
    BW_ASSERT(job->place == BW_JOB_HELD);
    bw_lane_release(job);
    bw_stop_overrule(job);
    if (bw_outcome_decide(job))
        bw_ready_add(job);
    else
        bw_lane_job_gone(job);
}

void bw_intake_give_up(struct bw_job *job)
{
    bool unstarted;

    BW_ASSERT(job->place == BW_JOB_HELD);
    if (bw_stop_end(job))
        return;
    atomic_store(&job->given_up, true);
    unstarted = bw_job_take_start(job);
    if (bw_iterations_forget(job))
        job->answered = true;
    bw_job_cancel(job);
    bw_lane_release(job);
    bw_outcome_hand_back(job, unstarted);
    bw_ready_add(job);
}
