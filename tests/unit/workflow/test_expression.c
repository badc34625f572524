/* Answers for worker/workflow/language: expression/, arena.c.
 * worker/workflow/spec/workflow.md §7.3; WF-123 … WF-125. */
#include "unit.h"

#include <stdlib.h>

#include "json_scope.h"
#include "workflow/language/expression/expression.h"

static json_t *values;

static int set_up(void **state)
{
    (void)state;
    values = json_of(
        "{'roots': {'telegram': {'userId': '42', 'botToken': 'SECRET', 'callback': "
        "null}, 'project':"
        "{'name': 'Demo', 'botToken': 'SECRET', 'x': 'row'}, 'user': {'firstName': "
        "'Ann', 'stats':"
        "{'bonusCount': 3}}, 'context': {'services': 1, 'telegram': {'botToken': "
        "'SECRET'}}, 'now':"
        "{'iso': 'T', 'timestamp': 1760535000000}},"
        "'flat': {'user.balance': 150.5, 'project.channel': '@demo'},"
        "'session': {'balance': 150, 'user': {'id': 7}, 'name': 'Анна', 'list': [1, [2, "
        "3], null],"
        "'object': {'a': {'b': [10]}, 'length': 9, 'botToken': 'mine'}, 'emoji': "
        "'a\\ud83d\\ude00b',"
        "'a.b': 'dotted', 'null': null, 'имя': 'юникод', 'empty': [], 'blank': ' '},"
        "'user': {'tier': 'gold'}, 'project': {'x': 'variable'}, 'global': {'g': 1}}");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(values);
    return 0;
}

struct expression_case {
    const char *text, *result; /* JSON; NULL: undefined */
};

static void check(const struct expression_case *cases, size_t count)
{
    struct wf_scope scope = json_scope(values);

    for (size_t i = 0; i < count; i++) {
        struct bw_error err = { .code = 0 };
        json_t *out;

        if (wf_expression(&scope, cases[i].text, &out, &err) != BW_OK)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_json(cases[i].text, out, cases[i].result);
    }
}

static void test_operators(void **state)
{
    static const struct expression_case cases[] = {
        { "1 + 2 * 3 - 4 / 2 % 3", "5" },
        { "(1 + 2) * 3", "9" },
        { "7 % -3", "1" },
        { "1 / 0", "null" },
        { "- - 2", "2" },
        { "!0 && !''", "true" },
        { "NOT true OR true AND false", "false" },
        { "null ?? 5", "5" },
        { "0 ?? 5", "0" },
        { "0 || '' || 'x'", "'x'" },
        { "1 && 0 && missing.x", "0" }, /* not evaluated */
        { "true || missing.x", "true" },
        { "true ? 1 : missing.x", "1" },
        { "false ? 1 : true ? 2 : 3", "2" },
        { "1 < 2 === true", "true" },
        { "'b' > 'a' && '10' < '9' && 10 > '9'", "true" },
        { "null == undefined && null !== undefined && null != 0", "true" },
        { "'5' == 5 && '5' !== 5 && true == 1", "true" },
        { "NaN === NaN", "false" },
        { "list === list && list !== [1] && list == list", "true" },
        { "[1,2] + ''", "'1,2'" },
        { "object + 1", "'[object Object]1'" },
        { "null + 1", "1" },
        { "undefined + 'x' + null", "'undefinedxnull'" },
        { "1 + +'2'", "3" },
        { "typeof missing + typeof null + typeof 1 + typeof '' + typeof true + typeof "
          "list",
          "'undefinedobjectnumberstringbooleanobject'" },
        { "0x1F + .5 + 1e2", "131.5" },
        { "'a\\n\\t\\\\\\'\\u0416\\ud83d\\ude00'",
          "'a\\n\\t\\\\\\u0027Ж\\ud83d\\ude00'" },
        { "'\\u0000'.length", "1" },
        { "1;", "1" },
        { "1 ; ;", "1" },
        { "\xc2\xa0 1\t+\n2 ", "3" },
        { "zz ?.5:1", "1" },
        { "undefined", NULL },
        { "[1, [undefined], 'x']", "[1, [null], 'x']" },
        { "9007199254740993", "9007199254740992" },
    };

    (void)state;
    check(cases, COUNT(cases));
}

static void test_names(void **state)
{
    static const struct expression_case cases[] = {
        /* WF-123: session variables by get(), also one that is called user */
        { "get(\"balance\") > 100 && notEmpty(get(\"user\"))", "true" },
        { "get('user')", "{'id': 7}" },
        { "get('a.b')", "'dotted'" },
        { "get('object.a.b[0]')", "10" },
        { "get('list.length')", "3" },
        { "get('telegram.userId')", "'42'" },
        { "get('tier')", "'gold'" }, /* as a path: session, then user scope */
        { "get('tier', 'session')", NULL },
        { "get('tier', 'user')", "'gold'" },
        { "get('x', 'project')", "'variable'" },
        { "get('g', 'global')", "1" },
        { "get('none')", NULL },
        { "get()", NULL },
        /* WF-124 */
        { "{{user.balance}} > 0 ? true : false", "true" },
        { "balance + \"1\"", "'1501'" },
        { "{{ list.length }} + {{list[1][0]}}", "5" },
        { "user.balance", "150.5" }, /* the customer, not the variable */
        { "user.firstName + user.stats.bonusCount", "'Ann3'" },
        { "user.missing", NULL },
        { "user['firstName']", "'Ann'" },
        { "session.balance + session['name']", "'150Анна'" },
        { "session.none", NULL },
        { "project.x + project.name + project.channel", "'variableDemo@demo'" },
        { "global.g", "1" },
        { "global.none", NULL },
        { "telegram.userId", "'42'" },
        { "telegram.callback == null", "true" },
        { "now", "'T'" },
        { "Date.now()", "1760535000000" },
        { "имя", "'юникод'" },
        { "missing", NULL },
        { "Math", NULL },
        /* secrets */
        { "telegram.botToken", NULL },
        { "project['botToken']", NULL },
        { "(project).botToken", NULL },
        { "get('project.botToken')", NULL },
        { "{{telegram.botToken}}", NULL },
        { "context.telegram.botToken", NULL },
        { "context.services", NULL },
        { "object.botToken", "'mine'" },
    };

    (void)state;
    check(cases, COUNT(cases));
}

static void test_members(void **state)
{
    static const struct expression_case cases[] = {
        { "object.a.b[0]", "10" },
        { "object['a']['b']['0']", "10" },
        { "object.length + list.length + name.length + emoji.length", "20" },
        { "list[1][1]", "3" },
        { "list[5]", NULL },
        { "list['01']", NULL },
        { "list[-1]", NULL },
        { "list.x", NULL },
        { "name[0] + name[9]", "'Аundefined'" },
        { "emoji[1] + emoji[2]", "'\\ud83d\\ude00'" },
        { "emoji[1]", "'\\ufffd'" },
        { "(5).x", NULL },
        { "object.toString", NULL },
        { "''.length", "0" },
    };

    (void)state;
    check(cases, COUNT(cases));
}

static void test_functions(void **state)
{
    static const struct expression_case cases[] = {
        { "isEmpty('') && isEmpty(' ') && isEmpty(null) && isEmpty(missing) && "
          "isEmpty([])",
          "true" },
        { "isEmpty(0) || isEmpty(false) || isEmpty(object) || isEmpty('x')", "false" },
        { "notEmpty(empty)", "false" },
        { "[parseInt('12px'), parseInt('0x1f'), parseInt('z', 36), parseInt('-7.9')]",
          "[12, 31, 35, -7]" },
        { "[parseInt('x'), parseInt('1', 1), parseFloat('1.5e1x'), "
          "parseFloat('-Infinity') < 0]",
          "[null, null, 15, true]" },
        { "[isNaN('x'), isNaN('1'), isFinite('1'), isFinite(1/0)]",
          "[true, false, true, false]" },
        { "[String(null), String(), Number('0x10'), Number(), Boolean('')]",
          "['null', '', 16, 0, false]" },
        { "[Math.abs(-1), Math.ceil(1.2), Math.floor(-1.2), Math.round(-2.5), "
          "Math.trunc(-1.9)]",
          "[1, 2, -2, -2, -1]" },
        { "[Math.min(), Math.max(1, 3, 2), Math.pow(2, 10), Math.sqrt(9), Math.sign(-4)]",
          "[null, 3, 1024, 3, -1]" },
        { "Math.pow(1, 1/0)", "null" },
        { "[Array.isArray(list), Array.isArray([]), Array.isArray(object)]",
          "[true, true, false]" },
        { "[Object.keys(object), Object.keys(list), Object.keys(5)]",
          "[['a', 'length', 'botToken'], ['0', '1', '2'], []]" },
        { "name.includes('нн') && name.startsWith('А') && name.endsWith('на')", "true" },
        { "[emoji.indexOf('b'), emoji.slice(1, 3), emoji.slice(-1), emoji.substring(3, "
          "1)]",
          "[3, '\\ud83d\\ude00', 'b', '\\ud83d\\ude00']" },
        { "emoji.slice(1, 2) + emoji.slice(2)", "'\\ud83d\\ude00b'" },
        { "emoji.indexOf('\\ude00')", "2" },
        { "emoji.split('')", "['a', '\\ufffd', '\\ufffd', 'b']" },
        { "'a,b,,c'.split(',')", "['a', 'b', '', 'c']" },
        { "'abc'.split('').join('-')", "'a-b-c'" },
        { "name.toUpperCase() + name.toLowerCase() + '  x '.trim()", "'АННАаннаx'" },
        { "list.includes(null) && list.indexOf(1) === 0 && [NaN].includes(NaN)", "true" },
        { "[NaN].indexOf(NaN)", "-1" },
        { "list.join(';')", "'1;2,3;'" },
        { "list.slice(1)", "[[2, 3], null]" },
        { "'aXbX'.indexOf('X', 2)", "3" },
    };

    (void)state;
    check(cases, COUNT(cases));
}

static void refuse(const char *text, const char *reason)
{
    struct wf_scope scope = json_scope(values);
    struct bw_error err = { .code = 0 };
    struct bw_buf expected = BW_BUF_INIT;
    json_t *out;
    bool result = true;

    if (wf_expression(&scope, text, &out, &err) != BW_EINVAL)
        fail_msg("'%s' is no error", text);
    assert_null(out);
    assert_int_equal(bw_buf_addf(&expected, "Condition evaluation failed: %s", reason),
                     BW_OK);
    if (strcmp(err.text, bw_buf_text(&expected)) != 0)
        fail_msg("'%s': %s", text, err.text);
    bw_buf_fini(&expected);
    assert_int_equal(wf_expression_test(&scope, text, &result, NULL), BW_EINVAL);
    assert_false(result);
}

/* WF-125 and every other way to be wrong. */
static void test_errors(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        { "", "Unexpected end of expression" },
        { "  ", "Unexpected end of expression" },
        { ";", "Unexpected token ';'" },
        { "1 +", "Unexpected end of expression" },
        { "(1", "Unexpected end of expression" },
        { "1 2", "Unexpected token '2'" },
        { "1 'x'", "Unexpected string" },
        { "[1,]", "Unexpected token ']'" },
        { "a.", "Unexpected end of expression" },
        { "a.5", "Unexpected token '.5'" },
        { "a ? 1", "Unexpected end of expression" },
        { "constructor", "constructor is not allowed" },
        { "name.constructor", "constructor is not allowed" },
        { "__proto__", "__proto__ is not allowed" },
        { "new Date()", "Unexpected token 'new'" },
        { "a = 1", "Unexpected token '='" },
        { "a += 1", "Unexpected token '='" },
        { "a => 1", "Unexpected token '=>'" },
        { "a++", "Unexpected token '++'" },
        { "2 ** 3", "Unexpected token '**'" },
        { "a?.b", "Unexpected token '?.'" },
        { "`x`", "Unexpected token '`'" },
        { "/x/", "Unexpected token '/'" },
        { "{a: 1}", "Unexpected token '{'" },
        { "{{a", "Unexpected token '{'" },
        { "1 & 2", "Unexpected token '&'" },
        { "this", "Unexpected token 'this'" },
        { "a in b", "Unexpected token 'in'" },
        { "function(){}", "Unexpected token 'function'" },
        { "eval('1')", "Unexpected token 'eval'" },
        { "fetch('x')", "fetch is not a function" },
        { "Math.random()", "Math.random is not a function" },
        { "Date.parse('x')", "Date.parse is not a function" },
        { "name.replace('a', 'b')", "replace is not a function" },
        { "(5).slice(1)", "slice is not a function" },
        { "name.join()", "join is not a function" },
        { "list.trim()", "trim is not a function" },
        { "missing.x", "Cannot read properties of undefined (reading 'x')" },
        { "null.x", "Cannot read properties of null (reading 'x')" },
        { "missing[0]", "Cannot read properties of undefined (reading '0')" },
        { "missing.trim()", "Cannot read properties of undefined (reading 'trim')" },
        { "Object.keys(null)", "Cannot convert undefined or null to object" },
        { "get('x', 'secret')", "Unknown variable scope: secret" },
        { "'abc", "Unterminated string" },
        { "'a\nb'", "Unterminated string" },
        { "'\\q'", "Invalid escape sequence" },
        { "'\\", "Invalid escape sequence" },
        { "'\\u12'", "Invalid Unicode escape sequence" },
        { "010", "Invalid number" },
        { "1x", "Invalid number" },
        { "0x", "Invalid number" },
        { "1.2.3", "Unexpected token '.3'" },
        { "\x01", "Unexpected token '\x01'" },
        { "@", "Unexpected token '@'" },
        { "''.split('').x.y", "Cannot read properties of undefined (reading 'y')" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        refuse(cases[i].text, cases[i].reason);
}

/* Repeats a text between others; the caller frees. */
static char *repeated(const char *before, const char *text, int count, const char *after)
{
    struct bw_buf buf = BW_BUF_INIT;

    assert_int_equal(bw_buf_add_str(&buf, before), BW_OK);
    for (int i = 0; i < count; i++)
        assert_int_equal(bw_buf_add_str(&buf, text), BW_OK);
    assert_int_equal(bw_buf_add_str(&buf, after), BW_OK);
    return bw_buf_take(&buf);
}

static void refuse_take(char *text, const char *reason)
{
    refuse(text, reason);
    free(text);
}

static void accept_take(char *text, const char *result)
{
    const struct expression_case one = { text, result };

    check(&one, 1);
    free(text);
}

static void test_limits(void **state)
{
    static const char too_long[] = "Expression exceeds maximum length of 1000 characters";
    static const char too_deep[] = "Expression exceeds maximum depth of 64";

    (void)state;
    accept_take(repeated("1", " ", 999, ""), "1");
    refuse_take(repeated("1", " ", 1000, ""), too_long);
    accept_take(repeated("'", "ж", 991, "'.length"), "991"); /* characters, not bytes */
    refuse_take(repeated("'", "ж", 992, "'.length"), too_long);
    accept_take(
        repeated("", "(", 63,
                 "1)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"),
        "1");
    refuse_take(
        repeated("", "(", 64,
                 "1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"),
        too_deep);
    accept_take(repeated("", "!", 63, "0"), "true");
    refuse_take(repeated("", "!", 64, "0"), too_deep);
    refuse_take(repeated("", "[", 500, ""), too_deep);
    accept_take(repeated("1", "+1", 499, ""), "500"); /* long is not deep */
    accept_take(repeated("0", "||0", 333, ""), "0");
}

/* Work and memory are bounded whatever the variables hold. */
static void test_work(void **state)
{
    json_t *session = json_object_get(values, "session");
    char *big = malloc(900001);
    json_t *many = json_array();

    (void)state;
    assert_non_null(big);
    memset(big, 'a', 900000);
    big[900000] = '\0';
    for (int i = 0; i < 20000; i++)
        assert_int_equal(json_array_append_new(many, json_integer(i)), 0);
    assert_int_equal(json_object_set_new(session, "big", json_string(big)), 0);
    assert_int_equal(json_object_set_new(session, "many", many), 0);
    refuse("big + big", "Text is too long");
    refuse("big.split('')", "Expression exceeds maximum of 10000 steps");
    refuse("many.includes(-1)", "Expression exceeds maximum of 10000 steps");
    refuse("many.join('')", "Expression exceeds maximum of 10000 steps");
    refuse("Object.keys(many)", "Expression exceeds maximum of 10000 steps");
    refuse_take(repeated("''", "+big.toUpperCase().length", 38, ""),
                "Expression needs too much memory");
    assert_int_equal(json_object_del(session, "big"), 0);
    assert_int_equal(json_object_del(session, "many"), 0);
    free(big);
}

static void test_deep_values(void **state)
{
    json_t *session = json_object_get(values, "session");
    json_t *deep = json_array();

    (void)state;
    for (int i = 0; i < 500; i++)
        deep = json_pack("[o]", deep);
    assert_int_equal(json_object_set_new(session, "deep", deep), 0);
    refuse("deep + ''", "Array is nested too deeply");
    check(&(struct expression_case){ "+ deep", "null" }, 1);
    assert_int_equal(json_object_del(session, "deep"), 0);
}

static void test_truthiness(void **state)
{
    struct wf_scope scope = json_scope(values);
    bool result;

    (void)state;
    assert_int_equal(wf_expression_test(&scope, "1 / 0", &result, NULL), BW_OK);
    assert_true(result);
    assert_int_equal(wf_expression_test(&scope, "0 / 0", &result, NULL), BW_OK);
    assert_false(result);
    assert_int_equal(wf_expression_test(&scope, "[]", &result, NULL), BW_OK);
    assert_true(result);
}

/* Text that is no UTF-8 stays harmless; what leaves is JSON. */
static void test_raw_bytes(void **state)
{
    static const struct expression_case cases[] = {
        { "'\xff\xc3'", "'\\ufffd\\ufffd'" },
        { "'\xf0\x9f'.length", "2" },
        { "'\xff'.toUpperCase()", "'\\ufffd'" },
        { "\xff", NULL },
    };

    (void)state;
    check(cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators),  cmocka_unit_test(test_names),
        cmocka_unit_test(test_members),    cmocka_unit_test(test_functions),
        cmocka_unit_test(test_errors),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_work),       cmocka_unit_test(test_deep_values),
        cmocka_unit_test(test_truthiness), cmocka_unit_test(test_raw_bytes),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
