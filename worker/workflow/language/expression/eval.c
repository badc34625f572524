#include "workflow/language/expression/eval.h"

#include <math.h>
#include <string.h>

#include "workflow/language/expression/call.h"
#include "workflow/language/expression/method.h"
#include "workflow/language/expression/name.h"
#include "workflow/language/path.h"

/* ---- operators ---- */

static bool is_textual(const struct wf_expr_value *value)
{
    return value->kind == WF_EXPR_STRING || value->kind == WF_EXPR_JSON ||
           value->kind == WF_EXPR_LIST;
}

static int add(struct wf_expr *expr, struct wf_expr_value *left,
               const struct wf_expr_value *right)
{
    struct wf_text a, b, sum;
    int rc;

    if (!is_textual(left) && !is_textual(right)) {
        *left = wf_expr_number(wf_expr_to_number(left) + wf_expr_to_number(right));
        return BW_OK;
    }
    rc = wf_expr_to_string(expr, left, &a);
    if (rc == BW_OK)
        rc = wf_expr_to_string(expr, right, &b);
    if (rc == BW_OK)
        rc = wf_expr_concat(expr, a, b, &sum);
    if (rc == BW_OK)
        *left = wf_expr_text(sum);
    return rc;
}

static bool compare(enum wf_expr_op op, const struct wf_expr_value *left,
                    const struct wf_expr_value *right)
{
    double a, b;

    if (left->kind == WF_EXPR_STRING && right->kind == WF_EXPR_STRING) {
        a = wf_text_compare(left->text, right->text);
        b = 0;
    } else {
        a = wf_expr_to_number(left);
        b = wf_expr_to_number(right);
    }
    if (op == WF_OP_LESS)
        return a < b;
    if (op == WF_OP_GREATER)
        return a > b;
    return op == WF_OP_LESS_EQUAL ? a <= b : a >= b;
}

static double calculate(enum wf_expr_op op, double a, double b)
{
    if (op == WF_OP_SUBTRACT)
        return a - b;
    if (op == WF_OP_MULTIPLY)
        return a * b;
    return op == WF_OP_DIVIDE ? a / b : fmod(a, b);
}

/* `left` becomes left op right. */
static int apply(struct wf_expr *expr, enum wf_expr_op op, struct wf_expr_value *left,
                 const struct wf_expr_value *right)
{
    bool equal;
    int rc;

    switch (op) {
    case WF_OP_ADD:
        return add(expr, left, right);
    case WF_OP_SAME:
    case WF_OP_NOT_SAME:
        *left = wf_expr_boolean(wf_expr_strict_equal(left, right) == (op == WF_OP_SAME));
        return BW_OK;
    case WF_OP_EQUAL:
    case WF_OP_NOT_EQUAL:
        rc = wf_expr_loose_equal(expr, left, right, &equal);
        *left = wf_expr_boolean(equal == (op == WF_OP_EQUAL));
        return rc;
    case WF_OP_LESS:
    case WF_OP_GREATER:
    case WF_OP_LESS_EQUAL:
    case WF_OP_GREATER_EQUAL:
        *left = wf_expr_boolean(compare(op, left, right));
        return BW_OK;
    default:
        *left = wf_expr_number(
            calculate(op, wf_expr_to_number(left), wf_expr_to_number(right)));
        return BW_OK;
    }
}

/* Whether the value so far decides, so that the operand is not evaluated. */
static bool decides(enum wf_expr_op op, const struct wf_expr_value *left)
{
    if (op == WF_OP_OR)
        return wf_expr_truthy(left);
    if (op == WF_OP_AND)
        return !wf_expr_truthy(left);
    return op == WF_OP_COALESCE && !wf_expr_is_nullish(left);
}

static int eval_chain(struct wf_expr *expr, const struct wf_expr_node *node,
                      struct wf_expr_value *out)
{
    struct wf_expr_value operand;
    int rc = wf_expr_eval(expr, node->a, out);

    for (const struct wf_expr_link *link = node->links; rc == BW_OK && link != NULL;
         link = link->next) {
        if (decides(link->op, out))
            continue;
        rc = wf_expr_eval(expr, link->operand, &operand);
        if (rc != BW_OK)
            break;
        if (link->op == WF_OP_OR || link->op == WF_OP_AND || link->op == WF_OP_COALESCE)
            *out = operand;
        else
            rc = apply(expr, link->op, out, &operand);
    }
    return rc;
}

static const char *type_name(const struct wf_expr_value *value)
{
    switch (value->kind) {
    case WF_EXPR_UNDEFINED:
        return "undefined";
    case WF_EXPR_BOOLEAN:
        return "boolean";
    case WF_EXPR_NUMBER:
        return "number";
    case WF_EXPR_STRING:
        return "string";
    case WF_EXPR_NULL:
    case WF_EXPR_JSON:
    case WF_EXPR_LIST:
        break;
    }
    return "object";
}

static int eval_unary(struct wf_expr *expr, const struct wf_expr_node *node,
                      struct wf_expr_value *out)
{
    int rc = wf_expr_eval(expr, node->a, out);

    if (rc != BW_OK)
        return rc;
    if (node->op == WF_OP_NOT)
        *out = wf_expr_boolean(!wf_expr_truthy(out));
    else if (node->op == WF_OP_TYPEOF)
        *out = wf_expr_text(wf_text_of(type_name(out)));
    else if (node->op == WF_OP_NEGATE)
        *out = wf_expr_number(-wf_expr_to_number(out));
    else
        *out = wf_expr_number(wf_expr_to_number(out));
    return BW_OK;
}

/* ---- lists and calls ---- */

static int eval_list(struct wf_expr *expr, const struct wf_expr_args *args,
                     struct wf_expr_value **out)
{
    size_t i = 0;
    int rc = wf_expr_alloc(expr, args->count * sizeof **out, out);

    for (const struct wf_expr_item *item = args->first; rc == BW_OK && item != NULL;
         item = item->next)
        rc = wf_expr_eval(expr, item->node, &(*out)[i++]);
    return rc;
}

static int eval_array(struct wf_expr *expr, const struct wf_expr_node *node,
                      struct wf_expr_value *out)
{
    struct wf_expr_list *list;
    int rc = wf_expr_alloc(expr, sizeof *list, &list);

    if (rc == BW_OK)
        rc = eval_list(expr, &node->args, &list->items);
    if (rc != BW_OK)
        return rc;
    list->count = node->args.count;
    *out = (struct wf_expr_value){ .kind = WF_EXPR_LIST, .list = list };
    return BW_OK;
}

static int eval_call(struct wf_expr *expr, const struct wf_expr_node *node,
                     struct wf_expr_value *out)
{
    struct wf_expr_call call = { .expr = expr, .count = node->args.count };
    struct wf_expr_value *args;
    int rc = eval_list(expr, &node->args, &args);

    call.args = args;
    return rc == BW_OK ? wf_expr_call_function(node->function, &call, out) : rc;
}

/* ---- members ---- */

static int eval_method(struct wf_expr *expr, const struct wf_expr_suffix *suffix,
                       struct wf_expr_value *value)
{
    struct wf_expr_call call = { .expr = expr,
                                 .self = *value,
                                 .count = suffix->args.count };
    struct wf_expr_value *args;
    int rc = eval_list(expr, &suffix->args, &args);

    call.args = args;
    return rc == BW_OK ? wf_expr_call_method(suffix->method, &call, value) : rc;
}

/* The name of a member: as written, or what the index evaluates to. */
static int member_name(struct wf_expr *expr, const struct wf_expr_suffix *suffix,
                       struct wf_text *name)
{
    struct wf_expr_value index;
    int rc;

    if (suffix->index == NULL) {
        *name = suffix->member;
        return BW_OK;
    }
    rc = wf_expr_eval(expr, suffix->index, &index);
    return rc == BW_OK ? wf_expr_to_string(expr, &index, name) : rc;
}

static int eval_postfix(struct wf_expr *expr, const struct wf_expr_node *node,
                        struct wf_expr_value *out)
{
    const struct wf_expr_suffix *suffix = node->suffixes;
    bool in_scope = node->a->kind == WF_NODE_NAME && suffix->method == NULL &&
                    wf_expr_is_scope(node->a->name);
    struct wf_text name;
    int rc = in_scope ? BW_OK : wf_expr_eval(expr, node->a, out);

    for (; rc == BW_OK && suffix != NULL; suffix = suffix->next) {
        struct wf_expr_value object = *out;

        rc = wf_expr_charge(expr, 1);
        if (rc == BW_OK && suffix->method != NULL) {
            rc = eval_method(expr, suffix, out);
            continue;
        }
        if (rc == BW_OK)
            rc = member_name(expr, suffix, &name);
        if (rc != BW_OK)
            break;
        rc = in_scope ? wf_expr_scope_member(expr, node->a->name, name, out)
                      : wf_expr_member(expr, &object, name, out);
        in_scope = false;
    }
    return rc;
}

/* ---- the tree ---- */

static int eval_path(struct wf_expr *expr, struct wf_text text, struct wf_expr_value *out)
{
    struct wf_found found;

    wf_path_find(expr->scope, text, &found);
    *out = found.is_length ? wf_expr_number((double)found.length)
                           : wf_expr_from_json(found.value);
    return BW_OK;
}

static int eval_ternary(struct wf_expr *expr, const struct wf_expr_node *node,
                        struct wf_expr_value *out)
{
    int rc = wf_expr_eval(expr, node->a, out);

    if (rc != BW_OK)
        return rc;
    return wf_expr_eval(expr, wf_expr_truthy(out) ? node->b : node->c, out);
}

int wf_expr_eval(struct wf_expr *expr, const struct wf_expr_node *node,
                 struct wf_expr_value *out)
{
    int rc = wf_expr_charge(expr, 1);

    *out = wf_expr_undefined();
    if (rc != BW_OK)
        return rc;
    switch (node->kind) {
    case WF_NODE_LITERAL:
        *out = node->literal;
        return BW_OK;
    case WF_NODE_PATH:
        return eval_path(expr, node->name, out);
    case WF_NODE_NAME:
        return wf_expr_name(expr, node->name, out);
    case WF_NODE_ARRAY:
        return eval_array(expr, node, out);
    case WF_NODE_CALL:
        return eval_call(expr, node, out);
    case WF_NODE_TERNARY:
        return eval_ternary(expr, node, out);
    case WF_NODE_UNARY:
        return eval_unary(expr, node, out);
    case WF_NODE_CHAIN:
        return eval_chain(expr, node, out);
    case WF_NODE_POSTFIX:
        break;
    }
    return eval_postfix(expr, node, out);
}
