/* What a picture of a workflow shows: its nodes, the lines between them, and which of
 * them a dry run has taken. Pure but for memory; one thread. */
#ifndef WORKFLOW_AUTHORING_DRAWING_H
#define WORKFLOW_AUTHORING_DRAWING_H

#include <stdbool.h>

#include <jansson.h>

#include "workflow/language/graph.h"

struct wf_line {
    size_t from, to; /* nodes, by index */
    char *label;     /* the branch, a case by its value; NULL: none */
    bool jump;       /* no edge: a button, a jump, the way back into a loop */
    bool taken;
};

struct wf_drawing {
    const struct wf_graph *graph; /* borrowed */
    bool *visited;                /* by node */
    struct wf_line *lines;
    size_t count, room;
};

/* `trace` as wf_dry_trace() gives it. */
void wf_drawing_init(struct wf_drawing *drawing, const struct wf_graph *graph,
                     const json_t *trace);
void wf_drawing_fini(struct wf_drawing *drawing);

#endif
