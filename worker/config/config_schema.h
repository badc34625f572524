/* The tables behind the configuration file: every key, once. */
#ifndef WORKER_CONFIG_SCHEMA_H
#define WORKER_CONFIG_SCHEMA_H

#include "config/config.h"
#include "config/schema.h"

extern const struct wk_schema wk_config_schema; /* a struct wk_config */
extern const struct wk_schema wk_queue_schema;  /* a struct wk_queue_config */

/* Ends one queue's texts and values. */
void wk_queue_config_fini(struct wk_queue_config *queue);

#define WK_CONCURRENCY_MAX 1000000

#endif
