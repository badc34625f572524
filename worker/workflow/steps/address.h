/* Whom a message speaks to. A group is full of talk that is none of the bot's business:
 * only a command, a reply to its message, a mention, a contact or a button starts
 * something there. worker/workflow/spec/workflow.md §1.6, §3.4, WF-172 */
#ifndef WORKFLOW_ADDRESS_H
#define WORKFLOW_ADDRESS_H

#include "workflow/run/run.h"

/* With the project at hand: goes on with `then`, or answers the job with `false` when the
 * command names another bot. Sets run->event.overheard. */
void wf_address(struct wf_run *run, wf_step *then);

#endif
