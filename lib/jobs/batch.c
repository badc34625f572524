#include "jobs/batch.h"

#include <stdlib.h>

#include "redis/loop.h"
#include "jobs/job.h"
#include "jobs/queue_loop.h"
#include "run/reactor.h"

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
    struct bw_queue_loop *queue = arg;

    queue->gathered.due = true; /* the turn sees to it */
}

int bw_batch_prepare(struct bw_queue_loop *queue)
{
    if (queue->handler.process_batch == NULL)
        return BW_OK;
    return bw_timer_create(&queue->gathered.timer, queue->reactor->loop, wait_is_over,
                           queue);
}

void bw_batch_fini(struct bw_queue_loop *queue)
{
    bw_timer_destroy(&queue->gathered.timer);
}

/* Full, too, when every slot's job is in it: no more can come. */
static bool is_full(const struct bw_queue_loop *queue)
{
    return queue->gathered.count >= queue->handler.batch_size ||
           queue->gathered.count >= queue->options.concurrency;
}

/* The jobs go as the task of the first of them, linked by batch_next. */
static void hand_over(struct bw_queue_loop *queue)
{
    struct bw_batch *batch = &queue->gathered;
    struct bw_job *first = batch->head;

    bw_timer_stop(batch->timer);
    batch->head = batch->tail = NULL;
    batch->count = 0;
    batch->due = false;
    first->task.run = bw_job_run_batch_task;
    if (queue->handler.inline_)
        bw_job_run_batch_task(&first->task);
    else
        bw_reactor_run_later(queue->reactor, first);
}

void bw_batch_add(struct bw_job *job)
{
    struct bw_queue_loop *queue = job->queue;
    struct bw_batch *batch = &queue->gathered;

    job->batch_next = NULL;
    if (batch->tail != NULL)
        batch->tail->batch_next = job;
    else
        batch->head = job;
    batch->tail = job;
    batch->count++;
    if (is_full(queue)) {
        hand_over(queue);
        return;
    }
    if (batch->count == 1 && queue->handler.batch_wait > 0)
        bw_timer_start(batch->timer, queue->handler.batch_wait);
}

void bw_batch_turn(struct bw_queue_loop *queue)
{
    const struct bw_batch *batch = &queue->gathered;

    if (batch->count > 0 &&
        (batch->due || queue->handler.batch_wait == 0 || queue->reactor->draining))
        hand_over(queue);
}
