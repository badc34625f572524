/* worker/workflow/spec/workflow.md §3.9.2: what a later attempt of the same job needs so
 * as to do nothing twice. */
#ifndef WORKFLOW_CHECKPOINT_H
#define WORKFLOW_CHECKPOINT_H

#include "workflow/run/run.h"

/* Writes the checkpoint, then goes on with `then`. `next`: the node an attempt after this
 * one begins with. `inside`: it is the current one, not done yet;
 * run->outbox.message.sent of its messages are out. */
void wf_checkpoint(struct wf_run *run, const char *next, bool inside, wf_step *then);
/* run->ending.leave: the lock of the job was lost. The last checkpoint goes to the row as
 * well, for Redis may have lost it; then the run ends, whatever became of that. */
void wf_checkpoint_leave(struct wf_run *run);
/* In the middle of a node: the job is put off until run->outbox.hold_until, and goes on
 * there.
 */
void wf_checkpoint_hold(struct wf_run *run);
/* Into the group of keys that is begun: the checkpoint with the message under way marked
 * as intended. After the group was answered: makes sure it is kept, then goes on. */
void wf_intent_add(struct wf_run *run);
void wf_intent_keep(struct wf_run *run, wf_step *then);
/* A checkpoint that was read from Redis, into run->attempt.restored if it is this job's.
 * True: the job is done, with `result`. */
bool wf_checkpoint_take(struct wf_run *run, const char *text, bool *result);

#endif
