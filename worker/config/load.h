/* From file, environment and flags to a whole configuration. One thread. */
#ifndef WORKER_CONFIG_LOAD_H
#define WORKER_CONFIG_LOAD_H

#include "config/config.h"
#include "config/override.h"

/* Reads everything and checks it. `config` need not be initialized; on failure nothing is
 * owned. Errors: BW_EINVAL naming the file with line, column and byte, the field's path,
 * the variable or the flag; BW_ENOMEM; BW_ESYSTEM when the file cannot be read. */
BW_MUSTCHECK int wk_config_load(struct wk_config *config,
                                const struct wk_config_sources *sources,
                                struct bw_error *err);

/* Appends the top-level keys, separated by ", ", in which the files of two configurations
 * differ and which only count at a start. */
BW_MUSTCHECK int wk_config_restart_keys(const struct wk_config *a,
                                        const struct wk_config *b, struct bw_buf *out);

/* One line a key of the file. */
BW_MUSTCHECK int wk_config_help(struct bw_buf *out);

#endif
