#include "workflow/authoring/picture.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/dry.h"
#include "workflow/authoring/leads.h"
#include "workflow/mem.h"
#include "workflow/template.h"

/* All in pixels. */
#define BOX_WIDTH   190
#define BOX_HEIGHT  42
#define STEP_X      230
#define STEP_Y      110
#define MARGIN      40
#define TITLE_SHOWN 26 /* characters that fit into a box */
#define BEND        60
#define NOT_PLACED  SIZE_MAX

struct place {
    size_t layer, column; /* layer NOT_PLACED: not yet */
};

struct picture {
    const struct wf_graph *graph;
    struct bw_buf *out;
    struct place *places; /* by node */
    size_t *order;        /* nodes in the order they were placed */
    size_t placed, layers, columns;
    size_t from;    /* the node whose lines are being looked at */
    json_t *visits; /* node id → true */
    json_t *taken;  /* "from\nto" → true, until its line is drawn */
};

/* --- layout */

static void put(struct picture *picture, size_t node, size_t layer)
{
    size_t column = 0;

    if (picture->places[node].layer != NOT_PLACED)
        return;
    for (size_t i = 0; i < picture->placed; i++)
        column += picture->places[picture->order[i]].layer == layer;
    picture->places[node] = (struct place){ layer, column };
    picture->order[picture->placed++] = node;
    if (picture->layers <= layer)
        picture->layers = layer + 1;
    if (picture->columns <= column)
        picture->columns = column + 1;
}

static void put_below(void *arg, size_t target)
{
    struct picture *picture = arg;

    put(picture, target, picture->places[picture->from].layer + 1);
}

/* Breadth first: whatever has been placed places what it leads to. */
static void spread(struct picture *picture, size_t *at)
{
    for (; *at < picture->placed; ++*at) {
        picture->from = picture->order[*at];
        wf_leads_each(picture->graph, &picture->graph->nodes[picture->from], put_below,
                      picture);
    }
}

static void lay_out(struct picture *picture)
{
    const struct wf_graph *graph = picture->graph;
    size_t at = 0;

    for (size_t i = 0; i < graph->node_count; i++)
        picture->places[i].layer = NOT_PLACED;
    for (size_t i = 0; i < graph->node_count; i++) {
        if (strncmp(graph->nodes[i].type, "trigger.", strlen("trigger.")) == 0)
            put(picture, i, 0);
    }
    spread(picture, &at);
    for (size_t i = 0; i < graph->node_count; i++) { /* what nothing leads to */
        put(picture, i, 0);
        spread(picture, &at);
    }
}

static size_t left_of(const struct picture *picture, size_t node)
{
    return MARGIN + picture->places[node].column * STEP_X;
}

static size_t top_of(const struct picture *picture, size_t node)
{
    return MARGIN + picture->places[node].layer * STEP_Y;
}

/* --- the path */

static char *line_key(const char *from, const char *to)
{
    return wf_printf("%s\n%s", from, to);
}

/* Steps follow each other within an execution, over several jobs too. */
static void add_step(struct picture *picture, json_t *last, const json_t *step)
{
    const char *execution = wf_member(step, "execution", "");
    const char *node = wf_member(step, "node_id", "");
    const json_t *before = json_object_get(last, execution);
    bool again = before != NULL && json_equal(json_object_get(before, "step"),
                                              json_object_get(step, "step"));

    if (strcmp(wf_member(step, "workflow", ""), DRY_WORKFLOW) != 0 || again)
        return; /* a sub-workflow's, or a second row of the same step */
    wf_json_set(picture->visits, node, json_true());
    if (before != NULL) {
        char *key = line_key(wf_member(before, "node_id", ""), node);

        wf_json_set(picture->taken, key, json_true());
        free(key);
    }
    wf_json_set(last, execution, json_incref((json_t *)(uintptr_t)step));
}

static void find_path(struct picture *picture, const json_t *trace)
{
    json_t *last = wf_must(json_object()), *job, *step;
    size_t i, j;

    json_array_foreach(trace, i, job)
    {
        json_array_foreach(json_object_get(job, "steps"), j, step)
        {
            add_step(picture, last, step);
        }
    }
    json_decref(last);
}

/* --- drawing */

static void add_escaped(struct bw_buf *out, const char *text, size_t characters)
{
    struct wf_text shown = wf_text_of(text);
    size_t at = 0;

    for (size_t i = 0; i < characters && at < shown.len; i++)
        (void)wf_text_next(shown, &at); /* only where it ends counts */
    wf_check(wf_escape_text((struct wf_text){ text, at }, WF_ESCAPE_HTML, out));
    if (at < shown.len)
        wf_check(bw_buf_add_str(out, "…"));
}

static void draw_text(struct bw_buf *out, const char *class, size_t x, size_t y,
                      const char *text)
{
    wf_check(bw_buf_addf(out, "<text class=\"%s\" x=\"%zu\" y=\"%zu\">", class, x, y));
    add_escaped(out, text, TITLE_SHOWN);
    wf_check(bw_buf_add_str(out, "</text>\n"));
}

static void draw_node(struct picture *picture, size_t index)
{
    const struct wf_node *node = &picture->graph->nodes[index];
    size_t x = left_of(picture, index), y = top_of(picture, index);
    bool visited = json_object_get(picture->visits, node->id) != NULL;

    wf_check(bw_buf_addf(picture->out,
                         "<rect class=\"node%s\" x=\"%zu\" y=\"%zu\" width=\"%d\" "
                         "height=\"%d\" rx=\"6\"/>\n",
                         visited ? " taken" : "", x, y, BOX_WIDTH, BOX_HEIGHT));
    draw_text(picture->out, "id", x + BOX_WIDTH / 2, y + 17,
              node->label[0] != '\0' ? node->label : node->id);
    draw_text(picture->out, "type", x + BOX_WIDTH / 2, y + 33, node->type);
}

/* From the bottom of one box to the top of another; a line that does not go down bends
 * out at the right. */
static void draw_line(struct picture *picture, size_t from, size_t to, const char *class,
                      const char *label)
{
    const struct wf_graph *graph = picture->graph;
    char *key = line_key(graph->nodes[from].id, graph->nodes[to].id);
    bool taken = json_object_get(picture->taken, key) != NULL;
    bool down = picture->places[to].layer > picture->places[from].layer;
    size_t x1 = left_of(picture, from) + (down ? BOX_WIDTH / 2 : BOX_WIDTH);
    size_t y1 = top_of(picture, from) + (down ? BOX_HEIGHT : BOX_HEIGHT / 2);
    size_t x2 = left_of(picture, to) + (down ? BOX_WIDTH / 2 : BOX_WIDTH);
    size_t y2 = top_of(picture, to) + (down ? 0 : BOX_HEIGHT / 2);
    size_t bend = down ? 0 : BEND, sag = down ? BEND / 2 : 0;

    wf_check(bw_buf_addf(
        picture->out, "<path class=\"%s%s\" d=\"M%zu %zu C%zu %zu %zu %zu %zu %zu\"/>\n",
        class, taken ? " taken" : "", x1, y1, x1 + bend, y1 + sag, x2 + bend, y2 - sag,
        x2, y2));
    if (label != NULL)
        draw_text(picture->out, "branch", (x1 + x2 + bend) / 2, (y1 + y2) / 2, label);
    free(key);
}

static void draw_edges(struct picture *picture, json_t *drawn)
{
    const struct wf_graph *graph = picture->graph;

    for (size_t i = 0; i < graph->node_count; i++) {
        const struct wf_node *node = &graph->nodes[i];

        for (size_t j = 0; j < node->edge_count; j++) {
            const struct wf_edge *edge = &node->edges[j];
            char *key = line_key(node->id, edge->target_id);

            if (edge->target != SIZE_MAX)
                draw_line(picture, i, edge->target, "edge", edge->handle);
            wf_json_set(drawn, key, json_true());
            free(key);
        }
    }
}

/* What was gone without an edge: jumps, buttons, the way back into a loop. */
static void draw_jumps(struct picture *picture, const json_t *drawn)
{
    const struct wf_graph *graph = picture->graph;
    const char *key;
    json_t *value;

    json_object_foreach(picture->taken, key, value)
    {
        const struct wf_node *from, *to = wf_graph_find(graph, strchr(key, '\n') + 1);
        char *id = wf_printf("%.*s", (int)strcspn(key, "\n"), key);

        from = wf_graph_find(graph, id);
        if (from != NULL && to != NULL && json_object_get(drawn, key) == NULL)
            draw_line(picture, (size_t)(from - graph->nodes), (size_t)(to - graph->nodes),
                      "jump", NULL);
        free(id);
    }
}

static void draw(struct picture *picture)
{
    json_t *drawn = wf_must(json_object());

    wf_check(bw_buf_addf(
        picture->out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\">\n"
        "<style>text{font:12px sans-serif;text-anchor:middle}.type,.branch{fill:#667;"
        "font-size:10px}.branch{paint-order:stroke;stroke:#fff;stroke-width:3px}"
        ".node{fill:#f6f7fa;stroke:#99a}.edge,.jump{fill:none;"
        "stroke:#99a;marker-end:url(#tip)}.jump{stroke-dasharray:5 4}.taken{"
        "stroke:#0a7d3c;stroke-width:2.5}rect.taken{fill:#e3f6ea}</style>\n"
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
        "markerWidth=\"7\" markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" "
        "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#667\"/></marker></defs>\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
        2 * (size_t)MARGIN + picture->columns * STEP_X,
        2 * (size_t)MARGIN + picture->layers * STEP_Y));
    draw_edges(picture, drawn);
    draw_jumps(picture, drawn);
    for (size_t i = 0; i < picture->graph->node_count; i++)
        draw_node(picture, i);
    wf_check(bw_buf_add_str(picture->out, "</svg>\n"));
    json_decref(drawn);
}

void wf_picture(const struct wf_graph *graph, const json_t *trace, struct bw_buf *out)
{
    struct picture picture = { .graph = graph, .out = out };

    picture.places = wf_alloc((graph->node_count + 1) * sizeof(*picture.places));
    picture.order = wf_alloc((graph->node_count + 1) * sizeof(*picture.order));
    picture.visits = wf_must(json_object());
    picture.taken = wf_must(json_object());
    lay_out(&picture);
    find_path(&picture, trace);
    draw(&picture);
    json_decref(picture.visits);
    json_decref(picture.taken);
    free(picture.places);
    free(picture.order);
}
