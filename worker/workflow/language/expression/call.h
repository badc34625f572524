/* Functions of expressions. worker/workflow/spec/workflow.md §7.3. */
#ifndef WORKFLOW_EXPRESSION_CALL_H
#define WORKFLOW_EXPRESSION_CALL_H

#include "workflow/language/expression/value.h"

struct wf_expr_function;

struct wf_expr_call { /* what a function or method gets */
    struct wf_expr *expr;
    struct wf_expr_value self; /* of a method */
    const struct wf_expr_value *args;
    size_t count;
};

/* The argument, undefined when it is not there. */
struct wf_expr_value wf_expr_arg(const struct wf_expr_call *call, size_t index);

/* `space` is "" or what stands before the point ("Math"). NULL: no such function. */
const struct wf_expr_function *wf_expr_find_function(struct wf_text space,
                                                     struct wf_text name);
BW_MUSTCHECK int wf_expr_call_function(const struct wf_expr_function *function,
                                       const struct wf_expr_call *call,
                                       struct wf_expr_value *out);

#endif
