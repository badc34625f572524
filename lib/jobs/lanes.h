/* All queues of a worker, and what they share. Each member is its own file's; this one
 * holds the list. On the reactor, but for what says otherwise. */
#ifndef BW_JOBS_LANES_H
#define BW_JOBS_LANES_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/redis.h>
#include <bulwark/thread.h>
#include <bulwark/time.h>

#include "base/rand.h"
#include "jobs/base/caller.h"
#include "jobs/base/gather.h"
#include "jobs/base/letters.h"
#include "jobs/effects.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/requests.h"

/* How far the worker's end has come; whoever ends it sets this (run/drain.h). */
struct bw_ending {
    /* No more jobs are fetched. */
    bool draining;
    /* Jobs are handed back, those that come too. */
    bool deadline_passed;
    /* What goes back waits until nothing is to come that belongs behind it. */
    bool handbacks_wait;
    /* Set by lib/jobs: some were. */
    bool handed_back;
};

struct bw_lanes {
    struct bw_caller caller;
    struct bw_letterbox letters;
    struct bw_gather gather;
    struct bw_job_memory memory;
    struct bw_effects effects;
    struct bw_requests requests;
    /* Held while a cancel callback runs; guards nothing else. */
    struct bw_mutex cancel_mutex;
    struct bw_ending ending;
    struct bw_rand rand;
    const struct bw_clock *clock;
    char uuid[BW_UUID_LEN + 1];
    struct bw_log log;
    /* The command connection, lent to handlers; borrowed. */
    struct bw_redis *commands;

    /* Owned. Sorted by marker key once the worker has started. */
    struct bw_lane **lane;
    size_t count;
    struct bw_touched touched;
};

/* `log` is the parent of the lanes' logs; loop and clock are borrowed. Beside this, the
 * owner says where gathered jobs go, and lends `commands`. */
void bw_lanes_init(struct bw_lanes *lanes, struct bw_loop *loop,
                   const struct bw_clock *clock, const struct bw_log *log);
/* Nobody writes letters any more, and the connections are gone. */
void bw_lanes_fini(struct bw_lanes *lanes);
/* Takes the lane on success. */
BW_MUSTCHECK int bw_lanes_add(struct bw_lanes *lanes, struct bw_lane *lane,
                              struct bw_error *err);
/* No more are added: sorts and numbers them. */
void bw_lanes_sort(struct bw_lanes *lanes);
/* By a marker's key, once sorted; NULL: none of ours. */
struct bw_lane *bw_lanes_find(const struct bw_lanes *lanes, const char *marker_key);

#endif
