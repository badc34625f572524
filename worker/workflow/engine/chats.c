#include "workflow/engine/chats.h"

#include <stdlib.h>

#include "workflow/base/mem.h"
#include "workflow/base/map.h"

struct chat {
    struct wf_turn *waiting; /* by order; equal ones as they came */
};

void wf_chats_init(struct wf_chats *chats)
{
    bw_mutex_init(&chats->mutex);
    chats->open = (struct wf_map){ 0 };
}

void wf_chats_fini(struct wf_chats *chats)
{
    wf_map_fini(&chats->open, free);
    bw_mutex_fini(&chats->mutex);
}

bool wf_chats_enter(struct wf_chats *chats, struct wf_turn *turn)
{
    struct chat *chat;
    bool first;

    bw_mutex_lock(&chats->mutex);
    chat = wf_map_get(&chats->open, turn->key);
    first = chat == NULL;
    if (first) {
        wf_map_put(&chats->open, turn->key, wf_alloc(sizeof(*chat)));
    } else {
        struct wf_turn **link = &chat->waiting;

        while (*link != NULL && (*link)->order <= turn->order)
            link = &(*link)->next;
        turn->next = *link;
        *link = turn;
    }
    bw_mutex_unlock(&chats->mutex);
    return first;
}

struct wf_turn *wf_chats_leave(struct wf_chats *chats, struct wf_turn *turn)
{
    struct chat *chat;
    struct wf_turn *next;

    bw_mutex_lock(&chats->mutex);
    chat = wf_map_get(&chats->open, turn->key);
    next = chat->waiting;
    if (next != NULL)
        chat->waiting = next->next;
    else
        free(wf_map_take(&chats->open, turn->key));
    bw_mutex_unlock(&chats->mutex);
    return next;
}
