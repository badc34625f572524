#include "run/drain.h"

#include "jobs/job.h"
#include "jobs/lane.h"
#include "run/reactor.h"

/* How long Redis may take to answer the last calls: longer than it ever should, shorter
 * than an operator notices. */
enum { GRACE_MS = 500 };

void bw_drain_request(struct bw_reactor *reactor, int64_t timeout_ms)
{
    struct bw_mono now = bw_mono_now(reactor->clock);
    int64_t wanted = bw_mono_add_ms(now, timeout_ms > 0 ? timeout_ms : 0).ns;
    int64_t present = atomic_load(&reactor->drain_at_ns);

    while (wanted < present &&
           !atomic_compare_exchange_weak(&reactor->drain_at_ns, &present, wanted))
        continue;
    bw_loop_wake(reactor->loop);
}

/* --- the end */

static unsigned count_jobs(const struct bw_reactor *reactor)
{
    unsigned count = 0;

    for (size_t i = 0; i < reactor->lane_count; i++)
        count += reactor->lanes[i]->job_count;
    return count;
}

/* Calls that may have taken jobs which we have not heard of. */
static unsigned count_unheard(const struct bw_reactor *reactor)
{
    unsigned count = 0;

    for (size_t i = 0; i < reactor->lane_count; i++)
        count += !bw_lane_is_last(reactor->lanes[i]);
    return count;
}

static void end(struct bw_reactor *reactor)
{
    unsigned left = count_jobs(reactor), unheard = count_unheard(reactor);

    if (left > 0 || unheard > 0) {
        reactor->handed_back = true;
        bw_log(&reactor->log, BW_LOG_WARNING, "jobs left to the stalled check",
               bw_num("jobs", left), bw_num("unansweredFetches", unheard));
    }
    reactor->ended = true;
    bw_loop_stop(reactor->loop);
}

static void start_grace(struct bw_reactor *reactor)
{
    if (reactor->grace_until.ns != 0)
        return;
    reactor->grace_until = bw_mono_add_ms(bw_reactor_now(reactor), GRACE_MS);
    bw_timer_start(reactor->drain_timer, GRACE_MS / 2);
}

/* --- the deadline */

static void touch_queues(struct bw_reactor *reactor)
{
    for (size_t i = 0; i < reactor->lane_count; i++)
        bw_lane_touch(reactor->lanes[i]);
}

/* What a fetch under way brings was fetched later than what is handed back already, and
 * belongs behind it: they wait for each other, but not for long. */
bool bw_drain_holds_handbacks(const struct bw_lane *lane)
{
    const struct bw_reactor *reactor = lane->reactor;

    return reactor->draining && !reactor->half_grace_over && !bw_lane_is_last(lane);
}

static unsigned give_up_jobs(struct bw_lane *lane)
{
    unsigned count = 0;
    struct bw_job *job, *next;

    for (job = bw_lane_next_job(lane, NULL); job != NULL; job = next) {
        next = bw_lane_next_job(lane, job);
        if (job->place != BW_JOB_HELD)
            continue;
        bw_intake_give_up(job);
        count++;
    }
    return count;
}

static void deadline(struct bw_reactor *reactor)
{
    unsigned count = 0;

    /* Answers that have arrived count. */
    bw_letterbox_read(&reactor->letters, true);
    reactor->deadline_passed = true;
    for (size_t i = 0; i < reactor->lane_count; i++) {
        count += give_up_jobs(reactor->lanes[i]);
        reactor->lanes[i]->retry_at.ns = 0; /* the last chance */
        bw_lane_touch(reactor->lanes[i]);
    }
    if (count > 0) {
        reactor->handed_back = true;
        bw_log(&reactor->log, BW_LOG_WARNING,
               "the drain's deadline passed: jobs are handed back",
               bw_num("jobs", count));
    }
    start_grace(reactor);
}

static void on_timer(void *arg)
{
    struct bw_reactor *reactor = arg;
    int64_t left;

    if (reactor->ended)
        return;
    if (reactor->grace_until.ns == 0) {
        deadline(reactor);
        return;
    }
    if (!reactor->half_grace_over) {
        reactor->half_grace_over = true;
        touch_queues(reactor);
    }
    left = bw_mono_ms_until(bw_reactor_now(reactor), reactor->grace_until);
    if (left > 0) /* a timer may be early by a part of a millisecond */
        bw_timer_start(reactor->drain_timer, left);
    else
        end(reactor);
}

/* --- the beginning */

static void begin(struct bw_reactor *reactor)
{
    reactor->draining = true;
    atomic_store(&reactor->draining_now, true);
    bw_log(&reactor->log, BW_LOG_INFO, "draining", bw_num("jobs", count_jobs(reactor)));
    bw_markers_stop(reactor);
    touch_queues(reactor);
}

void bw_drain_wake(struct bw_reactor *reactor)
{
    struct bw_mono at = { atomic_load(&reactor->drain_at_ns) };
    int64_t wait;

    if (at.ns == INT64_MAX || reactor->ended)
        return;
    if (!reactor->draining)
        begin(reactor);
    if (reactor->deadline_passed)
        return;
    wait = bw_mono_ms_until(bw_mono_now(reactor->clock), at);
    if (wait <= 0)
        deadline(reactor);
    else if (reactor->grace_until.ns == 0) /* else the end is at hand anyway */
        bw_timer_start(reactor->drain_timer, wait);
}

/* No more job can come to a handler: it may end what runs them. */
static void tell_last(struct bw_reactor *reactor)
{
    for (size_t i = 0; i < reactor->lane_count; i++) {
        struct bw_lane *lane = reactor->lanes[i];

        if (lane->told_last || !(bw_lane_is_last(lane) || reactor->deadline_passed))
            continue;
        lane->told_last = true;
        bw_lane_tell(lane, BW_EVENT_LAST, (struct bw_text){ NULL, 0 });
    }
}

/* Beside jobs: a wait that is being broken (a marker it pops now has to go back), and
 * calls whose answers change nothing, so that they are not cut off on their way. */
static bool is_quiet(const struct bw_reactor *reactor)
{
    return !bw_markers_waiting(&reactor->markers) &&
           bw_conn_pending(reactor->links.command) == 0;
}

void bw_drain_turn(struct bw_reactor *reactor)
{
    bool idle;

    if (!reactor->draining || reactor->ended)
        return;
    tell_last(reactor);
    idle = count_jobs(reactor) == 0 && count_unheard(reactor) == 0 &&
           !bw_effects_pending(reactor);
    if (idle && is_quiet(reactor))
        end(reactor);
    else if (idle)
        start_grace(reactor);
    else if (reactor->deadline_passed && !bw_reactor_can_call(reactor))
        end(reactor); /* Redis is away: nobody will answer */
}

int bw_drain_prepare(struct bw_reactor *reactor, struct bw_error *err)
{
    if (bw_timer_create(&reactor->drain_timer, reactor->loop, on_timer, reactor) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return BW_OK;
}

void bw_drain_fini(struct bw_reactor *reactor)
{
    bw_timer_destroy(&reactor->drain_timer);
}
