/* The end of a worker, a designed sequence: fetch no more and break the wait; run what
 * the fetches under way bring (BMQ-169), and let jobs finish, locks renewed, until the
 * deadline; hand back those unanswered (BMQ-170); give Redis a moment to answer; stop.
 * The deadline holds while Redis is away. On the reactor, but for the request. */
#ifndef BW_RUN_DRAIN_H
#define BW_RUN_DRAIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/time.h>

struct bw_lanes;
struct bw_markers;
struct bw_timer;

struct bw_drain {
    /* Borrowed. */
    struct bw_lanes *lanes;
    struct bw_markers *markers;
    struct bw_log *log;
    /* Any thread: monotonic deadline; INT64_MAX: no drain. */
    _Atomic int64_t at_ns;
    /* Read by any thread. */
    _Atomic bool draining_now;
    struct bw_timer *timer;
    /* 0: it has not begun. */
    struct bw_mono grace_until;
    bool half_grace_over;
    bool ended;
};

/* No drain yet; it can be asked for from now on. All is borrowed. */
void bw_drain_init(struct bw_drain *drain, struct bw_lanes *lanes,
                   struct bw_markers *markers, struct bw_log *log);
BW_MUSTCHECK int bw_drain_prepare(struct bw_drain *drain, struct bw_error *err);
void bw_drain_fini(struct bw_drain *drain);
/* Any thread. Begins the drain, or shortens its deadline. */
void bw_drain_request(struct bw_drain *drain, int64_t timeout_ms);
/* When the loop was woken: takes notice of a request. */
void bw_drain_wake(struct bw_drain *drain);
/* At the end of a turn: is it over? */
void bw_drain_turn(struct bw_drain *drain);

#endif
