/* What a run is made of: steps, each of which starts an operation with the next one as
 * its continuation, calls the next one, or answers the job. After that it must not touch
 * the run any more. */
#ifndef WORKFLOW_STEP_H
#define WORKFLOW_STEP_H

struct wf_run;
typedef void wf_step(struct wf_run *run);

/* What a node asks for when it is done; details are in the run's `out`. */
enum wf_action {
    /* an operation was started; its continuation ends with run->resume() */
    WF_PENDING,
    WF_NEXT,
    WF_GOTO,
    WF_WAIT,
    /* into the execution that is the run's now, at its entry */
    WF_CALL,
    WF_END,
    WF_ERROR
};

#endif
