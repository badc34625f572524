/* worker/workflow/spec/workflow.md §3.10: the statement that writes variables, logs,
 * supersession and the state. */
#ifndef WORKFLOW_FLUSH_H
#define WORKFLOW_FLUSH_H

#include "workflow/run/run.h"

struct wf_flush {
    enum wf_status status;
    enum wf_wait_type wait_type;
    const char *error, *node; /* or NULL */
    const json_t *payload;    /* or NULL */
    bool supersede;           /* other waits of the session are cancelled */
    bool over;                /* the job ends with run->ending.result */
};

/* Fills it into the batch that is begun; its place there. */
size_t wf_flush_add(struct wf_run *run, const struct wf_flush *flush);
/* The row of an execution of the run that is not stored yet, into the same batch. */
void wf_insert_add(struct wf_run *run, const struct wf_execution *x);
/* After a flush in mid-run: nothing is left to write. */
void wf_flush_done(struct wf_run *run);

/* run->ending.last_words: the last attempt leaves the execution `failed` before the job
 * fails (§1.4). */
void wf_last_words(struct wf_run *run);

#endif
