/* The engine's SQL: constant statements, by number. All values travel as parameters.
 *
 * Texts: store.c (runs), store_customer.c (customers and money). Column order is part of
 * a statement's contract and is written above its text. */
#ifndef WORKFLOW_STORE_H
#define WORKFLOW_STORE_H

#include <stdbool.h>

/* name, number of parameters */
#define WF_STATEMENTS(X)                                                                 \
    X(project, 1)                                                                        \
    X(versions, 1)                                                                       \
    X(version, 3)                                                                        \
    X(lookup, 9)                                                                         \
    X(claim, 9)                                                                          \
    X(insert, 11)                                                                        \
    X(preload, 6)                                                                        \
    X(flush, 19)                                                                         \
    X(rehomed, 4)                                                                        \
    X(moved, 3)                                                                          \
    X(set_variable, 7)                                                                   \
    X(purge, 1)                                                                          \
    X(writable, 0)                                                                       \
    X(advisory_lock, 1)                                                                  \
    X(customer, 5)                                                                       \
    X(blocked, 3)                                                                        \
    X(user_by_platform, 6)                                                               \
    X(user_by_contact, 5)                                                                \
    X(user_any_contact, 4)                                                               \
    X(user_found, 4)                                                                     \
    X(user_create, 10)                                                                   \
    X(user_adopt, 6)                                                                     \
    X(user_lock, 2)                                                                      \
    X(user_detach, 4)                                                                    \
    X(user_activate, 6)                                                                  \
    X(user_welcome, 4)                                                                   \
    X(user_referral, 7)                                                                  \
    X(user_json, 2)                                                                      \
    X(user_update, 7)                                                                    \
    X(user_contact, 5)                                                                   \
    X(user_birthday, 3)                                                                  \
    X(user_metadata, 2)                                                                  \
    X(user_metadata_set, 4)                                                              \
    X(balance, 2)                                                                        \
    X(transactions, 3)                                                                   \
    X(stats, 2)                                                                          \
    X(referral, 2)                                                                       \
    X(welcomed, 2)                                                                       \
    X(add_bonus, 12)                                                                     \
    X(spend_bonus, 11)                                                                   \
    X(orders, 3)                                                                         \
    X(partner_viewer, 2)                                                                 \
    X(partner_team, 6)                                                                   \
    X(partner_subject, 5)                                                                \
    X(partner_payouts, 4)                                                                \
    X(partner_organization, 4)                                                           \
    X(notify, 7)                                                                         \
    X(witness, 2)                                                                        \
    X(keep, 8)                                                                           \
    X(delayed, 5)                                                                        \
    X(expired, 5)                                                                        \
    X(sub_workflow, 2)                                                                   \
    X(ledger, 1)                                                                         \
    X(ledger_version, 3)                                                                 \
    X(ledger_person, 2)                                                                  \
    X(ledger_before, 4)                                                                  \
    X(ledger_begin, 2)                                                                   \
    X(ledger_end, 3)                                                                     \
    X(scan_versions, 1)                                                                  \
    X(scan_birthdays, 4)                                                                 \
    X(scan_customers, 2)                                                                 \
    X(scan_claim, 5)                                                                     \
    X(scan_claimed, 1)                                                                   \
    X(scan_unqueued, 2)

enum wf_sql {
#define X(name, params) WF_SQL_##name,
    WF_STATEMENTS(X)
#undef X
        WF_SQL_COUNT
};

#define WF_PARAMS_MAX 24

struct wf_statement {
    const char *name; /* unique */
    const char *text;
    unsigned params;
};

/* Who cannot do without a statement. §1.4.1 */
enum wf_need {
    WF_NEED_ALL,  /* every message */
    WF_NEED_KIND, /* every job of a kind: those started by a clock, or that wait for time
                   */
    WF_NEED_NODE  /* a node, or nobody that waits for it */
};

enum wf_need wf_store_need(enum wf_sql sql);
/* It changes nothing. */
bool wf_store_reads(enum wf_sql sql);

/* Borrowed, constant. */
const struct wf_statement *wf_store_statement(enum wf_sql sql);

#endif
