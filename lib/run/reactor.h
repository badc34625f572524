/* The reactor: one thread, one loop, two connections, all queues of a worker.
 *
 * The command connection carries every script call, the blocking one waits for markers.
 * Work is gathered while a turn lasts and sent at its end. Everything here is on the
 * reactor's thread unless it says otherwise. */
#ifndef BW_RUN_REACTOR_H
#define BW_RUN_REACTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/log.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>
#include <bulwark/worker.h>

#include "redis/loop.h"
#include "jobs/lanes.h"
#include "run/drain.h"
#include "run/links.h"
#include "run/listing.h"
#include "run/markers.h"
#include "run/processors.h"
#include "run/watch.h"

/* Written at the end of each turn, read by any thread. */
struct bw_published {
    _Atomic bool connected;
    /* Monotonic. */
    _Atomic int64_t command_heard_ns, blocking_heard_ns;
    _Atomic int64_t last_turn_ms;
    /* Wall clock, the last time. */
    _Atomic int64_t connected_at_ms;
    _Atomic uint64_t reconnects;
};

struct bw_reactor {
    struct bw_log log;
    struct bw_redis_options redis;
    struct bw_loop *loop;
    struct bw_processors *processors;

    /* Each is its own file's. */
    struct bw_lanes lanes;
    struct bw_links links;
    struct bw_listing listing;
    struct bw_markers markers;
    struct bw_drain drain;
    struct bw_watch watch;

    /* The program's own connections. */
    struct bw_redis **clients;
    size_t client_count;
    /* The command connection, lent to handlers. */
    struct bw_redis *commands;

    /* Any thread: a lane was steered. */
    _Atomic bool steered;
    struct bw_published published;
};

/* Before start; no thread yet. */
BW_MUSTCHECK int bw_reactor_create(struct bw_reactor **reactorp,
                                   const struct bw_worker_options *options,
                                   const struct bw_log *log, struct bw_error *err);
/* A connection for the program's own commands, borrowed. `options` NULL: the reactor's.
 */
BW_MUSTCHECK int bw_reactor_add_client(struct bw_reactor *reactor,
                                       const struct bw_redis_options *options,
                                       struct bw_redis **redisp, struct bw_error *err);
/* Makes connections and timers; begins to connect once the loop runs. */
BW_MUSTCHECK int bw_reactor_prepare(struct bw_reactor *reactor, struct bw_error *err);
/* The thread's body: turns until the drain is over, then closes the connections. */
void bw_reactor_run(struct bw_reactor *reactor);
/* After the thread has ended (or never began) and the processor threads too. */
void bw_reactor_destroy(struct bw_reactor **reactorp);

/* Any thread: what steers a lane has changed. */
void bw_reactor_steered(struct bw_reactor *reactor);

#endif
