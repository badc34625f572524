#include "workflow/authoring/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

#define NOBODY   42 /* the Telegram id of who is no customer */
#define NO_PHONE "+70000000000"
/* Ids of updates and messages that those of files do not meet. */
#define FIRST_UPDATE  900000000
#define FIRST_MESSAGE 900000000

#define LATITUDE  90.0
#define LONGITUDE 180.0

struct wf_talk {
    struct wf_dry *dry;
    json_t *from, *chat; /* as updates have them */
    char *phone;
    json_int_t updates;
    size_t seen;      /* jobs of the trace whose messages are known */
    json_t *messages; /* [{"message_id", "buttons": []}] below which there are buttons */
    json_t *keyboard; /* buttons of the reply keyboard */
    bool once;        /* it goes when it was used */
    json_t *buttons;  /* what wf_talk_buttons() gave */
};

static void append(json_t *array, json_t *value)
{
    wf_check(json_array_append_new(array, value) == 0 ? BW_OK : BW_ENOMEM);
}

/* --- who talks */

static char *text_of(const json_t *object, const char *key, const char *fallback)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_integer(value))
        return wf_dumps(value);
    return wf_strdup(json_is_string(value) ? json_string_value(value) : fallback);
}

static void set_person(struct wf_talk *talk, const json_t *state)
{
    const json_t *customer = json_object_get(state, "customer");
    char *id = text_of(customer, "telegramId", ""), *end;
    char *name = text_of(customer, "firstName", "Author");
    long long number = strtoll(id, &end, 10);

    if (*id == '\0' || *end != '\0')
        number = NOBODY;
    talk->from = wf_must(json_object());
    wf_json_set(talk->from, "id", json_integer(number));
    wf_json_set(talk->from, "is_bot", json_false());
    wf_json_set_text(talk->from, "first_name", name);
    if (json_is_string(json_object_get(customer, "telegramUsername")))
        wf_json_set(talk->from, "username",
                    json_incref(json_object_get(customer, "telegramUsername")));
    talk->chat = wf_must(json_object());
    wf_json_set(talk->chat, "id", json_integer(number));
    wf_json_set_text(talk->chat, "type", "private");
    talk->phone = text_of(customer, "phone", NO_PHONE);
    free(id);
    free(name);
}

struct wf_talk *wf_talk_create(struct wf_dry *dry, const json_t *state)
{
    struct wf_talk *talk = wf_alloc(sizeof(*talk));

    talk->dry = dry;
    talk->updates = FIRST_UPDATE;
    talk->messages = wf_must(json_array());
    talk->keyboard = wf_must(json_array());
    set_person(talk, state);
    return talk;
}

void wf_talk_destroy(struct wf_talk **talkp)
{
    struct wf_talk *talk = *talkp;

    if (talk == NULL)
        return;
    *talkp = NULL;
    json_decref(talk->from);
    json_decref(talk->chat);
    json_decref(talk->messages);
    json_decref(talk->keyboard);
    json_decref(talk->buttons);
    free(talk->phone);
    free(talk);
}

/* --- the buttons there are */

/* New reference: a button of a message or of a keyboard as wf_talk_buttons() has it. */
static json_t *button_of(const json_t *stored, json_int_t message_id, size_t row)
{
    static const char *const asks[][2] = { { "request_contact", "contact" },
                                           { "request_location", "location" } };
    json_t *button = wf_must(json_object());

    wf_json_set_text(button, "text",
                     json_is_string(stored) ? json_string_value(stored)
                                            : wf_member(stored, "text", ""));
    wf_json_set(button, "data", json_incref(json_object_get(stored, "callback_data")));
    wf_json_set(button, "url", json_incref(json_object_get(stored, "url")));
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        if (json_is_true(json_object_get(stored, asks[i][0])))
            wf_json_set_text(button, "asks", asks[i][1]);
    }
    wf_json_set(button, "row", json_integer((json_int_t)row));
    if (message_id > 0)
        wf_json_set(button, "message_id", json_integer(message_id));
    return button;
}

/* New reference: of rows of buttons. */
static json_t *buttons_of(const json_t *rows, json_int_t message_id)
{
    json_t *buttons = wf_must(json_array()), *row, *button;
    size_t i, j;

    json_array_foreach(rows, i, row)
    {
        json_array_foreach(row, j, button)
        {
            append(buttons, button_of(button, message_id, i));
        }
    }
    return buttons;
}

static void forget_message(struct wf_talk *talk, json_int_t id)
{
    for (size_t i = json_array_size(talk->messages); i-- > 0;) {
        if (json_integer_value(
                json_object_get(json_array_get(talk->messages, i), "message_id")) == id)
            (void)json_array_remove(talk->messages, i); /* it is there */
    }
}

static void see_markup(struct wf_talk *talk, const json_t *markup, json_int_t id)
{
    const json_t *keyboard = json_object_get(markup, "keyboard");
    const json_t *rows = json_object_get(markup, "inline_keyboard");

    if (keyboard != NULL || json_is_true(json_object_get(markup, "remove_keyboard"))) {
        json_decref(talk->keyboard);
        talk->keyboard = buttons_of(keyboard, 0);
        talk->once = json_is_true(json_object_get(markup, "one_time_keyboard"));
    }
    if (json_is_array(rows)) {
        json_t *message = wf_must(json_object());

        wf_json_set(message, "message_id", json_integer(id));
        wf_json_set(message, "buttons", buttons_of(rows, id));
        append(talk->messages, message);
    }
}

static void see_call(struct wf_talk *talk, const json_t *call)
{
    const char *method = wf_member(call, "method", "");
    const json_t *params = json_object_get(call, "params");
    json_int_t id = json_integer_value(json_object_get(call, "message_id"));

    if (strcmp(wf_member(call, "kind", ""), "telegram") != 0)
        return;
    if (strncmp(method, "edit", strlen("edit")) == 0 ||
        strcmp(method, "deleteMessage") == 0) {
        id = json_integer_value(json_object_get(params, "message_id"));
        forget_message(talk, id);
    }
    see_markup(talk, json_object_get(params, "reply_markup"), id);
}

/* What came since the last look. */
static void see(struct wf_talk *talk)
{
    const json_t *trace = wf_dry_trace(talk->dry);

    for (; talk->seen < json_array_size(trace); talk->seen++) {
        json_t *calls = json_object_get(json_array_get(trace, talk->seen), "calls"),
               *call;
        size_t i;

        json_array_foreach(calls, i, call)
        {
            see_call(talk, call);
        }
    }
}

/* --- events */

void wf_talk_update(struct wf_talk *talk, const json_t *update)
{
    wf_dry_update(talk->dry, update);
    see(talk);
}

/* New reference. */
static json_t *new_update(struct wf_talk *talk)
{
    json_t *update = wf_must(json_object());

    wf_json_set(update, "update_id", json_integer(++talk->updates));
    return update;
}

/* Sends a message of which `member` is set to `value`, which is taken. */
static void send_message(struct wf_talk *talk, const char *member, json_t *value)
{
    json_t *update = new_update(talk), *message = wf_must(json_object());

    if (talk->once)
        (void)json_array_clear(talk->keyboard); /* an array always */
    wf_json_set(message, "message_id", json_integer(FIRST_MESSAGE + talk->updates));
    wf_json_set(message, "from", json_incref(talk->from));
    wf_json_set(message, "chat", json_incref(talk->chat));
    wf_json_set(message, member, value);
    wf_json_set(update, "message", message);
    wf_talk_update(talk, update);
    json_decref(update);
}

void wf_talk_text(struct wf_talk *talk, const char *text)
{
    send_message(talk, "text", wf_text(text));
}

void wf_talk_contact(struct wf_talk *talk, const char *phone)
{
    json_t *contact = wf_must(json_object());

    wf_json_set_text(contact, "phone_number", phone != NULL ? phone : talk->phone);
    wf_json_set(contact, "first_name",
                json_incref(json_object_get(talk->from, "first_name")));
    wf_json_set(contact, "user_id", json_incref(json_object_get(talk->from, "id")));
    send_message(talk, "contact", contact);
}

int wf_talk_location(struct wf_talk *talk, const char *place, struct bw_error *err)
{
    double latitude, longitude;
    json_t *location;
    char rest;

    if (sscanf(place, "%lf , %lf %c", &latitude, &longitude, &rest) != 2 ||
        latitude < -LATITUDE || latitude > LATITUDE || longitude < -LONGITUDE ||
        longitude > LONGITUDE)
        return bw_error_set(err, BW_EINVAL,
                            "location \"%.40s\": LATITUDE,LONGITUDE expected", place);
    location = wf_must(json_object());
    wf_json_set(location, "latitude", json_real(latitude));
    wf_json_set(location, "longitude", json_real(longitude));
    send_message(talk, "location", location);
    return BW_OK;
}

static void press_data(struct wf_talk *talk, const char *data, json_int_t message_id)
{
    json_t *update = new_update(talk), *query = wf_must(json_object());
    json_t *message = wf_must(json_object());
    char *id = wf_printf("%lld", (long long)talk->updates);

    wf_json_set(message, "message_id", json_integer(message_id));
    wf_json_set(message, "chat", json_incref(talk->chat));
    wf_json_set_text(query, "id", id);
    wf_json_set(query, "from", json_incref(talk->from));
    wf_json_set_text(query, "data", data);
    wf_json_set(query, "message", message);
    wf_json_set(update, "callback_query", query);
    wf_talk_update(talk, update);
    json_decref(update);
    free(id);
}

/* --- buttons */

const json_t *wf_talk_buttons(struct wf_talk *talk)
{
    size_t count = json_array_size(talk->messages);

    json_decref(talk->buttons);
    talk->buttons = wf_must(json_array());
    if (count > 0)
        wf_check(
            json_array_extend(talk->buttons,
                              json_object_get(json_array_get(talk->messages, count - 1),
                                              "buttons")) == 0
                ? BW_OK
                : BW_ENOMEM);
    wf_check(json_array_extend(talk->buttons, talk->keyboard) == 0 ? BW_OK : BW_ENOMEM);
    return talk->buttons;
}

/* `button` is kept by the caller. */
static int press(struct wf_talk *talk, const json_t *button, struct bw_error *err)
{
    const char *data = wf_member(button, "data", NULL);
    const char *url = wf_member(button, "url", NULL),
               *asks = wf_member(button, "asks", "");

    if (url != NULL)
        return bw_error_set(err, BW_EINVAL, "button \"%.60s\" opens %.200s",
                            wf_member(button, "text", ""), url);
    if (data != NULL)
        press_data(talk, data, json_integer_value(json_object_get(button, "message_id")));
    else if (json_object_get(button, "message_id") != NULL)
        return bw_error_set(err, BW_EINVAL, "button \"%.60s\" does nothing a bot sees",
                            wf_member(button, "text", ""));
    else if (strcmp(asks, "contact") == 0)
        wf_talk_contact(talk, NULL);
    else if (strcmp(asks, "location") == 0)
        return wf_talk_location(talk, "55.75,37.62", err);
    else
        wf_talk_text(talk, wf_member(button, "text", ""));
    return BW_OK;
}

int wf_talk_press_number(struct wf_talk *talk, size_t number, struct bw_error *err)
{
    json_t *button = json_incref(json_array_get(wf_talk_buttons(talk), number));
    int rc;

    if (button == NULL)
        return bw_error_set(err, BW_EINVAL, "there is no button %zu", number + 1);
    rc = press(talk, button, err);
    json_decref(button);
    return rc;
}

/* New reference, NULL: none of the buttons has this text or data. */
static json_t *find_button(const json_t *buttons, const char *name)
{
    json_t *button;
    size_t i;

    json_array_foreach(buttons, i, button)
    {
        if (strcmp(wf_member(button, "text", ""), name) == 0 ||
            strcmp(wf_member(button, "data", ""), name) == 0)
            return json_incref(button);
    }
    return NULL;
}

int wf_talk_press(struct wf_talk *talk, const char *name, bool *strange,
                  struct bw_error *err)
{
    json_t *button = NULL;
    int rc;

    for (size_t i = json_array_size(talk->messages); button == NULL && i-- > 0;)
        button = find_button(
            json_object_get(json_array_get(talk->messages, i), "buttons"), name);
    if (button == NULL)
        button = find_button(talk->keyboard, name);
    *strange = button == NULL;
    if (button == NULL) {
        press_data(talk, name, 1);
        return BW_OK;
    }
    rc = press(talk, button, err);
    json_decref(button);
    return rc;
}
