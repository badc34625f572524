/* The life of a lane: from options to a lane, and its end. Before the reactor's thread
 * runs, or after. */
#ifndef BW_JOBS_LANE_SETUP_H
#define BW_JOBS_LANE_SETUP_H

#include <bulwark/error.h>
#include <bulwark/worker.h>

struct bw_lane;
struct bw_lanes;

/* Copies options and handler. Names the option that is wrong. `lanes` is borrowed; the
 * lane is not in it yet. */
BW_MUSTCHECK int bw_lane_create(struct bw_lane **lanep, struct bw_lanes *lanes,
                                const struct bw_queue_options *options,
                                const struct bw_handler *handler, void *arg,
                                struct bw_error *err);
/* Frees the jobs that are left as well. */
void bw_lane_destroy(struct bw_lane **lanep);

#endif
