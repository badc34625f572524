/* Names in expressions: variables, scopes, members. worker/workflow/spec/workflow.md
 * §7.3. */
#ifndef WORKFLOW_EXPRESSION_NAME_H
#define WORKFLOW_EXPRESSION_NAME_H

#include "workflow/language/expression/value.h"

BW_MUSTCHECK int wf_expr_name(struct wf_expr *expr, struct wf_text name,
                              struct wf_expr_value *out);
/* Whether `name` is one of the variable scopes, whose members are variables; then the
 * member. */
bool wf_expr_is_scope(struct wf_text name);
BW_MUSTCHECK int wf_expr_scope_member(struct wf_expr *expr, struct wf_text scope_name,
                                      struct wf_text member, struct wf_expr_value *out);
/* Own members only; BW_EINVAL on null and undefined. */
BW_MUSTCHECK int wf_expr_member(struct wf_expr *expr, const struct wf_expr_value *object,
                                struct wf_text member, struct wf_expr_value *out);
/* get(key[, scope]); `scope_name` "" is the default. */
BW_MUSTCHECK int wf_expr_get(struct wf_expr *expr, struct wf_text key,
                             struct wf_text scope_name, struct wf_expr_value *out);

#endif
