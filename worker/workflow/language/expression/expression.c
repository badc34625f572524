#include "workflow/language/expression/expression.h"

#include "workflow/language/expression/eval.h"

#define FAILED "Condition evaluation failed"

static int evaluate(struct wf_expr *expr, const char *text, struct wf_expr_value *out)
{
    struct wf_expr_node *tree = NULL;
    int rc = wf_expr_parse(expr, wf_text_of(text), &tree);

    return rc == BW_OK ? wf_expr_eval(expr, tree, out) : rc;
}

static int finish(struct wf_expr *expr, int rc, struct bw_error *err)
{
    wf_arena_fini(&expr->arena);
    json_decref(expr->empty);
    if (rc == BW_ENOMEM)
        return bw_error_set(err, rc, "out of memory");
    return rc == BW_OK ? rc : bw_error_prefix(err, FAILED);
}

int wf_expression(const struct wf_scope *scope, const char *text, json_t **out,
                  struct bw_error *err)
{
    struct bw_error own = { .code = BW_OK };
    struct wf_expr expr = { .scope = scope,
                            .arena = { .limit = WF_EXPR_MEMORY_MAX },
                            .err = err != NULL ? err : &own };
    struct wf_expr_value value;
    int rc = evaluate(&expr, text, &value);

    *out = NULL;
    if (rc == BW_OK)
        rc = wf_expr_to_json(&expr, &value, out);
    return finish(&expr, rc, expr.err);
}

int wf_expression_test(const struct wf_scope *scope, const char *text, bool *result,
                       struct bw_error *err)
{
    struct bw_error own = { .code = BW_OK };
    struct wf_expr expr = { .scope = scope,
                            .arena = { .limit = WF_EXPR_MEMORY_MAX },
                            .err = err != NULL ? err : &own };
    struct wf_expr_value value;
    int rc = evaluate(&expr, text, &value);

    *result = rc == BW_OK && wf_expr_truthy(&value);
    return finish(&expr, rc, expr.err);
}

int wf_expression_check(const char *text, struct bw_error *err)
{
    struct bw_error own = { .code = BW_OK };
    struct wf_expr expr = { .arena = { .limit = WF_EXPR_MEMORY_MAX },
                            .err = err != NULL ? err : &own };
    struct wf_expr_node *tree = NULL;
    int rc = wf_expr_parse(&expr, wf_text_of(text), &tree);

    return finish(&expr, rc, expr.err);
}
