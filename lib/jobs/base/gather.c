#include "jobs/base/gather.h"

#include <stddef.h>

#include <bulwark/worker.h>

#include "base/assert.h"

void bw_gather_init(struct bw_gather *gather, bw_gather_fn *fn, void *arg)
{
    *gather = (struct bw_gather){ .fn = fn, .arg = arg };
}

void bw_gather_add(struct bw_gather *gather, struct bw_task *task)
{
    BW_ASSERT((gather->head == NULL) == (gather->count == 0));
    task->next = NULL;
    if (gather->tail != NULL)
        gather->tail->next = task;
    else
        gather->head = task;
    gather->tail = task;
    gather->count++;
}

void bw_gather_hand_out(struct bw_gather *gather)
{
    struct bw_task *first = gather->head, *last = gather->tail;
    unsigned count = gather->count;

    if (first == NULL)
        return;
    BW_ASSERT(last != NULL && last->next == NULL);
    gather->head = gather->tail = NULL;
    gather->count = 0;
    gather->fn(first, last, count, gather->arg);
}
