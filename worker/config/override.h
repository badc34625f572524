/* What environment and flags lay over the configuration file: one table for both. */
#ifndef WORKER_OVERRIDE_H
#define WORKER_OVERRIDE_H

#include "config/config.h"

/* Values by name, from outside; NULL: not given. */
struct wk_lookup {
    const char *(*get)(void *arg, const char *name);
    void *arg;
};

struct wk_config_sources {
    struct wk_lookup env;   /* by variable; an empty value counts as not given */
    struct wk_lookup flags; /* by long option without "--" */
    /* Only the connection and the prefix are wanted: queues may be missing, and are not
     * checked against each other and what they need. */
    bool redis_only;
};

/* One setting. Secrets have no flag: command lines can be read by everybody on the
 * machine. */
struct wk_override {
    /* NULL: no variable. */
    const char *env;
    /* NULL: no flag. */
    const char *flag;
    /* What the flag's argument is called in help texts. */
    const char *arg;
    const char *help;
    /* The key of the file whose value it replaces, after the same row. NULL: `text` or
     * `apply`. */
    const char *key;
    /* Where its text is kept in the configuration. 0: nowhere. */
    size_t text;
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
