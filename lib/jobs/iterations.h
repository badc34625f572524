/* Jobs of schedulers: before such a job runs, Redis is told to plan the one after it.
 * lib/spec/bullmq.md §9.3. On the reactor.
 *
 * Meanwhile the job is HELD: it keeps its slot and its lock is renewed, but no handler
 * has it yet. One call plans all that a turn has brought. A call lost with its connection
 * is sent again: what it had planned is not planned twice. Where Redis refuses to plan a
 * job, or its pattern or zone cannot be read, it runs all the same, and the trouble is
 * logged and told as an error; BullMQ leaves such a job to stall (BMQ-172). */
#ifndef BW_JOBS_ITERATIONS_H
#define BW_JOBS_ITERATIONS_H

#include <stdbool.h>
#include <stddef.h>

struct bw_job;
struct bw_lane;

struct bw_planning { /* of a lane */
    /* They wait for the next call. */
    struct bw_job *head, *tail;
    /* Calls whose answers are awaited. */
    unsigned calls;
};

/* The job waits for the next call; `then` follows, whatever comes of it. */
void bw_iterations_want(struct bw_job *job, void (*then)(struct bw_job *job));
/* Sends for those that wait, while calls can be sent. */
void bw_iterations_send(struct bw_lane *lane);
/* The job is given up: it does not wait any more, and no handler will answer for it.
 * False: it did not wait. */
bool bw_iterations_forget(struct bw_job *job);

/* No job waits. */
static inline bool bw_iterations_is_idle(const struct bw_planning *planning)
{
    return planning->head == NULL && planning->calls == 0;
}

#endif
