/* Loops a run is inside of, innermost last: run->progress.loops, an array of {"node",
 * "index", "max", "items"?, "count"?}. While the run waits they lie in session variables
 * `__loop:<node id>`. worker/workflow/spec/workflow.md §5.5 */
#ifndef WORKFLOW_LOOPS_H
#define WORKFLOW_LOOPS_H

#include "workflow/run/run.h"

/* The loop a path that ends goes back to; NULL: none. */
const char *wf_loops_innermost(const struct wf_run *run);
/* How often a node may be visited, given the limit outside of loops. §3.3 */
int64_t wf_loops_visits(const struct wf_run *run, int64_t limit);
/* Into and out of the session's variables. */
void wf_loops_keep(struct wf_run *run);
void wf_loops_find(struct wf_run *run);
/* The run leaves them all. */
void wf_loops_drop(struct wf_run *run);

#endif
