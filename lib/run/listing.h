/* What makes the worker visible to getWorkers (lib/spec/bullmq.md §10.8): an idle
 * connection a queue, under a name that says so. On the reactor. */
#ifndef BW_RUN_LISTING_H
#define BW_RUN_LISTING_H

#include <stddef.h>

#include <bulwark/error.h>
#include <bulwark/redis.h>

struct bw_conn;
struct bw_lanes;

struct bw_listing {
    /* By index of the lane; NULL: one that is not to be listed. */
    struct bw_conn **conns;
    size_t count;
};

/* `redis` is copied. */
BW_MUSTCHECK int bw_listing_prepare(struct bw_listing *listing,
                                    const struct bw_lanes *lanes,
                                    const struct bw_redis_options *redis,
                                    struct bw_error *err);
void bw_listing_open(struct bw_listing *listing);
/* A zeroed struct may be closed, and one that is closed. */
void bw_listing_close(struct bw_listing *listing);

#endif
