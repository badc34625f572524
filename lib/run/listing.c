#include "run/listing.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "redis/conn.h"
#include "jobs/lanes.h"

static int prepare_one(struct bw_conn **connp, const struct bw_lane *lane,
                       const struct bw_redis_options *redis, struct bw_error *err)
{
    struct bw_conn_options options = {
        .redis = redis,
        .name = lane->client_name,
        .second = true,
        .patient = true,
        .log = &lane->log,
    };

    if (lane->options.skip_listing)
        return BW_OK;
    return bw_conn_create(connp, lane->caller->loop, &options, err);
}

int bw_listing_prepare(struct bw_listing *listing, const struct bw_lanes *lanes,
                       const struct bw_redis_options *redis, struct bw_error *err)
{
    int result = BW_OK;

    BW_ASSERT(listing->conns == NULL);
    listing->conns = bw_calloc(lanes->count + 1, sizeof(struct bw_conn *));
    if (listing->conns == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    listing->count = lanes->count;
    for (size_t i = 0; i < listing->count && result == BW_OK; i++)
        result = prepare_one(&listing->conns[i], lanes->lane[i], redis, err);
    return result;
}

void bw_listing_open(struct bw_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        if (listing->conns[i] != NULL)
            bw_conn_open(listing->conns[i]);
    }
}

void bw_listing_close(struct bw_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        bw_conn_destroy(&listing->conns[i]);
    free(listing->conns);
    listing->conns = NULL;
    listing->count = 0;
}
