/* Every allocation of the language gets its turn to fail: each public function must then
 * say BW_ENOMEM (or NULL), leak nothing, and work once memory is back. Linked with the
 * allocator wrapped (CMakeLists.txt). */
#include "unit.h"

#include <stdio.h>

#include "json_scope.h"
#include "workflow/language/condition.h"
#include "workflow/language/event_telegram.h"
#include "workflow/language/expression/expression.h"
#include "workflow/language/keyboard.h"
#include "workflow/language/sanitise.h"
#include "workflow/language/template.h"

/* ---- the allocator: the call after `left` further ones fails, once ---- */

static long left = -1;
static bool json_may_fail = true;

static int fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_asprintf(char **out, const char *format, ...) BW_PRINTF(2, 3);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
    return fails() ? NULL : __real_strndup(text, len);
}

int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list args;
    int len;

    if (fails())
        return -1;
    va_start(args, format);
    len = vasprintf(out, format, args);
    va_end(args);
    return len;
}

/* ---- runs ---- */

static json_t *values, *config, *keyboard, *context;

typedef int (*attempt)(void);

static void each_fails(attempt run)
{
    long nth = 0;
    int rc;

    do {
        assert_true(nth < 10000);
        left = nth++;
        rc = run();
        if (left >= 0) { /* not reached: everything succeeded */
            left = -1;
            break;
        }
        left = -1;
        assert_int_equal(rc, BW_ENOMEM);
    } while (1);
    assert_int_equal(rc, BW_OK);
    assert_true(nth > 1);
}

static int run_event(void)
{
    struct wf_event event;
    json_t *telegram;
    int rc = wf_event_parse(&event, context, NULL, NULL);

    if (rc != BW_OK)
        return rc;
    telegram = wf_event_telegram(&event);
    rc = telegram != NULL ? BW_OK : BW_ENOMEM;
    json_decref(telegram);
    wf_event_fini(&event);
    return rc;
}

static int run_graph(void)
{
    struct wf_graph_source source = {
        .version_id = "v",
        .workflow_id = "w",
        .project_id = "p",
        .entry_node_id = "a",
        .nodes = "[{\"id\":\"a\",\"type\":\"trigger.message\",\"data\":{\"config\":{"
                 "\"pattern\":"
                 "\"x+\"}},\"next\":\"b\"},{\"id\":\"b\",\"type\":\"message\"},"
                 "{\"id\":\"edge-1\",\"source\":\"b\",\"target\":\"a\"}]",
        .variables = "[]",
        .settings = "{}",
    };
    struct wf_graph *graph;
    int rc = wf_graph_create(&graph, &source, NULL);

    wf_graph_unref(&graph);
    return rc;
}

static int run_template(void)
{
    struct wf_scope scope = json_scope(values);
    struct bw_buf out = BW_BUF_INIT;
    int rc = wf_template_render(
        &scope, "Hi {name} {{object}} {{name|upper|trim|default:\"x\"|json}} {text}",
        WF_ESCAPE_HTML, &out);

    bw_buf_fini(&out);
    return rc;
}

static int run_value(void)
{
    struct wf_scope scope = json_scope(values);
    json_t *out;
    int rc = wf_template_value(&scope, config, &out);

    json_decref(out);
    return rc;
}

static int run_expression(void)
{
    struct wf_scope scope = json_scope(values);
    json_t *out;
    int rc = wf_expression(
        &scope,
        "[name + 1.5, 'a\\u0041'.split(''), object, [1, 'x'].join('-'), name.slice(1, 2),"
        "session.none ?? global.none ?? Object.keys(object).length]",
        &out, NULL);

    json_decref(out);
    return rc;
}

static int run_condition(void)
{
    struct wf_scope scope = json_scope(values);
    bool result;

    return wf_condition(&scope, json_object_get(config, "condition"), "typed", &result,
                        NULL);
}

static int run_keyboard(void)
{
    struct wf_scope scope = json_scope(values);
    json_t *markup;
    int rc = wf_keyboard_markup(&scope, keyboard, &markup, NULL);

    json_decref(markup);
    return rc;
}

static int run_sanitise(void)
{
    json_t *made = wf_sanitise(values);
    int rc = made != NULL ? BW_OK : BW_ENOMEM;

    json_decref(made);
    return rc;
}

static void test_each(void **state)
{
    static const attempt runs[] = { run_event,    run_graph,      run_template,
                                    run_value,    run_expression, run_condition,
                                    run_keyboard, run_sanitise };

    (void)state;
    values = json_of(
        "{'roots': {'telegram': {'message': {'text': '__SKIP__'}}}, 'flat': {'name':"
        "'Анна <3'}, 'trusted': {'text': 'x {name}'}, 'session': {'name': 'Анна',"
        "'object': {'a': [1, 0.5], 'token': 'secretsecret'}}}");
    config = json_of(
        "{'a': '{{object}}', 'b': ['x{{name}}', '{{name}}', 5], 'condition': {'variable':"
        "'telegram.message.text', 'operator': 'contains', 'value': '{{object}}!'}}");
    keyboard = json_of(
        "{'type': 'reply', 'input_field_placeholder': 'x{name}', 'buttons': [[{'text': "
        "'A',"
        "'request_contact': true, 'request_poll': {'type': 'quiz'}, 'web_app': {'url':"
        "'u'}}, 'B']]}");
    context = json_of(
        "{'update': {'update_id': 1, 'message': {'message_id': 2, 'text': '/start ref',"
        "'chat': {'id': 42}, 'from': {'id': 42, 'username': 'a', 'first_name': 'b',"
        "'last_name': 'c', 'language_code': 'd'}, 'contact': {'phone_number': '7',"
        "'user_id': 42}}}}");
    for (size_t i = 0; i < COUNT(runs); i++) {
        /* jansson's reader overlooks failures of its own buffer and goes on with half a
         * text */
        json_may_fail = runs[i] != run_graph;
        each_fails(runs[i]);
    }
    json_decref(values);
    json_decref(config);
    json_decref(keyboard);
    json_decref(context);
}

static void *json_malloc(size_t size)
{
    return json_may_fail ? __wrap_malloc(size) : __real_malloc(size);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each) };

    json_set_alloc_funcs(json_malloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
