/* Keys in Redis that say who waits for what (worker/workflow/spec/workflow.md §10.2,
 * §10.3). */
#ifndef WORKFLOW_WAIT_KEYS_H
#define WORKFLOW_WAIT_KEYS_H

#include "workflow/language/wait_type.h"

struct wf_run;

/* New texts. */
char *wf_waiting_key(const struct wf_run *run, const char *session);
char *wf_pointer_key(const struct wf_run *run);
char *wf_node_waiting_key(const struct wf_run *run, enum wf_wait_type wait_type);

/* Deletes the keys of a session's wait, without waiting for it. NULL: nothing. */
void wf_waiting_forget(struct wf_run *run, const char *session);

/* Into the group that is begun: the wait the run has entered; that the session waits no
 * more; and, in both cases, the pointer from the person to the session. */
void wf_waiting_enter(struct wf_run *run, enum wf_wait_type wait_type, const char *node);
void wf_waiting_leave(struct wf_run *run);

#endif
