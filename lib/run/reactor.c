#include "run/reactor.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "redis/client.h"
#include "jobs/batch.h"
#include "jobs/lane_turn.h"

static void on_turn(void *arg);
static void on_wake(void *arg);
static void post_jobs(struct bw_task *first, struct bw_task *last, unsigned count,
                      void *arg);
static void on_open(void *arg);
static void on_lost(const struct bw_error *why, void *arg);
static void on_wait_open(void *arg);
static void on_wait_lost(void *arg);

/* --- life */

/* What may fail. */
static int create_parts(struct bw_reactor *reactor,
                        const struct bw_worker_options *options, struct bw_error *err)
{
    int result = bw_rand_uuid(reactor->lanes.uuid, err);

    if (result == BW_OK)
        result = bw_redis_options_dup(&reactor->redis, options->redis, err);
    if (result == BW_OK)
        result = bw_loop_create(&reactor->loop, options->clock, err);
    if (result == BW_OK)
        result = bw_redis_create_lent(&reactor->commands, reactor->loop, err);
    return result;
}

static void destroy_parts(struct bw_reactor *reactor)
{
    bw_redis_destroy(&reactor->commands);
    bw_loop_destroy(&reactor->loop);
    bw_redis_options_fini(&reactor->redis);
    free(reactor);
}

int bw_reactor_create(struct bw_reactor **reactorp,
                      const struct bw_worker_options *options, const struct bw_log *log,
                      struct bw_error *err)
{
    struct bw_reactor *reactor = bw_calloc(1, sizeof *reactor);
    int result;

    if (reactor == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    result = create_parts(reactor, options, err);
    if (result != BW_OK) {
        destroy_parts(reactor);
        return result;
    }
    bw_log_child(&reactor->log, log, "worker", reactor->lanes.uuid);
    bw_lanes_init(&reactor->lanes, reactor->loop, options->clock, &reactor->log);
    bw_gather_init(&reactor->lanes.gather, post_jobs, reactor);
    reactor->lanes.commands = reactor->commands;
    bw_drain_init(&reactor->drain, &reactor->lanes, &reactor->markers, &reactor->log);
    *reactorp = reactor;
    return BW_OK;
}

int bw_reactor_add_client(struct bw_reactor *reactor,
                          const struct bw_redis_options *options,
                          struct bw_redis **redisp, struct bw_error *err)
{
    struct bw_redis **clients = bw_realloc(
        reactor->clients, (reactor->client_count + 1) * sizeof *reactor->clients);
    int result;

    if (clients == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    reactor->clients = clients;
    result = bw_redis_create(redisp, reactor->loop,
                             options != NULL ? options : &reactor->redis, options == NULL,
                             &reactor->log, err);
    if (result == BW_OK)
        clients[reactor->client_count++] = *redisp;
    return result;
}

static int prepare_links(struct bw_reactor *reactor, struct bw_error *err)
{
    const struct bw_links_events events = { on_open, on_lost, on_wait_open, on_wait_lost,
                                            reactor };
    int result =
        bw_links_prepare(&reactor->links, &reactor->lanes.caller, &reactor->redis,
                         reactor->lanes.uuid, &reactor->log, &events, err);

    if (result == BW_OK)
        result =
            bw_listing_prepare(&reactor->listing, &reactor->lanes, &reactor->redis, err);
    return result;
}

int bw_reactor_prepare(struct bw_reactor *reactor, struct bw_error *err)
{
    struct bw_lanes *lanes = &reactor->lanes;
    int result;

    /* Without a queue the worker serves the program's own connections only. */
    bw_lanes_sort(lanes);
    result =
        bw_markers_prepare(&reactor->markers, lanes, &reactor->links, &reactor->log, err);
    if (result == BW_OK)
        result = bw_drain_prepare(&reactor->drain, err);
    if (result == BW_OK)
        result = bw_watch_prepare(&reactor->watch, lanes, &reactor->links,
                                  &reactor->markers, &reactor->drain, err);
    if (result == BW_OK)
        result = prepare_links(reactor, err);
    if (result != BW_OK)
        return result;
    bw_loop_on_turn(reactor->loop, on_turn, reactor);
    bw_loop_on_wake(reactor->loop, on_wake, reactor);
    return BW_OK;
}

void bw_reactor_run(struct bw_reactor *reactor)
{
    struct bw_lanes *lanes = &reactor->lanes;

    bw_letterbox_enter(&lanes->letters);
    bw_links_open(&reactor->links);
    bw_listing_open(&reactor->listing);
    for (size_t i = 0; i < reactor->client_count; i++)
        bw_redis_open(reactor->clients[i]);
    bw_watch_start(&reactor->watch);
    bw_loop_wake(reactor->loop); /* a drain may have been asked for before */
    bw_loop_run(reactor->loop);
    BW_ASSERT(reactor->drain.ended); /* nothing else ends the loop */
    bw_gather_hand_out(&lanes->gather);
    bw_listing_close(&reactor->listing);
    bw_links_close(&reactor->links);
    for (size_t i = 0; i < reactor->client_count; i++)
        bw_redis_close(reactor->clients[i]);
    bw_redis_close(reactor->commands);
    bw_requests_close(&lanes->requests);
    atomic_store(&reactor->published.connected, false);
    bw_letterbox_leave(&lanes->letters);
}

void bw_reactor_destroy(struct bw_reactor **reactorp)
{
    struct bw_reactor *reactor = *reactorp;

    if (reactor == NULL)
        return;
    *reactorp = NULL;
    for (size_t i = 0; i < reactor->client_count; i++)
        bw_redis_destroy(&reactor->clients[i]);
    free(reactor->clients);
    bw_redis_destroy(&reactor->commands);
    bw_letterbox_read(&reactor->lanes.letters, false);
    bw_listing_close(&reactor->listing);
    bw_links_close(&reactor->links);
    bw_lanes_fini(&reactor->lanes);
    bw_markers_fini(&reactor->markers);
    bw_drain_fini(&reactor->drain);
    bw_watch_fini(&reactor->watch);
    destroy_parts(reactor);
}

/* --- the turn: letters and replies have come in, work is sent */

static void turn_lanes(struct bw_reactor *reactor)
{
    struct bw_lanes *lanes = &reactor->lanes;
    struct bw_lane *lane;

    while ((lane = bw_lane_take_touched(&lanes->touched)) != NULL) {
        if (!bw_caller_can_call(&lanes->caller))
            continue; /* every lane is touched when calls can be sent again */
        bw_markers_return_owed(&reactor->markers, lane);
        bw_turn(lane);
        bw_markers_touch(&reactor->markers);
    }
}

static void publish(struct bw_reactor *reactor)
{
    const struct bw_links *links = &reactor->links;
    struct bw_published *published = &reactor->published;
    int64_t now_ms = bw_loop_wall(reactor->loop).ms;
    bool connected =
        bw_caller_can_call(&reactor->lanes.caller) && bw_links_can_wait(links);
    uint64_t reconnects =
        bw_conn_reconnects(links->command) + bw_conn_reconnects(links->blocking);

    atomic_store_explicit(&published->command_heard_ns,
                          bw_conn_last_heard(links->command).ns, memory_order_relaxed);
    atomic_store_explicit(&published->blocking_heard_ns,
                          bw_conn_last_heard(links->blocking).ns, memory_order_relaxed);
    if (connected && !atomic_load_explicit(&published->connected, memory_order_relaxed))
        atomic_store_explicit(&published->connected_at_ms, now_ms, memory_order_relaxed);
    atomic_store_explicit(&published->connected, connected, memory_order_relaxed);
    atomic_store_explicit(&published->reconnects, reconnects, memory_order_relaxed);
    atomic_store_explicit(&published->last_turn_ms, now_ms, memory_order_relaxed);
}

static void on_turn(void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_lanes *lanes = &reactor->lanes;

    BW_ASSERT(bw_letterbox_is_mine(&lanes->letters));
    for (size_t i = 0; i < lanes->count; i++)
        bw_batch_turn(lanes->lane[i]);
    bw_gather_hand_out(&lanes->gather);
    bw_effects_flush(&lanes->effects);
    bw_requests_flush(&lanes->requests);
    turn_lanes(reactor);
    bw_markers_turn(&reactor->markers);
    bw_drain_turn(&reactor->drain);
    publish(reactor);
}

static void post_jobs(struct bw_task *first, struct bw_task *last, unsigned count,
                      void *arg)
{
    struct bw_reactor *reactor = arg;
    bool posted = bw_processors_post(reactor->processors, first, last, count);

    BW_ASSERT(posted); /* refused only after the worker's end, when no reactor runs */
}

/* --- other threads have something to say */

void bw_reactor_steered(struct bw_reactor *reactor)
{
    atomic_store(&reactor->steered, true);
    bw_loop_wake(reactor->loop);
}

static void look_at_steering(struct bw_reactor *reactor)
{
    struct bw_lanes *lanes = &reactor->lanes;

    if (!atomic_exchange(&reactor->steered, false))
        return;
    for (size_t i = 0; i < lanes->count; i++) {
        bw_lane_tell_quiet(lanes->lane[i]);
        bw_lane_wake(lanes->lane[i]);
    }
}

static void on_wake(void *arg)
{
    struct bw_reactor *reactor = arg;

    BW_ASSERT(bw_letterbox_is_mine(&reactor->lanes.letters));
    bw_letterbox_read(&reactor->lanes.letters, true);
    look_at_steering(reactor);
    bw_drain_wake(&reactor->drain);
}

/* --- the links come and go */

static void on_open(void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_lanes *lanes = &reactor->lanes;

    bw_redis_lend(reactor->commands, reactor->links.command);
    for (size_t i = 0; i < lanes->count; i++)
        bw_turn_recover(lanes->lane[i]);
}

static void on_lost(const struct bw_error *why, void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_lanes *lanes = &reactor->lanes;

    for (size_t i = 0; i < lanes->count; i++)
        bw_lane_tell_error(lanes->lane[i], why->text);
    bw_redis_lend(reactor->commands, NULL);
    bw_markers_touch(&reactor->markers);
}

static void on_wait_open(void *arg)
{
    struct bw_reactor *reactor = arg;

    bw_markers_touch(&reactor->markers);
}

static void on_wait_lost(void *arg)
{
    struct bw_reactor *reactor = arg;

    bw_markers_lost(&reactor->markers);
}
