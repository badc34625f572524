/* A person who talks to a workflow that is run dry: writes, presses the buttons that were
 * sent to him, shares what he is asked for. One thread. */
#ifndef WORKFLOW_AUTHORING_TALK_H
#define WORKFLOW_AUTHORING_TALK_H

#include "workflow/authoring/dry/dry_run.h"

struct wf_talk;

/* The person is the state's customer, if he has a telegramId. Both are borrowed until the
 * end. */
struct wf_talk *wf_talk_create(struct wf_dry *dry, const json_t *state);
void wf_talk_destroy(struct wf_talk **talkp);

void wf_talk_text(struct wf_talk *talk, const char *text);
/* The own contact; `phone` NULL: the customer's. */
void wf_talk_contact(struct wf_talk *talk, const char *phone);
/* "latitude,longitude"; BW_EINVAL: it is not. */
BW_MUSTCHECK int wf_talk_location(struct wf_talk *talk, const char *place,
                                  struct bw_error *err);
/* An update as Telegram sends it. */
void wf_talk_update(struct wf_talk *talk, const json_t *update);

/* The button with this text or data, of the newest message first. BW_EINVAL: it opens a
 * link, which is nothing that a bot sees. A button that was not sent is pressed by its
 * data; `*strange` says so. */
BW_MUSTCHECK int wf_talk_press(struct wf_talk *talk, const char *name, bool *strange,
                               struct bw_error *err);

/* Borrowed until the next event: the buttons that are there to press,
 * [{"text", "row", "data" or "url" or "asks": contact, location; "message_id"}]; first
 * those of the newest message, then the keyboard's, which have no message. */
const json_t *wf_talk_buttons(struct wf_talk *talk);
/* The button of that number, from 0. */
BW_MUSTCHECK int wf_talk_press_number(struct wf_talk *talk, size_t number,
                                      struct bw_error *err);

#endif
