/* Named database queries of action.database_query (worker/workflow/spec/workflow.md
 * §8): one row each, and a function in the file of its kind. While one runs,
 * run->scratch is its parameters, resolved. */
#ifndef WORKFLOW_QUERY_H
#define WORKFLOW_QUERY_H

#include "workflow/run/run.h"

#define WF_QUERIES(X)                                                                    \
    X("check_user_by_platform", wf_query_by_platform)                                    \
    X("check_user_by_telegram", wf_query_by_platform)                                    \
    X("create_user", wf_query_create_user)                                               \
    X("add_bonus", wf_query_add_bonus)                                                   \
    X("spend_bonus", wf_query_spend_bonus)                                               \
    X("get_user_balance", wf_query_balance)                                              \
    X("update_user", wf_query_update_user)                                               \
    X("get_transactions", wf_query_transactions)                                         \
    X("get_user_stats", wf_query_stats)                                                  \
    X("get_user_profile", wf_query_profile)                                              \
    X("get_referral_link", wf_query_referral_link)                                       \
    X("check_user_by_contact", wf_query_by_contact)                                      \
    X("activate_user", wf_query_activate_user)                                           \
    X("check_welcome_bonus", wf_query_welcomed)                                          \
    X("update_user_contact", wf_query_update_contact)                                    \
    X("update_user_birthday", wf_query_update_birthday)                                  \
    X("get_user_metadata", wf_query_get_metadata)                                        \
    X("update_user_metadata", wf_query_update_metadata)

#define X(name, start) enum wf_action start(struct wf_run *run);
WF_QUERIES(X)
#undef X

/* All of them, one after the other; NULL past the end. `arg` is not used. */
const char *wf_query_name(const void *arg, size_t index);
bool wf_query_known(const char *name);

#endif
