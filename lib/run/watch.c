#include "run/watch.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "jobs/lanes.h"
#include "jobs/remote_cancel.h"
#include "run/drain.h"
#include "run/links.h"
#include "run/markers.h"

enum {
    TICK_MS = 1000,
    SLACK_MS = 5000,
    BOUNDS_TO_TELL = 2,
    BOUNDS_TO_END = 4,
    LAST_MS = 2000
};

static void on_tick(void *arg);

/* --- life */

int bw_watch_prepare(struct bw_watch *watch, struct bw_lanes *lanes,
                     struct bw_links *links, struct bw_markers *markers,
                     struct bw_drain *drain, struct bw_error *err)
{
    BW_ASSERT(watch->of == NULL);
    watch->lanes = lanes;
    watch->links = links;
    watch->markers = markers;
    watch->drain = drain;
    watch->of = bw_calloc(lanes->count + 1, sizeof *watch->of);
    if (watch->of == NULL ||
        bw_timer_create(&watch->timer, lanes->caller.loop, on_tick, watch) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return BW_OK;
}

void bw_watch_start(struct bw_watch *watch)
{
    watch->last_tick = bw_caller_now(&watch->lanes->caller);
    bw_timer_start(watch->timer, TICK_MS);
}

void bw_watch_fini(struct bw_watch *watch)
{
    bw_timer_destroy(&watch->timer);
    free(watch->of);
    watch->of = NULL;
}

/* --- the bounds */

static int64_t bound_of(const struct bw_lane *lane)
{
    int64_t own = lane->options.deaf_timeout;

    return own > 0 ? own : 2 * lane->options.drain_delay + SLACK_MS;
}

/* A wait takes as long as drainDelay says before Redis answers it. */
static int64_t wait_bound_of(const struct bw_lane *lane)
{
    int64_t longest = lane->options.drain_delay < BW_MARKERS_WAIT_MS
                          ? lane->options.drain_delay
                          : BW_MARKERS_WAIT_MS;
    int64_t least = 2 * longest + SLACK_MS;

    return lane->options.deaf_timeout > least ? lane->options.deaf_timeout : least;
}

/* --- one lane */

/* A fetch is out, or could be, or what has to come before it. */
static bool wants_jobs(const struct bw_lane *lane)
{
    return bw_settle_is_out(&lane->settling) || bw_adopt_is_due(&lane->adopting) ||
           (bw_lane_can_fetch(lane) && bw_lane_free_slots(lane) > 0);
}

static void end_failed(struct bw_watch *watch, const struct bw_lane *lane)
{
    const struct bw_hearing *hearing = &watch->of[lane->index];

    bw_log(&lane->log, BW_LOG_ERROR, "deaf beyond repair: the worker ends",
           bw_num("deafMs", hearing->deaf_ms), bw_num("unheardMs", hearing->unheard_ms));
    watch->failed = true;
    bw_drain_request(watch->drain, LAST_MS);
}

/* `now_ms` was `before_ms` at the last tick, both without an answer. True: the links were
 * dropped, or it is over. */
static bool judge(struct bw_watch *watch, const struct bw_lane *lane, const char *what,
                  int64_t before_ms, int64_t now_ms, int64_t bound)
{
    BW_ASSERT(bound > 0 && before_ms >= 0);
    if (now_ms >= BOUNDS_TO_END * bound) {
        end_failed(watch, lane);
        return true;
    }
    if (now_ms / bound == before_ms / bound)
        return false;
    bw_log(&lane->log, BW_LOG_ERROR, what, bw_num("deafMs", now_ms));
    bw_links_reset(watch->links, "deaf");
    return true;
}

/* Fetches come and go; what counts for the wait for markers is only that it is answered
 * while it is wanted. Errors are answers too: new links would not change them. */
static bool look_at_wait(struct bw_watch *watch, struct bw_lane *lane, int64_t elapsed)
{
    struct bw_hearing *hearing = &watch->of[lane->index];
    int64_t before = hearing->unheard_ms;

    if (bw_markers_refused(watch->markers))
        hearing->unheard_ms = before = 0;
    else if (bw_lane_wants_marker(lane))
        hearing->unheard_ms += elapsed;
    atomic_store_explicit(&lane->counters.unheard_ms, hearing->unheard_ms,
                          memory_order_relaxed);
    return judge(watch, lane,
                 "no wait for new jobs was answered for too long: connecting anew",
                 before, hearing->unheard_ms, wait_bound_of(lane));
}

/* What was answered since the last tick. */
static void note_answers(struct bw_watch *watch, const struct bw_lane *lane)
{
    struct bw_hearing *hearing = &watch->of[lane->index];
    uint64_t waits = bw_markers_answers(watch->markers, lane->index);

    if (hearing->answers != lane->answers)
        hearing->deaf_ms = 0;
    if (hearing->wait_answers != waits)
        hearing->unheard_ms = 0;
    hearing->answers = lane->answers;
    hearing->wait_answers = waits;
}

/* Adds the time since the last tick. True: the links were dropped, or it is over. */
static bool look_at(struct bw_watch *watch, struct bw_lane *lane, int64_t elapsed)
{
    struct bw_hearing *hearing = &watch->of[lane->index];
    int64_t before = hearing->deaf_ms;

    if (!bw_caller_can_call(lane->caller))
        return false;
    hearing->deaf_ms = wants_jobs(lane) ? before + elapsed : 0;
    if (judge(watch, lane, "no fetch was answered for too long: connecting anew", before,
              hearing->deaf_ms, bound_of(lane)))
        return true;
    return bw_links_can_wait(watch->links) && look_at_wait(watch, lane, elapsed);
}

/* --- all of them */

/* What the first new links did not cure. A frozen Redis does not get here: it gives no
 * link. */
static void publish(struct bw_watch *watch)
{
    bool deaf = false, unheard = false;

    for (size_t i = 0; i < watch->lanes->count; i++) {
        const struct bw_lane *lane = watch->lanes->lane[i];
        const struct bw_hearing *hearing = &watch->of[i];

        deaf = deaf || hearing->deaf_ms >= BOUNDS_TO_TELL * bound_of(lane);
        unheard = unheard || hearing->unheard_ms >= BOUNDS_TO_TELL * wait_bound_of(lane);
    }
    atomic_store(&watch->deaf_now, deaf || unheard);
    atomic_store(&watch->unheard_now, unheard);
    atomic_store(&watch->refused_now, bw_markers_refused(watch->markers));
}

static void on_tick(void *arg)
{
    struct bw_watch *watch = arg;
    struct bw_lanes *lanes = watch->lanes;
    struct bw_mono now = bw_caller_now(&lanes->caller);
    int64_t elapsed = bw_mono_ms_until(watch->last_tick, now);

    bw_timer_start(watch->timer, TICK_MS);
    watch->last_tick = now;
    /* Asleep for a while (suspended, or starved) is not deaf. */
    if (elapsed > 2 * TICK_MS)
        elapsed = 2 * TICK_MS;
    for (size_t i = 0; i < lanes->count; i++)
        note_answers(watch, lanes->lane[i]);
    for (size_t i = 0; i < lanes->count && !lanes->ending.draining; i++) {
        bw_remote_cancel_ask(lanes->lane[i]);
        if (look_at(watch, lanes->lane[i], elapsed))
            break;
    }
    publish(watch);
}
