/* The program `dot` of graphviz, where it is installed. Blocks; one thread. */
#ifndef WORKFLOW_AUTHORING_GRAPHVIZ_H
#define WORKFLOW_AUTHORING_GRAPHVIZ_H

#include <bulwark/buf.h>
#include <bulwark/error.h>

/* Appends the SVG of a source. BW_EUNSUPPORTED: there is no `dot` in PATH; BW_ETIMEDOUT:
 * it took too long, and was ended; BW_ESYSTEM: it could not be run, or failed. */
BW_MUSTCHECK int wf_graphviz_svg(const struct bw_buf *source, struct bw_buf *out,
                                 struct bw_error *err);

#endif
