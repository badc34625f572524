/* Waits: which event may resume which (worker/workflow/spec/workflow.md §3.6), what typed
 * text means (§3.7.2), and their keys in Redis. The first two are pure. */
#ifndef WORKFLOW_WAITS_H
#define WORKFLOW_WAITS_H

#include <stdbool.h>

#include "workflow/language/event.h"
#include "workflow/engine/settings.h"
#include "workflow/language/wait_type.h"

/* New text: the wait types the event may resume, as PostgreSQL writes an array; "{}" for
 * none. `matched`: a trigger.callback or `goto:` matches. */
char *wf_waits_accepted(const struct wf_event *event, bool matched);
bool wf_waits_accepts(const struct wf_event *event, bool matched, enum wf_wait_type type);
/* The wait is ended by typing (/start cancels it). */
bool wf_waits_typed(enum wf_wait_type type);

enum wf_verdict {
    WF_VERDICT_GO_ON,
    WF_VERDICT_ASK_EMAIL,      /* send the prompt, stay waiting */
    WF_VERDICT_WRONG_EMAIL,    /* say so, stay waiting */
    WF_VERDICT_FOREIGN_CONTACT /* say so, stay waiting */
};

struct wf_meaning { /* texts are owned */
    enum wf_verdict verdict;
    char *text;  /* replaces the event's text, or NULL */
    char *phone; /* a phone was typed or shared, or NULL */
    char *email;
    bool verified; /* the phone is the person's own contact */
};

/* What the event says to a wait of that type. `typed`: the text, or the callback's data
 * where it is handled as text. */
void wf_waits_read(struct wf_meaning *meaning, const struct wf_event *event,
                   enum wf_wait_type wait_type, const char *typed,
                   const struct wf_settings *settings);
void wf_meaning_fini(struct wf_meaning *meaning);

#endif
