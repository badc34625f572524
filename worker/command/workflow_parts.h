/* What the subcommands of `bulwark workflow` share: their options, reading and printing.
 *
 * Exit codes of all: 0; 1 the workflow is not as it should be; 2 no verdict: wrong usage,
 * nothing there to read, the database is away. */
#ifndef WORKER_WORKFLOW_PARTS_H
#define WORKER_WORKFLOW_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <bulwark/error.h>

#define WK_EVENTS_MAX 256

enum wk_event_kind {
    WK_EVENT_UPDATE, /* a file of updates */
    WK_EVENT_TEXT,
    WK_EVENT_PRESS,   /* a button's text, or its data */
    WK_EVENT_CONTACT, /* a phone */
    WK_EVENT_LOCATION /* latitude,longitude */
};

struct wk_event { /* what a person does */
    enum wk_event_kind kind;
    const char *value;
};

struct wk_workflow_options { /* all borrowed from the command line */
    const char *version_id, *state, *svg, *dot;
    struct wk_event events[WK_EVENTS_MAX]; /* in the order given */
    size_t event_count;
    bool json, schema;
    /* What is left: argv[0] is the subcommand; then its files and the common options. */
    int argc;
    char **argv;
};

/* New reference: a file's JSON ("-": standard input), NULL: it cannot be read, or is no
 * JSON; `err` names file, line and column. */
json_t *wk_workflow_read(const char *path, struct bw_error *err);
/* The one FILE of a subcommand, and the state if there is one; new references. `usage`:
 * what is expected. */
BW_MUSTCHECK int wk_workflow_inputs(const struct wk_workflow_options *options,
                                    const char *usage, json_t **workflow, json_t **state,
                                    struct bw_error *err);
/* Prints a value as indented JSON, and ends it. Returns an exit code. */
int wk_workflow_print(json_t *value);

#endif
