/* The trace of a dry run as text. Pure. */
#ifndef WORKFLOW_AUTHORING_TRACE_H
#define WORKFLOW_AUTHORING_TRACE_H

#include <jansson.h>

#include <bulwark/buf.h>

/* Appends: a job a paragraph, a step a line, and below it what it asked for. `trace` as
 * wf_dry_trace() gives it. */
void wf_trace_text(const json_t *trace, struct bw_buf *out);

#endif
