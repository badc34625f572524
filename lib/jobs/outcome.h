/* From what a handler said to what is recorded, and what Redis said to that: the decision
 * tree of lib/spec/bullmq.md §5.1 and §5.2. On the reactor. */
#ifndef BW_JOBS_OUTCOME_H
#define BW_JOBS_OUTCOME_H

#include <stdbool.h>

#include <bulwark/api.h>

#include <bulwark/buf.h>

#include "queue/job.h"

struct bw_job;

/* Within the reference's words for it: "Cannot complete job 1 …". */
#define BW_CHILD_FAILED "because it has at least one failed child."

/* "BEFORE id AFTER" */
BW_MUSTCHECK int bw_outcome_name_job(struct bw_buf *out, const char *before,
                                     struct bw_text id, const char *after);

/* Fills in job->item from job->outcome. False: nothing is to be recorded, the job is left
 * to the stalled check (logged). */
BW_MUSTCHECK bool bw_outcome_decide(struct bw_job *job);
/* job->item for a job that goes back to wait untouched. */
void bw_outcome_put_back(struct bw_job *job);
/* … for one that goes back as if it had not been fetched; `unstarted`: nor begun.
 * BMQ-170 */
void bw_outcome_hand_back(struct bw_job *job, bool unstarted);
/* Redis's answer to job->item, a code, which no earlier call explains (jobs/recheck.h):
 * counts, and ends the job or sends it on its further way. */
void bw_outcome_settled(struct bw_job *job, int code);
/* Redis refused the end for good, and the job alone: it is told, and the job is left to
 * the stalled check (BMQ-171). */
void bw_outcome_refused(struct bw_job *job, const char *why);
/* The end is known to be recorded: counts and ends the job. */
void bw_outcome_recorded(struct bw_job *job);

/* It is known that no earlier call recorded it: the code means what it says. */
void bw_outcome_not_recorded(struct bw_job *job, int code);

#endif
