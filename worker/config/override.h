/* What environment and flags lay over the configuration file: one table for both. */
#ifndef WORKER_OVERRIDE_H
#define WORKER_OVERRIDE_H

#include "config/config.h"

/* One setting. Secrets have no flag: command lines can be read by everybody on the
 * machine. */
struct wk_override {
    const char *env;  /* NULL: no variable */
    const char *flag; /* NULL: no flag */
    const char *arg;  /* what the flag's argument is called in help texts */
    const char *help;
    /* `what` names the variable or the flag in errors; the value is not shown where it is
     * secret. */
    int (*apply)(struct wk_config *config, const char *value, const char *what,
                 struct bw_error *err);
};

/* NULL past the end. */
const struct wk_override *wk_override_at(size_t index);

/* Applies the variables first, then the flags. */
BW_MUSTCHECK int wk_override_apply(struct wk_config *config,
                                   const struct wk_config_sources *sources,
                                   struct bw_error *err);

/* The value of a variable that is set and not empty, or NULL. */
const char *wk_lookup_value(const struct wk_lookup *lookup, const char *name);

#endif
