#include "run/watch.h"

#include "run/drain.h"
#include "jobs/lane.h"
#include "run/reactor.h"
#include "jobs/remote_cancel.h"

enum {
    TICK_MS = 1000,
    SLACK_MS = 5000,
    BOUNDS_TO_TELL = 2,
    BOUNDS_TO_END = 4,
    LAST_MS = 2000
};

/* A fetch is out, or could be, or what has to come before it. */
static bool wants_jobs(const struct bw_lane *lane)
{
    return lane->calls_out > 0 || lane->adopt_wanted || lane->adopting ||
           (bw_lane_can_fetch(lane) && bw_lane_free_slots(lane) > 0);
}

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

static void end_failed(struct bw_lane *lane)
{
    struct bw_reactor *reactor = lane->reactor;

    bw_log(&lane->log, BW_LOG_ERROR, "deaf beyond repair: the worker ends",
           bw_num("deafMs", lane->deaf_ms), bw_num("unheardMs", lane->unheard_ms));
    reactor->failed = true;
    bw_drain_request(reactor, LAST_MS);
}

/* `now_ms` was `before_ms` at the last tick, both without an answer. True: the links were
 * dropped, or it is over. */
static bool judge(struct bw_lane *lane, const char *what, int64_t before_ms,
                  int64_t now_ms, int64_t bound)
{
    if (now_ms >= BOUNDS_TO_END * bound) {
        end_failed(lane);
        return true;
    }
    if (now_ms / bound == before_ms / bound)
        return false;
    bw_log(&lane->log, BW_LOG_ERROR, what, bw_num("deafMs", now_ms));
    bw_links_reset(lane->reactor, "deaf");
    return true;
}

/* Fetches come and go; what counts for the wait for markers is only that it is answered
 * while it is wanted. Errors are answers too: new links would not change them. */
static bool look_at_wait(struct bw_lane *lane, int64_t elapsed)
{
    int64_t before = lane->unheard_ms;

    if (bw_markers_refused(&lane->reactor->markers))
        lane->unheard_ms = before = 0;
    else if (bw_lane_wants_marker(lane))
        lane->unheard_ms += elapsed;
    atomic_store_explicit(&lane->counters.unheard_ms, lane->unheard_ms,
                          memory_order_relaxed);
    return judge(lane, "no wait for new jobs was answered for too long: connecting anew",
                 before, lane->unheard_ms, wait_bound_of(lane));
}

/* Adds the time since the last tick. True: the links were dropped, or it is over. */
static bool look_at(struct bw_lane *lane, int64_t elapsed)
{
    int64_t before = lane->deaf_ms;

    if (!bw_reactor_can_call(lane->reactor))
        return false;
    lane->deaf_ms = wants_jobs(lane) ? before + elapsed : 0;
    if (judge(lane, "no fetch was answered for too long: connecting anew", before,
              lane->deaf_ms, bound_of(lane)))
        return true;
    return bw_conn_is_ready(lane->reactor->links.blocking) && look_at_wait(lane, elapsed);
}

/* What the first new links did not cure. A frozen Redis does not get here: it gives no
 * link. */
static void publish(struct bw_reactor *reactor)
{
    bool deaf = false, unheard = false;

    for (size_t i = 0; i < reactor->lane_count; i++) {
        const struct bw_lane *lane = reactor->lanes[i];

        deaf = deaf || lane->deaf_ms >= BOUNDS_TO_TELL * bound_of(lane);
        unheard = unheard || lane->unheard_ms >= BOUNDS_TO_TELL * wait_bound_of(lane);
    }
    atomic_store(&reactor->deaf_now, deaf || unheard);
    atomic_store(&reactor->unheard_now, unheard);
    atomic_store(&reactor->refused_now, bw_markers_refused(&reactor->markers));
}

static void on_tick(void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_mono now = bw_reactor_now(reactor);
    int64_t elapsed = bw_mono_ms_until(reactor->last_tick, now);

    bw_timer_start(reactor->tick, TICK_MS);
    reactor->last_tick = now;
    /* Asleep for a while (suspended, or starved) is not deaf. */
    if (elapsed > 2 * TICK_MS)
        elapsed = 2 * TICK_MS;
    for (size_t i = 0; i < reactor->lane_count && !reactor->draining; i++) {
        bw_remote_cancel_ask(reactor->lanes[i]);
        if (look_at(reactor->lanes[i], elapsed))
            break;
    }
    publish(reactor);
}

int bw_watch_prepare(struct bw_reactor *reactor, struct bw_error *err)
{
    if (bw_timer_create(&reactor->tick, reactor->loop, on_tick, reactor) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return BW_OK;
}

void bw_watch_start(struct bw_reactor *reactor)
{
    reactor->last_tick = bw_reactor_now(reactor);
    bw_timer_start(reactor->tick, TICK_MS);
}

void bw_watch_fini(struct bw_reactor *reactor)
{
    bw_timer_destroy(&reactor->tick);
}
