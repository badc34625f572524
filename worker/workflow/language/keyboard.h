/* Keyboards: a node's config to Telegram's reply_markup, and the wait rule.
 * worker/workflow/spec/workflow.md §5.2.3, §5.2.5. Pure. */
#ifndef WORKFLOW_KEYBOARD_H
#define WORKFLOW_KEYBOARD_H

#include "workflow/language/graph.h"
#include "workflow/language/template.h"
#include "workflow/language/wait_type.h"

/* New reference in `*markup`; NULL there when there is no keyboard. `keyboard` is the
 * config object (borrowed, may be NULL). BW_EINVAL: node error (callback_data over 64
 * bytes). */
BW_MUSTCHECK int wf_keyboard_markup(const struct wf_scope *scope, const json_t *keyboard,
                                    json_t **markup, struct bw_error *err);

/* The same for a message node of any kind; message.keyboard.inline and .reply are
 * keyboards themselves, whatever `type` they carry. */
BW_MUSTCHECK int wf_keyboard_node_markup(const struct wf_scope *scope,
                                         const struct wf_node *node, json_t **markup,
                                         struct bw_error *err);

/* Borrowed: the keyboard of a message node by §4.2 (data.config.message.keyboard, else
 * data.config.keyboard); NULL: none. */
const json_t *wf_keyboard_of(const struct wf_node *node);

/* §5.2.5: what the node waits for after sending. */
enum wf_wait_type wf_keyboard_wait(const struct wf_node *node);

#endif
