#include "workflow/language/graph/trigger.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "workflow/language/graph/store.h"
#include "workflow/language/text.h"

static bool is_type(const struct wf_node *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

static const char *config_text(const struct wf_node *node, const char *key,
                               const char *other)
{
    const char *text = json_string_value(json_object_get(node->config, key));

    if (text == NULL || (text[0] == '\0' && other != NULL))
        text = other != NULL ? json_string_value(json_object_get(node->config, other))
                             : NULL;
    return text != NULL ? text : "";
}

static bool match_type_is(const struct wf_node *node, const char *type)
{
    return strcmp(config_text(node, "matchType", NULL), type) == 0;
}

static const struct wf_node *first_of_type(const struct wf_graph *graph, const char *type)
{
    for (size_t i = 0; i < graph->node_count; i++)
        if (is_type(&graph->nodes[i], type))
            return &graph->nodes[i];
    return NULL;
}

/* ---- patterns ---- */

static const char *callback_pattern(const struct wf_node *node)
{
    return config_text(node, "callbackData", "data");
}

static bool matches_everything(const char *pattern)
{
    return pattern[0] == '\0' || strcmp(pattern, ".*") == 0;
}

static int compile_one(const struct wf_node *node, struct wf_pattern **out)
{
    bool case_sensitive = json_is_true(json_object_get(node->config, "caseSensitive"));

    *out = NULL;
    if (is_type(node, "trigger.message") && !match_type_is(node, "exact") &&
        !match_type_is(node, "contains"))
        return wf_pattern_create(out, config_text(node, "pattern", NULL), case_sensitive);
    if (is_type(node, "trigger.callback") && match_type_is(node, "regex"))
        return wf_pattern_create(out, callback_pattern(node), true);
    return BW_OK;
}

int wf_graph_compile_triggers(struct wf_graph_store *store)
{
    int rc = BW_OK;

    store->patterns = calloc(store->node_count + 1, sizeof(struct wf_pattern *));
    if (store->patterns == NULL)
        return BW_ENOMEM;
    for (size_t i = 0; rc == BW_OK && i < store->node_count; i++)
        rc = compile_one(&store->nodes[i], &store->patterns[i]);
    return rc;
}

static struct wf_pattern *pattern_of(const struct wf_graph *graph,
                                     const struct wf_node *node)
{
    BW_ASSERT(node >= graph->nodes && node < graph->nodes + graph->node_count);
    return graph->store->patterns[node - graph->nodes];
}

/* ---- rows 2 and 3: callbacks ---- */

static bool callback_equals(const struct wf_node *node, const char *data)
{
    const char *pattern = callback_pattern(node);

    return pattern[0] != '\0' && !match_type_is(node, "regex") &&
           strcmp(pattern, data) == 0;
}

static bool has_prefix(const char *text, const char *prefix, size_t len)
{
    return strncmp(text, prefix, len) == 0;
}

static bool callback_begins(const struct wf_graph *graph, const struct wf_node *node,
                            const struct wf_event *event)
{
    const char *data = event->callback_data;
    const char *pattern = callback_pattern(node);
    size_t len = strlen(pattern);

    if (len == 0 || match_type_is(node, "exact"))
        return false;
    if (match_type_is(node, "regex"))
        return wf_pattern_matches(pattern_of(graph, node), data, event->patterns);
    if (match_type_is(node, "starts_with"))
        return has_prefix(data, pattern, len);
    if (pattern[len - 1] == '*')
        return has_prefix(data, pattern, len - 1);
    return has_prefix(data, pattern, len) && data[len] == ':';
}

static const struct wf_node *goto_node(const struct wf_graph *graph, const char *id)
{
    size_t index = wf_graph_index(graph->store, id);

    return index != SIZE_MAX ? &graph->nodes[index] : NULL;
}

/* An exact match anywhere in the list beats a prefix before it (WF-022). */
const struct wf_node *wf_graph_callback_trigger(const struct wf_graph *graph,
                                                const struct wf_event *event)
{
    const char *data = event->callback_data;
    const struct wf_node *begins = NULL;

    if (event->kind != WF_EVENT_CALLBACK || data == NULL)
        return NULL;
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct wf_node *node = &graph->nodes[i];

        if (!is_type(node, "trigger.callback"))
            continue;
        if (callback_equals(node, data))
            return node;
        if (begins == NULL && callback_begins(graph, node, event))
            begins = node;
    }
    if (begins == NULL && has_prefix(data, "goto:", strlen("goto:")))
        return goto_node(graph, data + strlen("goto:"));
    return begins;
}

/* ---- rows 4 and 5: commands ---- */

static const struct wf_node *find_command(const struct wf_graph *graph,
                                          const char *command)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct wf_node *node = &graph->nodes[i];
        struct wf_text wanted;

        if (!is_type(node, "trigger.command"))
            continue;
        wanted = wf_text_trim(wf_text_of(config_text(node, "command", NULL)));
        if (wanted.len > 0 && wanted.data[0] == '/')
            wanted = (struct wf_text){ wanted.data + 1, wanted.len - 1 };
        if (wanted.len > 0 && wf_text_equal_nocase(wanted, wf_text_of(command + 1)))
            return node;
    }
    return NULL;
}

/* ---- row 6: message patterns ---- */

static bool message_matches(const struct wf_graph *graph, const struct wf_node *node,
                            const struct wf_event *event)
{
    const char *text = event->text;
    const char *pattern = config_text(node, "pattern", NULL);
    bool nocase = !json_is_true(json_object_get(node->config, "caseSensitive"));

    if (matches_everything(pattern))
        return true;
    if (text == NULL)
        return false;
    if (match_type_is(node, "exact"))
        return nocase ? wf_text_equal_nocase(wf_text_of(text), wf_text_of(pattern))
                      : strcmp(text, pattern) == 0;
    if (match_type_is(node, "contains"))
        return wf_text_has(wf_text_of(text), wf_text_of(pattern), WF_TEXT_ANYWHERE,
                           nocase);
    return wf_pattern_matches(pattern_of(graph, node), text, event->patterns);
}

static const struct wf_node *find_message(const struct wf_graph *graph,
                                          const struct wf_event *event)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct wf_node *node = &graph->nodes[i];

        if (is_type(node, "trigger.message") && message_matches(graph, node, event))
            return node;
    }
    return NULL;
}

/* ---- the whole table ---- */

/* Rows 1 to 6. */
static const struct wf_node *find_chosen(const struct wf_graph *graph,
                                         const struct wf_event *event)
{
    const struct wf_node *node = NULL;

    if (event->kind == WF_EVENT_CALLBACK) {
        node = wf_graph_callback_trigger(graph, event);
        return node != NULL ? node : find_command(graph, "/start");
    }
    if (event->kind == WF_EVENT_OTHER && event->webhook != NULL)
        node = first_of_type(graph, "trigger.webhook");
    if (event->kind == WF_EVENT_CONTACT)
        node = first_of_type(graph, "trigger.contact");
    if (node == NULL && event->command != NULL)
        node = find_command(graph, event->command);
    if (node == NULL && event->kind != WF_EVENT_START)
        node = find_message(graph, event);
    return node;
}

const struct wf_node *wf_graph_trigger(const struct wf_graph *graph,
                                       const struct wf_event *event)
{
    const struct wf_node *node;

    if (event->overheard) /* talk in a group that is not for us */
        return NULL;
    node = find_chosen(graph, event);
    if (node != NULL)
        return node;
    node = graph->entry;
    if (node == NULL || is_type(node, "trigger.schedule") ||
        is_type(node, "trigger.webhook"))
        return NULL;
    return node;
}
