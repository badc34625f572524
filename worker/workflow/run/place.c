#include "workflow/run/place.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

/* Topics are numbers to Telegram; ids beyond all measure stay texts. */
static void set_number(json_t *object, const char *key, const char *id)
{
    char *end;
    long long number;

    if (id == NULL)
        return;
    number = strtoll(id, &end, 10);
    if (*end == '\0' && strlen(id) < 18)
        wf_json_set(object, key, json_integer(number));
    else
        wf_json_set_text(object, key, id);
}

void wf_place_add(const struct wf_run *run, const char *method, json_t *params)
{
    const struct wf_event *event = &run->event;
    const char *chat = json_string_value(json_object_get(params, "chat_id"));
    bool sends = strncmp(method, "send", 4) == 0, edits = strncmp(method, "edit", 4) == 0;

    if (chat == NULL || event->chat_id == NULL || strcmp(chat, event->chat_id) != 0)
        return; /* somebody else's chat */
    if (sends) {
        set_number(params, "message_thread_id", event->thread_id);
        set_number(params, "direct_messages_topic_id", event->topic_id);
    }
    if ((sends || edits) && event->business_id != NULL)
        wf_json_set_text(params, "business_connection_id", event->business_id);
}

json_t *wf_place_keep(const struct wf_event *event)
{
    json_t *place;

    if (event->thread_id == NULL && event->topic_id == NULL && event->business_id == NULL)
        return NULL;
    place = wf_must(json_object());
    wf_json_set_text(place, "threadId", event->thread_id);
    wf_json_set_text(place, "topicId", event->topic_id);
    wf_json_set_text(place, "businessId", event->business_id);
    return place;
}

void wf_place_take(struct wf_event *event, const json_t *place)
{
    wf_set(&event->thread_id, wf_member(place, "threadId", NULL));
    wf_set(&event->topic_id, wf_member(place, "topicId", NULL));
    wf_set(&event->business_id, wf_member(place, "businessId", NULL));
}

void wf_place_forget(struct wf_event *event)
{
    wf_place_take(event, NULL);
}
