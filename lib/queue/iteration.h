/* What a scheduler's next iteration is made of, for the scripts upsert_scheduler and
 * next_iteration. lib/spec/bullmq.md §§9.1–9.3, 9.6 */
#ifndef BW_QUEUE_ITERATION_H
#define BW_QUEUE_ITERATION_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/scheduler.h>
#include <bulwark/time.h>

#include "queue/job.h"

struct bw_iteration {
    char *opts;       /* JSON without its last brace */
    char *quoted_sid; /* the scheduler's id as JSON */
    bool has_every, has_next;
    double every, offset; /* ms */
    int64_t next;         /* of the pattern */
    int64_t priority;
    bool lifo;
    char *legacy_prefix; /* of the ids of a legacy repeatable's jobs; NULL: it is none */
    int64_t legacy_next;
    char *template_opts; /* of the first: JSON in its stored spelling; NULL: none */
};

/* The first one. `*due` false: nothing to schedule, and nothing is owned. BW_EINVAL names
 * what is wrong; BW_ENOMEM. On failure nothing is owned. */
BW_MUSTCHECK int bw_iteration_first(struct bw_iteration *iteration, bool *due,
                                    const struct bw_scheduler *scheduler,
                                    struct bw_wall now, struct bw_error *err);
/* The one after `job`. `*due` false: its scheduler has come to its end. BW_EINVAL: its
 * pattern or zone is wrong; BW_ENOMEM. */
BW_MUSTCHECK int bw_iteration_next(struct bw_iteration *iteration, bool *due,
                                   const struct bw_job_data *job, struct bw_wall now,
                                   struct bw_error *err);
/* Harmless on a zeroed struct. */
void bw_iteration_fini(struct bw_iteration *iteration);

/* §9.6 */
bool bw_is_legacy_repeat(const char *key);

#endif
