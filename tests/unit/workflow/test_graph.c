/* Answers for worker/workflow/language: graph.c, graph/, node_type.c, pattern.c.
 * worker/workflow/spec/workflow.md §3.4, §4, §5.1. */
#include "unit.h"

#include <stdlib.h>

#include "workflow/language/graph.h"
#include "workflow/language/graph/trigger.h"
#include "workflow/language/node_type.h"
#include "workflow/language/pattern.h"

/* Single quotes for double ones, as json_of(). */
static char *quoted(const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    for (char *at = copy; at != NULL && *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    return copy;
}

static struct wf_graph *graph_of(const char *nodes, const char *connections,
                                 const char *entry)
{
    struct bw_error err = { .code = 0 };
    char *node_text = quoted(nodes), *edge_text = quoted(connections);
    struct wf_graph_source source = { .version_id = "V",
                                      .workflow_id = "W",
                                      .project_id = "P",
                                      .entry_node_id = entry,
                                      .version = 3,
                                      .nodes = node_text,
                                      .connections = edge_text };
    struct wf_graph *graph;

    if (wf_graph_create(&graph, &source, &err) != BW_OK)
        fail_msg("%s: %s", err.text, nodes);
    free(node_text);
    free(edge_text);
    return graph;
}

/* A JSON text as a JSON string. */
static char *encoded(const char *text)
{
    char *copy = quoted(text);
    json_t *string = json_string(copy);
    char *made = json_dumps(string, JSON_ENCODE_ANY);

    free(copy);
    json_decref(string);
    return made;
}

static const char two_nodes[] =
    "[{'id': 'a', 'type': 'trigger.command', 'data': {'label': 'A', 'config':"
    "{'trigger.command': {'command': '/start'}}}}, {'id': 'b', 'type': 'flow.end'}]";
static const char one_edge[] = "[{'source': 'a', 'target': 'b', 'type': 'default'}]";

static void check_two(struct wf_graph *graph)
{
    const struct wf_edge *edge;

    assert_int_equal(graph->node_count, 2);
    assert_string_equal(graph->nodes[0].id, "a");
    assert_string_equal(graph->nodes[0].label, "A");
    assert_string_equal(graph->nodes[1].type, "flow.end");
    assert_ptr_equal(graph->entry, &graph->nodes[0]);
    assert_ptr_equal(wf_graph_find(graph, "b"), &graph->nodes[1]);
    assert_null(wf_graph_find(graph, "c"));
    edge = wf_node_edge(graph->entry, NULL, false);
    assert_non_null(edge);
    assert_int_equal(edge->target, 1);
    assert_true(graph->has_chat_trigger);
    assert_string_equal(graph->version_id, "V");
    assert_int_equal(graph->version, 3);
    wf_graph_unref(&graph);
    assert_null(graph);
}

/* WF-079 */
static void test_forms(void **state)
{
    char *once = encoded(two_nodes), *edges = encoded(one_edge), *twice = encoded(once);

    (void)state;
    check_two(graph_of(two_nodes, one_edge, "a"));
    check_two(
        graph_of("{'a': {'id': 'x', 'type': 'trigger.command', 'data': {'label': 'A'}},"
                 "'b': {'id': 'y', 'type': 'flow.end'}, 'c': {'id': 'c'},"
                 "'d': {'type': 'message'}, 'e': 5}",
                 one_edge, "a"));
    check_two(graph_of(once, edges, "a"));
    check_two(graph_of(twice, edges, "a"));
    free(once);
    free(twice);
    free(edges);
}

/* §4.1: what is no node is dropped; anything else is an empty graph. */
static void test_lenient(void **state)
{
    static const char *const empty[] = { "5",
                                         "null",
                                         "'x'",
                                         "[]",
                                         "{}",
                                         "[1, null, {'type': 'message'}]",
                                         "[{'id': 5}, {'id': ''}]",
                                         "true",
                                         "[[[]]]" };
    struct bw_error err = { .code = 0 };
    struct wf_graph_source source = { .nodes = "{nope" };
    struct wf_graph *graph;

    (void)state;
    for (size_t i = 0; i < COUNT(empty); i++) {
        graph = graph_of(empty[i], NULL, "a");
        assert_int_equal(graph->node_count, 0);
        assert_null(graph->entry);
        wf_graph_unref(&graph);
    }
    assert_int_equal(wf_graph_create(&graph, &source, &err), BW_EINVAL);
    assert_null(graph);
    assert_non_null(strstr(err.text, "nodes: not JSON"));
    wf_graph_unref(&graph);
    /* a number beyond 64 bits is still a number */
    graph = graph_of(
        "[{'id': 'a', 'type': 'message', 'position': 123456789012345678901234567890}]",
        "{}", "a");
    assert_int_equal(graph->node_count, 1);
    assert_string_equal(graph->nodes[0].label, "");
    assert_false(graph->nodes[0].has_config);
    assert_true(json_is_object(graph->nodes[0].config));
    wf_graph_unref(&graph);
}

/* §4.1: the last duplicate wins at the first one's place. */
static void test_duplicates(void **state)
{
    struct wf_graph *graph = graph_of(
        "[{'id': 'z', 'type': 'one'}, {'id': 'a', 'type': 'two'}, {'id': 'z', 'type':"
        "'three'}, {'id': 'z', 'type': 'four'}, {'id': 'm'}]",
        NULL, "z");

    (void)state;
    assert_int_equal(graph->node_count, 3);
    assert_string_equal(graph->nodes[0].id, "z");
    assert_string_equal(graph->nodes[0].type, "four");
    assert_string_equal(graph->nodes[1].id, "a");
    assert_string_equal(graph->nodes[2].id, "m");
    assert_ptr_equal(wf_graph_find(graph, "m"), &graph->nodes[2]);
    wf_graph_unref(&graph);
}

/* WF-080, §4.2; aliases of §5. */
static void test_config(void **state)
{
    static const struct {
        const char *node, *type, *config; /* config NULL: none */
    } cases[] = {
        { "'type': 'message', 'data': {'config': {'message': {'text': 'x'}}}", "message",
          "{'text': 'x'}" },
        { "'type': 'message', 'data': {'config': {'text': 'x'}}", "message",
          "{'text': 'x'}" },
        { "'type': 'message', 'config': {'message': {'text': 'x'}}", "message",
          "{'text': 'x'}" },
        { "'type': 'message', 'config': {'text': 'x'}", "message", "{'text': 'x'}" },
        { "'type': 'message', 'data': {'config': {'flow.end': {}}}, 'config': {'text': "
          "'x'}",
          "message", "{'text': 'x'}" },
        { "'type': 'message', 'data': {'config': {'flow.end': {}}}", "message", NULL },
        { "'type': 'flow.end', 'data': {'config': {'success': false, 'message': 'm'}}",
          "flow.end", "{'success': false, 'message': 'm'}" },
        { "'type': 'flow.loop', 'data': {'config': {'type': 'while', 'condition': 'i < "
          "3'}}",
          "flow.loop", "{'type': 'while', 'condition': 'i < 3'}" },
        { "'type': 'start', 'data': {'config': {'trigger.command': {'command': '/a'}}}",
          "trigger.command", "{'command': '/a'}" },
        { "'type': 'start', 'data': {'config': {'start': {'command': '/a'}}}",
          "trigger.command", "{'command': '/a'}" },
        { "'type': 'flow.condition', 'data': {'config': {'variable': 'x'}}", "condition",
          "{'variable': 'x'}" },
        { "'type': 'message.text', 'data': {}", "message", NULL },
        { "'type': 'message', 'data': {'config': []}", "message", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bw_buf nodes = BW_BUF_INIT;
        struct wf_graph *graph;

        assert_int_equal(bw_buf_addf(&nodes, "[{'id': 'n', %s}]", cases[i].node), BW_OK);
        graph = graph_of(bw_buf_text(&nodes), NULL, "n");
        bw_buf_fini(&nodes);
        assert_string_equal(graph->entry->type, cases[i].type);
        assert_int_equal(graph->entry->has_config, cases[i].config != NULL);
        assert_json(cases[i].node, json_incref((json_t *)graph->entry->config),
                    cases[i].config != NULL ? cases[i].config : "{}");
        wf_graph_unref(&graph);
    }
}

static const char *target_of(const struct wf_node *node, const char *handle,
                             bool fallback)
{
    const struct wf_edge *edge = wf_node_edge(node, handle, fallback);

    return edge != NULL ? edge->target_id : "none";
}

/* WF-081 … WF-084, WF-086; §4.3, §4.4. */
static void test_edges(void **state)
{
    struct wf_graph *graph = graph_of(
        "[{'id': 'c', 'type': 'condition'}, {'id': 'x', 'type': 'message'}, {'id': 'y', "
        "'type':"
        "'message'}, {'id': 'w', 'type': 'message'}]",
        "[{'source': 'c', 'target': 'x', 'type': 'timeout'},"
        "{'source': 'c', 'target': 'x', 'type': 'true'},"
        "{'source': 'c', 'target': 'x', 'sourceHandle': 'false', 'type': 'true'},"
        "{'source': 'c', 'target': 'x', 'sourceHandle': 'false', 'type': 'default', "
        "'id': 'again'},"
        "{'source': 'c', 'target': 'y', 'sourceHandle': '', 'type': 'smoothstep'},"
        "{'source': 'x', 'target': 'y'}, {'source': 'x', 'target': 'w'},"
        "{'source': 'y', 'target': 'gone', 'sourceHandle': 'case_0'},"
        "{'source': 'nobody', 'target': 'x'}, {'source': 'w'}, 5, null]",
        "c");
    const struct wf_node *condition = graph->entry;

    (void)state;
    assert_int_equal(condition->edge_count, 4);
    assert_string_equal(target_of(condition, "true", true), "x");
    assert_string_equal(target_of(condition, "false", true), "x");
    assert_string_equal(target_of(condition, "other", true), "y");
    assert_string_equal(target_of(condition, "other", false), "none");
    assert_string_equal(target_of(condition, "timeout", false), "x");
    assert_ptr_equal(wf_node_edge(condition, NULL, false), &condition->edges[1]);
    assert_string_equal(target_of(wf_graph_find(graph, "x"), NULL, false), "y");
    assert_string_equal(target_of(wf_graph_find(graph, "y"), "case_0", true), "gone");
    assert_true(wf_node_edge(wf_graph_find(graph, "y"), "case_0", true)->target ==
                SIZE_MAX);
    assert_string_equal(target_of(wf_graph_find(graph, "y"), "default", true), "none");
    assert_string_equal(target_of(wf_graph_find(graph, "w"), NULL, false), "none");
    wf_graph_unref(&graph);
}

/* WF-087; edges among the nodes of exported files. */
static void test_other_edges(void **state)
{
    static const char legacy[] =
        "[{'id': 'a', 'type': 'condition', 'next': 'b', 'branches': {'true': 'c', "
        "'false': 5}},"
        "{'id': 'b', 'type': 'message', 'next': 'c'}, {'id': 'c', 'type': 'message'}]";
    struct wf_graph *graph = graph_of(legacy, "[{'source': 'b', 'target': 'a'}]", "a");

    (void)state;
    assert_string_equal(target_of(graph->entry, NULL, false), "b");
    assert_string_equal(target_of(graph->entry, "true", true), "c");
    assert_string_equal(target_of(graph->entry, "false", true), "b");
    assert_string_equal(target_of(wf_graph_find(graph, "b"), NULL, false), "a");
    wf_graph_unref(&graph);
    graph = graph_of("[{'id': 'a', 'type': 'message'}, {'id': 'b', 'type': 'message'},"
                     "{'id': 'edge-1', 'source': 'a', 'target': 'b'},"
                     "{'source': 'b', 'target': 'a', 'type': 'default'}]",
                     "[]", "a");
    assert_int_equal(graph->node_count, 2);
    assert_string_equal(target_of(graph->entry, NULL, false), "b");
    assert_string_equal(target_of(wf_graph_find(graph, "b"), NULL, false), "a");
    wf_graph_unref(&graph);
}

/* ---- triggers ---- */

struct stored_node { /* ended by one without id */
    const char *id, *type, *config;
};

static struct wf_graph *graph_from(const struct stored_node *nodes, const char *entry)
{
    struct bw_buf text = BW_BUF_INIT;
    struct wf_graph *graph;
    int rc = bw_buf_add_char(&text, '[');

    for (const struct stored_node *node = nodes; rc == BW_OK && node->id != NULL; node++)
        rc = bw_buf_addf(&text, "%s{'id': '%s', 'type': '%s', 'data': {'config': %s}}",
                         node == nodes ? "" : ", ", node->id, node->type, node->config);
    if (rc == BW_OK)
        rc = bw_buf_add_char(&text, ']');
    assert_int_equal(rc, BW_OK);
    graph = graph_of(bw_buf_text(&text), NULL, entry);
    bw_buf_fini(&text);
    return graph;
}

static void check_trigger(const struct stored_node *nodes, const char *entry,
                          const char *context, const char *expected)
{
    struct wf_graph *graph = graph_from(nodes, entry);
    json_t *json = json_of(context);
    const struct wf_node *node;
    struct wf_event event;

    assert_int_equal(wf_event_parse(&event, json, NULL, NULL), BW_OK);
    node = wf_graph_trigger(graph, &event);
    if (strcmp(node != NULL ? node->id : "none", expected) != 0)
        fail_msg("%s starts %s, not %s", context, node != NULL ? node->id : "none",
                 expected);
    wf_event_fini(&event);
    json_decref(json);
    wf_graph_unref(&graph);
}

static void check_text(const struct stored_node *nodes, const char *entry,
                       const char *text, const char *expected)
{
    char context[200];

    (void)snprintf(context, sizeof context,
                   "{'message': {'chat': {'id': 1}, 'text': '%s'}}", text);
    check_trigger(nodes, entry, context, expected);
}

static void check_callback(const struct stored_node *nodes, const char *data,
                           const char *expected)
{
    char context[200];

    (void)snprintf(context, sizeof context,
                   "{'callback_query': {'from': {'id': 1}, 'data': '%s'}}", data);
    check_trigger(nodes, "m2", context, expected);
}

/* WF-018, WF-019, WF-025, WF-026 */
static void test_text_triggers(void **state)
{
    static const struct stored_node nodes[] = {
        { "m", "trigger.message", "{'pattern': '^hi$', 'caseSensitive': false}" },
        { "s", "trigger.command", "{'command': 'start'}" },
        { "h", "trigger.command", "{'command': '/Help'}" },
        { "e", "trigger.message", "{'pattern': 'Привет', 'matchType': 'exact'}" },
        { "c", "trigger.message",
          "{'pattern': 'MID', 'matchType': 'contains', 'caseSensitive': true}" },
        { "x", "message", "{}" },
        { NULL, NULL, NULL },
    };
    static const struct {
        const char *text, *node;
    } cases[] = {
        { "/start", "s" },   { "/START@bot ref", "s" },
        { "/help", "h" },    { "HI", "m" },
        { "hi there", "x" }, { "hi\\n", "x" }, /* $ is the very end, as in JavaScript */
        { "ПРИВЕТ", "e" },   { "a MID b", "c" },
        { "a mid b", "x" },  { "/other", "x" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_text(nodes, "x", cases[i].text, cases[i].node);
}

/* WF-019, WF-027, WF-028: what is left when nothing matches. */
static void test_entry(void **state)
{
    static const struct stored_node message[] = { { "a", "trigger.message", "{}" },
                                                  { NULL, NULL, NULL } };
    static const struct stored_node schedule[] = { { "a", "trigger.schedule", "{}" },
                                                   { NULL, NULL, NULL } };
    static const struct stored_node webhook[] = { { "a", "trigger.webhook", "{}" },
                                                  { NULL, NULL, NULL } };
    static const struct stored_node nothing[] = { { NULL, NULL, NULL } };

    (void)state;
    check_text(message, "zz", "/nope", "a");
    check_text(message, "zz", "/start", "none");
    check_text(message, "a", "/start", "a");
    check_text(schedule, "a", "hi", "none");
    check_text(webhook, "a", "hi", "none");
    check_text(nothing, "a", "hi", "none");
}

/* WF-020; `.*` and the empty pattern match what has no text. */
static void test_other_triggers(void **state)
{
    static const char contact[] = "{'message': {'chat': {'id': 1}, 'contact': {}}}";
    static const char photo[] = "{'message': {'chat': {'id': 1}, 'photo': []}}";
    static const char webhook[] = "{'chat': {'id': 1}, 'webhook': {'method': 'POST'}}";
    static const struct stored_node all[] = {
        { "r", "trigger.message", "{'pattern': '^.+$'}" },
        { "m", "trigger.message", "{'pattern': '.*'}" },
        { "w", "trigger.webhook", "{}" },
        { "k", "trigger.contact", "{}" },
        { NULL, NULL, NULL },
    };
    static const struct stored_node message[] = { { "m", "trigger.message", "{}" },
                                                  { NULL, NULL, NULL } };

    (void)state;
    check_trigger(all, "m", contact, "k");
    check_trigger(all, "r", photo, "m");
    check_trigger(all, "r", webhook, "w");
    check_trigger(message, "zz", contact, "m");
}

/* WF-021 … WF-024 */
static void test_callback_triggers(void **state)
{
    static const struct stored_node nodes[] = {
        { "p", "trigger.callback", "{'callbackData': 'spend'}" },
        { "e", "trigger.callback", "{'data': 'spend:7'}" },
        { "o", "trigger.callback", "{'callbackData': 'only', 'matchType': 'exact'}" },
        { "w", "trigger.callback", "{'callbackData': 'menu_*'}" },
        { "b", "trigger.callback", "{'callbackData': 'be', 'matchType': 'starts_with'}" },
        { "r", "trigger.callback",
          "{'callbackData': '^x[0-9]+$', 'matchType': 'regex'}" },
        { "z", "trigger.callback", "{}" },
        { "s", "trigger.command", "{'command': '/start'}" },
        { "m2", "message", "{}" },
        { NULL, NULL, NULL },
    };
    static const struct {
        const char *data, *node;
    } cases[] = {
        { "spend", "p" },     { "spend:8", "p" }, { "spend:7", "e" }, { "spendx", "s" },
        { "only", "o" },      { "only:1", "s" },  { "menu_a", "w" },  { "begin", "b" },
        { "x12", "r" },       { "x12y", "s" },    { "", "s" },        { "goto:m2", "m2" },
        { "goto:nope", "s" },
    };
    static const struct stored_node lone[] = { { "m2", "message", "{}" },
                                               { NULL, NULL, NULL } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_callback(nodes, cases[i].data, cases[i].node);
    check_callback(lone, "q", "m2");
}

/* ---- patterns ---- */

static bool matches(const char *pattern, const char *text)
{
    struct wf_pattern *compiled;
    bool result;

    assert_int_equal(wf_pattern_create(&compiled, pattern, false), BW_OK);
    result = wf_pattern_matches(compiled, text, NULL);
    wf_pattern_destroy(&compiled);
    return result;
}

/* §5.1: unanchored, JavaScript's meaning of `$` and `\u`; unsafe and invalid patterns
 * never match. */
static void test_patterns(void **state)
{
    char text[502];

    (void)state;
    assert_true(matches("b+", "aBBc"));
    assert_true(matches("ЁЖ", "это ёж"));
    assert_true(matches("^\\u0061$", "a"));
    assert_true(matches("(a|b)?c{2,3}", "bcc"));
    assert_true(matches("(\\+7|8)?9\\d{9}", "+79001234567"));
    assert_true(matches("^(да|нет)+$", "данет"));
    assert_true(matches("([a-z+*]x){3}", "+x*xax"));
    assert_false(matches("(", "("));
    assert_false(matches("[", "["));
    assert_false(matches("(a+)+$", "aaaa"));
    assert_false(matches("((a*)b)*c", "c"));
    assert_false(matches("(x{2,}){3}", "xxxxxx"));
    assert_false(matches("(*UTF)a", "a"));
    assert_false(matches("\\C", "a"));
    memset(text, 'a', sizeof text - 1);
    text[501] = '\0';
    assert_false(matches(text, text));
    assert_true(matches(text + 1, text));
    assert_false(matches("a", "\xff"
                              "a")); /* no UTF-8: no match, no crash */
}

/* A pattern that backtracks without end meets the limits instead. */
static void test_pattern_limits(void **state)
{
    char text[4001];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[4000] = '\0';
    assert_false(matches("a*a*a*a*a*a*a*a*b", text));
    assert_false(matches("(?:(?:a|a)|(?:a|aa))*?b", text));
    assert_false(matches("(?R)?a", ""));
}

/* The worst that all patterns of an update take together: the budget of its text. */
#define STEPS_OF(text) (30000 + 15 * (int64_t)strlen(text))

static void count_told(void *arg, const char *pattern)
{
    unsigned *told = arg;

    assert_non_null(pattern);
    (*told)++;
}

/* One budget for all patterns of an update: costly ones are given up and told of once in
 * their life, and leave enough for honest ones; a pattern is asked once. */
static void test_pattern_budget(void **state)
{
    static const char *const costly[] = {
        "(a|a)*$",          "(a|aa)*$",         "a*a*a*a*a*a*[bc]",
        "(.*)(.*)(.*)[xy]", "(\\w|[a-z])*[!?]", "(?:a|b|aa)*[cd]",
    };
    struct wf_pattern *patterns[COUNT(costly)], *honest;
    char text[66];
    unsigned told = 0;

    (void)state;
    memset(text, 'a', 64);
    (void)strcpy(text + 64, "z");
    for (size_t i = 0; i < COUNT(costly); i++)
        assert_int_equal(wf_pattern_create(&patterns[i], costly[i], false), BW_OK);
    assert_int_equal(wf_pattern_create(&honest, "^a+z$", false), BW_OK);
    for (int update = 0; update < 2; update++) {
        struct wf_pattern_budget budget = { .tell = count_told, .arg = &told };
        int64_t left;

        for (size_t i = 0; i < COUNT(costly); i++)
            assert_false(wf_pattern_matches(patterns[i], text, &budget));
        assert_int_equal(budget.exceeded, COUNT(costly));
        assert_true(wf_pattern_matches(honest, text, &budget));
        left = budget.left;
        assert_true(left > 0 && left < STEPS_OF(text) / 16);
        assert_true(wf_pattern_matches(honest, text, &budget));
        assert_false(wf_pattern_matches(patterns[0], text, &budget));
        assert_true(left == budget.left);
        wf_pattern_budget_fini(&budget);
    }
    assert_int_equal(told, COUNT(costly));
    for (size_t i = 0; i < COUNT(costly); i++)
        wf_pattern_destroy(&patterns[i]);
    wf_pattern_destroy(&honest);
}

/* A bot with many plain patterns and a long text has room enough. */
static void test_many_patterns(void **state)
{
    static const char word[] = "привет мир, ";
    struct wf_pattern_budget budget = { 0 };
    struct bw_buf text = BW_BUF_INIT;
    char source[96];

    (void)state;
    while (text.len < 7000) /* about 4,000 characters */
        assert_int_equal(bw_buf_add_str(&text, word), BW_OK);
    assert_int_equal(bw_buf_add_str(&text, "отмена"), BW_OK);
    for (int i = 0; i < 10; i++) {
        struct wf_pattern *pattern;

        (void)snprintf(source, sizeof source, "(заказ|бонус|доставка)%d|отмена$", i);
        assert_int_equal(wf_pattern_create(&pattern, source, false), BW_OK);
        if (!wf_pattern_matches(pattern, bw_buf_text(&text), &budget))
            fail_msg("%d: %lld steps left", i, (long long)budget.left);
        wf_pattern_destroy(&pattern);
    }
    wf_pattern_budget_fini(&budget);
    bw_buf_fini(&text);
}

static void test_node_types(void **state)
{
    (void)state;
    assert_string_equal(wf_node_type_resolve("start"), "trigger.command");
    assert_string_equal(wf_node_type_resolve("x"), "x");
    assert_true(wf_node_type_known("message"));
    assert_true(wf_node_type_known("flow.condition"));
    assert_true(wf_node_type_known("action.partner_menu"));
    assert_false(wf_node_type_known(""));
    assert_false(wf_node_type_known("text"));
}

static void test_reads_customer(void **state)
{
    static const struct {
        const char *text;
        bool reads;
    } cases[] = {
        { "Hello {user.firstName}", true },
        { "{{user.balance}}", true },
        { "user.balance", true },
        { "{{ user }}", true },
        { "{transactions.formatted}", true },
        { "{{telegram.userId}}", false },
        { "{{telegramUser.id}}", false },
        { "{{context.user}}", false },
        { "users", false },
        { "{username}", false },
        { "isEmpty(user[\\'x\\'])", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bw_buf nodes = BW_BUF_INIT;
        struct wf_graph *graph;

        assert_int_equal(bw_buf_addf(&nodes,
                                     "[{'id': 'n', 'type': 'message', 'data': {'config':"
                                     "{'message': {'rows': [{'text': '%s'}]}}}}]",
                                     cases[i].text),
                         BW_OK);
        graph = graph_of(bw_buf_text(&nodes), NULL, "n");
        if (graph->reads_customer != cases[i].reads)
            fail_msg("%s", cases[i].text);
        bw_buf_fini(&nodes);
        wf_graph_unref(&graph);
    }
}

/* What each node speaks of, wherever in its texts. */
static void test_node_names(void **state)
{
    static const struct {
        const char *data;
        bool customer, placeholder, code;
    } cases[] = {
        { "'label': 'Hello'", false, false, false },
        { "'config': {'rows': [{'text': 'Hello {user.firstName}'}]}", true, true, false },
        { "'config': {'path': 'user'}", true, false, false },
        { "'config': {'text': '{{telegram.user}} users telegramUser userId'}", false,
          true, false },
        { "'config': {'text': '{transactions.formatted}'}", true, true, false },
        { "'extra': ['{user.hasReferralCode}']", true, true, true },
        { "'config': {'text': '{{referralLinkShort}}'}", false, true, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bw_buf nodes = BW_BUF_INIT;
        struct wf_graph *graph;

        assert_int_equal(bw_buf_addf(&nodes, "[{'id': 'n', 'type': 'x', 'data': {%s}}]",
                                     cases[i].data),
                         BW_OK);
        graph = graph_of(bw_buf_text(&nodes), NULL, "n");
        if (graph->entry->names_customer != cases[i].customer ||
            graph->entry->has_placeholder != cases[i].placeholder ||
            graph->entry->names_code != cases[i].code)
            fail_msg("%s", cases[i].data);
        bw_buf_fini(&nodes);
        wf_graph_unref(&graph);
    }
}

#define CONFIG(text) "'data': {'config': {" text "}}}"

/* One node by itself: does a run that ends with it need no stored variable? */
static void test_plain_nodes(void **state)
{
    static const struct {
        const char *type, *config;
        bool plain;
    } cases[] = {
        { "message", "'text': 'Hello'", true },
        { "message", "'text': 'Hello {user.firstName} {{telegram.chat[0].id}}'", true },
        { "message", "'text': '{{ project.name }} {first_name} {not a name}'", true },
        { "message", "'text': '{{score}}'", false },
        { "message", "'text': '{score}'", false },
        { "message", "'text': '{{user.name | upper}}'", false },
        { "message", "'text': '{{users}}'", false },
        { "message", "'text': '{{user'", false },
        { "message", "'rows': [{'text': ['{{score}}']}]", false },
        { "message.keyboard.inline", "'text': 'x'", true },
        { "message.photo", "'text': 'x'", false },
        { "trigger.message", "'pattern': '.*'", true },
        { "action.set_variable", "'name': 'x', 'value': 1", true },
        { "action.set_variable", "'name': 'x', 'scope': 'session'", true },
        { "action.set_variable", "'name': 'x', 'scope': 'user'", false },
        { "action.get_variable", "'name': 'x'", false },
        { "condition", "'variable': 'user.balance', 'operator': 'greater'", true },
        { "condition", "'variable': '', 'leftOperand': '{{user.balance}}'", true },
        { "condition", "'variable': 'score'", false },
        { "condition", "'variable': 'user.balance', 'expression': 'true'", false },
        { "flow.switch", "'operator': 'x'", false },
        { "flow.end", "", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bw_buf nodes = BW_BUF_INIT;
        struct wf_graph *graph;

        assert_int_equal(bw_buf_addf(&nodes,
                                     "[{'id': 'n', 'type': '%s', " CONFIG("%s") "]",
                                     cases[i].type, cases[i].config),
                         BW_OK);
        graph = graph_of(bw_buf_text(&nodes), NULL, "n");
        if (graph->entry->starts_plain != cases[i].plain)
            fail_msg("%s: %s", cases[i].type, cases[i].config);
        bw_buf_fini(&nodes);
        wf_graph_unref(&graph);
    }
}

static bool starts_plain(const struct wf_graph *graph, const char *id)
{
    return wf_graph_find(graph, id)->starts_plain;
}

/* a → b → c ⟲ and d read nothing, x does; s goes to x by a case; w waits before x. */
static void test_plain_ways(void **state)
{
    static const char nodes[] =
        "[{'id': 'a', 'type': 'trigger.command'}, {'id': 'b', 'type': 'message'},"
        " {'id': 'c', 'type': 'message'}, {'id': 'd', 'type': 'trigger.message'},"
        " {'id': 's', 'type': 'flow.switch', " CONFIG(
            "'variable': 'user.id', 'cases':"
            "   [{'gotoNode': 'nobody'}, {'gotoNode': 'x'}]") ","
                                                              " {'id': 'w', 'type': "
                                                              "'message', " CONFIG(
                                                                  "'waitForInput': "
                                                                  "true") ","
                                                                          " {'id': "
                                                                          "'x', "
                                                                          "'type': "
                                                                          "'message',"
                                                                          " " CONFIG(
                                                                              "'text'"
                                                                              ": "
                                                                              "'{{"
                                                                              "score}"
                                                                              "}'") "]";
    static const char edges[] = "[{'source': 'a', 'target': 'b'},"
                                " {'source': 'b', 'target': 'c'},"
                                " {'source': 'c', 'target': 'b'},"
                                " {'source': 'd', 'target': 'c'},"
                                " {'source': 'd', 'target': 'missing'},"
                                " {'source': 'w', 'target': 'x'}";
    static const char before[] = ", {'source': 'c', 'target': 's'}]";
    struct bw_buf more = BW_BUF_INIT;
    struct wf_graph *graph;

    (void)state;
    assert_int_equal(bw_buf_addf(&more, "%s]", edges), BW_OK);
    graph = graph_of(nodes, bw_buf_text(&more), "a");
    assert_true(starts_plain(graph, "a"));
    assert_true(starts_plain(graph, "c"));
    assert_true(starts_plain(graph, "d"));
    assert_false(starts_plain(graph, "s"));
    assert_true(starts_plain(graph, "w"));
    assert_false(starts_plain(graph, "x"));
    wf_graph_unref(&graph);
    bw_buf_fini(&more);
    assert_int_equal(bw_buf_addf(&more, "%s%s", edges, before), BW_OK);
    graph = graph_of(nodes, bw_buf_text(&more), "a");
    assert_false(starts_plain(graph, "a"));
    assert_false(starts_plain(graph, "b"));
    assert_false(starts_plain(graph, "c"));
    assert_false(starts_plain(graph, "d"));
    assert_true(starts_plain(graph, "w"));
    wf_graph_unref(&graph);
    bw_buf_fini(&more);
}

/* A node that fails sends the run where the settings say. */
static void test_plain_settings(void **state)
{
    static const struct {
        const char *settings;
        bool plain;
    } cases[] = {
        { NULL, true },
        { "{\"errorHandling\": {\"action\": \"stop\"}}", true },
        { "{\"errorHandling\": {\"action\": \"goto_node\"}}", false },
        { "{\"errorHandling\": {\"message\": \"{{score}}\"}}", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wf_graph_source source = { .nodes =
                                              "[{\"id\": \"n\", \"type\": \"flow.end\"}]",
                                          .entry_node_id = "n",
                                          .settings = cases[i].settings };
        struct wf_graph *graph;

        assert_int_equal(wf_graph_create(&graph, &source, NULL), BW_OK);
        assert_int_equal(graph->entry->starts_plain, cases[i].plain);
        wf_graph_unref(&graph);
    }
}

static void test_variables_and_settings(void **state)
{
    struct wf_graph_source source = { .nodes = "[]",
                                      .variables = "[{\"name\":\"x\"}]",
                                      .settings = "{\"timeout\":5}" };
    struct wf_graph *graph, *shared;

    (void)state;
    assert_int_equal(wf_graph_create(&graph, &source, NULL), BW_OK);
    assert_int_equal(json_array_size(graph->variables), 1);
    assert_int_equal(json_integer_value(json_object_get(graph->settings, "timeout")), 5);
    shared = wf_graph_ref(graph);
    wf_graph_unref(&graph);
    assert_int_equal(json_array_size(shared->variables), 1);
    wf_graph_unref(&shared);
    source.variables = "{}";
    source.settings = "null";
    assert_int_equal(wf_graph_create(&graph, &source, NULL), BW_OK);
    assert_null(graph->variables);
    assert_null(graph->settings);
    wf_graph_unref(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_lenient),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_other_edges),
        cmocka_unit_test(test_text_triggers),
        cmocka_unit_test(test_other_triggers),
        cmocka_unit_test(test_entry),
        cmocka_unit_test(test_callback_triggers),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_pattern_limits),
        cmocka_unit_test(test_pattern_budget),
        cmocka_unit_test(test_many_patterns),
        cmocka_unit_test(test_node_types),
        cmocka_unit_test(test_reads_customer),
        cmocka_unit_test(test_node_names),
        cmocka_unit_test(test_plain_nodes),
        cmocka_unit_test(test_plain_ways),
        cmocka_unit_test(test_plain_settings),
        cmocka_unit_test(test_variables_and_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
