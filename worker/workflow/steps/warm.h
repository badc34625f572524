/* A chat in which nothing is open: a new execution begins without a look-up. */
#ifndef WORKFLOW_WARM_H
#define WORKFLOW_WARM_H

#include "workflow/run/run.h"

/* New text: key that says that nothing is open in the chat. */
char *wf_warm_key(const struct wf_run *run);
/* What stands under it; NULL: nothing. */
void wf_warm_hear(struct wf_run *run, const char *text);
/* Into the group of keys before the look-up. */
void wf_warm_keys(struct wf_run *run);
/* Whether a new execution can do without one. `waits`: something does. */
bool wf_warm_ready(struct wf_run *run, bool waits);
/* The session it goes on with (borrowed; NULL: a new one). */
const char *wf_warm_session(const struct wf_run *run);
/* Into the group of keys behind the flush, which saw `nothing_else` open in the chat. */
void wf_warm_leave(struct wf_run *run, bool nothing_else);

#endif
