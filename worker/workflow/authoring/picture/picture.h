/* A workflow as a picture: its nodes, and the path a dry run took. The same input gives
 * the same picture. Pure but for memory. */
#ifndef WORKFLOW_AUTHORING_PICTURE_H
#define WORKFLOW_AUTHORING_PICTURE_H

#include <jansson.h>

#include <bulwark/buf.h>

#include "workflow/language/graph.h"

/* Appends a whole document of SVG. `trace` as wf_dry_trace() gives it. */
void wf_picture(const struct wf_graph *graph, const json_t *trace, struct bw_buf *out);
/* Appends the same as source for graphviz. */
void wf_picture_dot(const struct wf_graph *graph, const json_t *trace,
                    struct bw_buf *out);

#endif
