#include "workflow/authoring/dry/dry_later.h"

#include <stdlib.h>

#include "base/assert.h"
#include "workflow/base/mem.h"

void dry_later(struct wf_dry *dry, dry_call *call, void *arg, int64_t delay_ms)
{
    struct dry_event *event = wf_alloc(sizeof(*event)), **at = &dry->events;

    event->call = call;
    event->arg = arg;
    event->due_ms = dry->now_ms + (delay_ms > 0 ? delay_ms : 0);
    while (*at != NULL && (*at)->due_ms <= event->due_ms)
        at = &(*at)->next;
    event->next = *at;
    *at = event;
}

void dry_step(struct wf_dry *dry)
{
    struct dry_event event;

    BW_ASSERT(dry->events != NULL);
    event = *dry->events;
    free(dry->events);
    dry->events = event.next;
    if (dry->now_ms < event.due_ms)
        dry->now_ms = event.due_ms;
    event.call(event.arg);
}
