/* What the subcommands of `bulwark` share. */
#ifndef WORKER_COMMAND_H
#define WORKER_COMMAND_H

#include <stdbool.h>

#include <bulwark/error.h>

#include "config/config.h"
#include "config/flags.h"

struct wk_invocation { /* what a command line and the environment came to */
    struct wk_flags flags;
    struct wk_config_sources sources;
    struct wk_config config;
};

/* Parses and loads. False: the command is over, `code` is its exit code: help was printed
 * (`usage` and the flags), or an error. `redis_only` as in struct wk_config_sources. The
 * caller ends the configuration. */
bool wk_invocation_init(struct wk_invocation *invocation, int argc, char **argv,
                        const char *usage, bool redis_only, int *code);

/* "bulwark: <text>" on standard error. Returns the exit code that fits. */
int wk_complain(const struct bw_error *err);

/* Writes the whole text to standard output. Returns an exit code. */
int wk_print(const char *text);

/* Needed before the first thread by whoever uses libcurl. */
void wk_network_init(const struct wk_config *config);

#endif
