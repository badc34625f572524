#include "workflow/nodes/partner/partner.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/base/money.h"
#include "workflow/nodes/parts.h"
#include "workflow/language/number.h"
#include "workflow/run/io.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/language/text.h"

#define MAX_CALLBACK   64 /* bytes Telegram takes */
#define MAX_NAME_CHARS 24

static wf_step sent;

/* --- who asks */

bool wf_partner_begin(struct wf_run *run)
{
    if (run->user_id == NULL) {
        wf_partner_say(run, "❌ Не удалось определить ваш аккаунт. Введите /start.", NULL);
        return false;
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_partner_viewer, run->project_id, run->user_id);
    return true;
}

json_t *wf_partner_viewer(const struct wf_run *run)
{
    return wf_loads(wf_db_value(run, 0, 0, WF_COL_partner_viewer_object));
}

const json_t *wf_partner_membership(const json_t *viewer, const char *flag,
                                    const char *organization)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(viewer, "memberships"), i, item)
    {
        if (json_is_true(json_object_get(item, flag)) &&
            (organization == NULL ||
             strcmp(organization, wf_member(item, "organization", "")) == 0))
            return item;
    }
    return NULL;
}

/* --- configuration */

char *wf_partner_param(struct wf_run *run, const char *key)
{
    char *text = wf_run_text(run, run->node->config, key, NULL), *trimmed;
    size_t len, skip;

    if (text == NULL)
        return NULL;
    skip = strspn(text, " \t\r\n");
    len = strlen(text + skip);
    while (len > 0 && strchr(" \t\r\n", text[skip + len - 1]) != NULL)
        len--;
    trimmed = len > 0 ? wf_printf("%.*s", (int)len, text + skip) : NULL;
    free(text);
    return trimmed;
}

int wf_partner_number(struct wf_run *run, const char *key, int fallback, int least,
                      int greatest)
{
    char *text = wf_partner_param(run, key);
    double value = text != NULL ? wf_number_parse(wf_text_of(text)) : NAN;
    int number = fallback; /* NaN is neither more nor less than any */

    if (value >= least && value <= greatest)
        number = (int)value;
    else if (value > greatest)
        number = greatest;
    else if (value < least)
        number = least;
    free(text);
    return number;
}

/* --- text */

void wf_partner_line(struct bw_buf *text, const char *format, ...)
{
    va_list args;

    if (text->len > 0)
        wf_check(bw_buf_add_char(text, '\n'));
    va_start(args, format);
    wf_check(bw_buf_vaddf(text, format, args));
    va_end(args);
}

void wf_partner_sum(struct bw_buf *text, const char *label, const json_t *amount)
{
    char *rub = wf_money_rub(json_number_value(amount));

    wf_partner_line(text, "%s: <b>%s</b>", label, rub);
    free(rub);
}

double wf_partner_amount(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

char *wf_partner_escaped(const json_t *object, const char *key)
{
    return wf_parts_escaped(wf_member(object, key, ""));
}

char *wf_partner_position(const json_t *member, const char *other)
{
    const json_t *level = json_object_get(member, "level");
    const char *title = wf_member(member, "title", "");

    if (*title != '\0')
        return wf_parts_escaped(title);
    if (json_is_integer(level))
        return wf_printf("Уровень %lld", (long long)json_integer_value(level));
    return wf_strdup(other);
}

/* --- keyboard */

json_t *wf_partner_row(json_t *keyboard)
{
    json_t *row = wf_must(json_array());

    wf_check(json_array_append_new(keyboard, row) == 0 ? BW_OK : BW_ENOMEM);
    return row;
}

static void add_button(json_t *row, const char *text, const char *data)
{
    json_t *button;

    if (strlen(data) > MAX_CALLBACK)
        return;
    button = wf_must(json_object());
    wf_json_set_text(button, "text", text);
    wf_json_set_text(button, "callback_data", data);
    wf_check(json_array_append_new(row, button) == 0 ? BW_OK : BW_ENOMEM);
}

void wf_partner_button(json_t *row, const char *text, const char *data,
                       const char *organization)
{
    char *full =
        organization != NULL ? wf_printf("%s:%s", data, organization) : wf_strdup(data);

    add_button(row, text, strlen(full) <= MAX_CALLBACK ? full : data);
    free(full);
}

/* Bytes of the first characters of a text. */
static int bytes_of(const char *text, size_t characters)
{
    int len = 0;

    for (; text[len] != '\0'; len++) {
        bool begins = ((unsigned char)text[len] & 0xC0U) != 0x80U;

        if (begins && characters-- == 0)
            break;
    }
    return len;
}

void wf_partner_named(json_t *row, const char *text, const char *name, const char *data,
                      const char *organization)
{
    char *full = wf_printf("%s%.*s", text, bytes_of(name, MAX_NAME_CHARS), name);

    wf_partner_button(row, full, data, organization);
    free(full);
}

void wf_partner_back(json_t *keyboard)
{
    wf_partner_button(wf_partner_row(keyboard), "⬅️ В меню", "back_to_menu",
                      NULL);
}

/* --- sending */

void wf_partner_send(struct wf_run *run, struct bw_buf *text, json_t *keyboard)
{
    char *body = bw_buf_take(text);

    wf_partner_say(run, body, keyboard);
    free(body);
}

static json_t *markup_of(json_t *keyboard)
{
    json_t *markup;

    for (size_t i = json_array_size(keyboard); i-- > 0;) {
        if (json_array_size(json_array_get(keyboard, i)) == 0)
            (void)json_array_remove(keyboard, i); /* it is there */
    }
    if (json_array_size(keyboard) == 0) {
        json_decref(keyboard);
        return NULL;
    }
    markup = wf_must(json_object());
    wf_json_set(markup, "inline_keyboard", keyboard);
    return markup;
}

void wf_partner_say(struct wf_run *run, const char *text, json_t *keyboard)
{
    wf_parts_begin(run);
    wf_parts_add_text(run, text, "HTML");
    wf_parts_markup(run, markup_of(keyboard));
    (void)wf_parts_send(run, sent); /* always pending */
}

static void sent(struct wf_run *run)
{
    run->resume(run, wf_node_next());
}
