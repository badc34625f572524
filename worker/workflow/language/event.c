#include "workflow/language/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "workflow/language/text.h"

/* Where the parts of an update lie; all borrowed, NULL for what is not there. */
struct parts {
    const json_t *context, *update, *message, *callback;
    const json_t *chat, *message_chat, *callback_chat;
    const json_t *from;
    const char *trigger;
};

/* A member that is there: JSON null counts as absent. */
static const json_t *get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_null(value) ? NULL : value;
}

static const json_t *get_object(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_object(value) ? value : NULL;
}

static const json_t *first(const json_t *a, const json_t *b, const json_t *c)
{
    if (a != NULL)
        return a;
    return b != NULL ? b : c;
}

/* ---- texts and ids ---- */

static int copy_text(const json_t *value, char **out)
{
    *out = NULL;
    if (!json_is_string(value))
        return BW_OK;
    *out = strdup(json_string_value(value));
    return *out != NULL ? BW_OK : BW_ENOMEM;
}

/* `-?[0-9]+` without leading zeros, so that 42, "42" and "042" are one id; NULL text for
 * no id. */
static int decimal_id(struct wf_text text, char **out)
{
    struct wf_text digits = wf_text_trim(text);
    bool negative = digits.len > 0 && digits.data[0] == '-';

    *out = NULL;
    if (negative)
        digits = (struct wf_text){ digits.data + 1, digits.len - 1 };
    if (digits.len == 0 || digits.len > 64)
        return BW_OK;
    for (size_t i = 0; i < digits.len; i++)
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return BW_OK;
    while (digits.len > 1 && digits.data[0] == '0')
        digits = (struct wf_text){ digits.data + 1, digits.len - 1 };
    if (digits.data[0] == '0')
        negative = false;
    if (asprintf(out, "%s%.*s", negative ? "-" : "", (int)digits.len, digits.data) < 0) {
        *out = NULL;
        return BW_ENOMEM;
    }
    return BW_OK;
}

/* Numbers beyond 2^53 arrive exact: jansson keeps 64-bit integers. */
static int copy_id(const json_t *value, char **out)
{
    char text[32];

    *out = NULL;
    if (json_is_string(value))
        return decimal_id(wf_text_of(json_string_value(value)), out);
    if (json_is_integer(value))
        (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
    else if (json_is_real(value) && json_real_value(value) > -1e18 &&
             json_real_value(value) < 1e18)
        (void)snprintf(text, sizeof text, "%.0f", json_real_value(value));
    else
        return BW_OK;
    return decimal_id(wf_text_of(text), out);
}

/* A callback query's id is opaque to us. */
static int copy_opaque(const json_t *value, char **out)
{
    if (json_is_string(value))
        return copy_text(value, out);
    return copy_id(value, out);
}

static json_t *keep(const json_t *object)
{
    return object != NULL ? json_incref((json_t *)object) : NULL;
}

/* ---- finding the parts (the table of §1.6, row by row) ---- */

static void find_parts(const json_t *context, const char *trigger, struct parts *parts)
{
    const json_t *update = get_object(context, "update");

    *parts = (struct parts){ .context = context, .update = update, .trigger = trigger };
    parts->message = first(get_object(update, "message"), get_object(context, "message"),
                           get_object(context, "msg"));
    parts->callback =
        first(get_object(update, "callback_query"), get_object(context, "callback_query"),
              get_object(context, "callbackQuery"));
    parts->chat = get_object(context, "chat");
    parts->message_chat = get_object(parts->message, "chat");
    parts->callback_chat = get_object(get_object(parts->callback, "message"), "chat");
    parts->from = first(get_object(parts->message, "from"),
                        get_object(parts->callback, "from"), get_object(context, "from"));
}

/* A raw update of a kind that no workflow handles (edited messages, channel posts,
 * business and guest messages, inline queries …): its payload is an object that is
 * neither message nor callback. */
static bool has_foreign_payload(const struct parts *parts)
{
    static const char *const kinds[] = {
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
        "business_connection",
        "guest_message",
        "inline_query",
        "chosen_inline_result",
        "shipping_query",
        "pre_checkout_query",
        "message_reaction",
        "message_reaction_count",
        "my_chat_member",
        "chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
        "poll_answer",
        "purchased_paid_media",
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (get_object(parts->update, kinds[i]) != NULL ||
            get_object(parts->context, kinds[i]) != NULL)
            return true;
    return false;
}

static int copy_from(const struct parts *parts, struct wf_event *event)
{
    int rc = copy_id(get(parts->from, "id"), &event->from_id);

    if (rc == BW_OK)
        rc = copy_text(get(parts->from, "username"), &event->username);
    if (rc == BW_OK)
        rc = copy_text(get(parts->from, "first_name"), &event->first_name);
    if (rc == BW_OK)
        rc = copy_text(get(parts->from, "last_name"), &event->last_name);
    if (rc == BW_OK)
        rc = copy_text(get(parts->from, "language_code"), &event->language_code);
    return rc;
}

static int copy_chat(const struct parts *parts, struct wf_event *event)
{
    const json_t *const ids[] = {
        get(parts->chat, "id"),
        get(parts->message_chat, "id"),
        get(parts->callback_chat, "id"),
        get(get_object(parts->callback, "from"), "id"),
    };
    int rc = BW_OK;

    for (size_t i = 0;
         rc == BW_OK && event->chat_id == NULL && i < sizeof ids / sizeof *ids; i++)
        rc = copy_id(ids[i], &event->chat_id);
    if (rc == BW_OK)
        rc = copy_text(first(get(parts->message_chat, "type"),
                             get(parts->callback_chat, "type"), get(parts->chat, "type")),
                       &event->chat_type);
    if (rc != BW_OK || event->chat_type != NULL || event->chat_id == NULL ||
        event->from_id == NULL || strcmp(event->chat_id, event->from_id) != 0)
        return rc;
    event->chat_type = strdup("private");
    return event->chat_type != NULL ? BW_OK : BW_ENOMEM;
}

/* ---- the chat's place, and whom it is for ---- */

/* A number for an id, a text for what may be one. */
static const json_t *thread_of(const json_t *message)
{
    const json_t *thread = get(message, "message_thread_id");

    /* a thread of answers outside of a forum is no topic that one can write to */
    if (json_is_true(json_object_get(message, "is_topic_message")) ||
        json_is_true(json_object_get(json_object_get(message, "chat"), "is_forum")) ||
        get(message, "reply_to_message") == NULL)
        return thread;
    return NULL;
}

static int copy_place(const struct parts *parts, struct wf_event *event)
{
    const json_t *message =
        parts->message != NULL ? parts->message : get_object(parts->callback, "message");
    const json_t *topic = get_object(message, "direct_messages_topic");
    int rc = copy_id(thread_of(message), &event->thread_id);

    if (rc == BW_OK)
        rc = copy_id(get(topic, "topic_id"), &event->topic_id);
    if (rc == BW_OK)
        rc = copy_text(get(message, "business_connection_id"), &event->business_id);
    event->shared = event->chat_type != NULL
                        ? strcmp(event->chat_type, "private") != 0
                        : event->chat_id != NULL && event->chat_id[0] == '-';
    return rc;
}

/* UTF-16 units, as Telegram counts, from the start of `text`; the byte they end at. */
static size_t bytes_of_units(struct wf_text text, json_int_t units)
{
    size_t at = 0;

    while (at < text.len && units > 0)
        units -= wf_text_next(text, &at) >= 0x10000 ? 2 : 1;
    return at;
}

/* New reference: the name of a `mention`, the id of a `text_mention`; NULL: another. */
static json_t *mention_of(struct wf_text text, const json_t *entity)
{
    const char *type = json_string_value(get(entity, "type"));
    size_t from = bytes_of_units(text, json_integer_value(get(entity, "offset"))), len;
    struct wf_text rest = { text.data + from, text.len - from };
    char *id = NULL;
    json_t *name = NULL;

    if (type != NULL && strcmp(type, "mention") == 0) {
        len = bytes_of_units(rest, json_integer_value(get(entity, "length")));
        return json_stringn(rest.data, len);
    }
    if (type != NULL && strcmp(type, "text_mention") == 0 &&
        copy_id(get(get_object(entity, "user"), "id"), &id) == BW_OK && id != NULL)
        name = json_string(id);
    free(id);
    return name;
}

/* Of a text, or of what stands below a picture. */
static void copy_mentions(const struct parts *parts, struct wf_event *event)
{
    static const char *const places[][2] = { { "text", "entities" },
                                             { "caption", "caption_entities" } };

    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        const json_t *text = get(parts->message, places[p][0]);
        const json_t *entities = get(parts->message, places[p][1]), *entity;
        size_t i;

        if (!json_is_string(text))
            continue;
        json_array_foreach((json_t *)entities, i, entity)
        {
            json_t *name = mention_of(wf_text_of(json_string_value(text)), entity);

            if (name == NULL)
                continue;
            if (event->mentions == NULL)
                event->mentions = json_array();
            (void)json_array_append_new(event->mentions, name); /* without it: not said */
        }
    }
}

static int copy_address(const struct parts *parts, struct wf_event *event)
{
    const json_t *answered =
        get_object(get_object(parts->message, "reply_to_message"), "from");
    int rc = copy_id(get(answered, "id"), &event->reply_to_id);

    if (rc == BW_OK && json_is_true(json_object_get(answered, "is_bot")))
        rc = copy_text(get(answered, "username"), &event->reply_to_name);
    if (rc == BW_OK)
        rc = copy_text(get(get_object(parts->context, "me"), "username"),
                       &event->me_username);
    copy_mentions(parts, event);
    return rc;
}

/* Another bot's message, or one in a channel's name. An admin without a name speaks as
 * the group itself. */
static bool is_of_robot(const struct parts *parts)
{
    const json_t *sender = get_object(parts->message, "sender_chat");
    char *as = NULL, *chat = NULL;
    bool own;

    if (sender == NULL)
        return parts->message != NULL &&
               json_is_true(
                   json_object_get(get_object(parts->message, "from"), "is_bot"));
    own = copy_id(get(sender, "id"), &as) == BW_OK &&
          copy_id(get(parts->message_chat, "id"), &chat) == BW_OK && as != NULL &&
          chat != NULL && strcmp(as, chat) == 0;
    free(as);
    free(chat);
    return !own;
}

static int copy_message(const struct parts *parts, struct wf_event *event)
{
    int rc = copy_id(get(parts->message, "message_id"), &event->message_id);

    event->contact = keep(get_object(parts->message, "contact"));
    event->location = keep(get_object(parts->message, "location"));
    event->poll = keep(get_object(parts->message, "poll"));
    if (rc == BW_OK)
        rc = copy_text(get(parts->message, "text"), &event->text);
    if (event->text != NULL && event->text[0] == '\0') {
        free(event->text);
        event->text = NULL;
    }
    return rc;
}

static int copy_callback(const struct parts *parts, struct wf_event *event)
{
    const json_t *message = get_object(parts->callback, "message");
    int rc = copy_opaque(get(parts->callback, "id"), &event->callback_id);

    if (rc == BW_OK)
        rc = copy_text(get(parts->callback, "data"), &event->callback_data);
    if (rc == BW_OK)
        rc = copy_id(get(message, "message_id"), &event->callback_message_id);
    return rc;
}

static int copy_parts(const struct parts *parts, struct wf_event *event)
{
    const char *platform = json_string_value(get(parts->context, "_platform"));
    int rc =
        copy_id(first(get(parts->update, "update_id"), get(parts->context, "update_id"),
                      get(parts->context, "updateId")),
                &event->update_id);

    event->max_platform = platform != NULL && strcmp(platform, "max") == 0;
    event->webhook = keep(get_object(parts->context, "webhook"));
    if (rc == BW_OK)
        rc = copy_from(parts, event);
    if (rc == BW_OK)
        rc = copy_chat(parts, event);
    if (rc == BW_OK)
        rc = copy_message(parts, event);
    if (rc == BW_OK && parts->callback != NULL)
        rc = copy_callback(parts, event);
    if (rc == BW_OK)
        rc = copy_place(parts, event);
    if (rc == BW_OK)
        rc = copy_address(parts, event);
    return rc;
}

/* ---- the kind ---- */

static char *lower_ascii(const char *text, size_t len)
{
    char *copy = strndup(text, len);

    for (char *at = copy; at != NULL && *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 32);
    return copy;
}

static int set_command(const char *token, size_t len, struct wf_event *event)
{
    const char *robot = memchr(token, '@', len);

    event->command = lower_ascii(token, robot != NULL ? (size_t)(robot - token) : len);
    if (event->command == NULL || robot == NULL)
        return event->command != NULL ? BW_OK : BW_ENOMEM;
    event->address = strndup(robot + 1, len - (size_t)(robot + 1 - token));
    return event->address != NULL ? BW_OK : BW_ENOMEM;
}

/* What follows the first white space, trimmed; absent when that is nothing. */
static int set_payload(const char *rest, struct wf_event *event)
{
    struct wf_text payload = wf_text_trim(wf_text_of(rest));

    if (payload.len == 0)
        return BW_OK;
    event->start_payload = strndup(payload.data, payload.len);
    return event->start_payload != NULL ? BW_OK : BW_ENOMEM;
}

/* Leading white space does not hide `/start`, but it does hide every other command
 * (worker/workflow/spec/workflow.md §1.6). */
static int set_text_kind(struct wf_event *event)
{
    static const char space[] = " \t\n\v\f\r";
    const char *token = event->text + strspn(event->text, space);
    size_t len = strcspn(token, space);
    int rc;

    event->kind = WF_EVENT_TEXT;
    if (token[0] != '/')
        return BW_OK;
    rc = set_command(token, len, event);
    if (rc != BW_OK)
        return rc;
    if (strcmp(event->command, "/start") == 0) {
        event->kind = WF_EVENT_START;
        return set_payload(token + len, event);
    }
    if (token == event->text) {
        event->kind = WF_EVENT_COMMAND;
        return BW_OK;
    }
    free(event->command);
    free(event->address);
    event->command = event->address = NULL;
    return BW_OK;
}

/* Whether the message is a mere envelope, so that data.trigger has to say what happened.
 */
static bool is_envelope(const json_t *message)
{
    static const char *const envelope[] = { "message_id", "date", "chat", "from",
                                            "text" };
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)message, key, member)
    {
        bool known = false;

        for (size_t i = 0; i < sizeof envelope / sizeof *envelope; i++)
            known = known || strcmp(key, envelope[i]) == 0;
        if (!known && !json_is_null(member))
            return false;
    }
    return true;
}

static int set_kind(const struct parts *parts, struct wf_event *event)
{
    bool start = parts->trigger != NULL && strcmp(parts->trigger, "start") == 0;

    event->kind = WF_EVENT_OTHER;
    if (parts->callback != NULL)
        event->kind = WF_EVENT_CALLBACK;
    else if (event->contact != NULL)
        event->kind = WF_EVENT_CONTACT;
    else if (event->location != NULL)
        event->kind = WF_EVENT_LOCATION;
    else if (event->poll != NULL)
        event->kind = WF_EVENT_POLL;
    if (event->kind != WF_EVENT_OTHER)
        return BW_OK;
    if (event->text == NULL && start && is_envelope(parts->message)) {
        event->text = strdup("/start");
        if (event->text == NULL)
            return BW_ENOMEM;
    }
    return event->text != NULL ? set_text_kind(event) : BW_OK;
}

/* Something happened in a chat: a message, a button, a webhook call, or at least a
 * trigger's word. */
static bool is_usable(const struct parts *parts, const struct wf_event *event)
{
    if (parts->message != NULL || parts->callback != NULL)
        return true;
    return !has_foreign_payload(parts) &&
           (event->webhook != NULL || parts->trigger != NULL);
}

int wf_event_parse(struct wf_event *event, const json_t *context, const char *trigger,
                   struct bw_error *err)
{
    struct parts parts;
    int rc;

    memset(event, 0, sizeof *event);
    if (!json_is_object(context))
        return bw_error_set(err, BW_EINVAL, "context is not an object");
    find_parts(context, trigger, &parts);
    rc = copy_parts(&parts, event);
    if (rc == BW_OK)
        rc = set_kind(&parts, event);
    if (rc != BW_OK)
        rc = bw_error_set(err, rc, "out of memory");
    else if (!is_usable(&parts, event))
        rc = bw_error_set(err, BW_EINVAL, "context holds no update that is supported");
    else if (is_of_robot(&parts))
        rc = bw_error_set(err, BW_EINVAL, "the message is of another bot or a channel");
    else if (event->chat_id == NULL)
        rc = bw_error_set(err, BW_EINVAL, "context names no chat");
    if (rc != BW_OK)
        wf_event_fini(event);
    return rc;
}

void wf_event_fini(struct wf_event *event)
{
    char *const texts[] = {
        event->update_id,     event->chat_id,       event->chat_type,
        event->from_id,       event->username,      event->first_name,
        event->last_name,     event->language_code, event->text,
        event->original_text, event->start_payload, event->command,
        event->callback_id,   event->callback_data, event->callback_message_id,
        event->message_id,    event->address,       event->reply_to_id,
        event->reply_to_name, event->me_username,   event->thread_id,
        event->topic_id,      event->business_id,
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    json_decref(event->contact);
    json_decref(event->location);
    json_decref(event->poll);
    json_decref(event->webhook);
    json_decref(event->mentions);
    memset(event, 0, sizeof *event);
}
