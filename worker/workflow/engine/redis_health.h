/* Whether Redis is worth asking. worker/workflow/spec/workflow.md §10.6. Any thread. */
#ifndef WORKFLOW_REDIS_HEALTH_H
#define WORKFLOW_REDIS_HEALTH_H

#include <stdatomic.h>
#include <stdbool.h>

#include <bulwark/time.h>

struct wf_redis_health {
    const struct bw_clock *clock;
    /* monotonic ns: not asked before; 0: usable */
    atomic_int_fast64_t closed_until;
    atomic_uint failures;
    /* monotonic ns, the last time; 0: never */
    atomic_int_fast64_t failed_at;
    /* monotonic ns; 0: it worked since */
    atomic_int_fast64_t missed_since;
};

void wf_redis_health_init(struct wf_redis_health *health, const struct bw_clock *clock);

/* After a failure Redis is left alone for 50 ms × n, at most 2 s. */
bool wf_redis_usable(struct wf_redis_health *health);
void wf_redis_failed(struct wf_redis_health *health);
void wf_redis_worked(struct wf_redis_health *health);
/* Within the last minute: what it holds may be older than what memory has heard. */
bool wf_redis_failed_lately(const struct wf_redis_health *health);
/* Asked when Redis was missed: whether it is worth waiting for. No longer when it has not
 * worked for 2 s from the first time on. */
bool wf_redis_hiccups(struct wf_redis_health *health);

#endif
