/* Adoption: after a call whose reply was lost, jobs may be ours that we never heard of.
 * They are active under a token of ours; a script finds them, renews their locks and
 * hands them over. On the reactor. */
#ifndef BW_JOBS_ADOPT_H
#define BW_JOBS_ADOPT_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/time.h>

struct bw_lane;

struct bw_adopting { /* of a lane */
    /* A call was lost that may have taken jobs. */
    bool wanted;
    /* The first token that such a call may have used. */
    uint64_t first_token;
    /* The answer is awaited. */
    bool out;
    struct bw_mono sent;
};

/* A call is lost that may have taken jobs, under tokens from `first_token` on. */
static inline void bw_adopt_want(struct bw_adopting *adopting, uint64_t first_token)
{
    if (!adopting->wanted || first_token < adopting->first_token)
        adopting->first_token = first_token;
    adopting->wanted = true;
}

/* Until the answer has come the lane fetches nothing, so its slots are free for what is
 * found. */
static inline bool bw_adopt_is_due(const struct bw_adopting *adopting)
{
    return adopting->wanted || adopting->out;
}

/* Asks, if that is wanted and not done already. */
void bw_adopt_send(struct bw_lane *lane);

#endif
