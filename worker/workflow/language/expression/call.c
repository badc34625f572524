/* The functions of worker/workflow/spec/workflow.md §7.3: one row each. Unknown ones do
 * not exist, whatever JavaScript has. */
#include "workflow/language/expression/call.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "workflow/language/expression/name.h"
#include "workflow/language/number.h"
#include "workflow/language/path.h"

struct wf_expr_function {
    const char *space, *name;
    int (*call)(const struct wf_expr_call *call, struct wf_expr_value *out);
};

struct wf_expr_value wf_expr_arg(const struct wf_expr_call *call, size_t index)
{
    return index < call->count ? call->args[index] : wf_expr_undefined();
}

static double number_arg(const struct wf_expr_call *call, size_t index)
{
    struct wf_expr_value arg = wf_expr_arg(call, index);

    return wf_expr_to_number(&arg);
}

static int text_arg(const struct wf_expr_call *call, size_t index, struct wf_text *out)
{
    struct wf_expr_value arg = wf_expr_arg(call, index);

    return wf_expr_to_string(call->expr, &arg, out);
}

/* ---- variables and emptiness ---- */

static int call_get(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_expr_value scope = wf_expr_arg(call, 1);
    struct wf_text key, scope_name = { "", 0 };
    int rc = text_arg(call, 0, &key);

    if (rc == BW_OK && !wf_expr_is_nullish(&scope))
        rc = wf_expr_to_string(call->expr, &scope, &scope_name);
    return rc == BW_OK ? wf_expr_get(call->expr, key, scope_name, out) : rc;
}

static bool is_empty(const struct wf_expr_value *value)
{
    if (value->kind == WF_EXPR_STRING)
        return wf_text_blank(value->text);
    if (wf_expr_is_array(value))
        return wf_expr_array_size(value) == 0;
    return wf_expr_is_nullish(value);
}

static int call_is_empty(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_expr_value arg = wf_expr_arg(call, 0);

    *out = wf_expr_boolean(is_empty(&arg));
    return BW_OK;
}

static int call_not_empty(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_expr_value arg = wf_expr_arg(call, 0);

    *out = wf_expr_boolean(!is_empty(&arg));
    return BW_OK;
}

/* ---- conversions ---- */

static struct wf_text skip(struct wf_text text, size_t len)
{
    return (struct wf_text){ text.data + len, text.len - len };
}

/* JavaScript's ToInt32. */
static int to_int32(double number)
{
    double wrapped;

    if (!isfinite(number))
        return 0;
    wrapped = fmod(trunc(number), 4294967296.0);
    if (wrapped < 0)
        wrapped += 4294967296.0;
    return (int)(wrapped >= 2147483648.0 ? wrapped - 4294967296.0 : wrapped);
}

static double parse_int(struct wf_text text, double wanted)
{
    struct wf_text digits = wf_text_trim(text);
    bool negative = digits.len > 0 && digits.data[0] == '-';
    bool hex;
    int radix = to_int32(wanted);
    double value;

    if (digits.len > 0 && (digits.data[0] == '-' || digits.data[0] == '+'))
        digits = skip(digits, 1);
    if (radix != 0 && (radix < 2 || radix > 36))
        return NAN;
    hex = digits.len >= 2 && digits.data[0] == '0' && (digits.data[1] | 0x20) == 'x';
    if (hex && (radix == 0 || radix == 16)) {
        digits = skip(digits, 2);
        radix = 16;
    }
    (void)wf_number_digits(digits, radix == 0 ? 10 : radix, &value); /* or NaN */
    return negative ? -value : value;
}

static int call_parse_int(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_text text;
    int rc = text_arg(call, 0, &text);

    *out = wf_expr_number(rc == BW_OK ? parse_int(text, number_arg(call, 1)) : NAN);
    return rc;
}

static int call_parse_float(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_text text;
    int rc = text_arg(call, 0, &text);

    *out = wf_expr_number(rc == BW_OK ? wf_number_leading(text) : NAN);
    return rc;
}

static int call_is_nan(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    *out = wf_expr_boolean(isnan(number_arg(call, 0)));
    return BW_OK;
}

static int call_is_finite(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    *out = wf_expr_boolean(isfinite(number_arg(call, 0)));
    return BW_OK;
}

static int call_string(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_text text = { "", 0 };
    int rc = call->count > 0 ? text_arg(call, 0, &text) : BW_OK;

    *out = wf_expr_text(text);
    return rc;
}

static int call_number(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    *out = wf_expr_number(call->count > 0 ? number_arg(call, 0) : 0);
    return BW_OK;
}

static int call_boolean(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_expr_value arg = wf_expr_arg(call, 0);

    *out = wf_expr_boolean(wf_expr_truthy(&arg));
    return BW_OK;
}

/* ---- Math ---- */

static int math_abs(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    *out = wf_expr_number(fabs(number_arg(call, 0)));
    return BW_OK;
}

static int math_ceil(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    *out = wf_expr_number(ceil(number_arg(call, 0)));
    return BW_OK;
}

static int math_floor(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    *out = wf_expr_number(floor(number_arg(call, 0)));
    return BW_OK;
}

/* Halves go up, also below zero. */
static int math_round(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    double number = number_arg(call, 0);
    double down = floor(number);
    double rounded = number - down >= 0.5 ? down + 1 : down;

    *out = wf_expr_number(isfinite(number) ? copysign(rounded, number) : number);
    return BW_OK;
}

static int math_trunc(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    *out = wf_expr_number(trunc(number_arg(call, 0)));
    return BW_OK;
}

static int math_sqrt(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    *out = wf_expr_number(sqrt(number_arg(call, 0)));
    return BW_OK;
}

static int math_sign(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    double number = number_arg(call, 0);

    *out = wf_expr_number(number > 0 ? 1 : number < 0 ? -1 : number);
    return BW_OK;
}

/* C says 1 where ECMAScript says NaN: 1 to an infinite or unknown power. */
static int math_pow(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    double base = number_arg(call, 0), power = number_arg(call, 1);
    bool undefined = isnan(power) || (isinf(power) && fabs(base) == 1);

    *out = wf_expr_number(undefined ? NAN : pow(base, power));
    return BW_OK;
}

static int extreme(const struct wf_expr_call *call, double start,
                   struct wf_expr_value *out)
{
    double found = start;

    for (size_t i = 0; i < call->count; i++) {
        double number = number_arg(call, i);

        if (isnan(number) || isnan(found))
            found = NAN;
        else if (start > 0 ? number < found : number > found)
            found = number;
    }
    *out = wf_expr_number(found);
    return BW_OK;
}

static int math_min(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    return extreme(call, INFINITY, out);
}

static int math_max(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    return extreme(call, -INFINITY, out);
}

/* ---- Date, Array, Object ---- */

/* The run's own time if the scope has one (`now.timestamp`), so that a run sees one
 * clock. */
static int date_now(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    const char *path = "now.timestamp";
    const json_t *now = wf_path_resolve(call->expr->scope, path, strlen(path));
    struct timespec time = { 0, 0 };

    if (json_is_number(now)) {
        *out = wf_expr_number(json_number_value(now));
        return BW_OK;
    }
    (void)clock_gettime(CLOCK_REALTIME, &time); /* cannot fail for this clock */
    *out = wf_expr_number((double)time.tv_sec * 1000 + (double)(time.tv_nsec / 1000000));
    return BW_OK;
}

static int array_is_array(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_expr_value arg = wf_expr_arg(call, 0);

    *out = wf_expr_boolean(wf_expr_is_array(&arg));
    return BW_OK;
}

static int index_key(struct wf_expr *expr, size_t index, struct wf_expr_value *out)
{
    struct wf_expr_value number = wf_expr_number((double)index);
    struct wf_text text;
    int rc = wf_expr_to_string(expr, &number, &text);

    *out = wf_expr_text(text);
    return rc;
}

static size_t key_count(const struct wf_expr_value *value)
{
    if (wf_expr_is_array(value))
        return wf_expr_array_size(value);
    if (value->kind == WF_EXPR_STRING)
        return wf_text_units(value->text);
    return value->kind == WF_EXPR_JSON ? json_object_size(value->json) : 0;
}

static int fill_keys(struct wf_expr *expr, const struct wf_expr_value *value,
                     struct wf_expr_list *keys)
{
    const char *key;
    json_t *member;
    size_t at = 0;
    int rc = BW_OK;

    if (value->kind != WF_EXPR_JSON || json_is_array(value->json)) {
        for (size_t i = 0; rc == BW_OK && i < keys->count; i++)
            rc = index_key(expr, i, &keys->items[i]);
        return rc;
    }
    json_object_foreach((json_t *)value->json, key, member)
    {
        keys->items[at++] = wf_expr_text(wf_text_of(key));
    }
    return BW_OK;
}

static int object_keys(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_expr_value arg = wf_expr_arg(call, 0);
    struct wf_expr_list *keys;
    int rc;

    if (wf_expr_is_nullish(&arg))
        return wf_expr_fail(call->expr, "Cannot convert undefined or null to object");
    rc = wf_expr_alloc(call->expr, sizeof *keys, &keys);
    if (rc != BW_OK)
        return rc;
    keys->count = key_count(&arg);
    rc = wf_expr_charge(call->expr, keys->count);
    if (rc == BW_OK)
        rc = wf_expr_alloc(call->expr, keys->count * sizeof *keys->items, &keys->items);
    if (rc == BW_OK)
        rc = fill_keys(call->expr, &arg, keys);
    *out = (struct wf_expr_value){ .kind = WF_EXPR_LIST, .list = keys };
    return rc;
}

/* ---- the table ---- */

static const struct wf_expr_function functions[] = {
    { "", "get", call_get },
    { "", "isEmpty", call_is_empty },
    { "", "notEmpty", call_not_empty },
    { "", "parseInt", call_parse_int },
    { "", "parseFloat", call_parse_float },
    { "", "isNaN", call_is_nan },
    { "", "isFinite", call_is_finite },
    { "", "String", call_string },
    { "", "Number", call_number },
    { "", "Boolean", call_boolean },
    { "Math", "abs", math_abs },
    { "Math", "ceil", math_ceil },
    { "Math", "floor", math_floor },
    { "Math", "round", math_round },
    { "Math", "trunc", math_trunc },
    { "Math", "min", math_min },
    { "Math", "max", math_max },
    { "Math", "pow", math_pow },
    { "Math", "sqrt", math_sqrt },
    { "Math", "sign", math_sign },
    { "Date", "now", date_now },
    { "Array", "isArray", array_is_array },
    { "Object", "keys", object_keys },
};

const struct wf_expr_function *wf_expr_find_function(struct wf_text space,
                                                     struct wf_text name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (wf_text_equal(name, wf_text_of(functions[i].name)) &&
            wf_text_equal(space, wf_text_of(functions[i].space)))
            return &functions[i];
    return NULL;
}

int wf_expr_call_function(const struct wf_expr_function *function,
                          const struct wf_expr_call *call, struct wf_expr_value *out)
{
    return function->call(call, out);
}
