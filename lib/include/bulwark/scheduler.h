/* Job schedulers: jobs that come again, every so often or by a cron pattern.
 * lib/spec/bullmq.md §9
 *
 * Asynchronous, over a `struct bw_redis`: any thread; the callback runs on the reactor
 * and must not block. It is called exactly once, unless the call returns an error: then
 * never. Workers plan the following iterations by themselves. */
#ifndef BULWARK_SCHEDULER_H
#define BULWARK_SCHEDULER_H

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

struct bw_scheduler {   /* all borrowed for the call; times in ms since the epoch */
    const char *prefix; /* NULL: "bull" */
    const char *queue;
    const char *id;

    /* When: one of the first two. */
    const char *pattern; /* bulwark/cron.h */
    int64_t every;       /* ms; 0: by the pattern */
    const char *tz;      /* of the pattern; NULL: the local zone of the process */
    int64_t offset;      /* ms, of `every`; 0: the phase of the first iteration */
    int64_t start_date, end_date; /* 0: none */
    int64_t limit;                /* iterations in all; 0: no limit */
    bool immediately;             /* the first iteration of a pattern runs now */

    /* What: the template of the iterations. */
    const char *name; /* NULL: the id */
    const char *data; /* JSON; NULL: {} */
    size_t data_len;
    const char *opts; /* JSON object of job options in their public spelling; or NULL */
    size_t opts_len;

    /* While the queue is paused, the pending iteration is looked for as BullMQ 6.x does:
     * in vain. lib/spec/bullmq.md A.4, 2; for comparisons. */
    bool strict;
};

/* `id` is that of the pending iteration, borrowed for the call; NULL with `err` NULL too:
 * there is nothing to schedule, for the pattern has no further time before the end. */
typedef void bw_scheduler_cb(const char *id, const struct bw_error *err, void *arg);

/* Makes the scheduler, or changes it and its pending iteration. Errors: BW_EINVAL naming
 * the member that is wrong; BW_EJOB_SLOT_TAKEN, BW_EJOB_NO_SLOT through the callback.
 * When there is nothing to schedule the callback runs before this returns. §9.2 */
BW_MUSTCHECK BW_API int bw_scheduler_upsert(struct bw_redis *redis,
                                            const struct bw_scheduler *scheduler,
                                            const struct bw_clock *clock,
                                            unsigned timeout_ms, bw_scheduler_cb *cb,
                                            void *arg, struct bw_error *err);

/* The reply is 0, or 1 when there was none. An iteration that waits already will run.
 * §9.4 */
BW_MUSTCHECK BW_API int bw_scheduler_remove(struct bw_redis *redis, const char *prefix,
                                            const char *queue, const char *id,
                                            unsigned timeout_ms, bw_redis_cb *cb,
                                            void *arg);

/* A JSON object as BullMQ's getJobScheduler() gives it: key, name, next, iterationCount,
 * pattern or every, tz, limit, startDate, endDate, offset, template {data, opts}; `null`
 * when there is none. */
BW_MUSTCHECK BW_API int bw_scheduler_get(struct bw_redis *redis, const char *prefix,
                                         const char *queue, const char *id,
                                         unsigned timeout_ms, bw_json_cb *cb, void *arg);

/* A JSON array of them by their next run, from `first` to `last` (0…; -1: the last one).
 */
BW_MUSTCHECK BW_API int bw_scheduler_list(struct bw_redis *redis, const char *prefix,
                                          const char *queue, int64_t first, int64_t last,
                                          bool latest_first, unsigned timeout_ms,
                                          bw_json_cb *cb, void *arg);

/* The reply is their number. */
BW_MUSTCHECK BW_API int bw_scheduler_count(struct bw_redis *redis, const char *prefix,
                                           const char *queue, unsigned timeout_ms,
                                           bw_redis_cb *cb, void *arg);

#ifdef __cplusplus
}
#endif

#endif
