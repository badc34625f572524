#include "run/watch.h"

#include "run/drain.h"
#include "run/queue_loop.h"
#include "run/reactor.h"
#include "run/remote_cancel.h"

enum {
    TICK_MS = 1000,
    SLACK_MS = 5000,
    BOUNDS_TO_TELL = 2,
    BOUNDS_TO_END = 4,
    LAST_MS = 2000
};

/* A fetch is out, or could be, or what has to come before it. */
static bool wants_jobs(const struct bw_queue_loop *queue)
{
    return queue->calls_out > 0 || queue->adopt_wanted || queue->adopting ||
           (bw_queue_can_fetch(queue) && bw_queue_free_slots(queue) > 0);
}

static int64_t bound_of(const struct bw_queue_loop *queue)
{
    int64_t own = queue->options.deaf_timeout;

    return own > 0 ? own : 2 * queue->options.drain_delay + SLACK_MS;
}

static void end_failed(struct bw_queue_loop *queue)
{
    struct bw_reactor *reactor = queue->reactor;

    bw_log(&queue->log, BW_LOG_ERROR, "deaf beyond repair: the worker ends",
           bw_num("deafMs", queue->deaf_ms));
    reactor->failed = true;
    bw_drain_request(reactor, LAST_MS);
}

/* Adds the time since the last tick. True: the links were dropped, or it is over. */
static bool look_at(struct bw_queue_loop *queue, int64_t elapsed)
{
    int64_t bound = bound_of(queue), before = queue->deaf_ms;

    if (!bw_reactor_can_call(queue->reactor))
        return false;
    queue->deaf_ms = wants_jobs(queue) ? before + elapsed : 0;
    if (queue->deaf_ms >= BOUNDS_TO_END * bound) {
        end_failed(queue);
        return true;
    }
    if (queue->deaf_ms / bound == before / bound)
        return false;
    bw_log(&queue->log, BW_LOG_ERROR,
           "no fetch was answered for too long: connecting anew",
           bw_num("deafMs", queue->deaf_ms));
    bw_links_reset(queue->reactor, "deaf");
    return true;
}

/* What the first new links did not cure. A frozen Redis does not get here: it gives no
 * link. */
static bool is_deaf(const struct bw_reactor *reactor)
{
    for (size_t i = 0; i < reactor->queue_count; i++) {
        if (reactor->queues[i]->deaf_ms >= BOUNDS_TO_TELL * bound_of(reactor->queues[i]))
            return true;
    }
    return false;
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
    for (size_t i = 0; i < reactor->queue_count && !reactor->draining; i++) {
        bw_remote_cancel_ask(reactor->queues[i]);
        if (look_at(reactor->queues[i], elapsed))
            break;
    }
    atomic_store(&reactor->deaf_now, is_deaf(reactor));
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
