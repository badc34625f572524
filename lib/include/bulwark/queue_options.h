/* What a worker may be told about one of its queues: BullMQ's names, meanings and
 * defaults (lib/spec/bullmq.md §11.1).
 *
 * An option that is a number or a switch is one row. The struct, bw_queue_options_init()
 * and bw_queue_options_check() come from the rows, and so does what the daemon reads,
 * from files, and tells in its help; a program that reads options can do the same. */
#ifndef BULWARK_QUEUE_OPTIONS_H
#define BULWARK_QUEUE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A thousand hours: more is a mistake, and keeps sums of times far from overflow. */
#define BW_OPTION_MS_MAX  INT64_C(3600000000)
#define BW_OPTION_DAY_MS  INT64_C(86400000)
#define BW_OPTION_YEAR_MS INT64_C(31536000000)
/* Half of lock_duration. */
#define BW_LOCK_RENEW_HALF INT64_MAX

/* type, member, BullMQ's name, default, least, most, what it is.
 *
 * The default is allowed beside least to most. Types: COUNT, NUMBER, SWITCH; MS; SECONDS,
 * which are kept in ms and given in seconds by BullMQ and in files. */
#define BW_QUEUE_OPTIONS(X)                                                              \
    X(COUNT, concurrency, "concurrency", 1, 1, 1000000, "jobs run at once")              \
    X(MS, lock_duration, "lockDuration", 30000, 1, BW_OPTION_MS_MAX,                     \
      "how long a job's lock lives")                                                     \
    X(MS, stalled_interval, "stalledInterval", 30000, 1, BW_OPTION_MS_MAX,               \
      "time between checks for stalled jobs")                                            \
    X(NUMBER, max_stalled_count, "maxStalledCount", 1, 0, INT32_MAX,                     \
      "times a job may stall")                                                           \
    X(SECONDS, drain_delay, "drainDelay", 5000, 1, BW_OPTION_DAY_MS,                     \
      "longest wait for a job")                                                          \
    X(NUMBER, limiter_max, "limiter.max", 0, 1, INT64_MAX,                               \
      "jobs started in a window [no limit]")                                             \
    X(MS, limiter_duration, "limiter.duration", 0, 1, BW_OPTION_YEAR_MS,                 \
      "length of a window")                                                              \
    X(COUNT, group_concurrency, "groupConcurrency", 1, 1, 1000000,                       \
      "jobs of a group run at once")                                                     \
    X(NUMBER, group_rate_max, "groupRate.max", 0, 1, INT64_MAX,                          \
      "jobs of a group started in a window [no limit]")                                  \
    X(MS, group_rate_duration, "groupRate.duration", 0, 1, BW_OPTION_MS_MAX,             \
      "length of a window")                                                              \
    X(SWITCH, group_strict, "groupStrict", 0, 0, 1,                                      \
      "a job that is to be tried again keeps its place: its group waits for it")         \
    X(MS, maximum_rate_limit_delay, "maximumRateLimitDelay", 30000, 1, BW_OPTION_MS_MAX, \
      "longest sleep while limited")                                                     \
    X(MS, run_retry_delay, "runRetryDelay", 15000, 1, BW_OPTION_MS_MAX,                  \
      "longest pause after failing calls")                                               \
    X(NUMBER, metrics_max_data_points, "metrics.maxDataPoints", 0, 0, INT32_MAX,         \
      "minutes of counts kept in Redis for dashboards; 0: none")                         \
    X(MS, timeout, "timeout", 0, 0, BW_OPTION_MS_MAX,                                    \
      "longest time of a job, then it is cancelled and failed for a retry; its own "     \
      "opts.timeout goes first; 0: no limit")                                            \
    X(SWITCH, remote_cancel, "remoteCancel", 0, 0, 1,                                    \
      "let jobs be cancelled through Redis: bulwark queue cancel")                       \
    X(MS, deaf_timeout, "deafTimeout", 0, 0, BW_OPTION_MS_MAX,                           \
      "longest time without an answered fetch on links that work before they are made "  \
      "anew; after four times as long the worker ends; 0: 2 * drainDelay + 5 s")         \
    X(COUNT, pause_layout, "pauseLayout", 0, 5, 6,                                       \
      "where a paused queue's jobs are: as in 5.x or 6.x [as the clients that share it " \
      "do]")                                                                             \
    X(SWITCH, skip_lock_renewal, "skipLockRenewal", 0, 0, 1, "leave locks to run out")   \
    X(SWITCH, skip_stalled_check, "skipStalledCheck", 0, 0, 1,                           \
      "leave stalled jobs to others")                                                    \
    X(SWITCH, strict, "strict", 0, 0, 1,                                                 \
      "as BullMQ also where it loses or doubles work")                                   \
    X(SWITCH, skip_listing, "skipListing", 0, 0, 1,                                      \
      "no connection that shows the worker on dashboards")

/* The same, where a program may also give less than the least: none. */
#define BW_QUEUE_OPEN_OPTIONS(X)                                                         \
    X(MS, lock_renew_time, "lockRenewTime", BW_LOCK_RENEW_HALF, 1, BW_OPTION_MS_MAX,     \
      "time between renewals of a lock [lockDuration / 2]")                              \
    X(NUMBER, max_started_attempts, "maxStartedAttempts", -1, 0, INT32_MAX,              \
      "times a job may start [no limit]")

/* removeOnComplete, removeOnFail; §5.5 */
struct bw_keep {
    /* false: keep all */
    bool set;
    /* < 0: no limit by count; 0: remove at once */
    int64_t count;
    /* seconds; < 0: no limit by age */
    int64_t age;
    /* removals a finish; < 0: the default of 1000 */
    int64_t limit;
};

#define BW_OPTION_COUNT   unsigned
#define BW_OPTION_NUMBER  int64_t
#define BW_OPTION_MS      int64_t
#define BW_OPTION_SECONDS int64_t
#define BW_OPTION_SWITCH  bool

struct bw_queue_options {
    /* required; not empty, no ':' (BMQ-002) */
    const char *name;
    /* NULL: "bull" */
    const char *prefix;
    /* written as `pb`; shown by dashboards; NULL: none */
    const char *worker_name;
    /* Ordered groups: jobs whose data hold the same value at this dotted path run in the
     * order in which they are taken, one at a time, across all workers that say the same.
     * "a.b+c|d": what stands at a.b and at c together, or else at d. NULL: no groups.
     * README.md tells what that means for jobs that fail, and for other clients. */
    const char *group_key;
    struct bw_keep remove_on_complete;
    struct bw_keep remove_on_fail;
#define BW_OPTION_MEMBER(type, member, name, def, least, most, help)                     \
    BW_OPTION_##type member;
    BW_QUEUE_OPTIONS(BW_OPTION_MEMBER)
    BW_QUEUE_OPEN_OPTIONS(BW_OPTION_MEMBER)
#undef BW_OPTION_MEMBER
};

/* Fills in every default. The caller sets `name` and what differs. */
BW_API void bw_queue_options_init(struct bw_queue_options *options);

/* What cannot work is refused, as bw_worker_add_queue() does: BW_EINVAL, and the text
 * begins with the option's name as BullMQ spells it. */
BW_MUSTCHECK BW_API int bw_queue_options_check(const struct bw_queue_options *options,
                                               struct bw_error *err);

#ifdef __cplusplus
}
#endif

#endif
