/* Expressions such as `user.balance > 100 && contains(text, "x")`.
 * worker/workflow/spec/workflow.md §7.3. Pure; bounded in length, depth, steps and
 * memory. */
#ifndef WORKFLOW_EXPRESSION_EXPRESSION_H
#define WORKFLOW_EXPRESSION_EXPRESSION_H

#include <stdbool.h>

#include <jansson.h>

#include <bulwark/error.h>

#include "workflow/language/scope.h"

/* §7.3. New reference in `*out` (NULL: undefined; NaN and Infinity are null). BW_EINVAL
 * with `Condition evaluation failed: …`. */
BW_MUSTCHECK int wf_expression(const struct wf_scope *scope, const char *text,
                               json_t **out, struct bw_error *err);
/* The same, for its truthiness: what conditions, jumps and loops want. */
BW_MUSTCHECK int wf_expression_test(const struct wf_scope *scope, const char *text,
                                    bool *result, struct bw_error *err);
/* Only whether it can be read: BW_OK, BW_EINVAL with `Condition evaluation failed: …`, or
 * BW_ENOMEM. */
BW_MUSTCHECK int wf_expression_check(const char *text, struct bw_error *err);

#endif
