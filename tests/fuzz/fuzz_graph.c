/* A stored workflow: nodes, a 0xff byte, connections. Each node is asked all that a run
 * asks. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/language/graph.h"
#include "workflow/language/graph/trigger.h"
#include "workflow/language/keyboard.h"

static const json_t *no_root(void *arg, const char *name, const char *variables)
{
    (void)arg, (void)name, (void)variables; /* an empty scope */
    return NULL;
}

static void ask(const struct wf_graph *graph, struct wf_event *event,
                enum wf_event_kind kind)
{
    event->kind = kind;
    (void)wf_graph_trigger(graph, event); /* any answer is right */
}

static void visit(const struct wf_graph *graph)
{
    char text[] = "/start hello", command[] = "/start", data[] = "goto:a";
    struct wf_event event = { .text = text, .command = command, .callback_data = data };
    struct wf_scope scope = { .root = no_root };

    for (int kind = WF_EVENT_START; kind <= WF_EVENT_OTHER; kind++)
        ask(graph, &event, (enum wf_event_kind)kind);
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct wf_node *node = &graph->nodes[i];
        json_t *markup;

        (void)wf_node_edge(node, "true", true); /* any answer is right */
        if (wf_graph_find(graph, node->id) != node)
            abort();
        (void)wf_keyboard_wait(node);
        if (wf_keyboard_node_markup(&scope, node, &markup, NULL) == BW_OK)
            json_decref(markup);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *split = size > 0 ? memchr(data, 0xff, size) : NULL;
    size_t first = split != NULL ? (size_t)(split - data) : size;
    char *nodes = strndup((const char *)data, first);
    char *edges =
        split != NULL ? strndup((const char *)split + 1, size - first - 1) : NULL;
    struct wf_graph_source source = { .entry_node_id = "a",
                                      .nodes = nodes,
                                      .connections = edges };
    struct wf_graph *graph = NULL;

    if (nodes != NULL && wf_graph_create(&graph, &source, NULL) == BW_OK)
        visit(graph);
    wf_graph_unref(&graph);
    free(nodes);
    free(edges);
    return 0;
}
