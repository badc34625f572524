/* What a dry run remembers of customers and money: the rows behind the named statements,
 * as tables of JSON objects. A row has the members of U-JSON
 * (worker/workflow/spec/workflow.md §8.2), or the columns of its table in camelCase;
 * times are ISO texts of UTC, so that they compare as texts. Private to dry_*.c. */
#ifndef WORKFLOW_AUTHORING_DRY_STORE_H
#define WORKFLOW_AUTHORING_DRY_STORE_H

#include "workflow/authoring/dry/dry.h"
#include "workflow/base/iso.h"
#include "workflow/run/run.h"

/* name of the table; rows are in the order they were made */
#define DRY_CUSTOMERS     "customers"
#define DRY_BONUSES       "bonuses"
#define DRY_TRANSACTIONS  "transactions"
#define DRY_ORDERS        "orders"
#define DRY_ORGANIZATIONS "organizations"
#define DRY_MEMBERSHIPS   "memberships"
#define DRY_LINKS         "links"
#define DRY_REQUESTS      "requests"
#define DRY_GRANTS        "grants"
#define DRY_NOTIFICATIONS "notifications"

#define DRY_DAY_MS 86400000LL

typedef json_t *dry_statement(struct wf_dry *dry, const json_t *params);

/* Borrowed; an array always. */
json_t *dry_table(const struct wf_dry *dry, const char *name);
/* Takes `row`. */
void dry_insert(struct wf_dry *dry, const char *table, json_t *row);
/* Borrowed: the first row whose member is this text; NULL: none, or `text` is NULL. */
json_t *dry_find(const struct wf_dry *dry, const char *table, const char *member,
                 const char *text);
/* Whether the row's member is this text. */
bool dry_is(const json_t *row, const char *member, const char *text);
json_t *dry_customer(const struct wf_dry *dry, const char *id);
/* The id of the customer with that Telegram id; NULL: nobody. */
const char *dry_customer_id(const struct wf_dry *dry, const char *telegram_id);

/* Hundredths of a number, or of a text that holds one. */
int64_t dry_cents(const json_t *value);
int64_t dry_text_cents(const char *text);
json_t *dry_money(int64_t cents);    /* new reference */
char *dry_money_text(int64_t cents); /* new */

void dry_now(const struct wf_dry *dry, char text[WF_ISO_SIZE]);
void dry_in(const struct wf_dry *dry, int64_t ms, char text[WF_ISO_SIZE]);
/* Any ISO form, with or without time, or "YYYY-MM-DD HH:MM"; false: it is none. */
bool dry_time(const char *text, int64_t *ms);
enum dry_date {
    DRY_MINUTE, /* YYYY-MM-DD HH:MM */
    DRY_DAY,    /* DD.MM.YYYY */
    DRY_SHORT   /* DD.MM */
};

/* New reference: a text in the zone; null for null. */
json_t *dry_local(const char *iso, const char *zone, enum dry_date date);

/* --- cells and rows of answers: new references */

void dry_append(json_t *array, json_t *value); /* takes `value` */
/* $1, $2 …; NULL is SQL NULL. */
const char *dry_param(const json_t *params, size_t number);
bool dry_true(const char *text);
bool dry_same(const char *a, const char *b);
json_t *dry_bool(bool yes); /* a cell */
/* Texts as they are, others as JSON; NULL is SQL NULL. */
json_t *dry_cell(const json_t *value);
json_t *dry_no_rows(void);
json_t *dry_one_row(json_t *row);    /* takes it */
json_t *dry_one_cell(json_t *cell);  /* takes it */
json_t *dry_one_json(json_t *value); /* takes it; one cell of JSON */
/* The statement is refused with that SQLSTATE: the batch is undone. No rows. */
json_t *dry_refuse(struct wf_dry *dry, const char *sqlstate, const char *message);

#endif
