/* A queue seen from the producer's and the administrator's side: add, pause, resume.
 *
 * Asynchronous, over a `struct bw_redis`: any thread; the callback runs on the reactor
 * and must not block. Scripts are loaded on demand. lib/spec/bullmq.md §§3, 7.3. */
#ifndef BULWARK_QUEUE_H
#define BULWARK_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bw_add {         /* one job to add; all borrowed for the call */
    const char *prefix; /* NULL: "bull" */
    const char *queue;
    const char *name;
    const char *data; /* JSON text; NULL: {} */
    size_t data_len;
    /* JSON object of job options in their public spelling (attempts, backoff, delay,
     * priority, lifo, jobId, removeOnComplete …); NULL: none. §2.3 */
    const char *opts;
    size_t opts_len;
    /* 0 or 6: as BullMQ 6.x. 5: as 5.x, where they differ: `debounced` events beside
     * `deduplicated`, a flow's parents released while it is added (§3.6, §8.1). */
    int line;
};

/* `id` is borrowed for the call; NULL exactly when `err` is not. */
typedef void bw_add_cb(const char *id, const struct bw_error *err, void *arg);

/* BW_EINVAL names the option that is refused (§2.3 producer validation, §1.1 ids), or the
 * byte at which `data` is not JSON; then, and on BW_ENOMEM or BW_ECLOSED, the callback is
 * never called. */
BW_MUSTCHECK BW_API int bw_queue_add(struct bw_redis *redis, const struct bw_add *add,
                                     const struct bw_clock *clock, unsigned timeout_ms,
                                     bw_add_cb *cb, void *arg, struct bw_error *err);

/* `ids` are those of the jobs in their order, NULL where one was refused; borrowed for
 * the call. `err` is the first refusal, or NULL. */
typedef void bw_bulk_cb(const char *const *ids, size_t count, const struct bw_error *err,
                        void *arg);

/* The same adds one after the other, many a call; not all or nothing. BW_EINVAL (nothing
 * was added) names job and option. §3.4 */
BW_MUSTCHECK BW_API int bw_queue_add_bulk(struct bw_redis *redis,
                                          const struct bw_add *adds, size_t count,
                                          const struct bw_clock *clock,
                                          unsigned timeout_ms, bw_bulk_cb *cb, void *arg,
                                          struct bw_error *err);

/* New, ended with free(); NULL: out of memory. The name under which the queue's workers
 * are among Redis's clients (getWorkers); that of a named worker goes on with ":w:NAME".
 * Of BullMQ's workers it is the connection that waits, of this library's another. §10.8
 */
BW_API char *bw_queue_client_name(const char *prefix, const char *queue);

/* §7.3, as 6.x. `queue` without prefix; prefix NULL: "bull". */
BW_MUSTCHECK BW_API int bw_queue_pause(struct bw_redis *redis, const char *prefix,
                                       const char *queue, unsigned timeout_ms,
                                       bw_redis_cb *cb, void *arg);
BW_MUSTCHECK BW_API int bw_queue_resume(struct bw_redis *redis, const char *prefix,
                                        const char *queue, unsigned timeout_ms,
                                        bw_redis_cb *cb, void *arg);

#ifdef __cplusplus
}
#endif

#endif
