/* The turn of a run in its chat, and the lock that keeps other workers out of it. */
#ifndef WORKFLOW_CHAT_H
#define WORKFLOW_CHAT_H

#include <stdbool.h>

#include "workflow/engine/chats.h"
#include "workflow/engine/locks.h"
#include "workflow/run/step.h"

struct wf_chat {
    struct wf_turn turn;
    char *key;
    bool has_turn;
    struct wf_lock lock;
    bool has_lock;
    /* until when it is tried for, and what comes then */
    struct bw_mono lock_until;
    wf_step *then;
};

/* The lock was obtained. */
void wf_chat_locked(struct wf_run *run);
/* The chat is free for the next run, which is returned, to be posted; NULL: none. */
struct wf_run *wf_chat_leave(struct wf_run *run);
void wf_chat_fini(struct wf_chat *chat);

#endif
