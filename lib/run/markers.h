/* The wait for markers: one BZPOPMIN over the marker keys of all queues that are drained
 * and have a free slot (lib/spec/bullmq.md §4.6, BMQ-066 to 068). On the reactor. */
#ifndef BW_RUN_MARKERS_H
#define BW_RUN_MARKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/time.h>

#include "redis/cmd.h"

enum { BW_MARKERS_WAIT_MS = 10000 }; /* the longest that a wait takes */

struct bw_lane;
struct bw_lanes;
struct bw_links;
struct bw_timer;

/* Of one lane. */
struct bw_marker {
    /* It is in the wait that is out. */
    bool in_wait;
    /* Answers to waits that it was in. */
    uint64_t answers;
    /* What was popped for a fetch that has not been sent: since so many had been … */
    uint64_t fetches;
    /* … a marker; and that of a delayed job: its time; 0: none. */
    bool owed;
    int64_t owed_due_ms;
};

/* What has to wait does so until an instant, never until an event: the timer only has
 * them looked at again, so that no lost link or late answer can make it for ever. */
struct bw_markers {
    /* Borrowed. */
    struct bw_lanes *lanes;
    const struct bw_links *links;
    struct bw_log *log;
    /* By index of the lane. */
    struct bw_marker *of;
    /* A BZPOPMIN is out. */
    bool waiting;
    /* The end: no more waits. */
    bool stopped;
    /* A lane's wish may have changed. */
    bool changed;
    /* A CLIENT UNBLOCK is out. */
    bool unblocking;
    /* Redis refuses CLIENT UNBLOCK. */
    bool unbreakable;
    /* After an error: no wait before. */
    struct bw_mono begin_at;
    /* The wait that is out lacks a lane: broken then; 0: not. */
    struct bw_mono break_at;
    /* Errors in a row. */
    unsigned refusals;
    /* Logged; the same again is no news. */
    char refusal[BW_ERROR_TEXT_MAX];
    /* Its fetch will tell whether it is drained: until then no new wait, so that one
     * wake-up costs one wait, not two. So many of its calls had ended by then. */
    const struct bw_lane *woken;
    uint64_t woken_ended;
    struct bw_timer *timer;
    struct bw_cmd cmd;
};

/* The lanes are sorted; all is borrowed. */
BW_MUSTCHECK int bw_markers_prepare(struct bw_markers *markers, struct bw_lanes *lanes,
                                    const struct bw_links *links, struct bw_log *log,
                                    struct bw_error *err);
void bw_markers_fini(struct bw_markers *markers);

/* A lane's wish may have changed. */
void bw_markers_touch(struct bw_markers *markers);
/* A lane that has been told to stop in the moment in which its marker came gives it
 * back: an idle worker elsewhere takes the job. While calls can be sent. */
void bw_markers_return_owed(struct bw_markers *markers, struct bw_lane *lane);
/* At the end of a turn: begins, or breaks, the wait. */
void bw_markers_turn(struct bw_markers *markers);
/* The blocking connection was lost: a marker may have been lost with it. */
void bw_markers_lost(struct bw_markers *markers);
/* The end: no more waits; the one that is out is broken. */
void bw_markers_stop(struct bw_markers *markers);
/* Redis has refused to let us wait for some seconds: jobs are found by polls only. */
bool bw_markers_refused(const struct bw_markers *markers);

static inline bool bw_markers_waiting(const struct bw_markers *markers)
{
    return markers->waiting;
}

/* So many waits with this lane were answered. */
static inline uint64_t bw_markers_answers(const struct bw_markers *markers, size_t index)
{
    return markers->of[index].answers;
}

#endif
