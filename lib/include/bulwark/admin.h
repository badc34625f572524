/* A queue from the administrator's side: its jobs one by one, many at once, and what it
 * counts. lib/spec/bullmq.md §§7, 10
 *
 * Asynchronous, over a `struct bw_redis`: any thread; the callback runs on the reactor
 * and must not block. It is called exactly once, unless the call returns an error: then
 * never. What takes several calls of scripts goes on by itself; each has `timeout_ms`.
 * BW_EINVAL: what a call needs is NULL, or a state is none. */
#ifndef BULWARK_ADMIN_H
#define BULWARK_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>
#include <bulwark/flow.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bw_queue_at { /* which queue, and how it is asked; borrowed for the call */
    struct bw_redis *redis;
    const char *prefix; /* NULL: "bull" */
    const char *queue;
    const struct bw_clock *clock; /* NULL: the system's */
    unsigned timeout_ms;          /* of each call */
    /* Where BullMQ's own behaviour leaves ghosts or nameless jobs it is kept.
     * lib/spec/bullmq.md A.4; for comparisons. */
    bool strict;
    int line; /* 5: as BullMQ 5.x does it; anything else: as 6.x */
};

/* `number` counts only without an error. */
typedef void bw_number_cb(int64_t number, const struct bw_error *err, void *arg);

/* --- one job; the errors are BW_EJOB_* */

/* 1: removed, or there was none; 0: it, or a child, is locked. §7.2 */
BW_MUSTCHECK BW_API int bw_admin_remove(const struct bw_queue_at *at, const char *id,
                                        bool children, bw_number_cb *cb, void *arg);
/* Children that nobody works on or has worked on. §7.2 */
BW_MUSTCHECK BW_API int bw_admin_remove_children(const struct bw_queue_at *at,
                                                 const char *id, bw_number_cb *cb,
                                                 void *arg);
/* A delayed job is due `delay_ms` from now. §7.1 */
BW_MUSTCHECK BW_API int bw_admin_change_delay(const struct bw_queue_at *at,
                                              const char *id, int64_t delay_ms,
                                              bw_number_cb *cb, void *arg);
BW_MUSTCHECK BW_API int bw_admin_change_priority(const struct bw_queue_at *at,
                                                 const char *id, int64_t priority,
                                                 bool lifo, bw_number_cb *cb, void *arg);
/* A delayed job waits to be taken. */
BW_MUSTCHECK BW_API int bw_admin_promote(const struct bw_queue_at *at, const char *id,
                                         bw_number_cb *cb, void *arg);
/* A job in `state`, "failed" or "completed", runs again. */
BW_MUSTCHECK BW_API int bw_admin_reprocess(const struct bw_queue_at *at, const char *id,
                                           const char *state, bool reset_made,
                                           bool reset_started, bw_number_cb *cb,
                                           void *arg);

/* --- many. §7.3 */

/* All that waits, but for what schedulers have planned. */
BW_MUSTCHECK BW_API int bw_admin_drain(const struct bw_queue_at *at, bool delayed,
                                       bw_number_cb *cb, void *arg);
/* Jobs of one state that were there `grace_ms` ago, at most `limit` (0: all of them). The
 * ids, as a JSON array. */
BW_MUSTCHECK BW_API int bw_admin_clean(const struct bw_queue_at *at, const char *state,
                                       int64_t grace_ms, int64_t limit, bw_json_cb *cb,
                                       void *arg);
/* Removes the queue, which is paused first; refused while jobs run, unless `force`.
 * `count` a call; 0: 1000. */
BW_MUSTCHECK BW_API int bw_admin_obliterate(const struct bw_queue_at *at, int64_t count,
                                            bool force, bw_number_cb *cb, void *arg);
/* "failed" or "completed" jobs that ended up to `timestamp` (0: now), or all that are
 * delayed, to `wait`; `count` a call; 0: 1000. */
BW_MUSTCHECK BW_API int bw_admin_retry_jobs(const struct bw_queue_at *at,
                                            const char *state, int64_t count,
                                            int64_t timestamp, bw_number_cb *cb,
                                            void *arg);
BW_MUSTCHECK BW_API int bw_admin_promote_jobs(const struct bw_queue_at *at, int64_t count,
                                              bw_number_cb *cb, void *arg);

/* --- reading. §7.4 */

/* {"<state>": n, …}; `states` ends with NULL, and NULL are all that a queue has. */
BW_MUSTCHECK BW_API int bw_admin_counts(const struct bw_queue_at *at,
                                        const char *const *states, bw_json_cb *cb,
                                        void *arg);
/* Ids of one state from `first` to `last` (0…; -1: the last), as a JSON array. */
BW_MUSTCHECK BW_API int bw_admin_job_ids(const struct bw_queue_at *at, const char *state,
                                         int64_t first, int64_t last, bool oldest_first,
                                         bw_json_cb *cb, void *arg);
/* {"<priority>": n, …} */
BW_MUSTCHECK BW_API int bw_admin_counts_per_priority(const struct bw_queue_at *at,
                                                     const int64_t *priorities,
                                                     size_t count, bw_json_cb *cb,
                                                     void *arg);
/* For how long (ms) the rate limit lasts, ≤ 0: it does not; `max` < 0: as the queue's
 * `meta` says. */
BW_MUSTCHECK BW_API int bw_admin_limit_ttl(const struct bw_queue_at *at, int64_t max,
                                           bw_number_cb *cb, void *arg);
/* {"count", "prevTS", "prevCount", "data": […], "points"} of "completed" or "failed".
 * §10.7 */
BW_MUSTCHECK BW_API int bw_admin_metrics(const struct bw_queue_at *at, const char *of,
                                         int64_t first, int64_t last, bw_json_cb *cb,
                                         void *arg);
/* The queue as Prometheus reads it; `labels` is a JSON object of texts, or NULL. The
 * callback's text is not JSON. §10.9 */
BW_MUSTCHECK BW_API int bw_admin_prometheus(const struct bw_queue_at *at,
                                            const char *labels, bw_json_cb *cb,
                                            void *arg);

/* --- limits of the whole queue; < 0: none any more. §§10.2, 10.4 */

BW_MUSTCHECK BW_API int bw_admin_set_concurrency(const struct bw_queue_at *at,
                                                 int64_t concurrency, bw_number_cb *cb,
                                                 void *arg);
BW_MUSTCHECK BW_API int bw_admin_set_rate_limit(const struct bw_queue_at *at, int64_t max,
                                                int64_t duration_ms, bw_number_cb *cb,
                                                void *arg);

#ifdef __cplusplus
}
#endif

#endif
