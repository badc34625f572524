/* Answers for worker/workflow/language/sanitise.c. worker/workflow/spec/workflow.md
 * §3.10; WF-074. */
#include "unit.h"

#include "workflow/language/sanitise.h"

static void check(const char *value, const char *expected)
{
    json_t *json = json_of(value);

    assert_json(value, wf_sanitise(json), expected);
    json_decref(json);
}

static void test_members(void **state)
{
    (void)state;
    check("{'Authorization': 'Bearer abcdef'}", "{'Authorization': 'Bear****[MASKED]'}");
    check("{'botToken': '12345678', 'token': '123456789'}",
          "{'botToken': '****[MASKED]', 'token': '1234****[MASKED]'}");
    check("{'password': '', 'secret': 5, 'apiKey': null, 'jwt': true}",
          "{'password': '', 'secret': 5, 'apiKey': null, 'jwt': true}");
    check("{'private': {'name': 'x', 'CSRF': 'aaaaaaaaaa'}, 'cookies': ['plain']}",
          "{'private': {'name': 'x', 'CSRF': 'aaaa****[MASKED]'}, 'cookies': ['plain']}");
    check("[{'x-api_key': 'abcdefghij'}, 'token', 7]",
          "[{'x-api_key': 'abcd****[MASKED]'}, 'token', 7]");
    check("{'sessionId': 'пароль-длинный'}", "{'sessionId': 'паро****[MASKED]'}");
    check("{'text': 'fine', 'monkey': 'a', 'user': 'b'}",
          "{'text': 'fine', 'monkey': '****[MASKED]', 'user': 'b'}");
    check("'plain'", "'plain'");
    check("{'token': 'abcde\\u0000fghij'}", "{'token': 'abcd****[MASKED]'}");
    assert_null(wf_sanitise(NULL));
}

/* Ten levels are shown, what lies below is not. */
static void test_depth(void **state)
{
    (void)state;
    check("[[[[[[[[[[1]]]]]]]]]]", "[[[[[[[[[[1]]]]]]]]]]");
    check("[[[[[[[[[[[1], 2]]]]]]]]]]",
          "[[[[[[[[[[['[MAX_DEPTH_EXCEEDED]'], 2]]]]]]]]]]");
}

static void test_long_text(void **state)
{
    size_t size = 1024 * 1024;
    char *text = malloc(size + 2);
    json_t *json, *made;

    (void)state;
    assert_non_null(text);
    memset(text, 'a', size + 1);
    text[size + 1] = '\0';
    json = json_pack("[s, s]", text, text + 1);
    made = wf_sanitise(json);
    assert_string_equal(json_string_value(json_array_get(made, 0)),
                        "[TRUNCATED: 1048577 bytes]");
    assert_int_equal(json_string_length(json_array_get(made, 1)), size);
    json_decref(made);
    json_decref(json);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_members),
                                        cmocka_unit_test(test_depth),
                                        cmocka_unit_test(test_long_text) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
