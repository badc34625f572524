/* Answers for worker/workflow/language/template.c, path.c, filter.c.
 * worker/workflow/spec/workflow.md §6.
 */
#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "json_scope.h"
#include "workflow/language/path.h"
#include "workflow/language/template.h"

static json_t *values;

static const char values_text[] =
    "{'roots': {'telegram': {'userId': '42', 'botToken': 'SECRET', 'callback': "
    "{'params': ['b',"
    "'c']}, 'message': {'text': 'hi'}}, 'project': {'name': 'Demo', 'botToken': 'SECRET',"
    "'webhookSecret': 'SECRET', 'referralProgram': {'welcomeBonus': 100}}, 'user': "
    "{'balance':"
    "150.5, 'stats': {'bonusCount': 2}}, 'context': {'projectId': 'P', 'services': "
    "{'db': 1},"
    "'telegram': {'botToken': 'SECRET'}}, 'now': {'iso': '2025-10-15T13:30:00.000Z', "
    "'timestamp':"
    "1760535000000, 'date': '2025-10-15'}},"
    "'flat': {'username': 'ann', 'first_name': 'Ann <3 & \\'co\\'', 'user.firstName': "
    "'{chat_id}',"
    "'user.balance': 150.5, 'session_id': 'S', 'nothing': null, "
    "'transactions.formatted': 'none'},"
    "'trusted': {'company_name': '<b>x</b>', 'greeting': 'Hi {first_name} from "
    "{company_name},"
    "{{obj.a}}', 'project.name': 'Demo', 'project.greeting': 'Dear {username}', "
    "'project.channel':"
    "'@demo', 'self': '{self}{{user.balance}}'},"
    "'session': {'obj': {'a': 1.0, 'b': [true, null]}, 'n': 5, 'zero': 0, 'no': false, "
    "'null':"
    "null, 'text': 'a_b*c', 'list': ['x', {'y': 'z'}], 'dollar': '$&', 'emoji': "
    "'\\ud83d\\ude00',"
    "'html': '<i>', 'nul': 'a\\u0000b', 'word': ' Ёж ', 'when': "
    "'2025-10-15T23:05:09+03:00',"
    "'half': 2.5, 'message.x': 1}}";

static int set_up(void **state)
{
    (void)state;
    (void)setenv("TZ", "UTC", 1);
    tzset();
    values = json_of(values_text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(values);
    return 0;
}

static void check_render(const char *text, enum wf_escape escape, const char *expected)
{
    struct wf_scope scope = json_scope(values);
    struct bw_buf out = BW_BUF_INIT;

    assert_int_equal(wf_template_render(&scope, text, escape, &out), BW_OK);
    assert_buf(text, &out, expected);
}

static void test_plain(void **state)
{
    static const struct {
        const char *text, *out;
    } cases[] = {
        { "", "" },
        { "no placeholders } at all", "no placeholders } at all" },
        /* WF-100 */
        { "{project.name} {company_name} {username} {session_id} {unknown}",
          "Demo <b>x</b> ann S {unknown}" },
        { "[{{unknown}}]", "[]" },
        { "{{project.name}} {{session.n}} {{vars.n}}", "Demo 5 5" },
        /* WF-101 */
        { "{{telegram.callback.params[1]}} {{telegram.callback.params.1}}", "c c" },
        { "{{ telegram . callback . params [ 1 ] }}", "c" },
        /* `message` and `callback` are telegram's unless there is such a variable */
        { "{{message.text}} {{callback.params[0]}}", "hi b" },
        /* WF-102: emitted values are not read again */
        { "{user.firstName} {{dollar}}", "{chat_id} $&" },
        /* WF-104: an administrator's text is, once */
        { "{greeting}", "Hi Ann <3 & \"co\" from <b>x</b>,1" },
        { "{{project.greeting}}", "Dear ann" },
        { "{self}", "{self}{{user.balance}}150.5" },
        /* WF-106 */
        { "{{obj}} {{null}}|{nothing}|{{zero}} {{no}}",
          "{\"a\":1,\"b\":[true,null]} ||0 false" },
        /* WF-107 */
        { "[{{telegram.botToken}}{{project.webhookSecret}}{{project.botToken}}]", "[]" },
        { "[{{context.services.db}}{{context.telegram.botToken}}{{ project . botToken "
          "}}]",
          "[]" },
        { "{{context.projectId}}", "P" },
        /* WF-108 */
        { "{{project.referralProgram.welcomeBonus}}", "100" },
        { "{{project.channel}}", "@demo" },
        { "{{user.balance}} {{user.stats.bonusCount}} {{user.missing}}", "150.5 2 " },
        { "{{transactions.formatted}} {transactions.formatted}", "none none" },
        { "{{now}} {{now.date}} {{now.timestamp}}",
          "2025-10-15T13:30:00.000Z 2025-10-15 1760535000000" },
        { "{{list.length}} {{text.length}} {{emoji.length}} {{obj.length}}", "2 5 2 " },
        { "{{list[1].y}} {{list[9]}} {{list[-1]}} {{list[x]}} {{list[0}} {{list.x}}",
          "z     " },
        { "{{a..b}}{{.a}}{{a.}}{{}}{{ }}{{[0]}}{{obj.a.b}}", "" },
        /* braces that are no placeholders */
        { "{", "{" },
        { "{{", "{{" },
        { "{{n}", "{{n}" },
        { "{{{username}}}", "{}" },
        { "{{{n}}}", "{5}" },
        { "{ username}", "{ username}" },
        { "{1n}{n-1}{}", "{1n}{n-1}{}" },
        { "{{n\n}}", "{{n\n}}" },
        { "{{user.firstName}", "{{chat_id}" },
        { "{username}}{{n}}{username", "ann}5{username" },
        { "{{constructor}}{{obj.constructor}}{{obj.__proto__}}{{text.toString}}", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_render(cases[i].text, WF_ESCAPE_NONE, cases[i].out);
}

/* §6.1, escaping; WF-103. */
static void test_escape(void **state)
{
    (void)state;
    check_render("<u>{first_name}</u>", WF_ESCAPE_HTML,
                 "<u>Ann &lt;3 &amp; &quot;co&quot;</u>");
    check_render("{company_name} {{html}} {{html|raw}}", WF_ESCAPE_HTML,
                 "<b>x</b> &lt;i&gt; <i>");
    check_render("{greeting}", WF_ESCAPE_HTML,
                 "Hi Ann &lt;3 &amp; &quot;co&quot; from <b>x</b>,1");
    check_render("{{obj}}", WF_ESCAPE_HTML,
                 "{&quot;a&quot;:1,&quot;b&quot;:[true,null]}");
    check_render("_{{text}}_ {{user.balance}}", WF_ESCAPE_MARKDOWN, "_a\\_b\\*c_ 150.5");
    check_render("_{{text}}_ {{user.balance}}", WF_ESCAPE_MARKDOWN_V2,
                 "_a\\_b\\*c_ 150\\.5");
    check_render("{{x|default:\"_*[]()~`>#+-=|.!\\z\"}}", WF_ESCAPE_MARKDOWN_V2,
                 "\\_\\*\\[\\]\\(\\)\\~\\`\\>\\#\\+\\-\\=\\|\\.\\!\\\\z");
}

static void test_filters(void **state)
{
    static const struct {
        const char *text, *out;
    } cases[] = {
        { "{{missing|default:\"n/a\"}} {{null|default:'x|y'}} {{n|default:7}}",
          "n/a x|y 5" },
        { "{{missing|default:0}}", "0" },
        { "[{{word|upper}}][{{word|lower}}][{{word|trim}}]", "[ ЁЖ ][ ёж ][Ёж]" },
        { "{{word|trim|upper}}", "ЁЖ" },
        { "{{n|number:2}} {{half|number:0}} {{half|number}} {{text|number:1}}",
          "5.00 3 3 a_b*c" },
        { "{{missing|upper}}{{missing|json}}", "" },
        { "{{list|json}} {{text|json}}", "[\"x\",{\"y\":\"z\"}] \"a_b*c\"" },
        { "{{word|urlencode}}", "%20%D0%81%D0%B6%20" },
        { "{{when|date:\"DD.MM.YYYY HH:mm:ss YY\"}}", "15.10.2025 20:05:09 25" },
        { "{{now.timestamp|date:'YYYY-MM-DD'}} {{now.date|date}}",
          "2025-10-15 15.10.2025" },
        { "{{text|date:\"YYYY\"}}", "a_b*c" },
        { "{{n|nosuch}}{{n|}}", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_render(cases[i].text, WF_ESCAPE_NONE, cases[i].out);
}

static void check_value(const char *config, const char *expected)
{
    struct wf_scope scope = json_scope(values);
    json_t *json = json_of(config), *out;

    assert_int_equal(wf_template_value(&scope, json, &out), BW_OK);
    assert_json(config, out, expected);
    json_decref(json);
}

/* WF-105: the whole-string rule. */
static void test_whole_string(void **state)
{
    (void)state;
    check_value("'{{n}}'", "5");
    check_value("' {{obj}}\\n'", "{'a': 1.0, 'b': [true, null]}");
    check_value("'{{no}}'", "false");
    check_value("'{{null}}'", "null");
    check_value("'{{missing}}'", NULL);
    check_value("'{{list.length}}'", "2");
    check_value("'{{n}} '", "5");
    check_value("'x{{n}}'", "'x5'");
    check_value("'{{n}}{{n}}'", "'55'");
    check_value("'{username}'", "'ann'");
    check_value("'{{missing|default:7}}'", "7");
    check_value("'{{missing|default:\\\"7\\\"}}'", "'7'");
    check_value("'{{project.greeting}}'", "'Dear ann'");
    check_value("'{{telegram.botToken}}'", NULL);
    check_value(
        "{'a': '{{n}}', 'b': '{{missing}}', '{{n}}': ['{{missing}}', '{{obj.a}}', 3]}",
        "{'a': 5, '{{n}}': [null, 1.0, 3]}");
    check_value("null", "null");
    check_value("7", "7");
    check_value("'plain'", "'plain'");
    check_value("'a\\u0000{{n}}'", "'a\\ufffd5'"); /* WF-174 */
    check_value("'{{nul}}!'", "'a\\ufffdb!'");
    check_value("'{{nul}}'", "'a\\u0000b'");
}

/* Objects handed out are copies: changing one changes no variable. */
static void test_value_is_own(void **state)
{
    struct wf_scope scope = json_scope(values);
    json_t *config = json_of("'{{obj}}'"), *out;

    (void)state;
    assert_int_equal(wf_template_value(&scope, config, &out), BW_OK);
    assert_int_equal(json_object_set_new(out, "added", json_true()), 0);
    assert_null(json_object_get(wf_path_resolve(&scope, "obj", 3), "added"));
    json_decref(out);
    json_decref(config);
}

static void test_operand(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "n", "5" },
        { "{n}", "5" },
        { " {{n}} ", "5" },
        { "obj.b[0]", "true" },
        { "missing", NULL },
        { "a {{n}}", "'a 5'" },
        { "{{n}}{{n}}", "'55'" },
        { "list.length", "2" },
        { "{{n|number:1}}", "'5.0'" },
        { "", NULL },
        { "{user.balance}", "150.5" },
    };
    struct wf_scope scope = json_scope(values);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *out;

        assert_int_equal(wf_operand_value(&scope, cases[i].text, &out), BW_OK);
        assert_json(cases[i].text, out, cases[i].expected);
    }
}

static void test_paths(void **state)
{
    struct wf_scope scope = json_scope(values);
    const json_t *list = wf_path_resolve(&scope, "list", 4);
    json_t *length;

    (void)state;
    assert_ptr_equal(wf_path_walk(list, "[1].y", 5),
                     wf_path_resolve(&scope, "list[1].y", 9));
    assert_ptr_equal(wf_path_walk(list, ".1.y", 4),
                     wf_path_resolve(&scope, "list[1].y", 9));
    assert_ptr_equal(wf_path_walk(list, "1.y", 3),
                     wf_path_resolve(&scope, "list[1].y", 9));
    assert_ptr_equal(wf_path_walk(list, "", 0), list);
    assert_null(wf_path_walk(list, "[", 1));
    assert_null(wf_path_walk(NULL, "a", 1));
    assert_null(wf_path_resolve(&scope, "list.length", 11));
    assert_int_equal(wf_path_value(&scope, "list.length", 11, &length), BW_OK);
    assert_json("length", length, "2");
    assert_null(wf_path_resolve(&scope, "n\0x", 3));
    assert_null(wf_path_resolve(&scope, "", 0));
}

/* template.expose_secrets opens the project's three members only. */
static void test_exposed_secrets(void **state)
{
    struct wf_scope scope = json_scope(values);

    (void)state;
    scope.expose_secrets = true;
    assert_non_null(wf_path_resolve(&scope, "project.botToken", 16));
    assert_non_null(wf_path_resolve(&scope, "project.webhookSecret", 21));
    assert_null(wf_path_resolve(&scope, "telegram.botToken", 17));
    assert_null(wf_path_resolve(&scope, "context.services", 16));
}

/* 200 characters are a path, 201 are not; in two-byte letters as well. */
static void test_long_path(void **state)
{
    static const char *const letters[] = { "a", "ж" };
    struct wf_scope scope = json_scope(values);

    (void)state;
    for (size_t l = 0; l < COUNT(letters); l++) {
        for (int chars = 200; chars <= 201; chars++) {
            struct bw_buf name = BW_BUF_INIT, text = BW_BUF_INIT, out = BW_BUF_INIT;

            for (int i = 0; i < chars; i++)
                assert_int_equal(bw_buf_add_str(&name, letters[l]), BW_OK);
            assert_int_equal(json_object_set_new(json_object_get(values, "session"),
                                                 bw_buf_text(&name), json_integer(1)),
                             0);
            assert_int_equal(bw_buf_addf(&text, "{{%s}}", bw_buf_text(&name)), BW_OK);
            assert_int_equal(
                wf_template_render(&scope, bw_buf_text(&text), WF_ESCAPE_NONE, &out),
                BW_OK);
            assert_string_equal(bw_buf_text(&out),
                                chars == 200 ? "1" : bw_buf_text(&text));
            bw_buf_fini(&name);
            bw_buf_fini(&text);
            bw_buf_fini(&out);
        }
    }
}

/* Raw text may be any bytes; they pass. */
static void test_raw_bytes(void **state)
{
    (void)state;
    check_render("\xff\xfe{username}\xc3{{n}}\xf0\x9f", WF_ESCAPE_HTML,
                 "\xff\xfe"
                 "ann\xc3"
                 "5\xf0\x9f");
    check_render("{{\xff\xff}}{\xff}", WF_ESCAPE_NONE, "{\xff}");
}

static void test_deep_config(void **state)
{
    struct wf_scope scope = json_scope(values);
    json_t *deep = json_string("{{n}}"), *out;

    (void)state;
    for (int i = 0; i < 1500; i++) {
        json_t *outer = json_object();

        assert_int_equal(json_object_set_new(outer, "k", deep), 0);
        deep = outer;
    }
    assert_int_equal(wf_template_value(&scope, deep, &out), BW_OK);
    json_decref(out);
    json_decref(deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_filters),      cmocka_unit_test(test_whole_string),
        cmocka_unit_test(test_value_is_own), cmocka_unit_test(test_operand),
        cmocka_unit_test(test_paths),        cmocka_unit_test(test_exposed_secrets),
        cmocka_unit_test(test_long_path),    cmocka_unit_test(test_raw_bytes),
        cmocka_unit_test(test_deep_config),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
