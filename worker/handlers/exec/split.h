/* A command line cut into words, without a shell.
 *
 * Words are separated by spaces and tabs. 'single quotes' keep everything up to the next
 * one, "double quotes" everything but \" and \\, a backslash outside keeps the next
 * character. Nothing is expanded: no variables, patterns, pipes or redirections. */
#ifndef WORKER_HANDLERS_EXEC_SPLIT_H
#define WORKER_HANDLERS_EXEC_SPLIT_H

#include <jansson.h>

#include <bulwark/error.h>

/* New: an array of texts, not empty. BW_EINVAL: a quote is not closed, or there is no
 * word; BW_ENOMEM. */
BW_MUSTCHECK int ex_split(const char *command, json_t **words, struct bw_error *err);

#endif
