/* Limits that hold in any window of time: so many at most within the last so many ms,
 * counted in Redis for all replicas together, by its clock.
 * worker/workflow/spec/workflow.md §10.4
 *
 * What is sent has a place in each quota from before it leaves until the window is over
 * that begins with its answer: so it is counted when it arrives, however long it was on
 * its way. A place whose answer nobody saw, a crash for instance, is given up 5 s
 * later than if the answer had come at once. */
#ifndef WORKFLOW_QUOTAS_H
#define WORKFLOW_QUOTAS_H

#include <stddef.h>
#include <stdint.h>

#include <bulwark/redis.h>

struct wf_memory;

#define WF_QUOTAS_MAX 3
#define WF_QUOTA_ARGS (8 + 3 * WF_QUOTAS_MAX)

struct wf_quota {
    char *key;
    int64_t limit, window_ms;
    char texts[2][24]; /* the numbers, as Redis is told them */
};

struct wf_quotas {
    /* while there is such a key nobody enters; how many entered in this second of the
     * clock, as §10.4 says; how many wait for the first quota */
    char *pause, *counter, *waiting;
    char holder[33]; /* whose place it is */
    struct wf_quota at[WF_QUOTAS_MAX];
    size_t count;
};

/* All keys are taken. */
struct wf_quotas *wf_quotas_create(char *pause, char *counter, char *waiting,
                                   const char *holder);
void wf_quotas_add(struct wf_quotas *quotas, char *key, int64_t limit, int64_t window_ms);
void wf_quotas_destroy(struct wf_quotas **quotasp);

/* The command that takes a place in all quotas, or in none; may be repeated when
 * nobody knows what became of it. The reply is 0, or the ms
 * after which it is worth asking again. And the one that says that the answer is there.
 * Borrowed texts; returns their number. */
size_t wf_quotas_enter(const struct wf_quotas *quotas,
                       struct bw_redis_arg args[WF_QUOTA_ARGS]);
size_t wf_quotas_leave(const struct wf_quotas *quotas,
                       struct bw_redis_arg args[WF_QUOTA_ARGS]);

/* The same in the memory of this process, while Redis is away: windows one behind the
 * other, each with half the limit, so that none that overlaps two has more. */
int64_t wf_quotas_enter_memory(const struct wf_quotas *quotas, struct wf_memory *memory);
void wf_quotas_leave_memory(const struct wf_quotas *quotas, struct wf_memory *memory);

#endif
