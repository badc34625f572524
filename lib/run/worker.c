#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/thread.h>
#include <bulwark/worker.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "jobs/lane_setup.h"
#include "jobs/lanes.h"
#include "run/cancel_job.h"
#include "run/drain.h"
#include "run/reactor.h"

enum { DEFAULT_PROCESSORS = 4 };

struct bw_worker {
    struct bw_log log;
    struct bw_reactor *reactor;
    unsigned processor_count;
    pthread_t thread;
    bool started;
    _Atomic bool waited; /* somebody waits, or has waited */
    _Atomic bool ended;  /* the reactor's thread is gone */
};

/* --- life */

int bw_worker_create(struct bw_worker **workerp, const struct bw_worker_options *options,
                     struct bw_error *err)
{
    struct bw_worker *worker;
    int result;

    if (options->redis == NULL)
        return bw_error_set(err, BW_EINVAL, "redis: missing");
    worker = bw_calloc(1, sizeof *worker);
    if (worker == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    bw_log_init(&worker->log, options->log);
    worker->processor_count =
        options->processors > 0 ? options->processors : DEFAULT_PROCESSORS;
    result = bw_reactor_create(&worker->reactor, options, &worker->log, err);
    if (result != BW_OK) {
        free(worker);
        return result;
    }
    *workerp = worker;
    return BW_OK;
}

int bw_worker_add_queue(struct bw_worker *worker, const struct bw_queue_options *options,
                        const struct bw_handler *handler, void *arg, struct bw_error *err)
{
    struct bw_lane *lane = NULL;
    int result;

    if (worker->started)
        return bw_error_set(err, BW_EINVAL, "the worker was started");
    result = bw_lane_create(&lane, &worker->reactor->lanes, options, handler, arg, err);
    if (result == BW_OK)
        result = bw_lanes_add(&worker->reactor->lanes, lane, err);
    if (result != BW_OK)
        bw_lane_destroy(&lane);
    return result;
}

int bw_worker_redis(struct bw_worker *worker, const struct bw_redis_options *options,
                    struct bw_redis **redisp, struct bw_error *err)
{
    if (worker->started)
        return bw_error_set(err, BW_EINVAL, "the worker was started");
    return bw_reactor_add_client(worker->reactor, options, redisp, err);
}

static void *reactor_main(void *arg)
{
    (void)pthread_setname_np(pthread_self(), "bw-reactor"); /* a name is a courtesy */
    bw_reactor_run(arg);
    return NULL;
}

/* Signals are the program's: they must not land on a thread of the library. */
static int start_thread(struct bw_worker *worker, struct bw_error *err)
{
    sigset_t all, old;
    int result;

    (void)sigfillset(&all); /* cannot fail with a valid set */
    bw_thread_check(pthread_sigmask(SIG_SETMASK, &all, &old), "pthread_sigmask");
    result = pthread_create(&worker->thread, NULL, reactor_main, worker->reactor);
    bw_thread_check(pthread_sigmask(SIG_SETMASK, &old, NULL), "pthread_sigmask");
    return result == 0 ? BW_OK : bw_error_errno(err, result, "reactor thread");
}

int bw_worker_start(struct bw_worker *worker, struct bw_error *err)
{
    struct bw_reactor *reactor = worker->reactor;
    int result;

    if (worker->started)
        return bw_error_set(err, BW_EINVAL, "the worker was started");
    worker->started = true; /* also when it fails: then only destroy is left */
    atomic_store(&worker->waited, true);
    result = bw_reactor_prepare(reactor, err);
    if (result == BW_OK)
        result = bw_processors_start(&reactor->processors, worker->processor_count, err);
    if (result == BW_OK)
        result = start_thread(worker, err);
    atomic_store(&worker->waited, result != BW_OK);
    return result;
}

void bw_worker_drain(struct bw_worker *worker, int64_t timeout_ms)
{
    bw_drain_request(&worker->reactor->drain, timeout_ms);
}

enum bw_worker_end bw_worker_wait(struct bw_worker *worker, struct bw_error *err)
{
    bw_error_clear(err);
    if (!worker->started) {
        (void)bw_error_set(err, BW_EINVAL, "the worker was not started");
        return BW_END_FAILED;
    }
    if (!atomic_exchange(&worker->waited, true)) {
        bw_thread_check(pthread_join(worker->thread, NULL), "pthread_join");
        atomic_store(&worker->ended, true);
    }
    if (worker->reactor->watch.failed) {
        (void)bw_error_set(
            err, BW_EIO,
            "deaf: no fetch, or no wait for jobs, was answered on links that "
            "were made anew");
        return BW_END_FAILED;
    }
    return worker->reactor->lanes.ending.handed_back ? BW_END_HANDED_BACK
                                                     : BW_END_DRAINED;
}

void bw_worker_destroy(struct bw_worker **workerp)
{
    struct bw_worker *worker = *workerp;

    if (worker == NULL)
        return;
    *workerp = NULL;
    BW_ASSERT(!worker->started || atomic_load(&worker->waited));
    bw_processors_stop(&worker->reactor->processors);
    bw_reactor_destroy(&worker->reactor);
    free(worker);
}

/* --- steering */

/* NULL: all of them. True when there is one. */
static bool steer(struct bw_worker *worker, const char *queue,
                  void (*fn)(struct bw_steer *steer, unsigned value), unsigned value)
{
    const struct bw_lanes *lanes = &worker->reactor->lanes;
    bool found = queue == NULL;

    for (size_t i = 0; i < lanes->count; i++) {
        struct bw_lane *lane = lanes->lane[i];

        if (queue != NULL && strcmp(lane->name, queue) != 0)
            continue;
        fn(&lane->steer, value);
        found = true;
    }
    if (found)
        bw_reactor_steered(worker->reactor);
    return found;
}

static void set_quiet(struct bw_steer *steer, unsigned value)
{
    bw_steer_quiet(steer, value != 0);
}

static void set_hold(struct bw_steer *steer, unsigned value)
{
    bw_steer_hold(steer, value != 0);
}

int bw_worker_quiet(struct bw_worker *worker, const char *queue)
{
    return steer(worker, queue, set_quiet, true) ? BW_OK : BW_EINVAL;
}

int bw_worker_resume(struct bw_worker *worker, const char *queue)
{
    return steer(worker, queue, set_quiet, false) ? BW_OK : BW_EINVAL;
}

int bw_worker_hold(struct bw_worker *worker, const char *queue, bool held)
{
    return steer(worker, queue, set_hold, held) ? BW_OK : BW_EINVAL;
}

int bw_worker_let(struct bw_worker *worker, const char *queue, unsigned jobs)
{
    return steer(worker, queue, bw_steer_let, jobs) ? BW_OK : BW_EINVAL;
}

int bw_worker_cancel_job(struct bw_worker *worker, const char *queue, const char *id,
                         const char *reason)
{
    if (!worker->started || atomic_load(&worker->ended))
        return BW_EINVAL;
    return bw_cancel_job(&worker->reactor->lanes, queue, id, reason);
}

void bw_worker_post(struct bw_worker *worker, struct bw_task *task)
{
    struct bw_processors *pool = worker->reactor->processors;

    /* Refused, or no pool, only while destroy runs: then the task is dropped, as
     * promised. */
    if (pool != NULL)
        (void)bw_processors_post(pool, task, task, 1);
}

void bw_worker_post_after(struct bw_worker *worker, struct bw_task *task,
                          int64_t delay_ms)
{
    struct bw_processors *pool = worker->reactor->processors;

    if (pool != NULL)
        (void)bw_processors_post_after(pool, task, delay_ms);
}

void bw_worker_hurry(struct bw_worker *worker, struct bw_task *task)
{
    struct bw_processors *pool = worker->reactor->processors;

    if (pool != NULL)
        bw_processors_hurry(pool, task);
}

/* --- looking in */

/* -1: never. */
static int64_t age(const struct bw_reactor *reactor, int64_t ns)
{
    struct bw_mono at = { ns };

    return ns != 0 ? bw_mono_ms_until(at, bw_mono_now(reactor->lanes.clock)) : -1;
}

void bw_worker_stats(struct bw_worker *worker, struct bw_worker_stats *stats)
{
    const struct bw_reactor *reactor = worker->reactor;
    const struct bw_published *published = &reactor->published;

    *stats = (struct bw_worker_stats){
        .command_heard_ms = age(reactor, atomic_load(&published->command_heard_ns)),
        .blocking_heard_ms = age(reactor, atomic_load(&published->blocking_heard_ns)),
        .deaf = atomic_load(&reactor->watch.deaf_now),
        .unheard = atomic_load(&reactor->watch.unheard_now),
        .waits_refused = atomic_load(&reactor->watch.refused_now),
        .connected = atomic_load(&published->connected),
        .draining = atomic_load(&reactor->drain.draining_now),
        .reconnects = atomic_load(&published->reconnects),
        .connected_at_ms = atomic_load(&published->connected_at_ms),
        .script_calls = atomic_load(&reactor->lanes.caller.calls),
        .last_turn_ms = atomic_load(&published->last_turn_ms),
        .queue_count = reactor->lanes.count,
    };
}

bool bw_worker_queue_stats(struct bw_worker *worker, size_t index,
                           struct bw_queue_stats *stats)
{
    const struct bw_lanes *lanes = &worker->reactor->lanes;
    const struct bw_lane *lane;
    const struct bw_lane_counters *counters;

    if (index >= lanes->count)
        return false;
    lane = lanes->lane[index];
    counters = &lane->counters;
    *stats = (struct bw_queue_stats){ .name = lane->name,
                                      .concurrency = lane->options.concurrency,
                                      .quiet = atomic_load(&lane->steer.quiet),
                                      .held = atomic_load(&lane->steer.held),
#define X(type, member, ...) .member = atomic_load(&counters->member),
                                      BW_QUEUE_FIGURES(X)
#undef X
    };
    return true;
}
