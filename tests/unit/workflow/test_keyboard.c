/* Answers for worker/workflow/language/keyboard.c. worker/workflow/spec/workflow.md
 * §5.2.3, §5.2.5; WF-090 … WF-094, WF-099. */
#include "unit.h"

#include "json_scope.h"
#include "workflow/language/keyboard.h"

static json_t *values;

static int set_up(void **state)
{
    (void)state;
    values =
        json_of("{'flat': {'username': '<ann>'}, 'session': {'id': 7, 'long':"
                "'1234567890123456789012345678901234567890123456789012345678901234'}}");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(values);
    return 0;
}

static void check_markup(const char *keyboard, const char *expected)
{
    struct wf_scope scope = json_scope(values);
    struct bw_error err = { .code = 0 };
    json_t *json = json_of(keyboard), *markup;

    if (wf_keyboard_markup(&scope, json, &markup, &err) != BW_OK)
        fail_msg("%s: %s", err.text, keyboard);
    assert_json(keyboard, markup, expected);
    json_decref(json);
}

/* WF-090 */
static void test_inline(void **state)
{
    (void)state;
    check_markup(
        "{'type': 'inline', 'buttons': [[{'text': 'A {username}', 'callback_data':"
        "'a:{{id}}', 'color': 'red', 'id': 1}, {'text': 'B', 'callbackData': 'b'}],"
        "[{'text': 'C', 'goto_node': 'm{{id}}', 'callback_data': 'x'}]]}",
        "{'inline_keyboard': [[{'text': 'A <ann>', 'callback_data': 'a:7'}, {'text': 'B',"
        "'callback_data': 'b'}], [{'text': 'C', 'callback_data': 'goto:m7'}]]}");
    check_markup(
        "{'buttons': [[{'text': 'U', 'url': 'https://x/{{id}}'}, {'text': 'W', 'web_app':"
        "{'url': 'https://w', 'x': 1}}, {'text': 'L', 'login_url': {'url': "
        "'https://l'}}],"
        "[{'text': 'S', 'switch_inline_query': ''}, {'text': 'T',"
        "'switch_inline_query_current_chat': 'q'}, {'text': 'P', 'pay': true}]]}",
        "{'inline_keyboard': [[{'text': 'U', 'url': 'https://x/7'}, {'text': 'W',"
        "'web_app': {'url': 'https://w'}}, {'text': 'L', 'login_url': {'url':"
        "'https://l'}}], [{'text': 'S', 'switch_inline_query': ''}, {'text': 'T',"
        "'switch_inline_query_current_chat': 'q'}, {'text': 'P', 'pay': true}]]}");
    check_markup(
        "{'type': 'reply', 'inline': true, 'buttons': [[{'text': 'A', 'goto_node':"
        "{'targetNodeId': 'n'}}]]}",
        "{'inline_keyboard': [[{'text': 'A', 'callback_data': 'goto:n'}]]}");
    check_markup(
        "{'buttons': [[{'text': 'A', 'callback_data': '', 'callbackData': 'c', 'url': '',"
        "'goto_node': '', 'pay': 'yes', 'web_app': {}, 'login_url': null}]]}",
        "{'inline_keyboard': [[{'text': 'A', 'callback_data': 'c'}]]}");
    check_markup("{'buttons': [[{'text': 5, 'callback_data': 6}]]}",
                 "{'inline_keyboard': [[{'text': '5', 'callback_data': '6'}]]}");
}

/* Rows that are no rows, and buttons that are no buttons. */
static void test_odd_rows(void **state)
{
    (void)state;
    check_markup(
        "{'buttons': [{'text': 'A', 'url': 'u'}, [], [5, null], 'B', ['C']]}",
        "{'inline_keyboard': [[{'text': 'A', 'url': 'u'}], [{'text': 'B'}], [{'text':"
        "'C'}]]}");
    check_markup("{'buttons': 'x'}", NULL);
    check_markup("{}", NULL);
    check_markup("{'type': 'reply'}", NULL);
    check_markup("{'type': 'reply', 'buttons': []}", NULL);
    check_markup("{'type': 'inline', 'buttons': []}", "{'inline_keyboard': []}");
    check_markup("'x'", NULL);
    check_markup("{'keyboard': [[{'text': 'A', 'url': 'u'}]]}",
                 "{'inline_keyboard': [[{'text': 'A', 'url': 'u'}]]}");
}

/* WF-091 */
static void test_reply(void **state)
{
    (void)state;
    check_markup(
        "{'type': 'reply', 'buttons': [[{'text': 'Share', 'request_contact': true,"
        "'actions': [1]}, {'text': 'L', 'requestLocation': true, 'request_contact':"
        "false}], [{'text': 'P', 'request_poll': {'type': 'quiz', 'x': 1}}, {'text': 'W',"
        "'web_app': {'url': 'w'}, 'callback_data': 'no'}, 'plain']]}",
        "{'keyboard': [[{'text': 'Share', 'request_contact': true}, {'text': 'L',"
        "'request_location': true}], [{'text': 'P', 'request_poll': {'type': 'quiz'}},"
        "{'text': 'W', 'web_app': {'url': 'w'}}, {'text': 'plain'}]],"
        "'resize_keyboard': true, 'one_time_keyboard': false, 'selective': false}");
    check_markup(
        "{'type': 'reply', 'buttons': ['A'], 'resize': false, 'oneTime': true,"
        "'selective': true, 'input_field_placeholder': 'hi {username}'}",
        "{'keyboard': [[{'text': 'A'}]], 'resize_keyboard': false,"
        "'one_time_keyboard': true, 'input_field_placeholder': 'hi <ann>', 'selective':"
        "true}");
}

/* WF-092 */
static void test_remove(void **state)
{
    (void)state;
    check_markup("{'type': 'remove', 'buttons': [['x']]}", "{'remove_keyboard': true}");
}

/* WF-099: 64 bytes pass, 65 do not; measured after templates, in bytes. */
static void test_callback_data_limit(void **state)
{
    static const char *const refused[] = {
        "{'buttons': [[{'text': 'A', 'callback_data': '{{long}}5'}]]}",
        "{'buttons': [[{'text': 'A', 'goto_node': '{{long}}'}]]}",
        ("{'buttons': [[{'text': 'A', 'callback_data': "
         "'жжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжж'}]]}"),
    };
    struct wf_scope scope = json_scope(values);

    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct bw_error err = { .code = 0 };
        json_t *keyboard = json_of(refused[i]), *markup;

        assert_int_equal(wf_keyboard_markup(&scope, keyboard, &markup, &err), BW_EINVAL);
        assert_null(markup);
        assert_non_null(strstr(err.text, "Button callback_data exceeds 64 bytes"));
        json_decref(keyboard);
    }
    check_markup(
        "{'buttons': [[{'text': 'A', 'callback_data': '{{long}}'}]]}",
        "{'inline_keyboard': [[{'text': 'A', 'callback_data':"
        "'1234567890123456789012345678901234567890123456789012345678901234'}]]}");
}

/* ---- nodes ---- */

static struct wf_graph *node_graph(const char *type, const char *config)
{
    struct bw_buf nodes = BW_BUF_INIT;
    struct wf_graph_source source = { .entry_node_id = "n" };
    struct wf_graph *graph;
    json_t *json;
    char *text;

    assert_int_equal(bw_buf_addf(&nodes,
                                 "[{'id': 'n', 'type': '%s', 'data': {'config': %s}}]",
                                 type, config),
                     BW_OK);
    json = json_of(bw_buf_text(&nodes));
    text = json_dumps(json, 0);
    source.nodes = text;
    assert_int_equal(wf_graph_create(&graph, &source, NULL), BW_OK);
    free(text);
    json_decref(json);
    bw_buf_fini(&nodes);
    return graph;
}

/* WF-092 … WF-094 and the order of §5.2.5. */
static void test_wait(void **state)
{
    static const struct {
        const char *type, *config, *wait; /* wait NULL: none */
    } cases[] = {
        { "message", "{'message': {'text': 'x'}}", NULL },
        { "message",
          "{'message': {'waitForInput': true, 'keyboard': {'buttons': [[{'text': 'A',"
          "'callback_data': 'a'}]]}}}",
          "input" },
        { "message", "{'message': {'waitForInput': 'true'}}", NULL },
        { "message",
          "{'message': {'keyboard': {'type': 'inline', 'buttons': [[{'text': 'A', 'url':"
          "'u'}, {'text': 'B', 'callback_data': 'b'}]]}}}",
          "callback" },
        { "message",
          "{'message': {'keyboard': {'buttons': [[{'text': 'B', 'callbackData':"
          "'b'}]]}}}",
          "callback" },
        { "message",
          "{'message': {'keyboard': {'type': 'inline', 'buttons': [[{'text': 'A', 'url':"
          "'u'}]]}}}",
          NULL },
        { "message",
          "{'message': {'keyboard': {'type': 'inline', 'buttons': [[{'text': 'A',"
          "'goto_node': 'x'}]]}}}",
          "callback" },
        { "message",
          "{'message': {'text': 'x'}, 'keyboard': {'type': 'reply', 'buttons': [[{'text':"
          "'A'}]]}}",
          "input" },
        { "message",
          "{'message': {'keyboard': {'type': 'reply', 'buttons': [[{'text': 'A'},"
          "{'text': 'C', 'request_contact': true}]]}}}",
          "contact" },
        { "message",
          "{'message': {'keyboard': {'type': 'reply', 'buttons': [[{'text': 'C',"
          "'requestLocation': true}, {'text': 'C', 'request_contact': true}]]}}}",
          "location" },
        { "message",
          "{'message': {'keyboard': {'type': 'reply', 'buttons': [{'text': 'C',"
          "'request_poll': {}}]}}}",
          "poll" },
        { "message",
          "{'message': {'keyboard': {'type': 'reply', 'buttons': [[{'text': 'C',"
          "'callback_data': 'x'}]]}}}",
          "input" },
        { "message",
          "{'message': {'keyboard': {'type': 'remove', 'buttons': [[{'text': 'C',"
          "'callback_data': 'x'}]]}}}",
          NULL },
        { "message", "{'message': {'keyboard': {'type': 'reply'}}}", NULL },
        { "message.keyboard.inline",
          "{'message.keyboard.inline': {'buttons': [[{'text': 'A',"
          "'url': 'u'}]]}}",
          "callback" },
        { "message.keyboard.reply", "{'message.keyboard.reply': {'buttons': [['A']]}}",
          "input" },
        { "message.keyboard.reply",
          "{'message.keyboard.reply': {'keyboard': [[{'text': 'A',"
          "'request_contact': true}]]}}",
          "contact" },
        { "message.photo",
          "{'message.photo': {'photo': 'p', 'keyboard': {'type': 'reply',"
          "'buttons': [['A']]}}}",
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wf_graph *graph = node_graph(cases[i].type, cases[i].config);
        const char *wait = wf_wait_name(wf_keyboard_wait(graph->entry));

        if ((wait == NULL) != (cases[i].wait == NULL) ||
            (wait != NULL && strcmp(wait, cases[i].wait) != 0))
            fail_msg("%s: %s", cases[i].config, wait);
        wf_graph_unref(&graph);
    }
}

static void test_node_markup(void **state)
{
    static const struct {
        const char *type, *config, *markup;
    } cases[] = {
        { "message",
          "{'message': {'keyboard': {'type': 'remove'}}, 'keyboard': {'type': 'reply',"
          "'buttons': [['A']]}}",
          "{'remove_keyboard': true}" },
        { "message", "{'text': 'x', 'keyboard': {'type': 'remove'}}",
          "{'remove_keyboard': true}" },
        { "message", "{'message': {'keyboard': []}}", NULL },
        { "message.keyboard.inline",
          "{'text': 'x', 'buttons': [[{'text': 'A', 'url': 'u'}]],"
          "'type': 'reply'}",
          "{'inline_keyboard': [[{'text': 'A', 'url': 'u'}]]}" },
        { "message.keyboard.reply",
          "{'text': 'x', 'keyboard': [['A']], 'oneTimeKeyboard': true}",
          "{'keyboard': [[{'text': 'A'}]], 'resize_keyboard': true, 'one_time_keyboard': "
          "true,"
          "'selective': false}" },
        { "message.photo",
          "{'message.photo': {'keyboard': {'buttons': [[{'text': 'A', 'url':"
          "'u'}]]}}}",
          "{'inline_keyboard': [[{'text': 'A', 'url': 'u'}]]}" },
    };
    struct wf_scope scope = json_scope(values);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wf_graph *graph = node_graph(cases[i].type, cases[i].config);
        json_t *markup;

        assert_int_equal(wf_keyboard_node_markup(&scope, graph->entry, &markup, NULL),
                         BW_OK);
        assert_json(cases[i].config, markup, cases[i].markup);
        wf_graph_unref(&graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inline),
        cmocka_unit_test(test_odd_rows),
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_callback_data_limit),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_node_markup),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
