/* Ordered groups beside the settle calls, which do most: their books are checked with the
 * rhythm of the stalled check, and what a queue without groups finds of an earlier time
 * with groups is put back to wait. On the reactor. */
#ifndef BW_JOBS_GROUPS_H
#define BW_JOBS_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/worker.h>

#include "queue/calls.h"

struct bw_job;
struct bw_lane;

struct bw_grouping { /* of a lane */
    /* Its key is the lane's; NULL: none. */
    struct bw_groups groups;
    /* Of a time with groups there may be some. */
    bool left;
    /* A check's answer is awaited. */
    bool asked;
};

/* As the options say; their texts are borrowed. */
void bw_groups_init(struct bw_grouping *grouping, const struct bw_queue_options *options);

/* NULL: the queue has no groups. */
static inline const struct bw_groups *bw_groups_of(const struct bw_grouping *grouping)
{
    return grouping->groups.key != NULL ? &grouping->groups : NULL;
}

/* A queue without groups is looked at until it holds none once: then never again. */
void bw_groups_check(struct bw_lane *lane);
/* The job may have left active other than through a settle call: then the next of its
 * group may go. */
void bw_groups_left(struct bw_job *job);

#endif
