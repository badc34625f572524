/* Ordered groups beside the settle calls, which do most: their books are checked with the
 * rhythm of the stalled check, and what a queue without groups finds of an earlier time
 * with groups is put back to wait. On the reactor. */
#ifndef BW_JOBS_GROUPS_H
#define BW_JOBS_GROUPS_H

struct bw_job;
struct bw_lane;

/* A queue without groups is looked at until it holds none once: then never again. */
void bw_groups_check(struct bw_lane *lane);
/* The job may have left active other than through a settle call: then the next of its
 * group may go. */
void bw_groups_left(struct bw_job *job);

#endif
