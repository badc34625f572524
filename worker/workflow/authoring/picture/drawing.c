#include "workflow/authoring/picture/drawing.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/dry/dry.h"
#include "workflow/authoring/leads.h"
#include "workflow/base/mem.h"
#include "workflow/language/template.h"
#include "workflow/language/value.h"

/* --- the path: "from\nto\nbranch" → true */

static char *step_key(const char *from, const char *to, const char *branch)
{
    return wf_printf("%s\n%s\n%s", from, to, branch != NULL ? branch : "");
}

/* Steps follow each other within an execution, over several jobs too. */
static void add_step(struct wf_drawing *drawing, json_t *taken, json_t *last,
                     const json_t *step)
{
    const char *execution = wf_member(step, "execution", "");
    const char *id = wf_member(step, "node_id", "");
    const struct wf_node *node = wf_graph_find(drawing->graph, id);
    const json_t *before = json_object_get(last, execution);
    bool again = before != NULL && json_equal(json_object_get(before, "step"),
                                              json_object_get(step, "step"));

    if (node == NULL || again ||
        strcmp(wf_member(step, "workflow", ""), DRY_WORKFLOW) != 0)
        return; /* a sub-workflow's, or a second row of the same step */
    drawing->visited[node - drawing->graph->nodes] = true;
    if (before != NULL) {
        char *key = step_key(wf_member(before, "node_id", ""), id,
                             wf_member(before, "branch_key", NULL));

        wf_json_set(taken, key, json_true());
        free(key);
    }
    wf_json_set(last, execution, json_incref((json_t *)(uintptr_t)step));
}

/* New reference. */
static json_t *find_path(struct wf_drawing *drawing, const json_t *trace)
{
    json_t *taken = wf_must(json_object()), *last = wf_must(json_object()), *job, *step;
    size_t i, j;

    json_array_foreach((json_t *)(uintptr_t)trace, i, job)
    {
        json_array_foreach(json_object_get(job, "steps"), j, step)
        {
            add_step(drawing, taken, last, step);
        }
    }
    json_decref(last);
    return taken;
}

/* Whether a step went from one node to the other; by an edge with a handle only where the
 * step has taken that branch, or none is known. Takes it out of the path. */
static bool take(json_t *taken, const char *from, const char *to, const char *handle)
{
    char *begin = wf_printf("%s\n%s\n", from, to);
    size_t len = strlen(begin);
    const char *key;
    json_t *value;
    void *next;
    bool yes = false;

    json_object_foreach_safe(taken, next, key, value)
    {
        bool own = strncmp(key, begin, len) == 0 &&
                   (handle == NULL || key[len] == '\0' || strcmp(key + len, handle) == 0);

        yes = yes || own;
        if (own)
            wf_json_set(taken, key, NULL);
    }
    free(begin);
    return yes;
}

/* --- lines */

static void add_line(struct wf_drawing *drawing, struct wf_line line)
{
    if (drawing->count == drawing->room) {
        size_t room = drawing->room * 2 + 32;
        struct wf_line *lines = reallocarray(drawing->lines, room, sizeof(*lines));

        wf_check(lines != NULL ? BW_OK : BW_ENOMEM);
        drawing->lines = lines;
        drawing->room = room;
    }
    drawing->lines[drawing->count++] = line;
}

/* New: what stands at an edge; a case is shown by its value. NULL: nothing. */
static char *label_of(const struct wf_node *node, const char *handle)
{
    const json_t *item = NULL, *value;
    struct bw_buf out = BW_BUF_INIT;
    size_t index;

    if (handle != NULL && sscanf(handle, "case_%4zu", &index) == 1)
        item = json_array_get(json_object_get(node->config, "cases"), index);
    value = json_object_get(item, "value");
    if (value == NULL)
        return wf_strdup(handle);
    wf_check(wf_value_text(value, &out));
    return out.len > 0 ? bw_buf_take(&out) : wf_strdup(handle);
}

static void add_edges(struct wf_drawing *drawing, json_t *taken)
{
    const struct wf_graph *graph = drawing->graph;

    for (size_t i = 0; i < graph->node_count; i++) {
        const struct wf_node *node = &graph->nodes[i];

        for (size_t j = 0; j < node->edge_count; j++) {
            const struct wf_edge *edge = &node->edges[j];

            if (edge->target != SIZE_MAX)
                add_line(drawing,
                         (struct wf_line){
                             i, edge->target, label_of(node, edge->handle), false,
                             take(taken, node->id, edge->target_id, edge->handle) });
        }
    }
}

struct leads {
    struct wf_drawing *drawing;
    json_t *taken;
    size_t from;
};

static void add_lead(void *arg, size_t to)
{
    const struct leads *leads = arg;
    struct wf_drawing *drawing = leads->drawing;
    const struct wf_node *nodes = drawing->graph->nodes;

    for (size_t i = 0; i < drawing->count; i++) {
        if (drawing->lines[i].from == leads->from && drawing->lines[i].to == to)
            return;
    }
    add_line(drawing, (struct wf_line){ leads->from, to, NULL, true,
                                        take(leads->taken, nodes[leads->from].id,
                                             nodes[to].id, NULL) });
}

/* Where a run can go without an edge, and where it did. */
static void add_jumps(struct wf_drawing *drawing, json_t *taken)
{
    const struct wf_graph *graph = drawing->graph;
    struct leads leads = { drawing, taken, 0 };
    const char *key;
    json_t *value;
    void *next;

    for (; leads.from < graph->node_count; leads.from++)
        wf_leads_each(graph, &graph->nodes[leads.from], add_lead, &leads);
    json_object_foreach_safe(taken, next, key, value)
    {
        const char *to = strchr(key, '\n') + 1;
        char *from_id = wf_printf("%.*s", (int)(to - key - 1), key);
        char *to_id = wf_printf("%.*s", (int)strcspn(to, "\n"), to);
        const struct wf_node *a = wf_graph_find(graph, from_id);
        const struct wf_node *b = wf_graph_find(graph, to_id);

        if (a != NULL && b != NULL)
            add_line(drawing,
                     (struct wf_line){ (size_t)(a - graph->nodes),
                                       (size_t)(b - graph->nodes), NULL, true, true });
        free(from_id);
        free(to_id);
    }
}

void wf_drawing_init(struct wf_drawing *drawing, const struct wf_graph *graph,
                     const json_t *trace)
{
    json_t *taken;

    *drawing = (struct wf_drawing){ .graph = graph };
    drawing->visited = wf_alloc((graph->node_count + 1) * sizeof(*drawing->visited));
    taken = find_path(drawing, trace);
    add_edges(drawing, taken);
    add_jumps(drawing, taken);
    json_decref(taken);
}

void wf_drawing_fini(struct wf_drawing *drawing)
{
    for (size_t i = 0; i < drawing->count; i++)
        free(drawing->lines[i].label);
    free(drawing->lines);
    free(drawing->visited);
    *drawing = (struct wf_drawing){ 0 };
}
