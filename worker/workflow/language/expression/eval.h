/* What a tree is worth. worker/workflow/spec/workflow.md §7.3. */
#ifndef WORKFLOW_EXPRESSION_EVAL_H
#define WORKFLOW_EXPRESSION_EVAL_H

#include "workflow/language/expression/parse.h"

BW_MUSTCHECK int wf_expr_eval(struct wf_expr *expr, const struct wf_expr_node *node,
                              struct wf_expr_value *out);

#endif
