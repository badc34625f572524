/* The messages one node sends, in order, and what message nodes share.
 * worker/workflow/spec/workflow.md §5.2
 *
 * A node begins the list, adds to it and sends it; the list lies in run->scratch. */
#ifndef WORKFLOW_PARTS_H
#define WORKFLOW_PARTS_H

#include "workflow/run/run.h"

/* Static: `HTML`, `Markdown` or `MarkdownV2`. §9.3 */
const char *wf_parts_mode(const json_t *config);
/* New: a text of the node rendered and escaped for the parse mode. */
char *wf_parts_render(struct wf_run *run, const char *text, const char *mode);
/* New: a text as it is to be read in HTML. */
char *wf_parts_escaped(const char *text);

void wf_parts_begin(struct wf_run *run);
/* New: the parameters every message has. */
json_t *wf_parts_params(const struct wf_run *run);
/* `method` is static; takes `params`. */
void wf_parts_add(struct wf_run *run, const char *method, json_t *params);
/* A text in as many messages as Telegram's limit asks for. */
void wf_parts_add_text(struct wf_run *run, const char *text, const char *mode);
/* All of them go to this chat instead of the event's. */
void wf_parts_chat(struct wf_run *run, const char *chat);
/* The keyboard goes with the last part. Takes `markup`; NULL: none. */
void wf_parts_markup(struct wf_run *run, json_t *markup);
/* Sends them all, then goes on with `then`. */
enum wf_action wf_parts_send(struct wf_run *run, wf_step *then);

#endif
