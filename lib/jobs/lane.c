#include "jobs/lane.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/adopt.h"
#include "run/drain.h"
#include "jobs/effects.h"
#include "jobs/handback.h"
#include "jobs/iterations.h"
#include "jobs/job.h"
#include "jobs/outcome.h"
#include "run/reactor.h"
#include "jobs/renew.h"
#include "jobs/stalled.h"
#include "jobs/stop.h"

enum { FIRST_RETRY_MS = 100, TELL_AGAIN_MS = 60000 };

static const struct bw_text no_id = { NULL, 0 };
static const struct bw_text started_too_often = {
    "job started more than allowable limit",
    sizeof "job started more than allowable limit" - 1
};

/* --- being looked at */

void bw_lane_touch(struct bw_lane *lane)
{
    if (lane->touched)
        return;
    lane->touched = true;
    lane->next_touched = lane->reactor->touched;
    lane->reactor->touched = lane;
}

void bw_lane_wake(struct bw_lane *lane)
{
    lane->drained = false;
    lane->woken = true;
    bw_lane_touch(lane);
}

/* --- what may be done */

bool bw_lane_in_pause(const struct bw_lane *lane)
{
    return bw_mono_before(bw_reactor_now(lane->reactor), lane->retry_at);
}

static bool in_fetch_pause(const struct bw_lane *lane)
{
    return bw_mono_before(bw_reactor_now(lane->reactor), lane->fetch_at);
}

static bool is_limited(const struct bw_lane *lane)
{
    return bw_mono_before(bw_reactor_now(lane->reactor), lane->limit_until);
}

bool bw_lane_can_fetch(const struct bw_lane *lane)
{
    return !lane->reactor->draining && !atomic_load(&lane->quiet) &&
           (!atomic_load(&lane->held) || atomic_load(&lane->let) > 0) &&
           !lane->adopt_wanted && !lane->adopting && !is_limited(lane) &&
           !bw_lane_in_pause(lane) && !in_fetch_pause(lane);
}

/* Free once the ends of `items` ready jobs are recorded. */
static unsigned slots_after(const struct bw_lane *lane, unsigned items)
{
    unsigned used = lane->held_count + lane->ready_count - items + lane->reserved;

    return used < lane->options.concurrency ? lane->options.concurrency - used : 0;
}

unsigned bw_lane_free_slots(const struct bw_lane *lane)
{
    return slots_after(lane, 0);
}

bool bw_lane_is_last(const struct bw_lane *lane)
{
    return lane->reserved == 0 && !lane->adopt_wanted && !lane->adopting &&
           lane->plan_head == NULL && lane->plan_calls == 0;
}

bool bw_lane_wants_marker(const struct bw_lane *lane)
{
    return lane->drained && bw_lane_free_slots(lane) > 0 && bw_lane_can_fetch(lane);
}

/* --- what is sent */

/* The last call was full, so the next one will find jobs as well: no need to wait for its
 * reply. */
static bool has_plenty(const struct bw_lane *lane)
{
    return lane->calls_out == 0 || lane->plenty;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many jobs may be fetched of a queue whose handler can run none. */
static unsigned let_through(struct bw_lane *lane, unsigned take)
{
    return atomic_load(&lane->held) ? smaller(take, atomic_load(&lane->let)) : take;
}

static void count_let(struct bw_lane *lane, unsigned take)
{
    unsigned let = atomic_load(&lane->let);

    while (let > 0 &&
           !atomic_compare_exchange_weak(&lane->let, &let, let > take ? let - take : 0))
        continue;
}

/* One settle call, if there is anything to settle or to fetch. */
static bool send_one(struct bw_lane *lane)
{
    unsigned items = smaller(lane->ready_count, lane->batch);
    unsigned take = 0;
    bool careful;

    /* After a refusal: one job at a time and apart from fetching, so that what cannot be
     * done holds up nothing else. */
    careful = lane->refusals > 0 || (items > 0 && lane->ready_head->alone);
    if (careful)
        items = smaller(items, 1);
    if (bw_lane_can_fetch(lane) && !(careful && items > 0))
        take = let_through(lane, smaller(slots_after(lane, items), lane->batch));
    if (items == 0 && (take == 0 || lane->drained || !has_plenty(lane)))
        return false;
    if (!bw_settle_send(lane, items, take))
        return false;
    count_let(lane, take);
    return true;
}

/* A drained queue is fetched from when its next delayed job is due, and every drainDelay:
 * not every change sets a marker (lib/spec/bullmq.md §10.4). */
static void end_waits(struct bw_lane *lane)
{
    struct bw_reactor *reactor = lane->reactor;
    struct bw_mono now = bw_reactor_now(reactor);

    if (lane->limit_until.ns != 0 && !is_limited(lane)) {
        lane->limit_until.ns = 0;
        lane->drained = false;
    }
    if (!lane->drained)
        return;
    if (lane->due_ms > 0 && bw_loop_wall(reactor->loop).ms >= lane->due_ms) {
        lane->due_ms = 0;
        lane->drained = false;
    } else if (!bw_mono_before(now, lane->poll_at)) {
        lane->drained = false;
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void set_timer(struct bw_lane *lane)
{
    struct bw_reactor *reactor = lane->reactor;
    struct bw_mono now = bw_reactor_now(reactor);
    int64_t wait = INT64_MAX;

    if (bw_lane_in_pause(lane))
        wait = bw_mono_ms_until(now, lane->retry_at);
    else if (in_fetch_pause(lane))
        wait = bw_mono_ms_until(now, lane->fetch_at);
    else if (is_limited(lane))
        wait = bw_mono_ms_until(now, lane->limit_until);
    else if (lane->drained && bw_lane_free_slots(lane) > 0 && bw_lane_can_fetch(lane)) {
        wait = bw_mono_ms_until(now, lane->poll_at);
        if (lane->due_ms > 0)
            wait = sooner(wait, lane->due_ms - bw_loop_wall(reactor->loop).ms);
    }
    if (wait != INT64_MAX)
        bw_timer_start(lane->timer, wait > 0 ? wait : 1);
    else if (bw_timer_is_running(lane->timer))
        bw_timer_stop(lane->timer);
}

void bw_lane_turn(struct bw_lane *lane)
{
    if (!bw_reactor_can_call(lane->reactor))
        return; /* bw_lane_recover() touches every queue */
    end_waits(lane);
    bw_markers_return_owed(lane);
    if (!bw_lane_in_pause(lane)) {
        bw_effects_flush(lane->reactor); /* what the pause has held up */
        bw_iterations_send(lane);
        if (!bw_drain_holds_handbacks(lane))
            bw_handback_send(lane);
        if (lane->adopt_wanted && !lane->adopting)
            bw_adopt_send(lane);
        while (lane->calls_out < BW_SETTLE_CALLS && send_one(lane))
            continue;
    }
    set_timer(lane);
    bw_markers_touch(lane->reactor);
}

static void tell(struct bw_lane *lane, struct bw_event event)
{
    event.queue = lane->name;
    if (lane->handler.event != NULL)
        lane->handler.event(&event, lane->handler_arg);
}

void bw_lane_tell(struct bw_lane *lane, enum bw_event_kind kind, struct bw_text id)
{
    tell(lane, (struct bw_event){ .kind = kind, .id = id.data, .id_len = id.len });
}

void bw_lane_tell_error(struct bw_lane *lane, const char *error)
{
    tell(lane, (struct bw_event){
                   .kind = BW_EVENT_ERROR, .error = error, .error_len = strlen(error) });
}

void bw_lane_tell_of(const struct bw_job *job, struct bw_event event)
{
    event.job = job;
    event.id = job->data.id.data;
    event.id_len = job->data.id.len;
    tell(job->lane, event);
}

void bw_lane_recover(struct bw_lane *lane)
{
    lane->retry_at.ns = lane->fetch_at.ns = 0;
    bw_stalled_start(lane);
    if (lane->adopt_wanted)
        bw_adopt_send(lane);
    bw_renew_all(lane);
    bw_lane_wake(lane);
}

/* Longer each time. */
static int64_t pause_after(const struct bw_lane *lane, unsigned refusals)
{
    int64_t pause = FIRST_RETRY_MS;

    for (unsigned i = 0; i < refusals && pause < lane->options.run_retry_delay; i++)
        pause *= 2;
    return sooner(pause, lane->options.run_retry_delay);
}

/* What was told a moment ago is not told again. */
static bool is_news(struct bw_lane *lane, struct bw_refused *refused, const char *why)
{
    struct bw_mono now = bw_reactor_now(lane->reactor);

    if (refused->told.ns != 0 &&
        bw_mono_before(now, bw_mono_add_ms(refused->told, TELL_AGAIN_MS)) &&
        strncmp(refused->text, why, sizeof refused->text - 1) == 0)
        return false;
    (void)snprintf(refused->text, sizeof refused->text, "%s", why);
    refused->told = now;
    return true;
}

void bw_lane_trouble(struct bw_lane *lane, const char *why)
{
    if (!is_news(lane, &lane->trouble, why))
        return;
    bw_log(&lane->log, BW_LOG_WARNING, "Redis refuses what goes with the ends of jobs",
           bw_text("error", why));
    bw_lane_tell_error(lane, why);
}

/* The ends of the same call are recorded; jobs are asked for again after a pause. */
static void fetch_refused(struct bw_lane *lane, const char *why)
{
    int64_t pause = pause_after(lane, lane->fetch_refusals);

    lane->fetch_refusals++;
    lane->fetch_at = bw_mono_add_ms(bw_reactor_now(lane->reactor), pause);
    lane->plenty = lane->drained = false;
    bw_lane_touch(lane);
    if (!is_news(lane, &lane->no_jobs, why))
        return;
    bw_log(&lane->log, BW_LOG_ERROR, "Redis gives no jobs", bw_text("error", why),
           bw_num("retryMs", pause));
    bw_lane_tell_error(lane, why);
}

void bw_lane_refused(struct bw_lane *lane, const char *what, const struct bw_error *err)
{
    int64_t pause = pause_after(lane, lane->refusals);

    lane->refusals++;
    lane->deaf_ms = 0; /* it was an answer */
    lane->retry_at = bw_mono_add_ms(bw_reactor_now(lane->reactor), pause);
    bw_log(&lane->log, BW_LOG_WARNING, "Redis refuses a call", bw_text("call", what),
           bw_text("error", err->text), bw_num("retryMs", pause));
    bw_lane_tell_error(lane, err->text);
    bw_lane_touch(lane);
}

/* --- what replies bring */

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
    struct bw_reactor *reactor = lane->reactor;
    struct bw_mono now = bw_reactor_now(reactor);
    int64_t limit = sooner(reply->limit_ttl_ms, lane->options.maximum_rate_limit_delay);

    atomic_store_explicit(&lane->counters.last_fetch_ms, bw_loop_wall(reactor->loop).ms,
                          memory_order_relaxed);
    if (reply->job_count > 0)
        atomic_store_explicit(&lane->counters.last_job_ms, bw_loop_wall(reactor->loop).ms,
                              memory_order_relaxed);
    note_paused(lane, reply->paused);
    if (limit > 0)
        lane->limit_until = bw_mono_add_ms(now, limit);
    lane->plenty = reply->job_count >= asked;
    /* What was added after this call was executed may have been announced before its
     * reply. */
    lane->drained = !lane->plenty && !lane->woken && reply->refusal == NULL;
    if (reply->job_count > 0)
        lane->told_drained = false;
    if (lane->drained && !lane->told_drained) {
        lane->told_drained = true;
        bw_lane_tell(lane, BW_EVENT_DRAINED, no_id);
    }
    if (reply->ghosts > 0)
        bw_log(&lane->log, BW_LOG_WARNING, "ids without a job dropped",
               bw_num("ids", reply->ghosts));
    if (reply->refusal == NULL && (reply->next_due_ms > 0 || reply->job_count == 0))
        lane->due_ms = reply->next_due_ms;
    lane->poll_at = bw_mono_add_ms(now, lane->options.drain_delay);
    if (reply->refusal != NULL)
        fetch_refused(lane, reply->refusal);
    else
        lane->fetch_refusals = 0;
}

struct bw_job *bw_lane_next_job(const struct bw_lane *lane, const struct bw_job *job)
{
    const struct bw_list *next = job != NULL ? job->node.next : lane->jobs.next;

    return next != &lane->jobs ? BW_LIST_OF(next, struct bw_job, node) : NULL;
}

struct bw_job *bw_lane_find_held(const struct bw_lane *lane, struct bw_text id)
{
    for (struct bw_job *job = NULL; (job = bw_lane_next_job(lane, job)) != NULL;) {
        if (job->place == BW_JOB_HELD && job->data.id.len == id.len &&
            memcmp(job->data.id.data, id.data, id.len) == 0)
            return job;
    }
    return NULL;
}

static void count_jobs(struct bw_lane *lane)
{
    atomic_store_explicit(&lane->counters.in_flight, lane->job_count,
                          memory_order_relaxed);
}

static void enter_job(struct bw_lane *lane, struct bw_job *job, struct bw_mono since)
{
    bw_log_child_field(&job->log, &lane->log,
                       bw_text_len("job", job->data.id.data, job->data.id.len));
    job->renewed = since;
    atomic_store_explicit(&job->lock_until_ns,
                          bw_mono_add_ms(since, lane->options.lock_duration).ns,
                          memory_order_relaxed);
    job->place = BW_JOB_HELD;
    bw_list_append(&lane->jobs, &job->node);
    lane->job_count++;
    lane->held_count++;
    count_jobs(lane);
}

/* A job whose hash is gone has no name: it is nobody's (§4.2, BMQ-065). */
static void drop_ghost(struct bw_lane *lane, const struct bw_job *job)
{
    struct bw_cmd *cmd = bw_reactor_cmd(lane->reactor);

    bw_log(&lane->log, BW_LOG_WARNING, "job without data dropped",
           bw_text_len("job", job->data.id.data, job->data.id.len));
    bw_drop_ghost_build(cmd, &lane->keys, job->data.id);
    /* A failure is left to the stalled check, which brings the ghost here again. */
    bw_reactor_tell(lane->reactor, cmd, lane);
}

/* §5.1: some jobs are failed without being run. */
static bool is_refused(struct bw_job *job)
{
    int64_t most = job->lane->options.max_started_attempts;

    if (job->data.deferred_failure.data != NULL)
        bw_job_answer_fail(job, job->data.deferred_failure, "UnrecoverableError", true);
    else if (most >= 0 && most < (int64_t)job->data.attempts_started)
        bw_job_answer_fail(job, started_too_often, "UnrecoverableError", true);
    else
        return job->stop_reason != NULL; /* cancelled already: overruled when it ends */
    return true;
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
    bw_adopt_want(lane, first_token);
    bw_lane_refused(lane, "fetch", err);
}

uint64_t bw_lane_token_number(const struct bw_job *job)
{
    const struct bw_lane *lane = job->lane;
    size_t skip = strlen(lane->token_prefix);

    if (job->data.token.data == NULL || job->data.token.len <= skip)
        return 0;
    return strtoull(job->data.token.data + skip, NULL, 10);
}

/* It came after the deadline. */
static void return_job(struct bw_job *job)
{
    job->answered = true;
    bw_intake_give_up(job);
}

void bw_intake_begin(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    if (lane->reactor->deadline_passed)
        return_job(job);
    else if (is_refused(job))
        bw_intake_answered(job);
    else {
        bw_stop_watch(job);
        if (lane->handler.process_batch != NULL)
            bw_batch_add(job);
        else if (lane->handler.inline_)
            bw_job_run(job);
        else
            bw_reactor_run_later(lane->reactor, job);
    }
}

void bw_intake_start(struct bw_lane *lane, const struct bw_reply *fields,
                     struct bw_mono since, uint64_t first_token)
{
    struct bw_error err = { BW_ENOMEM, "out of memory" };
    struct bw_job *job = bw_job_create(lane->reactor);

    if (job == NULL) {
        forgo_job(lane, &err, first_token);
        return;
    }
    job->lane = lane;
    if (bw_job_data_decode(&job->data, fields, &err) != BW_OK) {
        forgo_job(lane, &err, first_token);
        bw_job_destroy(&job);
        return;
    }
    if (bw_lane_token_number(job) < first_token) {
        bw_job_destroy(&job);
        return;
    }
    if (job->data.name.data == NULL) {
        drop_ghost(lane, job);
        bw_job_destroy(&job);
        return;
    }
    enter_job(lane, job, since);
    bw_log(&job->log, BW_LOG_DEBUG, "job taken",
           bw_num("attempt", job->data.attempts_started));
    if (job->data.repeat_key.data != NULL && !lane->reactor->deadline_passed)
        bw_iterations_want(job);
    else
        bw_intake_begin(job);
}

/* --- the way of a job's end */

static void append_ready(struct bw_lane *lane, struct bw_job *job)
{
    job->next = NULL;
    if (lane->ready_tail != NULL)
        lane->ready_tail->next = job;
    else
        lane->ready_head = job;
    lane->ready_tail = job;
}

void bw_ready_add(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    if (job->item.kind == BW_SETTLE_HAND_BACK) {
        bw_handback_add(job);
        return;
    }
    job->place = BW_JOB_READY;
    append_ready(lane, job);
    lane->ready_count++;
    bw_lane_touch(lane);
}

void bw_ready_add_first(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    if (job->item.kind == BW_SETTLE_HAND_BACK) {
        bw_handback_add(job);
        return;
    }
    job->place = BW_JOB_READY;
    job->next = lane->ready_head;
    lane->ready_head = job;
    if (lane->ready_tail == NULL)
        lane->ready_tail = job;
    lane->ready_count++;
    bw_lane_touch(lane);
}

struct bw_job *bw_ready_take(struct bw_lane *lane)
{
    struct bw_job *job = lane->ready_head;

    assert(job != NULL && job->place == BW_JOB_READY);
    lane->ready_head = job->next;
    if (lane->ready_head == NULL)
        lane->ready_tail = NULL;
    lane->ready_count--;
    return job;
}

void bw_intake_answered(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    job->answered = true;
    if (job->place == BW_JOB_GONE) {
        bw_list_remove(&job->node);
        bw_job_destroy(&job);
        return;
    }
    if (atomic_load_explicit(&job->given_up, memory_order_relaxed))
        return; /* too late: it is being put back */
    assert(job->place == BW_JOB_HELD);
    lane->held_count--;
    bw_stop_overrule(job);
    if (bw_outcome_decide(job))
        bw_ready_add(job);
    else
        bw_lane_job_gone(job);
}

void bw_lane_job_gone(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    bw_list_remove(&job->node);
    lane->job_count--;
    count_jobs(lane);
    job->place = BW_JOB_GONE;
    bw_lane_touch(lane);
    if (job->answered)
        bw_job_destroy(&job);
    else
        bw_list_append(&lane->given_up, &job->node);
}

void bw_intake_give_up(struct bw_job *job)
{
    bool unstarted;

    assert(job->place == BW_JOB_HELD);
    if (bw_stop_end(job))
        return;
    atomic_store(&job->given_up, true);
    unstarted = bw_job_take_start(job);
    if (bw_iterations_forget(job))
        job->answered = true;
    bw_job_cancel(job);
    job->lane->held_count--;
    bw_outcome_hand_back(job, unstarted);
    bw_ready_add(job);
}
