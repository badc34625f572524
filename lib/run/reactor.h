/* The reactor: one thread, one loop, two connections, all queues of a worker.
 *
 * The command connection carries every script call, the blocking one waits for markers.
 * Work is gathered while a turn lasts and sent at its end. Everything here is on the
 * reactor's thread unless it says otherwise. */
#ifndef BW_RUN_REACTOR_H
#define BW_RUN_REACTOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/log.h>
#include <bulwark/redis.h>
#include <bulwark/thread.h>
#include <bulwark/time.h>
#include <bulwark/worker.h>

#include "base/rand.h"
#include "queue/calls.h"
#include "redis/conn.h"
#include "redis/loop.h"
#include "jobs/effects.h"
#include "run/links.h"
#include "jobs/letters.h"
#include "run/markers.h"
#include "run/processors.h"
#include "jobs/requests.h"
#include "jobs/settle.h"

struct bw_job;
struct bw_lane;

/* A script call that takes longer than this has lost its connection. */
#define BW_CALL_TIMEOUT_MS 10000

struct bw_reactor {
    const struct bw_clock *clock;
    struct bw_log log;
    struct bw_redis_options redis;
    char uuid[BW_UUID_LEN + 1];
    struct bw_rand rand;

    struct bw_loop *loop;
    struct bw_links links;
    struct bw_markers markers;
    struct bw_processors *processors;

    struct bw_lane **lanes; /* sorted by marker key from start on */
    size_t lane_count;
    struct bw_lane *touched;

    struct bw_redis **clients; /* the program's own connections */
    size_t client_count;
    struct bw_redis *commands; /* the command connection, lent to handlers */

    struct bw_letterbox letters; /* any thread */
    struct bw_effects effects;
    struct bw_requests requests;
    struct bw_mutex
        cancel_mutex; /* held while a cancel callback runs; guards nothing else */

    /* Jobs for the processor threads, gathered in this turn. */
    struct bw_task *tasks_head, *tasks_tail;
    unsigned task_count;

    /* Scratch, reused by every call. */
    struct bw_cmd cmd;
    struct bw_settle_item items[BW_SETTLE_BATCH];
    struct bw_job *free_jobs;
    unsigned free_job_count;

    struct bw_timer *tick; /* each second: liveness */
    struct bw_mono last_tick;

    /* The end (run/drain.c). */
    _Atomic int64_t drain_at_ns; /* any thread: monotonic deadline; INT64_MAX: no drain */
    struct bw_timer *drain_timer;
    struct bw_mono grace_until;
    bool draining, deadline_passed, ended;
    bool half_grace_over;
    bool handed_back;
    bool failed; /* deaf beyond repair */

    _Atomic bool quiet_changed; /* any thread: a queue's `quiet` was set */

    /* For other threads. */
    _Atomic bool connected_now, draining_now, deaf_now, unheard_now, refused_now;
    _Atomic int64_t command_heard_ns, blocking_heard_ns; /* monotonic */
    _Atomic int64_t last_turn_ms;
    _Atomic int64_t connected_at_ms; /* wall clock, the last time */
    _Atomic uint64_t script_calls, reconnects;
};

/* Before start; no thread yet. */
BW_MUSTCHECK int bw_reactor_create(struct bw_reactor **reactorp,
                                   const struct bw_worker_options *options,
                                   const struct bw_log *log, struct bw_error *err);
/* Takes the queue on success. */
BW_MUSTCHECK int bw_reactor_add_queue(struct bw_reactor *reactor, struct bw_lane *lane,
                                      struct bw_error *err);
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

/* Any thread. */
bool bw_reactor_is_current(const struct bw_reactor *reactor);
void bw_reactor_send(struct bw_reactor *reactor, struct bw_letter *letter);

/* True while script calls can be sent: connected, and what had to be done first is done.
 */
bool bw_reactor_can_call(const struct bw_reactor *reactor);
/* Sends on the command connection. */
BW_MUSTCHECK int bw_reactor_call(struct bw_reactor *reactor, const struct bw_cmd *cmd,
                                 bw_redis_cb *cb, void *arg);
/* The same for a call whose result changes nothing: a failure is logged with the queue's
 * log. */
void bw_reactor_tell(struct bw_reactor *reactor, const struct bw_cmd *cmd,
                     struct bw_lane *lane);
/* The scratch command, empty. */
struct bw_cmd *bw_reactor_cmd(struct bw_reactor *reactor);
/* Queues a job for the processor threads; they get it when the turn ends. */
void bw_reactor_run_later(struct bw_reactor *reactor, struct bw_job *job);

static inline struct bw_mono bw_reactor_now(const struct bw_reactor *reactor)
{
    return bw_loop_mono(reactor->loop);
}

/* --- jobs/job.c */
void bw_job_free_kept(struct bw_reactor *reactor);

#endif
