#include "run/watch.h"

#include "run/queue_loop.h"
#include "run/reactor.h"

enum { TICK_MS = 1000, SLACK_MS = 5000 };

static bool could_run_jobs(const struct bw_queue_loop *queue)
{
    return bw_reactor_can_call(queue->reactor) && bw_queue_can_fetch(queue) &&
           bw_queue_free_slots(queue) > 0;
}

static struct bw_mono later(struct bw_mono a, struct bw_mono b)
{
    return bw_mono_before(a, b) ? b : a;
}

static bool is_deaf(struct bw_queue_loop *queue, struct bw_mono now)
{
    int64_t bound = 2 * queue->options.drain_delay + SLACK_MS;
    struct bw_mono heard;

    if (!could_run_jobs(queue)) {
        queue->idle_since = now;
        return false;
    }
    heard = later(queue->last_fetch, queue->idle_since);
    return bw_mono_before(bw_mono_add_ms(heard, bound), now);
}

static void on_tick(void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_mono now = bw_reactor_now(reactor);

    bw_timer_start(reactor->tick, TICK_MS);
    for (size_t i = 0; i < reactor->queue_count; i++) {
        struct bw_queue_loop *queue = reactor->queues[i];

        if (!is_deaf(queue, now))
            continue;
        bw_log(&queue->log, BW_LOG_ERROR,
               "no fetch was answered for too long: connecting anew");
        queue->idle_since = now;
        bw_links_reset(reactor, "deaf");
        return;
    }
}

int bw_watch_prepare(struct bw_reactor *reactor, struct bw_error *err)
{
    if (bw_timer_create(&reactor->tick, reactor->loop, on_tick, reactor) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return BW_OK;
}

void bw_watch_start(struct bw_reactor *reactor)
{
    bw_timer_start(reactor->tick, TICK_MS);
}

void bw_watch_fini(struct bw_reactor *reactor)
{
    bw_timer_destroy(&reactor->tick);
}
