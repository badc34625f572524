/* A job in the hands of its handler.
 *
 * A handler receives a job it must answer exactly once, at once or later, from any
 * thread, with one of the bw_job_finish functions below; the job is gone when that call
 * returns. Until then the job's lock is renewed by the reactor. All getters are borrowed
 * and constant until then, and may be called from any thread. Text is passed through as
 * it stands in Redis: UTF-8, JSON where the field is JSON, not checked.
 * lib/spec/bullmq.md §2. */
#ifndef BULWARK_JOB_H
#define BULWARK_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>
#include <bulwark/flow.h>
#include <bulwark/log.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bw_job;

BW_API const char *bw_job_queue(const struct bw_job *job);
BW_API const char *bw_job_id(const struct bw_job *job);
BW_API const char *bw_job_name(const struct bw_job *job);
/* Ids and names may have NULs inside: these are their whole lengths, 0 without one. */
BW_API size_t bw_job_id_len(const struct bw_job *job);
BW_API size_t bw_job_name_len(const struct bw_job *job);
BW_API size_t bw_job_parent_len(const struct bw_job *job);
BW_API size_t bw_job_repeat_key_len(const struct bw_job *job);
BW_API size_t bw_job_deduplication_id_len(const struct bw_job *job);
/* JSON text. `len` may be NULL. */
BW_API const char *bw_job_data(const struct bw_job *job, size_t *len);
BW_API const char *bw_job_opts(const struct bw_job *job, size_t *len);
/* NULL when the job has none. */
BW_API const char *bw_job_progress(const struct bw_job *job, size_t *len);
BW_API const char *
bw_job_parent(const struct bw_job *job); /* JSON {"id","queueKey"} or NULL */
BW_API const char *bw_job_repeat_key(const struct bw_job *job); /* scheduler id or NULL */
BW_API const char *bw_job_deduplication_id(const struct bw_job *job);
BW_API const char *bw_job_token(const struct bw_job *job);
BW_API int64_t bw_job_timestamp(const struct bw_job *job); /* ms since the epoch */
BW_API int64_t bw_job_delay(const struct bw_job *job);     /* ms */
BW_API int64_t bw_job_priority(const struct bw_job *job);
BW_API int64_t bw_job_processed_on(const struct bw_job *job); /* ms since the epoch */
BW_API unsigned bw_job_attempts(const struct bw_job *job); /* opts.attempts, 0 if none */
BW_API unsigned
bw_job_attempts_made(const struct bw_job *job); /* finished attempts (atm) */
BW_API unsigned
bw_job_attempts_started(const struct bw_job *job); /* this one included (ats) */
BW_API unsigned bw_job_stalled_count(const struct bw_job *job);
/* The log context that names queue and job. */
BW_API const struct bw_log *bw_job_log(const struct bw_job *job);

/* False once the lock is known to be lost, its time has run out unrenewed, or the worker
 * gave the job up. To be asked before an effect that cannot be taken back. */
BW_API bool bw_job_lock_held(const struct bw_job *job);
/* True once the handler should stop: lock lost, time limit, shutdown deadline,
 * cancellation. */
BW_API bool bw_job_cancelled(const struct bw_job *job);
/* … by a cancellation that somebody asked for: the job will fail for good. */
BW_API bool bw_job_revoked(const struct bw_job *job);

/* For a handler that keeps jobs until somebody can run them: said in `process`, a job
 * counts as started only from bw_job_start() on, which comes before anything of it leaves
 * the worker. False: the worker has given the job up meanwhile and hands it back as one
 * that was never started; answer it with bw_job_hand_back(). Without these a job is
 * started when its handler gets it. */
BW_API void bw_job_start_later(struct bw_job *job);
BW_MUSTCHECK BW_API bool bw_job_start(struct bw_job *job);

/* --- side effects, in order, each before the job's end; errors only for bad input (what
 * is not JSON, say) or memory. They are sent by the reactor; a failure there is logged.
 * (lib/spec/bullmq.md §7.1)
 */
BW_MUSTCHECK BW_API int bw_job_update_progress(struct bw_job *job, const char *json,
                                               size_t len);
BW_MUSTCHECK BW_API int bw_job_add_log(struct bw_job *job, const char *row, size_t len);
BW_MUSTCHECK BW_API int bw_job_update_data(struct bw_job *job, const char *json,
                                           size_t len);

/* --- asking Redis while the job runs, any thread. The callback runs on the reactor and
 * must not block; it comes exactly once, unless the call returns an error (BW_ENOMEM;
 * BW_ECLOSED: not connected, or the worker has ended): then never. It may come after the
 * job was answered, and does not touch the job. Each request is answered within 10 s,
 * with BW_EIO when the connection was lost meanwhile: unlike an outcome it is not
 * repeated. */

/* Borrowed, as long as the worker lives: the connection that carries the worker's own
 * calls, for what a handler adds (bw_queue_add(), bw_flow_add(): give a child the option
 * `parent`, {"id": bw_job_id(), "queue": bw_job_queue_key()}) and asks. Its commands are
 * in no fixed order with the side effects above, but each that was answered came before
 * whatever is asked afterwards. Do not send commands that block, and allow at least 10 s
 * for an answer: one that is late takes the connection down with it. */
BW_API struct bw_redis *bw_job_redis(const struct bw_job *job);
/* The queue's prefix, and its qualified name "prefix:queue". */
BW_API const char *bw_job_prefix(const struct bw_job *job);
BW_API const char *bw_job_queue_key(const struct bw_job *job);

/* As the bw_flow functions of flow.h, for this job. §8.7, §7.1 */
BW_MUSTCHECK BW_API int bw_job_children_values(struct bw_job *job, bw_json_cb *cb,
                                               void *arg);
BW_MUSTCHECK BW_API int bw_job_ignored_failures(struct bw_job *job, bw_json_cb *cb,
                                                void *arg);
BW_MUSTCHECK BW_API int bw_job_dependency_counts(struct bw_job *job, bw_json_cb *cb,
                                                 void *arg);
/* A JSON string: "active", "waiting", "unknown" … §7.1 getState */
BW_MUSTCHECK BW_API int bw_job_state(struct bw_job *job, bw_json_cb *cb, void *arg);
/* Sets the lock to last `duration_ms` (> 0) from now; true: it was still ours. The
 * worker's own renewal goes on and sets it to lockDuration again. §6.1 */
typedef void bw_job_lock_cb(bool held, const struct bw_error *err, void *arg);
BW_MUSTCHECK BW_API int bw_job_extend_lock(struct bw_job *job, int64_t duration_ms,
                                           bw_job_lock_cb *cb, void *arg);

/* Lets the job wait for its children, or for the one with key `child` (NULL: for all).
 * The job is the library's until the callback: do not touch it meanwhile (cancel of its
 * handler may still come). Then, if `moved`, the job has ended as by a bw_job_finish
 * function and starts anew when the children are done; if not, there was nothing to wait
 * for: it is the handler's again, go on. With an error it is the handler's again, too:
 * BW_EJOB_FAILED_CHILD when a child has failed that fails its parent: it cannot complete
 * any more, and failing it with the text of that error is final, whatever is left of its
 * attempts (BMQ-174); BW_EJOB_NO_LOCK,
 * BW_EJOB_LOCKED, BW_EJOB_MISSING or BW_EJOB_STATE: the job is somebody else's now.
 * Repeated after a lost connection, as an outcome is. §8.2, BMQ-143 */
typedef void bw_job_moved_cb(bool moved, const struct bw_error *err, void *arg);
BW_MUSTCHECK BW_API int bw_job_move_to_waiting_children(struct bw_job *job,
                                                        const char *child,
                                                        bw_job_moved_cb *cb, void *arg);

/* --- bw_job_finish functions: exactly one, once. Each takes the job. Never blocks.
 * Out of memory while handing the outcome over ends in the job being left to the stalled
 * check. */

/* `json` is the return value as JSON text; NULL: none, stored as `null`. Text that is not
 * JSON fails the attempt instead. §5.3 */
BW_API void bw_job_complete(struct bw_job *job, const char *json, size_t len);

struct bw_job_failure {
    const char *message; /* failedReason; NULL is stored as `null` (BMQ-104) */
    const char *stack;   /* one more entry of `stacktrace`; NULL: none */
    bool unrecoverable;  /* no retry, whatever is left (UnrecoverableError) */
    bool has_delay; /* delay_ms counts instead of opts.backoff: custom backoff, -1: no
                       retry */
    int64_t delay_ms;
    const char *telemetry; /* trace context of the attempt, stored as `tm`; NULL: none.
                              §10.10 */
    size_t message_len, stack_len; /* for texts with NULs inside; 0: up to the first */
};

/* Retries by the job's attempts and backoff, or fails it for good. §5.1, §5.2 */
BW_API void bw_job_fail(struct bw_job *job, const struct bw_job_failure *failure);
/* Back to delayed for `delay_ms` (≥ 0) without an attempt made: DelayedError. §5.7 */
BW_API void bw_job_move_to_delayed(struct bw_job *job, int64_t delay_ms);
/* Back to wait, next in line, without an attempt made: WaitingError. §5.8 */
BW_API void bw_job_move_to_wait(struct bw_job *job);
/* Back to its place as if it had not been fetched, without an attempt made: it comes
 * next, in wait or before all others of its priority, jobs of one fetch in their old
 * order, and an idle worker is told. `unstarted`: nothing of it has left the worker, so
 * its start does not count either (attempts_started is as before the fetch, and
 * maxStartedAttempts is not used up); without it the next start is known not to be the
 * first. For a handler that cannot work at present: it holds its queue first
 * (bw_worker_hold()), or the worker takes the job again at once. BMQ-170 */
BW_API void bw_job_hand_back(struct bw_job *job, bool unstarted);
/* Back to delayed until a time, the same for as many jobs as are given it, without an
 * attempt made; `unstarted` as above. A time that is over means at once. */
BW_API void bw_job_put_off(struct bw_job *job, struct bw_wall until, bool unstarted);
/* The queue is limited for `delay_ms` and the job goes back to wait: RateLimitError.
 * §10.3 */
BW_API void bw_job_rate_limit(struct bw_job *job, int64_t delay_ms);
/* The program has moved the job itself, by its own calls (DelayedError, WaitingError and
 * WaitingChildrenError of an external processor): nothing is recorded, the job is
 * forgotten and its slot is free. §5.1 item 4 */
BW_API void bw_job_moved(struct bw_job *job);

#ifdef __cplusplus
}
#endif

#endif
