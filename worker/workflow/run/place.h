/* Where in a chat an answer belongs: the topic of a forum, the topic of a channel's
 * direct messages, the business account the message came through. WF-172 */
#ifndef WORKFLOW_PLACE_H
#define WORKFLOW_PLACE_H

#include "workflow/run/run.h"

/* Adds what the method takes of it to parameters that go to the event's chat. */
void wf_place_add(const struct wf_run *run, const char *method, json_t *params);
/* New reference, for a payload or a checkpoint; NULL: the chat itself. */
json_t *wf_place_keep(const struct wf_event *event);
/* And back; `place` may be NULL. */
void wf_place_take(struct wf_event *event, const json_t *place);
void wf_place_forget(struct wf_event *event);

#endif
