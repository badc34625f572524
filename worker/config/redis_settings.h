/* Which Redis the queues and the caches are in, from the file and the environment
 * (worker/workflow/spec/workflow.md §10.1). */
#ifndef WORKER_REDIS_SETTINGS_H
#define WORKER_REDIS_SETTINGS_H

#include "config/config.h"

/* Fills config->queue_redis and config->cache_redis. REDIS_HOST goes before REDIS_URL,
 * and that before the file; what a URL does not say itself, the single variables say.
 * Notes what is given and not used. BW_EINVAL names the variable or the key. */
BW_MUSTCHECK int wk_redis_settle(struct wk_config *config, struct bw_error *err);

#endif
