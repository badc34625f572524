/* The scripts about job schedulers, as calls.h. lib/spec/bullmq.md §9 */
#ifndef BW_QUEUE_CALLS_SCHEDULERS_H
#define BW_QUEUE_CALLS_SCHEDULERS_H

#include "queue/calls.h"
#include "queue/iteration.h"

/* Replies with the iteration's id and delay, or a code. */
void bw_upsert_scheduler_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                               struct bw_wall now, const struct bw_scheduler *scheduler,
                               const struct bw_iteration *iteration);

/* Begins a call for any number of jobs, each added by the second function. Replies for
 * each with one of enum bw_plan_result. */
void bw_next_iteration_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                             struct bw_wall now, bool strict);
void bw_next_iteration_add(struct bw_cmd *cmd, const struct bw_job_data *job,
                           const struct bw_iteration *iteration);
enum bw_plan_result {
    BW_PLAN_NOT_CONTINUED = -1, /* a legacy repeatable, under `strict` */
    BW_PLAN_NOTHING = 0,
    BW_PLAN_DONE = 1
};

void bw_remove_scheduler_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                               const char *id);
/* `id` NULL: those from `first` to `last`. */
void bw_read_schedulers_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                              const char *id, int64_t first, int64_t last,
                              bool latest_first);

#endif
