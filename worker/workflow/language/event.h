/* A job's inbound Telegram update, normalised. worker/workflow/spec/workflow.md §1.6.
 *
 * Pure: no I/O. One thread at a time. */
#ifndef WORKFLOW_EVENT_H
#define WORKFLOW_EVENT_H

#include <stdbool.h>

#include <jansson.h>

#include <bulwark/error.h>

enum wf_event_kind {
    WF_EVENT_START,
    WF_EVENT_COMMAND,
    WF_EVENT_TEXT,
    WF_EVENT_CALLBACK,
    WF_EVENT_CONTACT,
    WF_EVENT_LOCATION,
    WF_EVENT_POLL,
    WF_EVENT_OTHER
};

struct wf_pattern_budget;

/* All texts are owned; NULL is absent. Ids are decimal strings. Objects are owned
 * references. */
struct wf_event {
    enum wf_event_kind kind;
    bool max_platform;
    char *update_id;
    char *chat_id, *chat_type;
    char *from_id, *username, *first_name, *last_name, *language_code;
    char *text;          /* message.text, or what a resume made of it (§3.7) */
    char *original_text; /* set when `text` was replaced */
    char *start_payload;
    char *
        command; /* "/start", "/help": the token without @bot, lower case; NULL if none */
    char *callback_id, *callback_data, *callback_message_id, *message_id;
    bool shared;       /* others read along: a group, a channel */
    bool overheard;    /* and it was not said to this bot (address.h sets it) */
    char *address;     /* the name behind a command's @, or NULL */
    char *reply_to_id; /* whose message it answers; NULL: none */
    char *reply_to_name;
    char *me_username;                        /* the bot's, as the front end says */
    char *thread_id, *topic_id, *business_id; /* where in the chat (place.h) */
    json_t *mentions; /* "@name" or ids of those it names; array, or NULL */
    json_t *contact, *location, *poll, *webhook;
    struct wf_pattern_budget *patterns; /* what matching may cost; borrowed, or NULL */
};

/* `context` is the job's context, `trigger` data.trigger or NULL. BW_EINVAL: nothing
 * usable (no chat id, an unsupported update): the job's result is false. BW_ENOMEM. The
 * event is empty after a failure; after success it shares parts of `context`, which must
 * not be changed any more. */
BW_MUSTCHECK int wf_event_parse(struct wf_event *event, const json_t *context,
                                const char *trigger, struct bw_error *err);
void wf_event_fini(struct wf_event *event);

#endif
