/* What a wait remembers. worker/workflow/spec/workflow.md §3.8 */
#ifndef WORKFLOW_WAIT_H
#define WORKFLOW_WAIT_H

#include "workflow/run/run.h"

/* New reference: the payload of a wait of the current node. `keyboard` may be
 * NULL. */
json_t *wf_wait_payload(const struct wf_run *run, const json_t *keyboard,
                        const char *reason);

#endif
