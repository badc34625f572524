/* The wait for markers: one BZPOPMIN over the marker keys of all queues that are drained
 * and have a free slot (lib/spec/bullmq.md §4.6, BMQ-066 to 068). On the reactor. */
#ifndef BW_RUN_MARKERS_H
#define BW_RUN_MARKERS_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/time.h>

#include "redis/conn.h"

enum { BW_MARKERS_WAIT_MS = 10000 }; /* the longest that a wait takes */

struct bw_lane;
struct bw_reactor;
struct bw_timer;

/* What has to wait does so until an instant, never until an event: the timer only has
 * them looked at again, so that no lost link or late answer can make it for ever. */
struct bw_markers {
    bool waiting;            /* a BZPOPMIN is out */
    bool stopped;            /* the end: no more waits */
    bool changed;            /* a queue's wish may have changed */
    bool unblocking;         /* a CLIENT UNBLOCK is out */
    bool unbreakable;        /* Redis refuses CLIENT UNBLOCK */
    struct bw_mono begin_at; /* after an error: no wait before */
    struct bw_mono break_at; /* the wait that is out lacks a queue: broken then; 0: not */
    unsigned refusals;       /* errors in a row */
    char refusal[BW_ERROR_TEXT_MAX]; /* logged; the same again is no news */
    bool *in_wait;         /* by index of the queue: is it in the wait that is out? */
    struct bw_lane *woken; /* its fetch will tell whether it is drained: until then no new
                              wait, so that one wake-up costs one wait, not two */
    struct bw_timer *timer;
    struct bw_cmd cmd;
};

BW_MUSTCHECK int bw_markers_prepare(struct bw_reactor *reactor, struct bw_error *err);
void bw_markers_fini(struct bw_reactor *reactor);

/* A queue's wish may have changed. */
void bw_markers_touch(struct bw_reactor *reactor);
/* A settle call of the queue has been answered, or lost. */
void bw_markers_answered(struct bw_reactor *reactor, const struct bw_lane *lane);
/* A queue that has been told to stop in the moment in which its marker came gives it
 * back: an idle worker elsewhere takes the job. */
void bw_markers_return_owed(struct bw_lane *lane);
/* At the end of a turn: begins, or breaks, the wait. */
void bw_markers_turn(struct bw_reactor *reactor);
/* The blocking connection was lost: a marker may have been lost with it. */
void bw_markers_lost(struct bw_reactor *reactor);
/* The end: no more waits; the one that is out is broken. */
void bw_markers_stop(struct bw_reactor *reactor);
/* Redis has refused to let us wait for some seconds: jobs are found by polls only. */
bool bw_markers_refused(const struct bw_markers *markers);
static inline bool bw_markers_waiting(const struct bw_markers *markers)
{
    return markers->waiting;
}

#endif
