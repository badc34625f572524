/* worker/workflow/spec/workflow.md §5.1: triggers pass on. */
#include "workflow/nodes/nodes.h"

#include "workflow/run/node_result.h"

enum wf_action wf_start_trigger(struct wf_run *run)
{
    (void)run;
    return wf_node_next();
}
