/* Liveness is proven by consumption: a queue that could run jobs, but whose fetches stay
 * unanswered beyond a bound although its link works, is deaf, and so is a drained one
 * whose waits for markers do (BMQ-175); then both links are dropped and made anew. If
 * that does not help three times, the worker ends as failed, its jobs handed back where
 * that is possible. Time without a link does not count: Redis that is away ends nothing.
 * On the reactor. */
#ifndef BW_RUN_WATCH_H
#define BW_RUN_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/time.h>

struct bw_drain;
struct bw_lanes;
struct bw_links;
struct bw_markers;
struct bw_timer;

/* Of one lane. */
struct bw_hearing {
    /* For so long it waits for an answer, or could fetch; answers when that was seen. */
    int64_t deaf_ms;
    uint64_t answers;
    /* For so long it wanted a marker and no wait was answered; the same of waits. */
    int64_t unheard_ms;
    uint64_t wait_answers;
};

struct bw_watch {
    /* Borrowed. */
    struct bw_lanes *lanes;
    struct bw_links *links;
    struct bw_markers *markers;
    struct bw_drain *drain;
    /* By index of the lane. */
    struct bw_hearing *of;
    struct bw_timer *timer;
    struct bw_mono last_tick;
    /* Deaf beyond repair. */
    bool failed;
    /* Read by any thread. */
    _Atomic bool deaf_now, unheard_now, refused_now;
};

/* The lanes are sorted; all is borrowed. */
BW_MUSTCHECK int bw_watch_prepare(struct bw_watch *watch, struct bw_lanes *lanes,
                                  struct bw_links *links, struct bw_markers *markers,
                                  struct bw_drain *drain, struct bw_error *err);
void bw_watch_start(struct bw_watch *watch);
void bw_watch_fini(struct bw_watch *watch);

#endif
