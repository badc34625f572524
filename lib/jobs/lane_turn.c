#include "jobs/lane_turn.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "jobs/adopt.h"
#include "jobs/handback.h"
#include "jobs/iterations.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"
#include "jobs/ready.h"
#include "jobs/renew.h"
#include "jobs/settle.h"
#include "jobs/stalled.h"

static void on_timer(void *arg);

int bw_turn_init(struct bw_lane *lane)
{
    return bw_timer_create(&lane->timer, lane->caller->loop, on_timer, lane);
}

void bw_turn_fini(struct bw_lane *lane)
{
    bw_timer_destroy(&lane->timer);
}

void bw_turn_recover(struct bw_lane *lane)
{
    bw_lane_end_pause(lane);
    bw_lane_end_fetch_pause(lane);
    bw_stalled_start(lane);
    bw_adopt_send(lane);
    bw_renew_all(lane);
    bw_lane_wake(lane);
}

/* --- settling and fetching */

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* The last call was full, so the next one will find jobs as well: no need to wait for its
 * reply. */
static bool has_plenty(const struct bw_lane *lane)
{
    return !bw_settle_is_out(&lane->settling) || lane->known.plenty;
}

/* One settle call, if there is anything to settle or to fetch. */
static bool send_one(struct bw_lane *lane)
{
    unsigned batch = lane->settling.batch;
    unsigned items = smaller(lane->ready.count, batch);
    unsigned take = 0;
    /* After a refusal: one job at a time and apart from fetching, so that what cannot be
     * done holds up nothing else. */
    bool careful = lane->pause.refusals > 0 || bw_ready_is_alone(lane);

    if (careful)
        items = smaller(items, 1);
    if (bw_lane_can_fetch(lane) && !(careful && items > 0))
        take = bw_steer_limit(&lane->steer,
                              smaller(bw_lane_slots_after(lane, items), batch));
    if (items == 0 && (take == 0 || lane->known.drained || !has_plenty(lane)))
        return false;
    if (!bw_settle_send(lane, items, take))
        return false;
    bw_steer_count(&lane->steer, take);
    return true;
}

/* --- the turn */

static void set_timer(struct bw_lane *lane)
{
    struct bw_mono now = bw_caller_now(lane->caller);
    int64_t wait = INT64_MAX;

    if (bw_lane_in_pause(lane))
        wait = bw_mono_ms_until(now, lane->pause.until);
    else if (bw_lane_in_fetch_pause(lane))
        wait = bw_mono_ms_until(now, lane->fetch_pause.until);
    else if (bw_known_is_limited(&lane->known, now))
        wait = bw_mono_ms_until(now, lane->known.limit_until);
    else if (bw_lane_wants_marker(lane))
        wait = bw_known_wait(&lane->known, now, bw_caller_wall(lane->caller));
    if (wait != INT64_MAX)
        bw_timer_start(lane->timer, wait > 0 ? wait : 1);
    else if (bw_timer_is_running(lane->timer))
        bw_timer_stop(lane->timer);
}

void bw_turn(struct bw_lane *lane)
{
    struct bw_caller *caller = lane->caller;

    BW_ASSERT(bw_caller_can_call(caller));
    bw_known_end_waits(&lane->known, bw_caller_now(caller), bw_caller_wall(caller));
    if (!bw_lane_in_pause(lane)) {
        bw_effects_flush(&lane->lanes->effects); /* what the pause has held up */
        bw_iterations_send(lane);
        bw_handback_send(lane);
        bw_adopt_send(lane);
        while (lane->settling.calls_out < BW_SETTLE_CALLS && send_one(lane))
            continue;
    }
    set_timer(lane);
}

static void on_timer(void *arg)
{
    struct bw_lane *lane = arg;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC);
    bw_lane_touch(lane);
}
