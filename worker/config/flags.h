/* The command line of a subcommand: flags first or mixed in, the rest in order.
 *
 * Which flags there are follows from the table in override.h, besides --config and
 * --help. */
#ifndef WORKER_FLAGS_H
#define WORKER_FLAGS_H

#include <stdbool.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>

#include "config/override.h"

#define WK_FLAGS_MAX 32

struct wk_flags { /* all borrowed from the command line */
    const char *config;
    const char *values[WK_FLAGS_MAX]; /* by row of the table; NULL: not given */
    bool help;
    char **rest;
    int rest_count;
};

/* `argv[0]` is the subcommand. May reorder argv. BW_EINVAL: wrong usage. */
BW_MUSTCHECK int wk_flags_parse(struct wk_flags *flags, int argc, char **argv,
                                struct bw_error *err);

/* By name, for struct wk_config_sources. */
struct wk_lookup wk_flags_lookup(struct wk_flags *flags);
/* The environment, for the same. */
struct wk_lookup wk_env_lookup(void);

/* One line a flag, and one a variable. */
BW_MUSTCHECK int wk_flags_help(struct bw_buf *out);

#endif
