/* What follows from file, environment and flags, and whether it makes a whole. */
#ifndef WORKER_CONFIG_SETTLE_H
#define WORKER_CONFIG_SETTLE_H

#include "config/config.h"

/* Adds the queues that nobody had to name, checks all of them and what the parts of the
 * daemon will be made of, and notes what will hardly be meant so. BW_EINVAL names the
 * key. */
BW_MUSTCHECK int wk_config_settle(struct wk_config *config, struct bw_error *err);

#endif
