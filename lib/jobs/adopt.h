/* Adoption: after a call whose reply was lost, jobs may be ours that we never heard of.
 * They are active under a token of ours; a script finds them, renews their locks and
 * hands them over. On the reactor. */
#ifndef BW_JOBS_ADOPT_H
#define BW_JOBS_ADOPT_H

#include <stdint.h>

struct bw_lane;

/* A call is lost that may have taken jobs, under tokens from `first_token` on. */
void bw_adopt_want(struct bw_lane *lane, uint64_t first_token);
/* Until the answer has come the queue fetches nothing, so its slots are free for what is
 * found. */
void bw_adopt_send(struct bw_lane *lane);

#endif
