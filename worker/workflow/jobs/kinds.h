/* The kinds of jobs the engine knows, by their `type` or name.
 * worker/workflow/spec/workflow.md §1.2 */
#ifndef WORKFLOW_KINDS_H
#define WORKFLOW_KINDS_H

struct bw_job;
struct wf_engine;

/* Takes the job and answers it in time. On a processor thread. */
void wf_kinds_start(struct wf_engine *engine, struct bw_job *job);

#endif
