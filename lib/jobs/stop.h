/* Stopping a job that its handler has: its time limit has passed, or somebody asked for
 * it. The handler is told (bw_handler.cancel) and has a grace to answer. What it
 * completes meanwhile counts; any other answer is recorded as the failure that the stop
 * stands for. Without an answer the worker records that failure itself, frees the slot,
 * and drops what the handler says later. On the reactor.
 *
 * A time limit is a queue's option `timeout`, or a job's own `opts.timeout`. Nothing runs
 * for jobs without one. */
#ifndef BW_JOBS_STOP_H
#define BW_JOBS_STOP_H

#include <stdbool.h>

#include <bulwark/error.h>
#include <bulwark/time.h>

struct bw_job;
struct bw_lane;
struct bw_timer;

struct bw_stopping { /* of a lane */
    struct bw_timer *timer;
    /* When it fires; 0: not. */
    struct bw_mono next;
};

#define BW_STOP_GRACE_MS 5000

BW_MUSTCHECK int bw_stop_init(struct bw_lane *lane);
void bw_stop_fini(struct bw_lane *lane);
/* The job goes to its handler: its time begins. */
void bw_stop_watch(struct bw_job *job);
/* The job failed for good with "job cancelled: REASON", unless it is being stopped
 * already. It may be gone when this returns. BW_ENOMEM. */
BW_MUSTCHECK int bw_stop_cancel(struct bw_job *job, const char *reason);
/* A job that is being stopped ends now, without its handler. False: it is not being
 * stopped, or its answer is on the way. */
bool bw_stop_end(struct bw_job *job);
/* Puts the stop's failure in place of what the handler of a stopped job said. */
void bw_stop_overrule(struct bw_job *job);

#endif
