/* Answers for worker/workflow/language/number.c, text.c, value.c.
 * worker/workflow/spec/workflow.md §0.3, §6.1, §7.2. */
#include "unit.h"

#include <math.h>

#include "workflow/language/number.h"
#include "workflow/language/template.h"
#include "workflow/language/text.h"
#include "workflow/language/value.h"

/* §0.3: ECMAScript's shortest text; no exponent below 1e21, whatever the size. */
static void test_number_text(void **state)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { -0.0, "0" },
        { 150, "150" },
        { 100.5, "100.5" },
        { 0.1, "0.1" },
        { -3.25, "-3.25" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1.0 / 3, "0.3333333333333333" },
        { 5e-7, "0.0000005" },
        { 123456789012345680.0, "123456789012345680" },
        { 1e20, "100000000000000000000" },
        { 999999999999999900000.0, "999999999999999900000" },
        { 1e21, "1e+21" },
        { 1.5e300, "1.5e+300" },
        { -1e21, "-1e+21" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" },
        { 5.684341886080802e-14,
          "0.00000000000005684341886080802" }, /* 2^-44: upper neighbour */
        { 9007199254740993.0, "9007199254740992" },
        { INFINITY, "Infinity" },
        { -INFINITY, "-Infinity" },
        { NAN, "NaN" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bw_buf buf = BW_BUF_INIT;

        assert_int_equal(wf_number_text(cases[i].number, &buf), BW_OK);
        assert_buf("number", &buf, cases[i].text);
    }
}

static void test_smallest_number(void **state)
{
    char text[WF_NUMBER_MAX];
    size_t len = wf_number_write(-5e-324, text);

    (void)state;
    assert_int_equal(len, 327); /* -0. and 323 zeros and 5 */
    assert_int_equal(strlen(text), len);
    assert_int_equal(text[len - 1], '5');
}

/* §7.2 num(). */
static void test_number_parse(void **state)
{
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        { "", 0 },
        { "  \t\n", 0 },
        { "\xc2\xa0 42 \xef\xbb\xbf", 42 }, /* no-break space, byte order mark */
        { "42", 42 },
        { "-1.5e2", -150 },
        { "+7", 7 },
        { ".5", 0.5 },
        { "5.", 5 },
        { "0x1F", 31 },
        { "0XfF", 255 },
        { "010", 10 },
        { "1e400", INFINITY },
        { "0x", NAN },
        { "-0x10", NAN },
        { "0x1p3", NAN },
        { "1e", NAN },
        { "1 2", NAN },
        { "1_000", NAN },
        { "1,5", NAN },
        { ".", NAN },
        { "-", NAN },
        { "nan", NAN },
        { "inf", NAN },
        { "abc", NAN },
        { "12abc", NAN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        double number = wf_number_parse(wf_text_of(cases[i].text));

        if (number != cases[i].number && !(isnan(number) && isnan(cases[i].number)))
            fail_msg("'%s' gave %g", cases[i].text, number);
    }
}

static void test_huge_number(void **state)
{
    char digits[5000];

    (void)state;
    memset(digits, '9', sizeof digits);
    assert_true(isinf(wf_number_parse((struct wf_text){ digits, sizeof digits })));
    memset(digits, '0', sizeof digits - 1);
    assert_true(wf_number_parse((struct wf_text){ digits, sizeof digits }) == 9);
}

static void test_value_number(void **state)
{
    static const struct {
        const char *json;
        double number;
    } cases[] = {
        { "5", 5 },    { "1.5", 1.5 }, { "'7'", 7 },     { "true", 1 }, { "false", 0 },
        { "null", 0 }, { "[7]", 7 },   { "[['8']]", 8 }, { "[]", NAN }, { "[1,2]", NAN },
        { "{}", NAN }, { "'x'", NAN }, { "[null]", 0 },  { "''", 0 },   { "' '", 0 },
    };

    (void)state;
    assert_true(isnan(wf_value_number(NULL)));
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *json = json_of(cases[i].json);
        double number = wf_value_number(json);

        if (number != cases[i].number && !(isnan(number) && isnan(cases[i].number)))
            fail_msg("%s gave %g", cases[i].json, number);
        json_decref(json);
    }
}

/* §6.1: null and absent are nothing, objects compact JSON as JSON.stringify() writes it.
 */
static void test_value_text(void **state)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        { "null", "" },
        { "true", "true" },
        { "false", "false" },
        { "9223372036854775807", "9223372036854775807" },
        { "150.0", "150" },
        { "0.1", "0.1" },
        { "'a\\u0001\\\\b\\n'", "a\001\\b\n" },
        { "{'a': 0.1, 'b': [1.0, null, true, 'x\\ty\\u0001\\\"/é']}",
          "{\"a\":0.1,\"b\":[1,null,true,\"x\\ty\\u0001\\\"/é\"]}" },
        { "[]", "[]" },
        { "{}", "{}" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bw_buf buf = BW_BUF_INIT;
        json_t *json = json_of(cases[i].json);

        assert_int_equal(wf_value_text(json, &buf), BW_OK);
        assert_buf(cases[i].json, &buf, cases[i].text);
        json_decref(json);
    }
}

static void test_deep_json_is_cut(void **state)
{
    json_t *deep = json_array();
    struct bw_buf buf = BW_BUF_INIT;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        json_t *outer = json_array();

        assert_int_equal(json_array_append_new(outer, deep), 0);
        deep = outer;
    }
    assert_int_equal(wf_value_json(deep, &buf), BW_OK);
    assert_non_null(strstr(bw_buf_text(&buf), "[null]"));
    assert_true(buf.len < 1000);
    assert_true(isnan(wf_value_number(deep)));
    bw_buf_fini(&buf);
    json_decref(deep);
}

static void test_truthy_and_blank(void **state)
{
    static const struct {
        const char *json;
        bool truthy, blank;
    } cases[] = {
        { "null", false, true }, { "false", false, true }, { "0", false, true },
        { "0.0", false, true },  { "''", false, true },    { "'  '", true, true },
        { "'0'", true, false },  { "1", true, false },     { "-0.5", true, false },
        { "[]", true, false },   { "{}", true, false },    { "true", true, false },
    };

    (void)state;
    assert_false(wf_value_truthy(NULL));
    assert_true(wf_value_blank(NULL));
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *json = json_of(cases[i].json);

        assert_int_equal(wf_value_truthy(json), cases[i].truthy);
        assert_int_equal(wf_value_blank(json), cases[i].blank);
        json_decref(json);
    }
}

static void test_equal(void **state)
{
    json_t *a = json_of("[1, 'x', {'k': null}]"), *b = json_of("[1.0, 'x', {'k': null}]");
    json_t *c = json_of("[1, 'x', {'k': 0}]");

    (void)state;
    assert_true(wf_value_equal(a, b));
    assert_false(wf_value_identical(a, b));
    assert_true(wf_value_identical(a, a));
    assert_false(wf_value_equal(a, c));
    assert_true(wf_value_equal(NULL, NULL));
    assert_false(wf_value_equal(NULL, json_null()));
    json_decref(a);
    json_decref(b);
    json_decref(c);
}

/* Text counts as JavaScript counts: UTF-16 units, order by unit. */
static void test_units(void **state)
{
    (void)state;
    assert_int_equal(wf_text_units(wf_text_of("a\xf0\x9f\x98\x80\xd0\xb1")), 4);
    assert_int_equal(wf_text_units(wf_text_of("\xed\xa0\xbd")), 1); /* half a pair */
    assert_int_equal(wf_text_units(wf_text_of("\xff\xc0\x80x")),
                     4); /* each broken byte is one */
    assert_int_equal(wf_text_units(wf_text_of("\xf0\x9f\x98")), 3); /* cut short */
    assert_true(
        wf_text_compare(wf_text_of("\xf0\x9f\x98\x80"), wf_text_of("\xef\xbf\xbf")) < 0);
    assert_true(wf_text_compare(wf_text_of("a"), wf_text_of("ab")) < 0);
    assert_true(wf_text_compare(wf_text_of("b"), wf_text_of("ab")) > 0);
    assert_true(wf_text_compare(wf_text_of("ab"), wf_text_of("ab")) == 0);
}

static void test_case(void **state)
{
    struct bw_buf lower = BW_BUF_INIT, upper = BW_BUF_INIT;

    (void)state;
    assert_int_equal(wf_text_lower(wf_text_of("ПриВЕТ ÀZ"), &lower), BW_OK);
    assert_buf("lower", &lower, "привет àz");
    assert_int_equal(wf_text_upper(wf_text_of("Straße ёж"), &upper), BW_OK);
    assert_buf("upper", &upper, "STRASSE ЁЖ");
    assert_true(wf_text_equal_nocase(wf_text_of("Золотой"), wf_text_of("зОЛОТОЙ")));
    assert_false(wf_text_equal_nocase(wf_text_of("Золотой"), wf_text_of("золотой!")));
    assert_true(wf_text_has(wf_text_of("аБвГ"), wf_text_of("вг"), WF_TEXT_END, true));
    assert_false(wf_text_has(wf_text_of("аБвГ"), wf_text_of("вг"), WF_TEXT_END, false));
    assert_true(
        wf_text_has(wf_text_of("аБвГ"), wf_text_of("Бв"), WF_TEXT_ANYWHERE, false));
    assert_true(wf_text_has(wf_text_of(""), wf_text_of(""), WF_TEXT_START, true));
    assert_false(wf_text_has(wf_text_of(""), wf_text_of("x"), WF_TEXT_ANYWHERE, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_text),
        cmocka_unit_test(test_smallest_number),
        cmocka_unit_test(test_number_parse),
        cmocka_unit_test(test_huge_number),
        cmocka_unit_test(test_value_number),
        cmocka_unit_test(test_value_text),
        cmocka_unit_test(test_deep_json_is_cut),
        cmocka_unit_test(test_truthy_and_blank),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
