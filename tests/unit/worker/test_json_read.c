/* worker/json/read.h: what JSON.parse() reads of bytes that came over a socket. WF-174 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "json/read.h"

#define R "\xef\xbf\xbd" /* U+FFFD */

static void test_strings(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "\"a\\u0000b\"", "a" R "b" },
        { "\"\\\\u0000\"", "\\u0000" },
        { "\"\\ud83d\"", R },
        { "\"x\\uD83Dy\"", "x" R "y" },
        { "\"\\ude00\"", R },
        { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
        { "\"\\ud83d\\ud83d\\ude00\"", R "\xf0\x9f\x98\x80" },
        { "\"\\ude00\\ud83d\"", R R },
        { "\"\\ud83d\\n\"", R "\n" },
        { "\"\\ud83d\\u0041\\u0000\"", R "A" R },
        { "\"\xff\"", R },
        { "\"\xc0\xaf\"", R R },       /* overlong */
        { "\"\xe2\x82z\"", R "z" },    /* breaks off */
        { "\"\xe2\x82\"", R },         /* before the quote */
        { "\"\xed\xa0\x80\"", R R R }, /* a surrogate in UTF-8 */
        { "\"\xf0\x9f\x98z\"", R "z" },
        { "\"\xf5\x80\x80\x80\"", R R R R },
        { "\"\xd0\x9f\xff\xd1\x80\"", "\xd0\x9f" R "\xd1\x80" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *value =
            wk_json_read(cases[i].text, strlen(cases[i].text), JSON_DECODE_ANY, NULL);

        if (value == NULL)
            fail_msg("%zu: refused", i);
        assert_string_equal(json_string_value(value), cases[i].expected);
        json_decref(value);
    }
}

static void test_members(void **state)
{
    static const char text[] = "{\"a\\u0000\": [1, \"\\ud800\"], \"\xff\": {\"n\": "
                               "123456789012345678901234567890, \"m\": -1e999, "
                               "\"i\": 9007199254740993, \"e\": 1e-999}, "
                               "\"k\": \"\\\"\\u0000\"}";
    json_t *value = wk_json_read(text, sizeof(text) - 1, 0, NULL), *inner;

    (void)state;
    assert_non_null(value);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(value, "a" R), 1)), R);
    assert_string_equal(json_string_value(json_object_get(value, "k")), "\"" R);
    inner = json_object_get(value, R);
    assert_true(json_real_value(json_object_get(inner, "n")) == 123456789012345678901e9 ||
                json_real_value(json_object_get(inner, "n")) > 1.2345e29);
    assert_true(json_real_value(json_object_get(inner, "m")) == -1.7976931348623157e308);
    assert_true(json_integer_value(json_object_get(inner, "i")) == 9007199254740993);
    assert_true(json_real_value(json_object_get(inner, "e")) == 0);
    json_decref(value);
}

/* What is no JSON stays none, with its place. */
static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "\"",
        "\"\\u00\"",
        "\"\\uD83D",
        "{\"a\":\xff}",
        "[1,]",
        "nul",
        "\"\\x\"",
        "\"\n\"",
        "\xef\xbb\xbf{}",
        "-",
        "01",
        "\"\\",
        "\"\\u",
        "\"\\ud800\\",
        "'a'",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t len = strlen(texts[i]);
        char *exact = malloc(len + 1); /* so that asan sees every step too far */
        json_error_t error;
        json_t *value;

        assert_non_null(exact);
        memcpy(exact, texts[i], len);
        value = wk_json_read(exact, len, JSON_DECODE_ANY, &error);
        free(exact);
        if (value != NULL)
            fail_msg("%s is read", texts[i]);
        assert_true(error.text[0] != '\0');
    }
}

static void test_text(void **state)
{
    json_t *text = wk_json_text("a\0b\xff", 4);

    (void)state;
    assert_string_equal(json_string_value(text), "a" R "b" R);
    json_decref(text);
    text = wk_json_text("", 0);
    assert_string_equal(json_string_value(text), "");
    json_decref(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests_name("json_read", tests, NULL, NULL);
}
