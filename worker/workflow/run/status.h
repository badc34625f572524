/* The states of an execution, as rows name them. Pure. */
#ifndef WORKFLOW_STATUS_H
#define WORKFLOW_STATUS_H

#define WF_STATUSES(X)                                                                   \
    X(RUNNING, "running")                                                                \
    X(WAITING, "waiting")                                                                \
    X(COMPLETED, "completed")                                                            \
    X(FAILED, "failed")                                                                  \
    X(CANCELLED, "cancelled")

enum wf_status {
    /* a text that is none of them, or NULL */
    WF_STATUS_OTHER,
#define X(name, text) WF_STATUS_##name,
    WF_STATUSES(X)
#undef X
        WF_STATUS_COUNT
};

/* Static; NULL for WF_STATUS_OTHER. */
const char *wf_status_name(enum wf_status status);
enum wf_status wf_status_of(const char *text);

#endif
