/* Jobs of one chat run one at a time inside this process, in the order of their updates
 * (worker/workflow/spec/workflow.md §3.1 step 4). Any thread. */
#ifndef WORKFLOW_CHATS_H
#define WORKFLOW_CHATS_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/thread.h>

#include "workflow/base/map.h"

struct wf_chats {
    struct bw_mutex mutex; /* guards `open` and all that hangs on it */
    struct wf_map open;
};

/* One run's place in its chat's queue; part of the run. */
struct wf_turn {
    struct wf_turn *next;
    int64_t order; /* update id */
    const char *key;
};

void wf_chats_init(struct wf_chats *chats);
void wf_chats_fini(struct wf_chats *chats);

/* True: it is this turn now. False: it was queued and another's wf_chats_leave() will
 * return it. */
bool wf_chats_enter(struct wf_chats *chats, struct wf_turn *turn);
/* Ends the turn. Returns the one whose turn it is now, or NULL. */
struct wf_turn *wf_chats_leave(struct wf_chats *chats, struct wf_turn *turn);

#endif
