/* The event as templates see it. worker/workflow/spec/workflow.md §6.4.1. Pure. */
#ifndef WORKFLOW_EVENT_TELEGRAM_H
#define WORKFLOW_EVENT_TELEGRAM_H

#include "workflow/language/event.h"

/* New reference: the `telegram` object that templates see (§6.4.1); NULL when memory is
 * out. `text`, `original_text` and `contact` are taken as they are now, so a resume that
 * changes them asks again. */
json_t *wf_event_telegram(const struct wf_event *event);

#endif
