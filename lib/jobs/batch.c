#include "jobs/batch.h"

#include <stdlib.h>

#include "base/assert.h"
#include "redis/loop.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"

int bw_batch_check(const struct bw_handler *handler, struct bw_error *err)
{
    if ((handler->process != NULL) == (handler->process_batch != NULL))
        return bw_error_set(
            err, BW_EINVAL,
            "the handler has no process function, or process and process_batch");
    if (handler->process != NULL)
        return BW_OK;
    if (handler->batch_size < 1 || handler->batch_size > BW_BATCH_MAX)
        return bw_error_set(err, BW_EINVAL, "batch_size of the handler is not 1 to %d",
                            BW_BATCH_MAX);
    if (handler->batch_wait < 0)
        return bw_error_set(err, BW_EINVAL, "batch_wait of the handler is negative");
    return BW_OK;
}

static void wait_is_over(void *arg)
{
    struct bw_lane *lane = arg;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC);
    lane->batch.due = true; /* the turn sees to it */
}

int bw_batch_init(struct bw_lane *lane)
{
    if (lane->handler.process_batch == NULL)
        return BW_OK;
    return bw_timer_create(&lane->batch.timer, lane->caller->loop, wait_is_over, lane);
}

void bw_batch_fini(struct bw_lane *lane)
{
    bw_timer_destroy(&lane->batch.timer);
}

/* Full, too, when every slot's job is in it: no more can come. */
static bool is_full(const struct bw_lane *lane)
{
    return lane->batch.count >= lane->handler.batch_size ||
           lane->batch.count >= lane->options.concurrency;
}

/* The jobs go as the task of the first of them, linked by batch_next. */
static void hand_over(struct bw_lane *lane)
{
    struct bw_batch *batch = &lane->batch;
    struct bw_job *first = batch->head;

    BW_ASSERT(first != NULL && batch->count > 0 && batch->count <= BW_BATCH_MAX);
    bw_timer_stop(batch->timer);
    batch->head = batch->tail = NULL;
    batch->count = 0;
    batch->due = false;
    first->task.run = bw_job_run_batch_task;
    if (lane->handler.inline_)
        bw_job_run_batch_task(&first->task);
    else
        bw_gather_add(&lane->lanes->gather, &first->task);
}

void bw_batch_add(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;
    struct bw_batch *batch = &lane->batch;

    BW_ASSERT(job->place == BW_JOB_HELD);
    job->batch_next = NULL;
    if (batch->tail != NULL)
        batch->tail->batch_next = job;
    else
        batch->head = job;
    batch->tail = job;
    batch->count++;
    if (is_full(lane)) {
        hand_over(lane);
        return;
    }
    if (batch->count == 1 && lane->handler.batch_wait > 0)
        bw_timer_start(batch->timer, lane->handler.batch_wait);
}

void bw_batch_turn(struct bw_lane *lane)
{
    const struct bw_batch *batch = &lane->batch;

    if (batch->count > 0 &&
        (batch->due || lane->handler.batch_wait == 0 || lane->lanes->ending.draining))
        hand_over(lane);
}
