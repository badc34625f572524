/* Settle calls: end attempts and take new jobs, at most two in flight a lane, so that
 * Redis works on one while we prepare the next, and batches still grow. On the reactor.
 */
#ifndef BW_JOBS_SETTLE_H
#define BW_JOBS_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/time.h>

struct bw_job;
struct bw_lane;

enum { BW_SETTLE_CALLS = 2, BW_SETTLE_BATCH = 128 };

struct bw_settle_call {
    struct bw_lane *lane;
    /* Room for a batch. */
    struct bw_job **jobs;
    unsigned count;
    /* Jobs to take, and the first of their tokens, which follow one another. */
    unsigned asked;
    uint64_t first_token;
    struct bw_mono sent;
    bool out;
};

struct bw_settling { /* of a lane */
    struct bw_settle_call calls[BW_SETTLE_CALLS];
    unsigned calls_out;
    /* Most jobs that a call settles or takes. */
    unsigned batch;
    uint64_t next_token;
    /* Calls sent that take jobs; calls answered, or lost. */
    uint64_t fetches, ended;
};

BW_MUSTCHECK int bw_settle_init(struct bw_lane *lane);
void bw_settle_fini(struct bw_lane *lane);
/* Sends the first `items` ready jobs and asks for `take` new ones. False: nothing was
 * sent. */
bool bw_settle_send(struct bw_lane *lane, unsigned items, unsigned take);

static inline bool bw_settle_is_out(const struct bw_settling *settling)
{
    return settling->calls_out > 0;
}

#endif
