/* Settle calls: end attempts and take new jobs, at most two in flight a queue, so that
 * Redis works on one while we prepare the next, and batches still grow. On the reactor.
 */
#ifndef BW_JOBS_SETTLE_H
#define BW_JOBS_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/time.h>

struct bw_job;
struct bw_lane;

enum { BW_SETTLE_CALLS = 2, BW_SETTLE_BATCH = 128 };

struct bw_settle_call {
    struct bw_lane *lane;
    struct bw_job **jobs; /* room for queue->batch */
    unsigned count;
    unsigned asked;       /* jobs to take */
    uint64_t first_token; /* theirs follow one another */
    struct bw_mono sent;
    bool out;
};

/* Sends the first `items` ready jobs and asks for `take` new ones. False: nothing was
 * sent. */
bool bw_settle_send(struct bw_lane *lane, unsigned items, unsigned take);

#endif
