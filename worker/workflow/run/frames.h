/* Executions that wait, in this very run, for one they called: flow.sub_workflow. The
 * innermost is the run itself; those outside of it are frames.
 * worker/workflow/spec/workflow.md §5.5
 *
 * Job, event, customer, deadline and locks are the run's; execution, graph, variables,
 * logs and limits are each execution's own. */
#ifndef WORKFLOW_FRAMES_H
#define WORKFLOW_FRAMES_H

#include "workflow/run/run.h"

struct wf_frame {
    struct wf_frame *outer;
    struct wf_execution execution;
    struct wf_graph *graph;
    const struct wf_node *node; /* that called */
    json_t *vars[WF_SCOPES], *dirty, *rows;
    struct wf_progress progress;
};

/* How deep the run is: 0 outside of all sub-workflows. */
unsigned wf_frames_depth(const struct wf_run *run);
/* Puts the run's execution aside: it is empty afterwards, but for its maps. */
void wf_frames_push(struct wf_run *run);
/* The innermost frame is the run again; what was run is dropped. There must be one. */
void wf_frames_pop(struct wf_run *run);
void wf_execution_fini(struct wf_execution *execution);
void wf_frames_free(struct wf_run *run);
/* Borrowed: the execution outside of all others, which a look-up finds. */
struct wf_execution *wf_frames_outermost(struct wf_run *run);

/* New reference for the checkpoint: the innermost frame, with those outside of it; NULL:
 * none. */
json_t *wf_frames_snapshot(const struct wf_run *run);
/* Borrowed: the part of a checkpoint that speaks of the execution outside of all others.
 */
json_t *wf_frames_outermost_part(json_t *checkpoint);

#endif
