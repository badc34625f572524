/* Methods of strings and arrays in expressions. worker/workflow/spec/workflow.md §7.3. */
#ifndef WORKFLOW_EXPRESSION_METHOD_H
#define WORKFLOW_EXPRESSION_METHOD_H

#include "workflow/language/expression/call.h"

struct wf_expr_method;

const struct wf_expr_method *wf_expr_find_method(struct wf_text name);
BW_MUSTCHECK int wf_expr_call_method(const struct wf_expr_method *method,
                                     const struct wf_expr_call *call,
                                     struct wf_expr_value *out);

#endif
