#include "jobs/queue_loop.h"

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

void bw_queue_touch(struct bw_queue_loop *queue)
{
    if (queue->touched)
        return;
    queue->touched = true;
    queue->next_touched = queue->reactor->touched;
    queue->reactor->touched = queue;
}

void bw_queue_wake(struct bw_queue_loop *queue)
{
    queue->drained = false;
    queue->woken = true;
    bw_queue_touch(queue);
}

/* --- what may be done */

bool bw_queue_in_pause(const struct bw_queue_loop *queue)
{
    return bw_mono_before(bw_reactor_now(queue->reactor), queue->retry_at);
}

static bool in_fetch_pause(const struct bw_queue_loop *queue)
{
    return bw_mono_before(bw_reactor_now(queue->reactor), queue->fetch_at);
}

static bool is_limited(const struct bw_queue_loop *queue)
{
    return bw_mono_before(bw_reactor_now(queue->reactor), queue->limit_until);
}

bool bw_queue_can_fetch(const struct bw_queue_loop *queue)
{
    return !queue->reactor->draining && !atomic_load(&queue->quiet) &&
           (!atomic_load(&queue->held) || atomic_load(&queue->let) > 0) &&
           !queue->adopt_wanted && !queue->adopting && !is_limited(queue) &&
           !bw_queue_in_pause(queue) && !in_fetch_pause(queue);
}

/* Free once the ends of `items` ready jobs are recorded. */
static unsigned slots_after(const struct bw_queue_loop *queue, unsigned items)
{
    unsigned used = queue->held_count + queue->ready_count - items + queue->reserved;

    return used < queue->options.concurrency ? queue->options.concurrency - used : 0;
}

unsigned bw_queue_free_slots(const struct bw_queue_loop *queue)
{
    return slots_after(queue, 0);
}

bool bw_queue_is_last(const struct bw_queue_loop *queue)
{
    return queue->reserved == 0 && !queue->adopt_wanted && !queue->adopting &&
           queue->plan_head == NULL && queue->plan_calls == 0;
}

bool bw_queue_wants_marker(const struct bw_queue_loop *queue)
{
    return queue->drained && bw_queue_free_slots(queue) > 0 && bw_queue_can_fetch(queue);
}

/* --- what is sent */

/* The last call was full, so the next one will find jobs as well: no need to wait for its
 * reply. */
static bool has_plenty(const struct bw_queue_loop *queue)
{
    return queue->calls_out == 0 || queue->plenty;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many jobs may be fetched of a queue whose handler can run none. */
static unsigned let_through(struct bw_queue_loop *queue, unsigned take)
{
    return atomic_load(&queue->held) ? smaller(take, atomic_load(&queue->let)) : take;
}

static void count_let(struct bw_queue_loop *queue, unsigned take)
{
    unsigned let = atomic_load(&queue->let);

    while (let > 0 &&
           !atomic_compare_exchange_weak(&queue->let, &let, let > take ? let - take : 0))
        continue;
}

/* One settle call, if there is anything to settle or to fetch. */
static bool send_one(struct bw_queue_loop *queue)
{
    unsigned items = smaller(queue->ready_count, queue->batch);
    unsigned take = 0;
    bool careful;

    /* After a refusal: one job at a time and apart from fetching, so that what cannot be
     * done holds up nothing else. */
    careful = queue->refusals > 0 || (items > 0 && queue->ready_head->alone);
    if (careful)
        items = smaller(items, 1);
    if (bw_queue_can_fetch(queue) && !(careful && items > 0))
        take = let_through(queue, smaller(slots_after(queue, items), queue->batch));
    if (items == 0 && (take == 0 || queue->drained || !has_plenty(queue)))
        return false;
    if (!bw_settle_send(queue, items, take))
        return false;
    count_let(queue, take);
    return true;
}

/* A drained queue is fetched from when its next delayed job is due, and every drainDelay:
 * not every change sets a marker (§10.4). */
static void end_waits(struct bw_queue_loop *queue)
{
    struct bw_reactor *reactor = queue->reactor;
    struct bw_mono now = bw_reactor_now(reactor);

    if (queue->limit_until.ns != 0 && !is_limited(queue)) {
        queue->limit_until.ns = 0;
        queue->drained = false;
    }
    if (!queue->drained)
        return;
    if (queue->due_ms > 0 && bw_loop_wall(reactor->loop).ms >= queue->due_ms) {
        queue->due_ms = 0;
        queue->drained = false;
    } else if (!bw_mono_before(now, queue->poll_at)) {
        queue->drained = false;
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void set_timer(struct bw_queue_loop *queue)
{
    struct bw_reactor *reactor = queue->reactor;
    struct bw_mono now = bw_reactor_now(reactor);
    int64_t wait = INT64_MAX;

    if (bw_queue_in_pause(queue))
        wait = bw_mono_ms_until(now, queue->retry_at);
    else if (in_fetch_pause(queue))
        wait = bw_mono_ms_until(now, queue->fetch_at);
    else if (is_limited(queue))
        wait = bw_mono_ms_until(now, queue->limit_until);
    else if (queue->drained && bw_queue_free_slots(queue) > 0 &&
             bw_queue_can_fetch(queue)) {
        wait = bw_mono_ms_until(now, queue->poll_at);
        if (queue->due_ms > 0)
            wait = sooner(wait, queue->due_ms - bw_loop_wall(reactor->loop).ms);
    }
    if (wait != INT64_MAX)
        bw_timer_start(queue->timer, wait > 0 ? wait : 1);
    else if (bw_timer_is_running(queue->timer))
        bw_timer_stop(queue->timer);
}

void bw_queue_turn(struct bw_queue_loop *queue)
{
    if (!bw_reactor_can_call(queue->reactor))
        return; /* bw_queue_recover() touches every queue */
    end_waits(queue);
    bw_markers_return_owed(queue);
    if (!bw_queue_in_pause(queue)) {
        bw_effects_flush(queue->reactor); /* what the pause has held up */
        bw_iterations_send(queue);
        if (!bw_drain_holds_handbacks(queue))
            bw_handback_send(queue);
        if (queue->adopt_wanted && !queue->adopting)
            bw_adopt_send(queue);
        while (queue->calls_out < BW_SETTLE_CALLS && send_one(queue))
            continue;
    }
    set_timer(queue);
    bw_markers_touch(queue->reactor);
}

static void tell(struct bw_queue_loop *queue, struct bw_event event)
{
    event.queue = queue->name;
    if (queue->handler.event != NULL)
        queue->handler.event(&event, queue->handler_arg);
}

void bw_queue_tell(struct bw_queue_loop *queue, enum bw_event_kind kind,
                   struct bw_text id)
{
    tell(queue, (struct bw_event){ .kind = kind, .id = id.data, .id_len = id.len });
}

void bw_queue_tell_error(struct bw_queue_loop *queue, const char *error)
{
    tell(queue, (struct bw_event){
                    .kind = BW_EVENT_ERROR, .error = error, .error_len = strlen(error) });
}

void bw_queue_tell_of(const struct bw_job *job, struct bw_event event)
{
    event.job = job;
    event.id = job->data.id.data;
    event.id_len = job->data.id.len;
    tell(job->queue, event);
}

void bw_queue_recover(struct bw_queue_loop *queue)
{
    queue->retry_at.ns = queue->fetch_at.ns = 0;
    bw_stalled_start(queue);
    if (queue->adopt_wanted)
        bw_adopt_send(queue);
    bw_renew_all(queue);
    bw_queue_wake(queue);
}

/* Longer each time. */
static int64_t pause_after(const struct bw_queue_loop *queue, unsigned refusals)
{
    int64_t pause = FIRST_RETRY_MS;

    for (unsigned i = 0; i < refusals && pause < queue->options.run_retry_delay; i++)
        pause *= 2;
    return sooner(pause, queue->options.run_retry_delay);
}

/* What was told a moment ago is not told again. */
static bool is_news(struct bw_queue_loop *queue, struct bw_refused *refused,
                    const char *why)
{
    struct bw_mono now = bw_reactor_now(queue->reactor);

    if (refused->told.ns != 0 &&
        bw_mono_before(now, bw_mono_add_ms(refused->told, TELL_AGAIN_MS)) &&
        strncmp(refused->text, why, sizeof refused->text - 1) == 0)
        return false;
    (void)snprintf(refused->text, sizeof refused->text, "%s", why);
    refused->told = now;
    return true;
}

void bw_queue_trouble(struct bw_queue_loop *queue, const char *why)
{
    if (!is_news(queue, &queue->trouble, why))
        return;
    bw_log(&queue->log, BW_LOG_WARNING, "Redis refuses what goes with the ends of jobs",
           bw_text("error", why));
    bw_queue_tell_error(queue, why);
}

/* The ends of the same call are recorded; jobs are asked for again after a pause. */
static void fetch_refused(struct bw_queue_loop *queue, const char *why)
{
    int64_t pause = pause_after(queue, queue->fetch_refusals);

    queue->fetch_refusals++;
    queue->fetch_at = bw_mono_add_ms(bw_reactor_now(queue->reactor), pause);
    queue->plenty = queue->drained = false;
    bw_queue_touch(queue);
    if (!is_news(queue, &queue->no_jobs, why))
        return;
    bw_log(&queue->log, BW_LOG_ERROR, "Redis gives no jobs", bw_text("error", why),
           bw_num("retryMs", pause));
    bw_queue_tell_error(queue, why);
}

void bw_queue_refused(struct bw_queue_loop *queue, const char *what,
                      const struct bw_error *err)
{
    int64_t pause = pause_after(queue, queue->refusals);

    queue->refusals++;
    queue->deaf_ms = 0; /* it was an answer */
    queue->retry_at = bw_mono_add_ms(bw_reactor_now(queue->reactor), pause);
    bw_log(&queue->log, BW_LOG_WARNING, "Redis refuses a call", bw_text("call", what),
           bw_text("error", err->text), bw_num("retryMs", pause));
    bw_queue_tell_error(queue, err->text);
    bw_queue_touch(queue);
}

/* --- what replies bring */

/* By somebody's Queue.pause(), for all workers; ours learn of it when they fetch. */
static void note_paused(struct bw_queue_loop *queue, bool paused)
{
    if (atomic_exchange(&queue->counters.paused, paused) != paused)
        bw_log(&queue->log, BW_LOG_INFO,
               paused ? "the queue is paused for all workers" : "the queue goes on");
}

void bw_queue_fetched(struct bw_queue_loop *queue, const struct bw_settle_reply *reply,
                      unsigned asked)
{
    struct bw_reactor *reactor = queue->reactor;
    struct bw_mono now = bw_reactor_now(reactor);
    int64_t limit = sooner(reply->limit_ttl_ms, queue->options.maximum_rate_limit_delay);

    atomic_store_explicit(&queue->counters.last_fetch_ms, bw_loop_wall(reactor->loop).ms,
                          memory_order_relaxed);
    if (reply->job_count > 0)
        atomic_store_explicit(&queue->counters.last_job_ms,
                              bw_loop_wall(reactor->loop).ms, memory_order_relaxed);
    note_paused(queue, reply->paused);
    if (limit > 0)
        queue->limit_until = bw_mono_add_ms(now, limit);
    queue->plenty = reply->job_count >= asked;
    /* What was added after this call was executed may have been announced before its
     * reply. */
    queue->drained = !queue->plenty && !queue->woken && reply->refusal == NULL;
    if (reply->job_count > 0)
        queue->told_drained = false;
    if (queue->drained && !queue->told_drained) {
        queue->told_drained = true;
        bw_queue_tell(queue, BW_EVENT_DRAINED, no_id);
    }
    if (reply->ghosts > 0)
        bw_log(&queue->log, BW_LOG_WARNING, "ids without a job dropped",
               bw_num("ids", reply->ghosts));
    if (reply->refusal == NULL && (reply->next_due_ms > 0 || reply->job_count == 0))
        queue->due_ms = reply->next_due_ms;
    queue->poll_at = bw_mono_add_ms(now, queue->options.drain_delay);
    if (reply->refusal != NULL)
        fetch_refused(queue, reply->refusal);
    else
        queue->fetch_refusals = 0;
}

struct bw_job *bw_queue_next_job(const struct bw_queue_loop *queue,
                                 const struct bw_job *job)
{
    const struct bw_list *next = job != NULL ? job->node.next : queue->jobs.next;

    return next != &queue->jobs ? BW_LIST_OF(next, struct bw_job, node) : NULL;
}

struct bw_job *bw_queue_find_held(const struct bw_queue_loop *queue, struct bw_text id)
{
    for (struct bw_job *job = NULL; (job = bw_queue_next_job(queue, job)) != NULL;) {
        if (job->place == BW_JOB_HELD && job->data.id.len == id.len &&
            memcmp(job->data.id.data, id.data, id.len) == 0)
            return job;
    }
    return NULL;
}

static void count_jobs(struct bw_queue_loop *queue)
{
    atomic_store_explicit(&queue->counters.in_flight, queue->job_count,
                          memory_order_relaxed);
}

static void enter_job(struct bw_queue_loop *queue, struct bw_job *job,
                      struct bw_mono since)
{
    bw_log_child_field(&job->log, &queue->log,
                       bw_text_len("job", job->data.id.data, job->data.id.len));
    job->renewed = since;
    atomic_store_explicit(&job->lock_until_ns,
                          bw_mono_add_ms(since, queue->options.lock_duration).ns,
                          memory_order_relaxed);
    job->place = BW_JOB_HELD;
    bw_list_append(&queue->jobs, &job->node);
    queue->job_count++;
    queue->held_count++;
    count_jobs(queue);
}

/* A job whose hash is gone has no name: it is nobody's (§4.2, BMQ-065). */
static void drop_ghost(struct bw_queue_loop *queue, const struct bw_job *job)
{
    struct bw_cmd *cmd = bw_reactor_cmd(queue->reactor);

    bw_log(&queue->log, BW_LOG_WARNING, "job without data dropped",
           bw_text_len("job", job->data.id.data, job->data.id.len));
    bw_drop_ghost_build(cmd, &queue->keys, job->data.id);
    /* A failure is left to the stalled check, which brings the ghost here again. */
    bw_reactor_tell(queue->reactor, cmd, queue);
}

/* §5.1: some jobs are failed without being run. */
static bool is_refused(struct bw_job *job)
{
    int64_t most = job->queue->options.max_started_attempts;

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
static void forgo_job(struct bw_queue_loop *queue, const struct bw_error *err,
                      uint64_t first_token)
{
    bw_log(&queue->log, BW_LOG_ERROR, "a job could not be taken in",
           bw_text("error", err->text));
    if (err->code != BW_ENOMEM)
        return; /* it would be no better the next time: the stalled check counts it */
    bw_adopt_want(queue, first_token);
    bw_queue_refused(queue, "fetch", err);
}

uint64_t bw_queue_token_number(const struct bw_job *job)
{
    const struct bw_queue_loop *queue = job->queue;
    size_t skip = strlen(queue->token_prefix);

    if (job->data.token.data == NULL || job->data.token.len <= skip)
        return 0;
    return strtoull(job->data.token.data + skip, NULL, 10);
}

/* It came after the deadline. */
static void return_job(struct bw_job *job)
{
    job->answered = true;
    bw_queue_give_up(job);
}

void bw_queue_begin(struct bw_job *job)
{
    struct bw_queue_loop *queue = job->queue;

    if (queue->reactor->deadline_passed)
        return_job(job);
    else if (is_refused(job))
        bw_queue_answered(job);
    else {
        bw_stop_watch(job);
        if (queue->handler.process_batch != NULL)
            bw_batch_add(job);
        else if (queue->handler.inline_)
            bw_job_run(job);
        else
            bw_reactor_run_later(queue->reactor, job);
    }
}

void bw_queue_start_job(struct bw_queue_loop *queue, const struct bw_reply *fields,
                        struct bw_mono since, uint64_t first_token)
{
    struct bw_error err = { BW_ENOMEM, "out of memory" };
    struct bw_job *job = bw_job_create(queue->reactor);

    if (job == NULL) {
        forgo_job(queue, &err, first_token);
        return;
    }
    job->queue = queue;
    if (bw_job_data_decode(&job->data, fields, &err) != BW_OK) {
        forgo_job(queue, &err, first_token);
        bw_job_destroy(&job);
        return;
    }
    if (bw_queue_token_number(job) < first_token) {
        bw_job_destroy(&job);
        return;
    }
    if (job->data.name.data == NULL) {
        drop_ghost(queue, job);
        bw_job_destroy(&job);
        return;
    }
    enter_job(queue, job, since);
    bw_log(&job->log, BW_LOG_DEBUG, "job taken",
           bw_num("attempt", job->data.attempts_started));
    if (job->data.repeat_key.data != NULL && !queue->reactor->deadline_passed)
        bw_iterations_want(job);
    else
        bw_queue_begin(job);
}

/* --- the way of a job's end */

static void append_ready(struct bw_queue_loop *queue, struct bw_job *job)
{
    job->next = NULL;
    if (queue->ready_tail != NULL)
        queue->ready_tail->next = job;
    else
        queue->ready_head = job;
    queue->ready_tail = job;
}

void bw_queue_ready(struct bw_job *job)
{
    struct bw_queue_loop *queue = job->queue;

    if (job->item.kind == BW_SETTLE_HAND_BACK) {
        bw_handback_add(job);
        return;
    }
    job->place = BW_JOB_READY;
    append_ready(queue, job);
    queue->ready_count++;
    bw_queue_touch(queue);
}

void bw_queue_ready_first(struct bw_job *job)
{
    struct bw_queue_loop *queue = job->queue;

    if (job->item.kind == BW_SETTLE_HAND_BACK) {
        bw_handback_add(job);
        return;
    }
    job->place = BW_JOB_READY;
    job->next = queue->ready_head;
    queue->ready_head = job;
    if (queue->ready_tail == NULL)
        queue->ready_tail = job;
    queue->ready_count++;
    bw_queue_touch(queue);
}

struct bw_job *bw_queue_take_ready(struct bw_queue_loop *queue)
{
    struct bw_job *job = queue->ready_head;

    assert(job != NULL && job->place == BW_JOB_READY);
    queue->ready_head = job->next;
    if (queue->ready_head == NULL)
        queue->ready_tail = NULL;
    queue->ready_count--;
    return job;
}

void bw_queue_answered(struct bw_job *job)
{
    struct bw_queue_loop *queue = job->queue;

    job->answered = true;
    if (job->place == BW_JOB_GONE) {
        bw_list_remove(&job->node);
        bw_job_destroy(&job);
        return;
    }
    if (atomic_load_explicit(&job->given_up, memory_order_relaxed))
        return; /* too late: it is being put back */
    assert(job->place == BW_JOB_HELD);
    queue->held_count--;
    bw_stop_overrule(job);
    if (bw_outcome_decide(job))
        bw_queue_ready(job);
    else
        bw_queue_job_gone(job);
}

void bw_queue_job_gone(struct bw_job *job)
{
    struct bw_queue_loop *queue = job->queue;

    bw_list_remove(&job->node);
    queue->job_count--;
    count_jobs(queue);
    job->place = BW_JOB_GONE;
    bw_queue_touch(queue);
    if (job->answered)
        bw_job_destroy(&job);
    else
        bw_list_append(&queue->given_up, &job->node);
}

void bw_queue_give_up(struct bw_job *job)
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
    job->queue->held_count--;
    bw_outcome_hand_back(job, unstarted);
    bw_queue_ready(job);
}
