/* The `telegram` object of worker/workflow/spec/workflow.md §6.4.1. A failed allocation
 * anywhere makes the whole object NULL. */
#include "workflow/language/event_telegram.h"

#include <string.h>

/* Sets a member unless `text` is NULL. */
static int put(json_t *object, const char *key, const char *text)
{
    return text == NULL ? 0 : json_object_set_new(object, key, json_string(text));
}

static int put_copy(json_t *object, const char *key, const json_t *from,
                    const char *member)
{
    json_t *value = json_object_get(from, member);

    return value == NULL || json_is_null(value) ? 0 : json_object_set(object, key, value);
}

/* Contacts carry the person's id as a number or as text; templates see text. */
static int put_user_id(json_t *object, const json_t *contact)
{
    const json_t *value = json_object_get(contact, "user_id");
    json_t *text = NULL;

    if (json_is_string(value))
        text = json_string(json_string_value(value));
    else if (json_is_integer(value))
        text = json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        return 0;
    if (json_object_set(object, "userId", text) != 0 ||
        json_object_set(object, "telegramUserId", text) != 0) {
        json_decref(text);
        return -1;
    }
    json_decref(text);
    return 0;
}

static json_t *contact_object(const json_t *contact)
{
    json_t *object = json_object();

    if (put_copy(object, "phoneNumber", contact, "phone_number") == 0 &&
        put_copy(object, "phone", contact, "phone_number") == 0 &&
        put_copy(object, "firstName", contact, "first_name") == 0 &&
        put_copy(object, "lastName", contact, "last_name") == 0 &&
        put_copy(object, "vcard", contact, "vcard") == 0 &&
        put_user_id(object, contact) == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* `a:b:c`: name a, params [b, c]. */
static json_t *callback_params(const char *data)
{
    json_t *params = json_array();
    const char *at = strchr(data, ':');

    while (at != NULL) {
        const char *from = at + 1;
        size_t len = strcspn(from, ":");

        if (json_array_append_new(params, json_stringn(from, len)) != 0) {
            json_decref(params);
            return NULL;
        }
        at = from[len] == ':' ? from + len : NULL;
    }
    return params;
}

static json_t *callback_object(const struct wf_event *event)
{
    const char *data = event->callback_data != NULL ? event->callback_data : "";
    json_t *object = json_object();

    if (put(object, "data", data) == 0 &&
        json_object_set_new(object, "name", json_stringn(data, strcspn(data, ":"))) ==
            0 &&
        json_object_set_new(object, "params", callback_params(data)) == 0 &&
        put(object, "messageId", event->callback_message_id) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *message_object(const struct wf_event *event)
{
    json_t *object = json_object();

    if (put(object, "text", event->text) == 0 &&
        put(object, "callbackData", event->callback_data) == 0 &&
        put(object, "originalText", event->original_text) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static int put_person(json_t *object, const struct wf_event *event)
{
    if (put(object, "chatId", event->chat_id) != 0 ||
        put(object, "userId", event->from_id) != 0 ||
        put(object, "username", event->username) != 0 ||
        put(object, "firstName", event->first_name) != 0 ||
        put(object, "lastName", event->last_name) != 0 ||
        put(object, "languageCode", event->language_code) != 0 ||
        put(object, "startPayload", event->start_payload) != 0)
        return -1;
    return put(object, "messageId", event->message_id);
}

static int put_parts(json_t *object, const struct wf_event *event)
{
    if (json_object_set_new(object, "message", message_object(event)) != 0)
        return -1;
    if (event->kind == WF_EVENT_CALLBACK &&
        json_object_set_new(object, "callback", callback_object(event)) != 0)
        return -1;
    if (event->contact == NULL)
        return 0;
    if (json_object_set_new(object, "contact", contact_object(event->contact)) != 0)
        return -1;
    return put_copy(object, "userPhone", event->contact, "phone_number");
}

json_t *wf_event_telegram(const struct wf_event *event)
{
    json_t *object = json_object();

    if (put_person(object, event) == 0 && put_parts(object, event) == 0)
        return object;
    json_decref(object);
    return NULL;
}
