#include "run/drain.h"

#include "base/assert.h"
#include "jobs/intake.h"
#include "jobs/lanes.h"
#include "run/markers.h"

/* How long Redis may take to answer the last calls: longer than it ever should, shorter
 * than an operator notices. */
enum { GRACE_MS = 500 };

static void on_timer(void *arg);
static void deadline(struct bw_drain *drain);

/* --- life */

void bw_drain_init(struct bw_drain *drain, struct bw_lanes *lanes,
                   struct bw_markers *markers, struct bw_log *log)
{
    drain->lanes = lanes;
    drain->markers = markers;
    drain->log = log;
    atomic_init(&drain->at_ns, INT64_MAX);
}

int bw_drain_prepare(struct bw_drain *drain, struct bw_error *err)
{
    if (bw_timer_create(&drain->timer, drain->lanes->caller.loop, on_timer, drain) !=
        BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return BW_OK;
}

void bw_drain_fini(struct bw_drain *drain)
{
    bw_timer_destroy(&drain->timer);
}

/* --- the beginning */

void bw_drain_request(struct bw_drain *drain, int64_t timeout_ms)
{
    struct bw_mono now = bw_mono_now(drain->lanes->clock);
    int64_t wanted = bw_mono_add_ms(now, timeout_ms > 0 ? timeout_ms : 0).ns;
    int64_t present = atomic_load(&drain->at_ns);

    while (wanted < present &&
           !atomic_compare_exchange_weak(&drain->at_ns, &present, wanted))
        continue;
    bw_loop_wake(drain->lanes->caller.loop);
}

static unsigned count_jobs(const struct bw_drain *drain)
{
    unsigned count = 0;

    for (size_t i = 0; i < drain->lanes->count; i++)
        count += drain->lanes->lane[i]->jobs.count;
    return count;
}

static void touch_lanes(struct bw_drain *drain)
{
    for (size_t i = 0; i < drain->lanes->count; i++)
        bw_lane_touch(drain->lanes->lane[i]);
}

static void begin(struct bw_drain *drain)
{
    struct bw_ending *ending = &drain->lanes->ending;

    BW_ASSERT(!ending->draining && !ending->deadline_passed);
    ending->draining = ending->handbacks_wait = true;
    atomic_store(&drain->draining_now, true);
    bw_log(drain->log, BW_LOG_INFO, "draining", bw_num("jobs", count_jobs(drain)));
    bw_markers_stop(drain->markers);
    touch_lanes(drain);
}

void bw_drain_wake(struct bw_drain *drain)
{
    struct bw_mono at = { atomic_load(&drain->at_ns) };
    int64_t wait;

    if (at.ns == INT64_MAX || drain->ended)
        return;
    if (!drain->lanes->ending.draining)
        begin(drain);
    if (drain->lanes->ending.deadline_passed)
        return;
    wait = bw_mono_ms_until(bw_mono_now(drain->lanes->clock), at);
    if (wait <= 0)
        deadline(drain);
    else if (drain->grace_until.ns == 0) /* else the end is at hand anyway */
        bw_timer_start(drain->timer, wait);
}

/* --- the deadline */

static void start_grace(struct bw_drain *drain)
{
    if (drain->grace_until.ns != 0)
        return;
    drain->grace_until = bw_mono_add_ms(bw_caller_now(&drain->lanes->caller), GRACE_MS);
    bw_timer_start(drain->timer, GRACE_MS / 2);
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
    BW_ASSERT(lane->jobs.held <= lane->jobs.count);
    return count;
}

static void deadline(struct bw_drain *drain)
{
    struct bw_lanes *lanes = drain->lanes;
    unsigned count = 0;

    BW_ASSERT(lanes->ending.draining && !lanes->ending.deadline_passed);
    /* Answers that have arrived count. */
    bw_letterbox_read(&lanes->letters, true);
    lanes->ending.deadline_passed = true;
    for (size_t i = 0; i < lanes->count; i++) {
        count += give_up_jobs(lanes->lane[i]);
        bw_lane_end_pause(lanes->lane[i]); /* the last chance */
        bw_lane_touch(lanes->lane[i]);
    }
    if (count > 0) {
        lanes->ending.handed_back = true;
        bw_log(drain->log, BW_LOG_WARNING,
               "the drain's deadline passed: jobs are handed back",
               bw_num("jobs", count));
    }
    start_grace(drain);
}

/* --- the end */

/* Calls that may have taken jobs which we have not heard of. */
static unsigned count_unheard(const struct bw_drain *drain)
{
    unsigned count = 0;

    for (size_t i = 0; i < drain->lanes->count; i++)
        count += !bw_lane_is_last(drain->lanes->lane[i]);
    return count;
}

static void end(struct bw_drain *drain)
{
    unsigned left = count_jobs(drain), unheard = count_unheard(drain);

    BW_ASSERT(!drain->ended);
    if (left > 0 || unheard > 0) {
        drain->lanes->ending.handed_back = true;
        bw_log(drain->log, BW_LOG_WARNING, "jobs left to the stalled check",
               bw_num("jobs", left), bw_num("unansweredFetches", unheard));
    }
    drain->ended = true;
    bw_loop_stop(drain->lanes->caller.loop);
}

/* What goes back waits for what may still come and belongs behind it, but not for long.
 */
static void end_half_grace(struct bw_drain *drain)
{
    if (drain->half_grace_over)
        return;
    drain->half_grace_over = true;
    drain->lanes->ending.handbacks_wait = false;
    touch_lanes(drain);
}

static void on_timer(void *arg)
{
    struct bw_drain *drain = arg;
    int64_t left;

    if (drain->ended)
        return;
    if (drain->grace_until.ns == 0) {
        deadline(drain);
        return;
    }
    end_half_grace(drain);
    left = bw_mono_ms_until(bw_caller_now(&drain->lanes->caller), drain->grace_until);
    if (left > 0) /* a timer may be early by a part of a millisecond */
        bw_timer_start(drain->timer, left);
    else
        end(drain);
}

/* No more job can come to a handler: it may end what runs them. */
static void tell_last(struct bw_drain *drain)
{
    for (size_t i = 0; i < drain->lanes->count; i++) {
        struct bw_lane *lane = drain->lanes->lane[i];

        if (bw_lane_is_last(lane) || drain->lanes->ending.deadline_passed)
            bw_lane_tell_last(lane);
    }
}

/* Beside jobs: a wait that is being broken (a marker it pops now has to go back), and
 * calls whose answers change nothing, so that they are not cut off on their way. */
static bool is_quiet(const struct bw_drain *drain)
{
    return !bw_markers_waiting(drain->markers) &&
           bw_conn_pending(drain->lanes->caller.conn) == 0;
}

void bw_drain_turn(struct bw_drain *drain)
{
    const struct bw_lanes *lanes = drain->lanes;
    bool idle;

    if (!lanes->ending.draining || drain->ended)
        return;
    tell_last(drain);
    idle = count_jobs(drain) == 0 && count_unheard(drain) == 0 &&
           !bw_effects_pending(&lanes->effects);
    if (idle && is_quiet(drain))
        end(drain);
    else if (idle)
        start_grace(drain);
    else if (lanes->ending.deadline_passed && !bw_caller_can_call(&lanes->caller))
        end(drain); /* Redis is away: nobody will answer */
}
