/* `bulwark workflow …`: its subcommands and their own options. */
#ifndef WORKER_COMMAND_WORKFLOW_H
#define WORKER_COMMAND_WORKFLOW_H

#include <jansson.h>

#include "command.h"

#define WK_UPDATES_MAX 64

struct wk_workflow_options { /* all borrowed from the command line */
    const char *version_id, *state, *svg;
    const char *updates[WK_UPDATES_MAX];
    size_t update_count;
    bool json;
    /* What is left: argv[0] is the subcommand; then its files and the common options. */
    int argc;
    char **argv;
};

/* Exit codes of both: 0; 1 the workflow is not as it should be; 2 no verdict: wrong
 * usage, nothing there to read, the database is away. */
int wk_workflow_validate(const struct wk_workflow_options *options);
int wk_workflow_dry_run(const struct wk_workflow_options *options);

/* New reference: a file's JSON ("-": standard input), NULL: it cannot be read, or is no
 * JSON; `err` names file, line and column. */
json_t *wk_workflow_read(const char *path, struct bw_error *err);

#endif
