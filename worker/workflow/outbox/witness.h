/* What a row says of the jobs that touched it (worker/workflow/spec/workflow.md §3.9.2):
 * the database as the witness of what is done, beside the checkpoint in Redis, which may
 * be older, or not to be asked.
 */
#ifndef WORKFLOW_WITNESS_H
#define WORKFLOW_WITNESS_H

#include "workflow/run/run.h"

enum wf_testimony {
    WF_SAYS_NOTHING,
    WF_SAYS_NAMED, /* this job touched it; how far it came, it does not say */
    WF_SAYS_AGAIN, /* it ended with this job, before the queue counted that attempt */
    WF_SAYS_KEPT,  /* it holds a checkpoint of this job */
    WF_SAYS_OVER,  /* the job has ended: the result is known */
    WF_SAYS_UPDATE /* another job has handled this update */
};

/* What a wait_payload says of the run's job. `result` is set with WF_SAYS_OVER. */
enum wf_testimony wf_witness_read(struct wf_run *run, const json_t *payload,
                                  bool *result);

/* A row as the statement `witness` gives it, or as part of another. Borrowed texts. */
struct wf_row {
    const char *id, *workflow_id, *node;
    enum wf_status status;
    enum wf_wait_type wait_type;
    int64_t steps;
    const json_t *payload; /* or NULL */
};

/* The row is in the state that the job claimed it from, or in one before: the database
 * has come back older, and has lost the claim. `resumed`: there was one, at `steps`
 * steps. */
bool wf_witness_is_older(const struct wf_row *row, enum wf_testimony says, bool resumed,
                         int64_t steps);
/* Makes that claim again, then goes on; if somebody else was faster, the job is looked at
 * again. */
void wf_witness_claim(struct wf_run *run, const struct wf_row *row, int64_t steps,
                      wf_step *then);

/* The job is over: what its last flush asked for beside the row (a job for a delay, one
 * for a timeout) is made sure of, and it is answered. */
void wf_witness_over(struct wf_run *run, const struct wf_row *row, bool result);

#endif
