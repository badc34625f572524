/* The end of a worker, a designed sequence: fetch no more and break the wait; run what
 * the fetches under way bring (BMQ-169), and let jobs finish, locks renewed, until the
 * deadline; hand back those unanswered (BMQ-170); give Redis a moment to answer; stop.
 * The deadline holds while Redis is away. On the reactor, but for the request. */
#ifndef BW_RUN_DRAIN_H
#define BW_RUN_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>

struct bw_lane;
struct bw_reactor;

/* Any thread. Begins the drain, or shortens its deadline. */
void bw_drain_request(struct bw_reactor *reactor, int64_t timeout_ms);

BW_MUSTCHECK int bw_drain_prepare(struct bw_reactor *reactor, struct bw_error *err);
void bw_drain_fini(struct bw_reactor *reactor);
/* When the loop was woken: takes notice of a request. */
void bw_drain_wake(struct bw_reactor *reactor);
/* What goes back waits yet. */
bool bw_drain_holds_handbacks(const struct bw_lane *lane);
/* At the end of a turn: is it over? */
void bw_drain_turn(struct bw_reactor *reactor);

#endif
