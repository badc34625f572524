#include "jobs/ready.h"

#include <stddef.h>

#include "base/assert.h"
#include "jobs/job.h"
#include "jobs/lane.h"

void bw_ready_init(struct bw_ready *ready)
{
    bw_list_init(&ready->handbacks);
}

static void add_handback(struct bw_job *job)
{
    struct bw_list *handbacks = &job->lane->ready.handbacks;
    uint64_t number = bw_lane_token_number(job);
    struct bw_list *before = handbacks->prev;

    while (before != handbacks &&
           bw_lane_token_number(BW_LIST_OF(before, struct bw_job, handback)) > number)
        before = before->prev;
    bw_list_insert_after(before, &job->handback);
}

/* True: it waits to be handed back, and is none of the others. */
static bool enter(struct bw_job *job)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC && job->place != BW_JOB_GONE);
    job->place = BW_JOB_READY;
    bw_lane_touch(job->lane);
    if (job->item.kind != BW_SETTLE_HAND_BACK)
        return false;
    add_handback(job);
    return true;
}

void bw_ready_add(struct bw_job *job)
{
    struct bw_ready *ready = &job->lane->ready;

    if (enter(job))
        return;
    job->next = NULL;
    if (ready->tail != NULL)
        ready->tail->next = job;
    else
        ready->head = job;
    ready->tail = job;
    ready->count++;
}

void bw_ready_add_first(struct bw_job *job)
{
    struct bw_ready *ready = &job->lane->ready;

    if (enter(job))
        return;
    job->next = ready->head;
    ready->head = job;
    if (ready->tail == NULL)
        ready->tail = job;
    ready->count++;
}

struct bw_job *bw_ready_take(struct bw_lane *lane)
{
    struct bw_ready *ready = &lane->ready;
    struct bw_job *job = ready->head;

    BW_ASSERT(job != NULL && job->place == BW_JOB_READY && ready->count > 0);
    ready->head = job->next;
    if (ready->head == NULL)
        ready->tail = NULL;
    ready->count--;
    BW_ASSERT((ready->head == NULL) == (ready->count == 0));
    return job;
}

struct bw_job *bw_ready_take_handback(struct bw_lane *lane)
{
    struct bw_list *handbacks = &lane->ready.handbacks;
    struct bw_job *job;

    if (bw_list_is_empty(handbacks))
        return NULL;
    job = BW_LIST_OF(handbacks->prev, struct bw_job, handback);
    BW_ASSERT(job->place == BW_JOB_READY && job->item.kind == BW_SETTLE_HAND_BACK);
    bw_list_remove(&job->handback);
    return job;
}

bool bw_ready_is_alone(const struct bw_lane *lane)
{
    return lane->ready.head != NULL && lane->ready.head->alone;
}
