/* Answers for worker/workflow/language/condition.c. worker/workflow/spec/workflow.md
 * §5.5, §7.1, §7.2; WF-119 … WF-122, WF-126. */
#include "unit.h"

#include "json_scope.h"
#include "workflow/language/condition.h"

static json_t *values;

static int set_up(void **state)
{
    (void)state;
    values = json_of(
        "{'roots': {'telegram': {'message': {'text': '__SKIP__'}}, 'user': {}}, 'flat':"
        "{'user.balance': 120.0}, 'session': {'yes': true, 'no': false, 'n': 100, "
        "'half': 0.5,"
        "'zero': 0, 'ten': '10', 'text': 'Hello Мир', 'empty': '', 'blank': ' \\t ', "
        "'null': null,"
        "'list': ['a', 5, 'Ё'], 'none': [], 'object': {'k': 1}, 'nothing': {}, 'copy': "
        "{'k': 1.0},"
        "'big': 9007199254740993}}");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(values);
    return 0;
}

struct condition_case {
    const char *variable, *operator, * value; /* value: JSON, NULL for none */
    bool result;
};

static bool evaluate(const struct condition_case *test, bool case_sensitive, bool strict)
{
    struct wf_scope scope = json_scope(values);
    struct bw_error err = { .code = 0 };
    json_t *config = json_pack("{s:s, s:s, s:b}", "variable", test->variable, "operator",
                               test->operator, "caseSensitive", case_sensitive);
    bool result;

    scope.strict_equals = strict;
    if (test->value != NULL)
        assert_int_equal(json_object_set_new(config, "value", json_of(test->value)), 0);
    if (wf_condition(&scope, config, NULL, &result, &err) != BW_OK)
        fail_msg("%s %s: %s", test->variable, test->operator, err.text);
    json_decref(config);
    return result;
}

static void check(const struct condition_case *cases, size_t count, bool case_sensitive,
                  bool strict)
{
    for (size_t i = 0; i < count; i++)
        if (evaluate(&cases[i], case_sensitive, strict) != cases[i].result)
            fail_msg("%s %s %s is not %d", cases[i].variable, cases[i].operator,
                     cases[i].value != NULL ? cases[i].value : "(none)", cases[i].result);
}

static void test_equality(void **state)
{
    static const struct condition_case cases[] = {
        { "yes", "equals", "true", true },
        { "yes", "equals", "'true'", true },
        { "no", "==", "'false'", true },
        { "no", "equals", "'true'", false },
        { "yes", "equals", "1", false },
        { "n", "equals", "'100'", true },
        { "n", "equals", "' 1e2 '", true },
        { "n", "equals", "100.0", true },
        { "n", "equals", "'x'", false },
        { "ten", "equals", "10", true },
        { "zero", "equals", "''", false },
        { "empty", "equals", "0", false },
        { "n", "===", "'100'", false },
        { "n", "===", "100.0", true },
        { "n", "!==", "'100'", true },
        { "text", "equals", "'Hello Мир'", true },
        { "text", "equals", "'hello мир'", false },
        { "null", "equals", "null", true },
        { "null", "equals", NULL, true },
        { "missing", "equals", "null", true },
        { "missing", "===", "null", false },
        { "missing", "===", NULL, true },
        { "missing", "equals", "''", false },
        { "object", "equals", "'{{copy}}'", true },
        { "object", "===", "'{{copy}}'", false },
        { "n", "not_equals", "'100'", false },
        { "n", "!=", "5", true },
        { "{{n}}", "equals", "'{{n}}'", true },
        { "{n}", "equals", "'{{session.n}}'", true },
        { "big", "equals", "9007199254740993", true },
        { "big", "equals", "9007199254740992", false },
        { "{{text}}!", "equals", "'{{text}}!'", true },
    };
    static const struct condition_case strict[] = {
        { "n", "equals", "'100'", false }, { "n", "equals", "100", true },
        { "null", "equals", NULL, false }, { "n", "not_equals", "'100'", true },
        { "yes", "==", "'true'", false },
    };

    (void)state;
    check(cases, COUNT(cases), false, false);
    check(strict, COUNT(strict), false, true);
}

static void test_texts(void **state)
{
    static const struct condition_case cases[] = {
        { "text", "contains", "'мир'", true },
        { "text", "not_contains", "'МИР'", false },
        { "text", "starts_with", "'hello'", true },
        { "text", "ends_with", "'МИР'", true },
        { "text", "ends_with", "'Hello'", false },
        { "text", "contains", "''", true },
        { "missing", "contains", "'x'", false },
        { "zero", "contains", "'0'", false },
        { "no", "contains", "'false'", false },
        { "n", "contains", "0", true }, /* str(0) is nothing, which everything contains */
        { "n", "contains", "'00'", true },
        { "yes", "contains", "'RU'", true },
        { "list", "contains", "'A'", true },
        { "list", "contains", "'5'", true },
        { "list", "contains", "'ё'", true },
        { "list", "contains", "'b'", false },
        { "list", "not_contains", "'b'", true },
        { "object", "contains", "'k'", true },
    };
    static const struct condition_case sensitive[] = {
        { "text", "contains", "'мир'", false },
        { "text", "contains", "'Мир'", true },
        { "text", "starts_with", "'hello'", false },
        { "list", "contains", "'A'", false },
        { "list", "contains", "'a'", true },
        { "text", "not_contains", "'мир'", true },
    };

    (void)state;
    check(cases, COUNT(cases), false, false);
    check(sensitive, COUNT(sensitive), true, false);
}

static void test_order(void **state)
{
    static const struct condition_case cases[] = {
        { "ten", ">", "'9'", true },
        { "ten", "greater", "'9'", true },
        { "ten", "greater_than", "10", false },
        { "ten", "<", "'9'", false },
        { "half", "less", "1", true },
        { "half", "less_than", "'0.5'", false },
        { "half", "<=", "0.5", true },
        { "half", "less_equal", "0.4", false },
        { "half", "less_or_equal", "0.5", true },
        { "n", ">=", "'100'", true },
        { "n", "greater_equal", "101", false },
        { "n", "greater_or_equal", "100", true },
        { "user.balance", ">=", "'100'", true }, /* §14.2 */
        { "missing", ">", "-1", false },
        { "missing", "<", "1", false },
        { "missing", ">=", "0", false },
        { "null", ">=", "0", true },
        { "blank", "<=", "0", true },
        { "text", ">", "0", false },
        { "list", ">", "0", false },
        { "yes", ">", "0", true },
        { "n", ">", NULL, false },
    };

    (void)state;
    check(cases, COUNT(cases), false, false);
}

static void test_empty(void **state)
{
    static const struct condition_case cases[] = {
        { "null", "is_empty", NULL, true },       { "missing", "is_empty", NULL, true },
        { "empty", "is_empty", NULL, true },      { "blank", "is_empty", NULL, true },
        { "zero", "is_empty", NULL, true },       { "no", "is_empty", NULL, true },
        { "none", "is_empty", NULL, false },      { "nothing", "is_empty", NULL, false },
        { "text", "is_empty", NULL, false },      { "none", "is_not_empty", NULL, true },
        { "blank", "is_not_empty", NULL, false }, { "n", "is_not_empty", NULL, true },
    };

    (void)state;
    check(cases, COUNT(cases), false, false);
}

static int run(const char *text, const char *original, bool *result, struct bw_error *err)
{
    struct wf_scope scope = json_scope(values);
    json_t *config = json_of(text);
    int rc = wf_condition(&scope, config, original, result, err);

    json_decref(config);
    return rc;
}

/* §7.2: a skipped text is both the word and what was typed. */
static void test_skip(void **state)
{
    static const struct {
        const char *operator, * value, *variable;
        bool result;
    } cases[] = {
        { "equals", "Пропустить", "telegram.message.text", true },
        { "equals", "__SKIP__", "{{ telegram.message.text }}", true },
        { "contains", "пропуст", "{telegram.message.text}", true },
        { "not_contains", "пропуст", "telegram.message.text", false },
        { "not_contains", "SKIP", "telegram.message.text", false },
        { "not_equals", "Пропустить", "telegram.message.text", false },
        { "not_equals", "other", "telegram.message.text", true },
        { "starts_with", "Про", "telegram.message.text", true },
        { "ends_with", "__", "telegram.message.text", true },
        { "equals", "Пропустить", "{{telegram.message.text|trim}}", false },
        { "greater", "5", "telegram.message.text", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bw_buf config = BW_BUF_INIT;
        bool result;

        assert_int_equal(
            bw_buf_addf(&config, "{'variable': '%s', 'operator': '%s', 'value': '%s'}",
                        cases[i].variable, cases[i].operator, cases[i].value),
            BW_OK);
        assert_int_equal(run(bw_buf_text(&config), "Пропустить", &result, NULL), BW_OK);
        if (result != cases[i].result)
            fail_msg("%s", bw_buf_text(&config));
        bw_buf_fini(&config);
    }
}

static void test_forms_and_errors(void **state)
{
    struct bw_error err = { .code = 0 };
    bool result;

    (void)state;
    assert_int_equal(
        run("{'expression': 'n > 50', 'variable': 'x'}", NULL, &result, &err), BW_OK);
    assert_true(result);
    assert_int_equal(run("{'expr': 'n > 500'}", NULL, &result, &err), BW_OK);
    assert_false(result);
    assert_int_equal(
        run("{'expression': '', 'leftOperand': 'n', 'operator': '==', 'rightOperand':"
            "'100'}",
            NULL, &result, &err),
        BW_OK);
    assert_true(result);
    assert_int_equal(run("{'expression': 'n >'}", NULL, &result, &err), BW_EINVAL);
    assert_string_equal(err.text,
                        "Condition evaluation failed: Unexpected end of expression");
    assert_int_equal(run("{'operator': 'equals'}", NULL, &result, &err), BW_EINVAL);
    assert_string_equal(err.text, "Variable is required for simple condition");
    assert_int_equal(run("{}", NULL, &result, NULL), BW_EINVAL);
    assert_int_equal(run("{'variable': 'n', 'operator': 'x'}", NULL, &result, &err),
                     BW_EINVAL);
    assert_string_equal(err.text, "Unknown operator: x"); /* WF-126 */
    assert_int_equal(run("{'variable': 'n'}", NULL, &result, &err), BW_EINVAL);
    assert_string_equal(err.text, "Unknown operator: undefined");
}

/* WF-085, §5.5 */
static void test_switch(void **state)
{
    static const struct {
        const char *value, *candidate;
        bool match;
    } cases[] = {
        { "5", "'5'", true },     { "'5'", "5", true },
        { "5", "5.0", true },     { "'gold'", "'Gold'", true },
        { "'Ёж'", "'ёЖ'", true }, { "5", "'five'", false },
        { "0", "''", false },     { "true", "'true'", false },
        { "true", "true", true }, { "null", "null", true },
        { "null", "''", false },  { "[1]", "[1]", true },
        { NULL, NULL, true },     { NULL, "null", false },
        { "' 5'", "'5'", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *value = cases[i].value != NULL ? json_of(cases[i].value) : NULL;
        json_t *candidate =
            cases[i].candidate != NULL ? json_of(cases[i].candidate) : NULL;

        if (wf_switch_match(value, candidate) != cases[i].match)
            fail_msg("%s and %s", cases[i].value, cases[i].candidate);
        json_decref(value);
        json_decref(candidate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_order),    cmocka_unit_test(test_empty),
        cmocka_unit_test(test_skip),     cmocka_unit_test(test_forms_and_errors),
        cmocka_unit_test(test_switch),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
