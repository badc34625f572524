/* What a dry run remembers of customers and money: the rows behind the named statements,
 * as tables of JSON objects. A row has the members of U-JSON (spec/workflow.md §8.2), or
 * the columns of its table in camelCase; times are ISO texts of UTC, so that they compare
 * as texts. Private to dry_*.c. */
#ifndef WORKFLOW_AUTHORING_DRY_STORE_H
#define WORKFLOW_AUTHORING_DRY_STORE_H

#include "workflow/authoring/dry/dry.h"
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

/* --- dry_store.c */

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

/* --- dry_state.c */

/* Whether the state has the members that wf_dry_create() names, and no others: BW_EINVAL
 * with path and nearest name. */
BW_MUSTCHECK int dry_state_check(const json_t *state, struct bw_error *err);
/* The members of a kind, one after the other; NULL past the end. */
const char *dry_state_member(const char *in, size_t index);
/* New reference: a row with its values as the store keeps them; lists stay behind. `in`
 * is the kind: customer, bonus, transaction, order, organization, membership, link. */
json_t *dry_state_row(const char *in, const json_t *given);

/* --- dry_seed.c */

/* Time, project, variables and store, from the state. */
void dry_state_seed(struct wf_dry *dry);

/* --- dry_person.c, dry_money.c, dry_partner.c */

json_t *dry_user_json(const json_t *row); /* §8.2, new reference */

struct dry_sums {
    int64_t balance, expiring, earned, spent, referral, referral_month; /* cents */
    json_int_t bonuses, transactions;
};

bool dry_bonus_is_active(const struct wf_dry *dry, const json_t *bonus);
void dry_sum(const struct wf_dry *dry, const char *user_id, struct dry_sums *sums);
/* New reference: the person's rows of a table, the newest first, at most `limit`. */
json_t *dry_newest(const struct wf_dry *dry, const char *table, const char *user_id,
                   size_t limit);
/* New reference: memberships with their organisations, the best first. */
json_t *dry_memberships(const struct wf_dry *dry, const char *user_id);
/* New reference: user id → whether directly, of a team (A.1). */
json_t *dry_team(const struct wf_dry *dry, const char *viewer, const char *organization);

/* --- the statements, by file */

dry_statement dry_sql_project, dry_sql_versions, dry_sql_version, dry_sql_sub_workflow,
    dry_sql_lookup, dry_sql_claim, dry_sql_insert, dry_sql_delayed, dry_sql_expired,
    dry_sql_witness;                                                /* dry_execution.c */
dry_statement dry_sql_preload, dry_sql_set_variable, dry_sql_flush; /* dry_variables.c */
dry_statement dry_sql_customer, dry_sql_blocked, dry_sql_user_by_platform,
    dry_sql_user_by_contact, dry_sql_user_any_contact, dry_sql_user_json,
    dry_sql_user_metadata, dry_sql_notify; /* dry_person.c */
dry_statement dry_sql_user_found, dry_sql_user_create, dry_sql_user_adopt,
    dry_sql_user_lock, dry_sql_user_detach, dry_sql_user_activate, dry_sql_user_welcome,
    dry_sql_user_update, dry_sql_user_contact, dry_sql_user_birthday,
    dry_sql_user_metadata_set; /* dry_change.c */
dry_statement dry_sql_balance, dry_sql_transactions, dry_sql_stats, dry_sql_welcomed,
    dry_sql_add_bonus, dry_sql_spend_bonus, dry_sql_orders; /* dry_money.c */
dry_statement dry_sql_referral, dry_sql_user_referral, dry_sql_partner_viewer,
    dry_sql_partner_subject, dry_sql_partner_payouts;             /* dry_partner.c */
dry_statement dry_sql_partner_team, dry_sql_partner_organization; /* dry_team.c */

#endif
