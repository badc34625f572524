/* Batches: jobs that one call of a handler runs. A job is gathered on the reactor, and
 * goes to the handler with the others when the batch is full, when its wait is over, or
 * when the worker drains. */
#ifndef BW_JOBS_BATCH_H
#define BW_JOBS_BATCH_H

#include <stdbool.h>

#include <bulwark/error.h>
#include <bulwark/worker.h>

struct bw_job;
struct bw_lane;
struct bw_timer;

struct bw_batch { /* of a lane */
    struct bw_job *head, *tail;
    unsigned count;
    /* Runs while a job waits for more. */
    struct bw_timer *timer;
    /* The wait is over. */
    bool due;
};

/* Names what is wrong with the handler. */
BW_MUSTCHECK int bw_batch_check(const struct bw_handler *handler, struct bw_error *err);
BW_MUSTCHECK int bw_batch_init(struct bw_lane *lane);
void bw_batch_fini(struct bw_lane *lane);

/* The job joins the batch. */
void bw_batch_add(struct bw_job *job);
/* Hands the batch over if it is time. Once a turn. */
void bw_batch_turn(struct bw_lane *lane);

#endif
