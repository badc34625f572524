/* A job in the hands of its handler.
 *
 * A handler receives a job it must answer exactly once, at once or later, from any
 * thread, with one of the bw_job_finish functions below; the job is gone when that call
 * returns. Until then the job's lock is renewed by the reactor. All getters are borrowed
 * and constant until then, and may be called from any thread. Text is passed through as
 * it stands in Redis: UTF-8, JSON where the field is JSON, not checked. spec/bullmq.md
 * §2. */
#ifndef BULWARK_JOB_H
#define BULWARK_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>
#include <bulwark/log.h>

struct bw_job;

BW_API const char *bw_job_queue(const struct bw_job *job);
BW_API const char *bw_job_id(const struct bw_job *job);
BW_API const char *bw_job_name(const struct bw_job *job);
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

/* --- side effects, in order, each before the job's end; errors only for bad input or
 * memory. They are sent by the reactor; a failure there is logged. (spec/bullmq.md §7.1)
 */
BW_API BW_MUSTCHECK int bw_job_update_progress(struct bw_job *job, const char *json,
                                               size_t len);
BW_API BW_MUSTCHECK int bw_job_add_log(struct bw_job *job, const char *row, size_t len);
BW_API BW_MUSTCHECK int bw_job_update_data(struct bw_job *job, const char *json,
                                           size_t len);

/* --- bw_job_finish functions: exactly one, once. Each takes the job. Never blocks.
 * Out of memory while handing the outcome over ends in the job being left to the stalled
 * check. */

/* `json` is the return value as JSON text; NULL: none, stored as `null`. §5.3 */
BW_API void bw_job_complete(struct bw_job *job, const char *json, size_t len);

struct bw_job_failure {
    const char *message; /* failedReason; NULL is stored as `null` (BMQ-104) */
    const char *stack;   /* one more entry of `stacktrace`; NULL: none */
    bool unrecoverable;  /* no retry, whatever is left (UnrecoverableError) */
    bool has_delay; /* delay_ms counts instead of opts.backoff: custom backoff, -1: no
                       retry */
    int64_t delay_ms;
};

/* Retries by the job's attempts and backoff, or fails it for good. §5.1, §5.2 */
BW_API void bw_job_fail(struct bw_job *job, const struct bw_job_failure *failure);
/* Back to delayed for `delay_ms` (≥ 0) without an attempt made: DelayedError. §5.7 */
BW_API void bw_job_move_to_delayed(struct bw_job *job, int64_t delay_ms);
/* Back to wait, next in line, without an attempt made: WaitingError. §5.8 */
BW_API void bw_job_move_to_wait(struct bw_job *job);
/* The queue is limited for `delay_ms` and the job goes back to wait: RateLimitError.
 * §10.3 */
BW_API void bw_job_rate_limit(struct bw_job *job, int64_t delay_ms);

#endif
