/* Simple conditions and flow.switch's match. worker/workflow/spec/workflow.md §5.5, §7.1,
 * §7.2. */
#include "workflow/language/condition.h"

#include <math.h>
#include <string.h>

#include "workflow/language/expression/expression.h"
#include "workflow/language/number.h"
#include "workflow/language/template.h"
#include "workflow/language/value.h"

struct operands {
    const struct wf_scope *scope;
    json_t *left, *right; /* owned; NULL: absent */
    bool case_sensitive;
};

/* ---- equality ---- */

static bool number_is_text(const json_t *number, const json_t *text)
{
    struct wf_text digits = wf_value_string(text);
    double value = wf_number_parse(digits);

    return !wf_text_blank(digits) && json_number_value(number) == value;
}

static bool boolean_is_text(const json_t *boolean, const json_t *text)
{
    const char *word = json_is_true(boolean) ? "true" : "false";

    return wf_text_equal(wf_value_string(text), wf_text_of(word));
}

static bool primitive_is_text(const json_t *value, const json_t *text)
{
    if (json_is_number(value))
        return number_is_text(value, text);
    return json_is_boolean(value) && boolean_is_text(value, text);
}

static bool is_nullish(const json_t *value)
{
    return value == NULL || json_is_null(value);
}

static bool loose_equal(const json_t *a, const json_t *b)
{
    if (is_nullish(a) || is_nullish(b))
        return is_nullish(a) && is_nullish(b);
    if (json_is_string(a) && !json_is_string(b))
        return primitive_is_text(b, a);
    if (json_is_string(b) && !json_is_string(a))
        return primitive_is_text(a, b);
    return wf_value_equal(a, b);
}

static bool op_equals(const struct operands *operands)
{
    if (operands->scope->strict_equals)
        return wf_value_equal(operands->left, operands->right);
    return loose_equal(operands->left, operands->right);
}

static bool op_identical(const struct operands *operands)
{
    return wf_value_identical(operands->left, operands->right);
}

bool wf_switch_match(const json_t *value, const json_t *candidate)
{
    if (json_is_number(value) && json_is_string(candidate))
        return number_is_text(value, candidate);
    if (json_is_string(value) && json_is_number(candidate))
        return number_is_text(candidate, value);
    if (json_is_string(value) && json_is_string(candidate))
        return wf_text_equal_nocase(wf_value_string(value), wf_value_string(candidate));
    return wf_value_equal(value, candidate);
}

/* ---- texts ---- */

/* str() of §7.2: nothing for null, absent, 0 and false. Out of memory reads as nothing
 * found, which is why the caller hears of it through `*rc`. */
static struct wf_text text_of(const json_t *value, struct bw_buf *buf, int *rc)
{
    if (json_is_string(value))
        return wf_value_string(value);
    if (wf_value_truthy(value) && *rc == BW_OK)
        *rc = wf_value_text(value, buf);
    return (struct wf_text){ bw_buf_text(buf), buf->len };
}

static int text_has(const struct operands *operands, enum wf_text_where where,
                    bool *result)
{
    struct bw_buf left = BW_BUF_INIT, right = BW_BUF_INIT;
    int rc = BW_OK;
    struct wf_text text = text_of(operands->left, &left, &rc);
    struct wf_text part = text_of(operands->right, &right, &rc);

    *result = rc == BW_OK && wf_text_has(text, part, where, !operands->case_sensitive);
    bw_buf_fini(&left);
    bw_buf_fini(&right);
    return rc;
}

static bool is_member(const struct operands *operands)
{
    for (size_t i = 0; i < json_array_size(operands->left); i++) {
        const json_t *item = json_array_get(operands->left, i);

        if (loose_equal(item, operands->right))
            return true;
        if (!operands->case_sensitive && json_is_string(item) &&
            json_is_string(operands->right) &&
            wf_text_equal_nocase(wf_value_string(item), wf_value_string(operands->right)))
            return true;
    }
    return false;
}

/* ---- operators ---- */

enum operator_kind {
    OP_EQUALS,
    OP_IDENTICAL,
    OP_CONTAINS,
    OP_STARTS_WITH,
    OP_ENDS_WITH,
    OP_GREATER,
    OP_LESS,
    OP_GREATER_EQUAL,
    OP_LESS_EQUAL,
    OP_IS_EMPTY
};

struct operator
{
    const char *name;
    enum operator_kind kind;
    bool negated;
};

static const struct operator operators[] = {
    { "equals", OP_EQUALS, false },
    { "==", OP_EQUALS, false },
    { "===", OP_IDENTICAL, false },
    { "not_equals", OP_EQUALS, true },
    { "!=", OP_EQUALS, true },
    { "!==", OP_IDENTICAL, true },
    { "contains", OP_CONTAINS, false },
    { "not_contains", OP_CONTAINS, true },
    { "starts_with", OP_STARTS_WITH, false },
    { "ends_with", OP_ENDS_WITH, false },
    { "greater", OP_GREATER, false },
    { ">", OP_GREATER, false },
    { "greater_than", OP_GREATER, false },
    { "less", OP_LESS, false },
    { "<", OP_LESS, false },
    { "less_than", OP_LESS, false },
    { "greater_equal", OP_GREATER_EQUAL, false },
    { ">=", OP_GREATER_EQUAL, false },
    { "greater_or_equal", OP_GREATER_EQUAL, false },
    { "less_equal", OP_LESS_EQUAL, false },
    { "<=", OP_LESS_EQUAL, false },
    { "less_or_equal", OP_LESS_EQUAL, false },
    { "is_empty", OP_IS_EMPTY, false },
    { "is_not_empty", OP_IS_EMPTY, true },
};

static const struct operator* find_operator(const char *name)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(name, operators[i].name) == 0)
            return &operators[i];
    return NULL;
}

const char *wf_condition_operator_name(const void *arg, size_t index)
{
    (void)arg;
    return index < sizeof operators / sizeof *operators ? operators[index].name : NULL;
}

bool wf_condition_operator_known(const char *name)
{
    return find_operator(name) != NULL;
}

/* The positive form of the operator. */
static int apply(enum operator_kind kind, const struct operands *operands, bool *result)
{
    double left = wf_value_number(operands->left);
    double right = wf_value_number(operands->right);

    switch (kind) {
    case OP_EQUALS:
        *result = op_equals(operands);
        return BW_OK;
    case OP_IDENTICAL:
        *result = op_identical(operands);
        return BW_OK;
    case OP_CONTAINS:
        if (!json_is_array(operands->left))
            return text_has(operands, WF_TEXT_ANYWHERE, result);
        *result = is_member(operands);
        return BW_OK;
    case OP_STARTS_WITH:
        return text_has(operands, WF_TEXT_START, result);
    case OP_ENDS_WITH:
        return text_has(operands, WF_TEXT_END, result);
    case OP_GREATER: /* comparisons with NaN are false */
        *result = left > right;
        return BW_OK;
    case OP_LESS:
        *result = left < right;
        return BW_OK;
    case OP_GREATER_EQUAL:
        *result = left >= right;
        return BW_OK;
    case OP_LESS_EQUAL:
        *result = left <= right;
        return BW_OK;
    case OP_IS_EMPTY:
        break;
    }
    *result = wf_value_blank(operands->left);
    return BW_OK;
}

/* ---- the __SKIP__ rule ---- */

static bool is_skip_path(const char *variable)
{
    struct wf_text path = wf_text_trim(wf_text_of(variable));

    while (path.len >= 2 && path.data[0] == '{' && path.data[path.len - 1] == '}')
        path = (struct wf_text){ path.data + 1, path.len - 2 };
    return wf_text_equal(wf_text_trim(path), wf_text_of("telegram.message.text"));
}

static bool is_skipped(const char *variable, const json_t *left,
                       const char *original_text, enum operator_kind kind)
{
    return original_text != NULL && kind <= OP_ENDS_WITH && is_skip_path(variable) &&
           json_is_string(left) &&
           wf_text_equal(wf_value_string(left), wf_text_of("__SKIP__"));
}

/* The same once more with what the person really wrote; one match is enough. */
static int apply_original(enum operator_kind kind, struct operands *operands,
                          const char *original_text, bool *result)
{
    json_t *original = wf_value_from_text(wf_text_of(original_text));
    bool matches;
    int rc;

    if (original == NULL)
        return BW_ENOMEM;
    json_decref(operands->left);
    operands->left = original;
    rc = apply(kind, operands, &matches);
    *result = *result || (rc == BW_OK && matches);
    return rc;
}

/* ---- entry ---- */

static const json_t *either(const json_t *config, const char *name, const char *other)
{
    const json_t *value = json_object_get(config, name);

    return value != NULL ? value : json_object_get(config, other);
}

static const char *text_member(const json_t *config, const char *name, const char *other)
{
    const char *text = json_string_value(json_object_get(config, name));

    if (text == NULL || text[0] == '\0')
        text = json_string_value(json_object_get(config, other));
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static int simple(const struct wf_scope *scope, const json_t *config,
                  const char *variable, const struct operator* op,
                  const char *original_text, bool *result)
{
    struct operands operands = { .scope = scope };
    int rc = wf_operand_value(scope, variable, &operands.left);

    operands.case_sensitive = json_is_true(json_object_get(config, "caseSensitive"));
    if (rc == BW_OK)
        rc = wf_template_value(scope, either(config, "value", "rightOperand"),
                               &operands.right);
    if (rc == BW_OK) {
        bool skipped = is_skipped(variable, operands.left, original_text, op->kind);

        rc = apply(op->kind, &operands, result);
        if (rc == BW_OK && skipped)
            rc = apply_original(op->kind, &operands, original_text, result);
    }
    if (rc == BW_OK && op->negated)
        *result = !*result;
    json_decref(operands.left);
    json_decref(operands.right);
    return rc;
}

int wf_condition(const struct wf_scope *scope, const json_t *config,
                 const char *original_text, bool *result, struct bw_error *err)
{
    const char *expression = text_member(config, "expression", "expr");
    const char *variable = text_member(config, "variable", "leftOperand");
    const char *name = json_string_value(json_object_get(config, "operator"));
    const struct operator* op;
    int rc;

    *result = false;
    if (expression != NULL)
        return wf_expression_test(scope, expression, result, err);
    if (variable == NULL)
        return bw_error_set(err, BW_EINVAL, "Variable is required for simple condition");
    if (name == NULL)
        name = "undefined"; /* as JavaScript spells what is not there */
    op = find_operator(name);
    if (op == NULL)
        return bw_error_set(err, BW_EINVAL, "Unknown operator: %s", name);
    rc = simple(scope, config, variable, op, original_text, result);
    return rc == BW_OK ? rc : bw_error_set(err, rc, "out of memory");
}
