/* A worker: takes the jobs of its queues and has handlers run them.
 *
 * One reactor thread owns the Redis connections, the timers and the slots; `processors`
 * threads run handlers that block. A slot is not a thread: a handler may answer a job
 * later, and the job then costs memory only.
 *
 * Life: create → add queues → start → (quiet/resume)* → drain or stop → wait → destroy.
 * Unless said otherwise functions may be called from any thread except from a handler or
 * callback of the same worker, and do not block. */
#ifndef BULWARK_WORKER_H
#define BULWARK_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>
#include <bulwark/job.h>
#include <bulwark/log.h>
#include <bulwark/queue_options.h>
#include <bulwark/redis.h>
#include <bulwark/stats.h>
#include <bulwark/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bw_worker;

/* --- handlers */

#define BW_BATCH_MAX 256

/* What a worker notices about a queue and its jobs: the events of those names of BullMQ's
 * Worker. The end of an attempt is told once Redis has recorded it, and only then,
 * whoever decided it: a handler by its answer, or the worker (time limit, cancellation,
 * too many stalls or starts, a failed child). BMQ-176 */
enum bw_event_kind {
    BW_EVENT_STALLED, /* `id`: a check of ours put this job back */
    BW_EVENT_DRAINED, /* nothing waits any more */
    BW_EVENT_ERROR, /* `error`: Redis was lost, or refuses; with `job`: to record its end,
                       which is left to the stalled check, or is not wanted any more */
    BW_EVENT_PAUSED, /* bw_worker_quiet() */
    BW_EVENT_RESUMED,
    BW_EVENT_LAST, /* the worker drains, and no more jobs come: those that its fetches
                      under way brought were given to the handler (or to its threads) */
    BW_EVENT_COMPLETED, /* `job`, `result` */
    BW_EVENT_FAILED, /* `job`, `error`, `attempts_made`; `is_final`: for good, else it is
                        tried again */
    BW_EVENT_LOCK_LOST /* `job`: lockRenewalFailed */
};

/* Texts and the job are borrowed for the call. A text may have NULs inside; one more
 * follows it. */
struct bw_event {
    enum bw_event_kind kind;
    const char *id, *error; /* NULL: none */
    size_t id_len, error_len;
    const char *queue;        /* its name */
    const struct bw_job *job; /* NULL: none. For the getters of job.h only */
    const char *result;       /* JSON; NULL: none was given */
    size_t result_len;
    unsigned attempts_made; /* this one included */
    bool is_final;
    int64_t retry_ms; /* of BW_EVENT_FAILED: for so long the next attempt is put off */
};

struct bw_handler {
    /* Runs one job and takes it: answers now or later (job.h). On a processor thread, or
     * on the reactor when `inline_` is set: then it must never block. */
    void (*process)(struct bw_job *job, void *arg);
    /* Instead of `process`: runs 1 to `batch_size` jobs and takes them; the array is
     * borrowed for the call. Each job is answered by itself, and may be cancelled and
     * fail by itself. */
    void (*process_batch)(struct bw_job *const *jobs, size_t count, void *arg);
    unsigned batch_size; /* most jobs of a call: 1 to BW_BATCH_MAX; no more than the
                            queue's concurrency ever come */
    int64_t batch_wait;  /* ms that the first job of a call waits for more; 0: those that
                            came together go together. Its lock and its time limit run
                            meanwhile. */
    /* Optional: the job should stop (bw_job_cancelled() is true from now on). On the
     * reactor; must not block, and must not answer the job from inside. Never after the
     * job was answered: an answer from another thread waits until this has returned, so
     * do not answer while you hold a lock that this takes. */
    void (*cancel)(struct bw_job *job, void *arg);
    /* Optional: on the reactor; must not block. For a job that completes or fails it
     * comes after the answer was recorded, thus any time after the bw_job_finish
     * function. */
    void (*event)(const struct bw_event *event, void *arg);
    bool inline_;
    bool held; /* nothing is fetched before bw_worker_hold() says so */
};

/* --- the worker */

struct bw_worker_options {
    const struct bw_redis_options *redis; /* required; copied */
    const struct bw_log_sink *log;        /* NULL: silent; outlives the worker */
    const struct bw_clock *clock;         /* NULL: the system's */
    unsigned processors;                  /* threads for handlers that block; 0: 4 */
};

/* New: ended by bw_worker_destroy(). Connects nothing yet. */
BW_MUSTCHECK BW_API int bw_worker_create(struct bw_worker **workerp,
                                         const struct bw_worker_options *options,
                                         struct bw_error *err);

/* Before start only. Copies the options and the handler; `arg` is passed to the handler.
 * Errors: BW_EINVAL naming the option. */
BW_MUSTCHECK BW_API int bw_worker_add_queue(struct bw_worker *worker,
                                            const struct bw_queue_options *options,
                                            const struct bw_handler *handler, void *arg,
                                            struct bw_error *err);

/* Before start only. A further connection on the reactor for the program's own commands
 * (caches, locks). Borrowed: lives as long as the worker; from the end of
 * bw_worker_wait() on it refuses commands. `options` NULL: the worker's Redis. */
BW_MUSTCHECK BW_API int bw_worker_redis(struct bw_worker *worker,
                                        const struct bw_redis_options *options,
                                        struct bw_redis **redisp, struct bw_error *err);

/* Starts the threads and begins to connect; returns at once: an unreachable Redis is
 * retried. */
BW_MUSTCHECK BW_API int bw_worker_start(struct bw_worker *worker, struct bw_error *err);

/* Stop and resume fetching, for one queue (its name; prefix is not part of it) or all
 * (NULL). Jobs in flight go on; nothing in Redis changes. BW_EINVAL: no such queue. */
BW_API int bw_worker_quiet(struct bw_worker *worker, const char *queue);
BW_API int bw_worker_resume(struct bw_worker *worker, const char *queue);

/* The same for a handler that has nothing to run its queue's jobs with at the moment:
 * apart from quiet and resume, which are the operator's. Also before start. */
BW_API int bw_worker_hold(struct bw_worker *worker, const char *queue, bool held);
/* So many jobs are fetched from a held queue all the same, to see whether the handler can
 * run one again. Replaces what was said before; forgotten with the hold. */
BW_API int bw_worker_let(struct bw_worker *worker, const char *queue, unsigned jobs);

/* Cancels a job in flight on this worker. Waits for the reactor's answer, at most a
 * second (BW_ETIMEDOUT). BW_EINVAL: it is not in flight here. Its handler is told, and
 * has 5 s to answer: what it completes counts, anything else fails the job for good with
 * "job cancelled: REASON"; without an answer the worker fails it and drops what the
 * handler says later. */
BW_API int bw_worker_cancel_job(struct bw_worker *worker, const char *queue,
                                const char *id, const char *reason);

/* Begins the end: no more fetching; what a fetch under way brings is run, and jobs in
 * flight may finish until `timeout_ms` from now; those that do not are cancelled and
 * handed back as by bw_job_hand_back(), those that were not begun without their start.
 * The deadline holds while Redis is away too. A second call can only shorten the
 * deadline; 0 hands back at once. BMQ-169, 170 */
BW_API void bw_worker_drain(struct bw_worker *worker, int64_t timeout_ms);

enum bw_worker_end {
    BW_END_DRAINED,     /* every job in flight was answered and recorded */
    BW_END_HANDED_BACK, /* jobs were handed back, by their handlers or because the
                           deadline passed, or left to the stalled check */
    BW_END_FAILED       /* the worker cannot go on; `err` of bw_worker_wait() says why */
};

/* Blocks until a drain is over (or the worker failed). The reactor has ended when it
 * returns. Handlers that never answered may still hold their job: answering is harmless
 * until bw_worker_destroy(). */
BW_API enum bw_worker_end bw_worker_wait(struct bw_worker *worker, struct bw_error *err);

/* Blocks until the processor threads have returned from their handlers. NULL-safe;
 * empties the pointer. A worker that was started must have been waited for. */
BW_API void bw_worker_destroy(struct bw_worker **workerp);

/* --- work on the processor threads, for handlers that go on after a callback */

struct bw_task {
    struct bw_task *next, *child; /* the worker's while queued, with `due` */
    struct bw_mono due;
    void (*run)(struct bw_task *task);
};

/* Queues the task behind the waiting jobs' handlers; any thread, callbacks included; the
 * worker does not touch the task any more once run() is called. Works from start until
 * destroy, which runs what is left, delayed tasks at once, so that each can free what it
 * holds. What a task posts while destroy runs is dropped. */
BW_API void bw_worker_post(struct bw_worker *worker, struct bw_task *task);

/* Runs the task on a processor thread not before `delay_ms` from now (system clock). */
BW_API void bw_worker_post_after(struct bw_worker *worker, struct bw_task *task,
                                 int64_t delay_ms);

/* A task of bw_worker_post_after() that still waits for its time runs at once; any other
 * is not touched, and may have been freed. Looks at all that wait: for rare occasions. */
BW_API void bw_worker_hurry(struct bw_worker *worker, struct bw_task *task);

/* --- looking in; any thread */

BW_API void bw_worker_stats(struct bw_worker *worker, struct bw_worker_stats *stats);
/* False when there is no queue of that index. */
BW_API bool bw_worker_queue_stats(struct bw_worker *worker, size_t index,
                                  struct bw_queue_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
