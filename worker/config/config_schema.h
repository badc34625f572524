/* The tables behind the configuration file: every key, once (rows.h). */
#ifndef WORKER_CONFIG_SCHEMA_H
#define WORKER_CONFIG_SCHEMA_H

#include "base/schema.h"
#include "config/config.h"

extern const struct wk_schema wk_config_schema; /* a struct wk_config */
extern const struct wk_schema wk_queue_schema;  /* a struct wk_queue_config */

#endif
