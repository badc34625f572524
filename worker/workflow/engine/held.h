/* What the engine holds jobs back for, so that /metrics and /status can say it
 * (`workflow_held`, by reason). worker/workflow/spec/workflow.md §1.4.1, §9.6. Any
 * thread. */
#ifndef WORKFLOW_HELD_H
#define WORKFLOW_HELD_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/thread.h>
#include <bulwark/time.h>

/* The values of the gauge's label, in this order. */
#define WF_HELD_REASONS(X)                                                               \
    X(DATABASE, "database")                                                              \
    X(SCHEMA, "schema")                                                                  \
    X(RIGHT, "right")                                                                    \
    X(READONLY, "readonly")                                                              \
    X(TOKEN, "token")

enum wf_held_reason {
#define X(name, label) WF_HELD_##name,
    WF_HELD_REASONS(X)
#undef X
        WF_HELD_COUNT
};

struct wf_held_project;

struct wf_held {
    struct bw_mutex mutex; /* guards all below */
    bool all[WF_HELD_COUNT];
    struct wf_held_project
        *projects; /* whose token is refused, as far as is known here */
};

void wf_held_init(struct wf_held *held);
void wf_held_fini(struct wf_held *held);

/* Static. */
const char *wf_held_label(enum wf_held_reason reason);

/* The whole handler is held, or not any more; for any reason but WF_HELD_TOKEN. */
void wf_held_set(struct wf_held *held, enum wf_held_reason reason, bool on);
/* The project's jobs wait until then. What nobody confirms soon after is forgotten:
 * another replica may have ended it. */
void wf_held_project(struct wf_held *held, const char *project, struct bw_mono until);
/* True: it was held, as far as this process knew. */
bool wf_held_release(struct wf_held *held, const char *project);
/* 0 or 1; of WF_HELD_TOKEN the number of projects. */
unsigned wf_held_count(struct wf_held *held, enum wf_held_reason reason,
                       struct bw_mono now);

#endif
