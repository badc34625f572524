/* The key of a run's checkpoint (worker/workflow/spec/workflow.md §3.9.2). */
#ifndef WORKFLOW_RUN_KEYS_H
#define WORKFLOW_RUN_KEYS_H

#include "workflow/run/run.h"

/* New text. */
char *wf_checkpoint_key(const struct wf_run *run);
/* New text: the value of a finished checkpoint. */
char *wf_checkpoint_done(const struct wf_run *run);
/* How long one lives that is to outlive a delay until then; 0: none. */
int64_t wf_checkpoint_ttl(const struct wf_run *run, int64_t until_ms);
/* What an attempt before left, if anything, outlives a delay of the job. */
void wf_checkpoint_renew(struct wf_run *run, int64_t until_ms);
/* The queue has recorded the job's final end: its checkpoint is not needed any more. */
void wf_checkpoint_end(struct wf_engine *engine, const struct bw_job *job);
/* It has recorded a failure, and the next attempt comes so much later. */
void wf_checkpoint_outlive(struct wf_engine *engine, const struct bw_job *job,
                           int64_t delay_ms);

#endif
