/* A workflow as a picture (SVG): its nodes in layers by their distance from a trigger,
 * and the path a dry run took. The same input gives the same picture. Pure but for
 * memory. */
#ifndef WORKFLOW_AUTHORING_PICTURE_H
#define WORKFLOW_AUTHORING_PICTURE_H

#include <jansson.h>

#include <bulwark/buf.h>

#include "workflow/graph.h"

/* Appends the whole document. `trace` as wf_dry_trace() gives it. */
void wf_picture(const struct wf_graph *graph, const json_t *trace, struct bw_buf *out);

#endif
