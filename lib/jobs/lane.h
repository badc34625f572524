/* A lane: one queue as a worker sees it. Its jobs in flight and their slots, what is
 * known of the queue, and what holds up calls; each part's own state is a struct of that
 * part's header. The worker of lib/spec/bullmq.md §11.3, for many slots at once. All on
 * the reactor.
 *
 * Slots: a job occupies one from the fetch that may bring it (reserved) until its end is
 * in a settle call, for that call frees the slot before it takes the next job. */
#ifndef BW_JOBS_LANE_H
#define BW_JOBS_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/log.h>
#include <bulwark/worker.h>

#include "base/list.h"
#include "queue/keys.h"
#include "jobs/base/known.h"
#include "jobs/base/pause.h"
#include "jobs/base/steer.h"
#include "jobs/adopt.h"
#include "jobs/batch.h"
#include "jobs/groups.h"
#include "jobs/iterations.h"
#include "jobs/ready.h"
#include "jobs/remote_cancel.h"
#include "jobs/renew.h"
#include "jobs/settle.h"
#include "jobs/stalled.h"
#include "jobs/stop.h"

struct bw_caller;
struct bw_job;
struct bw_lane;
struct bw_lanes;

#define BW_LANE_MAGIC 0x6c616e65u

/* Written by the reactor, read by any thread. */
struct bw_lane_counters {
#define X(type, member, ...) _Atomic BW_FIGURE_##type member;
    BW_QUEUE_FIGURES(X)
#undef X
};

struct bw_lane_jobs {
    /* All but those that are gone. */
    struct bw_list all;
    /* Gone, but their handlers have not answered. */
    struct bw_list given_up;
    unsigned count;
    /* With their handlers. */
    unsigned held;
    /* Asked for by calls in flight. */
    unsigned reserved;
};

/* The handler knows. */
struct bw_lane_told {
    bool drained, quiet, last;
};

/* The lanes to be looked at before the turn ends. */
struct bw_touched {
    struct bw_lane *first;
};

struct bw_lane {
    unsigned magic;
    /* Borrowed. */
    struct bw_lanes *lanes;
    struct bw_caller *caller;
    /* Among those. */
    size_t index;

    /* Constant. */
    char *name, *prefix, *worker_name, *client_name, *group_key;
    /* "prefix:queue" */
    char *qualified_name;
    /* Its texts are those above. */
    struct bw_queue_options options;
    struct bw_handler handler;
    void *handler_arg;
    struct bw_keys keys;
    struct bw_log log;
    /* "<uuid>:", §6.1 */
    char token_prefix[48];

    /* Any thread. */
    struct bw_steer steer;
    struct bw_lane_counters counters;

    /* lane.c's. */
    struct bw_lane_jobs jobs;
    struct bw_lane_told told;
    /* After a call that Redis refused; after a fetch alone that it refused. */
    struct bw_pause pause, fetch_pause;
    struct bw_news trouble, no_jobs;
    /* Settle calls and refusals of calls that were answered. */
    uint64_t answers;
    bool touched;
    struct bw_lane *next_touched;

    /* The parts' own. */
    struct bw_known known;
    struct bw_ready ready;
    struct bw_settling settling;
    struct bw_adopting adopting;
    struct bw_planning planning;
    struct bw_batch batch;
    struct bw_grouping grouping;
    struct bw_renewing renewing;
    struct bw_stalling stalling;
    struct bw_stopping stopping;
    struct bw_remote_cancel remote_cancel;
    /* The next of: due, limit, poll, retry. */
    struct bw_timer *timer;
};

/* --- being looked at */

/* Has the lane looked at before the turn ends. */
void bw_lane_touch(struct bw_lane *lane);
/* Takes the next of those; NULL: there is none. */
struct bw_lane *bw_lane_take_touched(struct bw_touched *touched);
/* Something may have come: fetch. */
void bw_lane_wake(struct bw_lane *lane);

/* --- what may be done */

/* May jobs be fetched at all, and for how many is there room? */
bool bw_lane_can_fetch(const struct bw_lane *lane);
unsigned bw_lane_free_slots(const struct bw_lane *lane);
/* The same once the ends of `items` ready jobs are recorded. */
unsigned bw_lane_slots_after(const struct bw_lane *lane, unsigned items);
/* Is it the marker that can tell of new jobs? */
bool bw_lane_wants_marker(const struct bw_lane *lane);
/* In a drain: no call that may bring a job is out or to come, and all that came are with
 * their handler. */
bool bw_lane_is_last(const struct bw_lane *lane);

/* --- what holds up calls */

/* Does it wait before it calls Redis again? And before it fetches? */
bool bw_lane_in_pause(const struct bw_lane *lane);
bool bw_lane_in_fetch_pause(const struct bw_lane *lane);
/* A call was refused: no more calls for a while, longer each time. */
void bw_lane_refused(struct bw_lane *lane, const char *what, const struct bw_error *err);
/* The ends of the same call are recorded; jobs are asked for again after a pause. */
void bw_lane_fetch_refused(struct bw_lane *lane, const char *why);
/* A call was done; a fetch was. */
void bw_lane_accepted(struct bw_lane *lane);
void bw_lane_fetch_accepted(struct bw_lane *lane);
/* The pause is over: the next call goes out, and shows whether it has to begin anew. */
void bw_lane_end_pause(struct bw_lane *lane);
void bw_lane_end_fetch_pause(struct bw_lane *lane);
/* Redis has answered a settle call. */
void bw_lane_heard(struct bw_lane *lane);
/* Redis recorded the ends, but refused something beside them. */
void bw_lane_trouble(struct bw_lane *lane, const char *why);

/* --- telling the handler, if it wants to know */

void bw_lane_tell(struct bw_lane *lane, enum bw_event_kind kind, struct bw_text id);
void bw_lane_tell_error(struct bw_lane *lane, const char *error);
/* What is known of a job; sets queue, job and id of `event`. */
void bw_lane_tell_of(const struct bw_job *job, struct bw_event event);
/* Once between fetches that find jobs. */
void bw_lane_tell_drained(struct bw_lane *lane);
void bw_lane_found_jobs(struct bw_lane *lane);
/* When it has changed. */
void bw_lane_tell_quiet(struct bw_lane *lane);
/* Once: no more job can come to the handler, which may end what runs them. */
void bw_lane_tell_last(struct bw_lane *lane);

/* --- its jobs */

/* The job, taken at `since`, is the lane's and held; its lock is no older than that. */
void bw_lane_enter(struct bw_job *job, struct bw_mono since);
/* It is its handler's no more; but not gone. */
void bw_lane_release(struct bw_job *job);
/* It is recorded, or lost to us. Frees it, or leaves that to its handler's answer. */
void bw_lane_job_gone(struct bw_job *job);
/* The handler of a job that is gone has answered at last: frees it. */
void bw_lane_bury(struct bw_job *job);
/* Walks the lane's jobs: NULL gives the first, the last gives NULL. */
struct bw_job *bw_lane_next_job(const struct bw_lane *lane, const struct bw_job *job);
/* The job with this id that its handler has; NULL: none. */
struct bw_job *bw_lane_find_held(const struct bw_lane *lane, struct bw_text id);
/* Which job it is in the order of fetches. */
uint64_t bw_lane_token_number(const struct bw_job *job);
/* A call asks for so many jobs; that call has ended. */
void bw_lane_reserve(struct bw_lane *lane, unsigned jobs);
void bw_lane_unreserve(struct bw_lane *lane, unsigned jobs);

static inline void bw_count(_Atomic uint64_t *counter)
{
    /* One writer: no need for an atomic addition. */
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

#endif
