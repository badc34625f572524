/* What one evaluation may use, and has used: memory, steps, depth. Everything it makes
 * lies in its arena and ends with it. worker/workflow/spec/workflow.md §7.3. */
#ifndef WORKFLOW_EXPRESSION_MEMORY_H
#define WORKFLOW_EXPRESSION_MEMORY_H

#include "workflow/language/arena.h"
#include "workflow/language/scope.h"

#define WF_EXPR_CHARS_MAX  1000
#define WF_EXPR_DEPTH_MAX  64
#define WF_EXPR_STEPS_MAX  10000
#define WF_EXPR_TEXT_MAX   (1024 * 1024)      /* bytes of one text */
#define WF_EXPR_MEMORY_MAX (16 * 1024 * 1024) /* bytes of all of them */

/* One evaluation. */
struct wf_expr {
    const struct wf_scope *scope;
    struct wf_arena arena;
    struct bw_error *err; /* the reason of a failure */
    int steps, depth;
    json_t *empty; /* an empty object, once it was needed */
};

/* Sets the reason; returns BW_EINVAL. */
int wf_expr_fail(struct wf_expr *expr, const char *format, ...) BW_PRINTF(2, 3);
/* Memory of the evaluation in `*out`: BW_OK, BW_ENOMEM, or BW_EINVAL over the limit. */
BW_MUSTCHECK int wf_expr_alloc(struct wf_expr *expr, size_t size, void *out);
/* Counts work; BW_EINVAL beyond the limit. */
BW_MUSTCHECK int wf_expr_charge(struct wf_expr *expr, size_t steps);

#endif
