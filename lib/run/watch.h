/* Liveness is proven by consumption: a queue that could run jobs, but whose fetches stay
 * unanswered beyond a bound although its link works, is deaf, and so is a drained one
 * whose waits for markers do (BMQ-175); then both links are dropped and made anew. If
 * that does not help three times, the worker ends as failed, its jobs handed back where
 * that is possible. Time without a link does not count: Redis that is away ends nothing.
 * On the reactor. */
#ifndef BW_RUN_WATCH_H
#define BW_RUN_WATCH_H

#include <bulwark/error.h>

struct bw_reactor;

BW_MUSTCHECK int bw_watch_prepare(struct bw_reactor *reactor, struct bw_error *err);
void bw_watch_start(struct bw_reactor *reactor);
void bw_watch_fini(struct bw_reactor *reactor);

#endif
