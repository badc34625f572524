/* What an execution may wait for (worker/workflow/spec/workflow.md §3.6, §3.8): as rows,
 * payloads and keys name it. Pure. */
#ifndef WORKFLOW_WAIT_TYPE_H
#define WORKFLOW_WAIT_TYPE_H

#define WF_WAIT_TYPES(X)                                                                 \
    X(CONTACT, "contact")                                                                \
    X(INPUT, "input")                                                                    \
    X(CALLBACK, "callback")                                                              \
    X(LOCATION, "location")                                                              \
    X(POLL, "poll")                                                                      \
    X(DELAY, "delay")

enum wf_wait_type {
    WF_WAIT_NOTHING,
#define X(name, text) WF_WAIT_##name,
    WF_WAIT_TYPES(X)
#undef X
        WF_WAIT_COUNT
};

/* Static; NULL for WF_WAIT_NOTHING. */
const char *wf_wait_name(enum wf_wait_type type);
/* WF_WAIT_NOTHING for NULL, and for a text that is none of them. */
enum wf_wait_type wf_wait_type_of(const char *text);

#endif
