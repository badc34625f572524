/* A lane's turn: what is sent next, of all that its parts have to send. On the reactor.
 */
#ifndef BW_JOBS_LANE_TURN_H
#define BW_JOBS_LANE_TURN_H

#include <bulwark/error.h>

struct bw_lane;

BW_MUSTCHECK int bw_turn_init(struct bw_lane *lane);
void bw_turn_fini(struct bw_lane *lane);
/* Sends what can be sent, and sets the timer for what cannot yet. While calls can be
 * sent: bw_turn_recover() comes before. */
void bw_turn(struct bw_lane *lane);
/* The command connection is (again) ready: what was known may be old, what was sent may
 * be lost. */
void bw_turn_recover(struct bw_lane *lane);

#endif
