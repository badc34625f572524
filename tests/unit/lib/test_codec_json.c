/* Answers for lib/codec/json_check.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/json_check.h"

static bool check(const char *text)
{
    return bw_json_check(text, strlen(text));
}

static void values_are_json(void **state)
{
    static const char *const good[] = {
        "null",         "true",
        " false\n",     "0",
        "-0.5e+10",     "12E3",
        "\"\"",         "\"\\u00fF\\n\\\"\\/ да\"",
        "[]",           "[ ]",
        "{}",           "{ \"a\" : [ 1 , { \"b\" : null } ] , \"\" : {} }",
        "[[],[[]],{}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!check(good[i]))
            fail_msg("refused: %s", good[i]);
    }
}

static void other_texts_are_not(void **state)
{
    static const char *const bad[] = {
        "",           " ",         "nul",     "nulll",    "undefined",   "NaN",
        "01",         "1.",        ".5",      "-",        "1e",          "+1",
        "0x1",        "\"",        "\"a",     "\"\\x\"",  "\"\\u00g0\"", "\"\n\"",
        "[",          "]",         "[1,]",    "[,1]",     "[1 2]",       "[1}",
        "{",          "}",         "{\"a\"}", "{\"a\":}", "{a:1}",       "{1:1}",
        "{\"a\":1,}", "{\"a\":1]", "1 2",     "{} {}",    "'a'",         "[\"a\":1]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (check(bad[i]))
            fail_msg("taken for JSON: %s", bad[i]);
    }
}

/* Each text ends where its memory does: a byte too far is seen by the sanitizer. */
static void every_part_of_a_value_is_cut(void **state)
{
    static const char whole[] = "{\"key\":[-1.5e3,true,\"\\u0041\\n\",{}]}";

    (void)state;
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char *part = malloc(len + 1);

        assert_non_null(part);
        memcpy(part, whole, len);
        part = realloc(part, len > 0 ? len : 1);
        assert_non_null(part);
        assert_false(bw_json_check(part, len));
        free(part);
    }
    assert_true(check(whole));
}

static void a_nul_is_no_json(void **state)
{
    (void)state;
    assert_false(bw_json_check("1\0", 2));
    assert_false(bw_json_check("\"a\0b\"", 5));
    assert_false(bw_json_check("[\0]", 3));
}

static void nesting_has_a_limit(void **state)
{
    const size_t most = BW_JSON_DEPTH_MAX;
    char *text = malloc(2 * (most + 1));

    (void)state;
    assert_non_null(text);
    memset(text, '[', most);
    memset(text + most, ']', most);
    assert_true(bw_json_check(text, 2 * most));
    memset(text, '[', most + 1);
    memset(text + most + 1, ']', most + 1);
    assert_false(bw_json_check(text, 2 * (most + 1)));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_json),
        cmocka_unit_test(other_texts_are_not),
        cmocka_unit_test(every_part_of_a_value_is_cut),
        cmocka_unit_test(a_nul_is_no_json),
        cmocka_unit_test(nesting_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
