#include "workflow/run/chat.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/run/run.h"

void wf_chat_locked(struct wf_run *run)
{
    BW_ASSERT(!run->chat.has_lock && run->chat.lock.key != NULL);
    run->chat.has_lock = true;
    wf_locks_add(&run->engine->locks, &run->chat.lock, wf_engine_mono(run->engine));
}

static void release(struct wf_run *run)
{
    struct wf_lock *lock = &run->chat.lock;
    struct wf_kv kv = { 0 };

    wf_locks_remove(&run->engine->locks, lock);
    (void)wf_kv_add(&kv, WF_KV_RELEASE, wf_strdup(lock->key), wf_strdup(lock->token), 0);
    wf_kv_send(&run->engine->keys, &kv);
    run->chat.has_lock = false;
}

struct wf_run *wf_chat_leave(struct wf_run *run)
{
    struct wf_turn *next;

    if (run->chat.has_lock)
        release(run);
    if (!run->chat.has_turn)
        return NULL;
    run->chat.has_turn = false;
    next = wf_chats_leave(&run->engine->chats, &run->chat.turn);
    if (next == NULL)
        return NULL;
    return (struct wf_run *)(void *)((char *)next - offsetof(struct wf_run, chat.turn));
}

void wf_chat_fini(struct wf_chat *chat)
{
    BW_ASSERT(!chat->has_turn && !chat->has_lock);
    wf_lock_fini(&chat->lock);
    free(chat->key);
}
