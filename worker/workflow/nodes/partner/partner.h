/* What the partner actions share (Appendix A.2): who asks, the lines of a text, buttons.
 *
 * An action begins the batch, which asks for the viewer first, adds its own statement,
 * and ends by sending one text. */
#ifndef WORKFLOW_PARTNER_H
#define WORKFLOW_PARTNER_H

#include "workflow/run/run.h"

#define PARTNER_NO_ACCOUNT "❌ Аккаунт не найден."

/* Begins a batch with the viewer. False: nobody knows who asks, he is being told so, and
 * the node is pending. */
bool wf_partner_begin(struct wf_run *run);
/* New reference: the viewer from the batch; NULL: no such customer. */
json_t *wf_partner_viewer(const struct wf_run *run);
/* Borrowed: the first membership with that flag (`manages`, `refers`), in the
 * organisation if one is given; NULL: none. */
const json_t *wf_partner_membership(const json_t *viewer, const char *flag,
                                    const char *organization);

/* --- configuration */

/* New: rendered, without blanks around it; NULL: absent or blank. */
char *wf_partner_param(struct wf_run *run, const char *key);
/* A whole number within bounds, or `fallback` when it is none. */
int wf_partner_number(struct wf_run *run, const char *key, int fallback, int least,
                      int greatest);

/* --- text */

/* A line behind those there are. */
void wf_partner_line(struct bw_buf *text, const char *format, ...) BW_PRINTF(2, 3);
/* `<label>: <b>12 346 ₽</b>` */
void wf_partner_sum(struct bw_buf *text, const char *label, const json_t *amount);
double wf_partner_amount(const json_t *object, const char *key);
/* New: a member escaped for HTML; "" when it is absent. */
char *wf_partner_escaped(const json_t *object, const char *key);
/* New: the title, else `Уровень n`, else `other`; escaped. */
char *wf_partner_position(const json_t *member, const char *other);

/* --- keyboard: an array of rows; rows that stay empty are left out */

/* Borrowed: one more row. */
json_t *wf_partner_row(json_t *keyboard);
/* `data` and, if there is one, `:organization`, as long as Telegram takes it; else
 * without the organisation, else no button. */
void wf_partner_button(json_t *row, const char *text, const char *data,
                       const char *organization);
/* The same, its text followed by the first 24 characters of a name. */
void wf_partner_named(json_t *row, const char *text, const char *name, const char *data,
                      const char *organization);
/* The row that leads back to the menu. */
void wf_partner_back(json_t *keyboard);

/* Sends the text with the keyboard (NULL: none) and goes on with the next node. Takes
 * both. */
void wf_partner_send(struct wf_run *run, struct bw_buf *text, json_t *keyboard);
/* The same for a constant text. */
void wf_partner_say(struct wf_run *run, const char *text, json_t *keyboard);

#endif
