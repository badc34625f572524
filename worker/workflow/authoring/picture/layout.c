#include "workflow/authoring/picture/layout.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

#define SWEEPS 8 /* over all layers, to untangle them */

struct making {
    struct wf_layout *layout;
    const struct wf_drawing *drawing;
    double box, lane;
    size_t **rows; /* by layer: its places, from the left */
    size_t *counts;
};

/* --- layers: as far down as the longest way there, ways back left out */

struct walk { /* depth first */
    const struct wf_drawing *drawing;
    enum { NEW, OPEN, DONE } * state; /* by node */
    bool *back;                       /* by line: it leads to where the walk came from, or
                                         does not count */
    size_t *stack, *next;             /* open nodes; by node: the line to look at next */
    size_t *done;                     /* nodes in the order they were left */
    size_t depth, count;
};

/* Jumps only where no edge leads: else they are but shown. */
static bool counts(const struct wf_drawing *drawing, const struct wf_line *line)
{
    for (size_t i = 0; line->jump && i < drawing->count; i++) {
        if (drawing->lines[i].to == line->to && !drawing->lines[i].jump)
            return false;
    }
    return true;
}

static void walk_from(struct walk *walk, size_t node)
{
    if (walk->state[node] != NEW)
        return;
    walk->state[node] = OPEN;
    walk->stack[walk->depth++] = node;
    while (walk->depth > 0) {
        size_t top = walk->stack[walk->depth - 1], i = walk->next[top]++;
        const struct wf_line *line = &walk->drawing->lines[i];

        if (i >= walk->drawing->count) {
            walk->state[top] = DONE;
            walk->done[walk->count++] = top;
            walk->depth--;
        } else if (line->from != top || walk->back[i]) {
            continue;
        } else if (walk->state[line->to] == OPEN) {
            walk->back[i] = true;
        } else if (walk->state[line->to] == NEW) {
            walk->state[line->to] = OPEN;
            walk->stack[walk->depth++] = line->to;
        }
    }
}

/* What a person begins with comes first: ways back are those that lead up to it. */
static void walk_all(struct walk *walk)
{
    static const char *const begins[] = { "trigger.command", "trigger.", "" };
    const struct wf_graph *graph = walk->drawing->graph;

    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        for (size_t node = 0; node < graph->node_count; node++) {
            if (strncmp(graph->nodes[node].type, begins[i], strlen(begins[i])) == 0)
                walk_from(walk, node);
        }
    }
}

static void walk_init(struct walk *walk, const struct wf_drawing *drawing)
{
    size_t nodes = drawing->graph->node_count + 1;

    *walk = (struct walk){ .drawing = drawing };
    walk->state = wf_alloc(nodes * sizeof(*walk->state));
    walk->stack = wf_alloc(nodes * sizeof(*walk->stack));
    walk->next = wf_alloc(nodes * sizeof(*walk->next));
    walk->done = wf_alloc(nodes * sizeof(*walk->done));
    walk->back = wf_alloc((drawing->count + 1) * sizeof(*walk->back));
    for (size_t i = 0; i < drawing->count; i++)
        walk->back[i] = !counts(drawing, &drawing->lines[i]);
}

static void walk_fini(struct walk *walk)
{
    free(walk->state);
    free(walk->stack);
    free(walk->next);
    free(walk->done);
    free(walk->back);
}

/* Above the nearest of what it leads to, if nothing leads to it. */
static void lift(struct making *making, const struct walk *walk, size_t node)
{
    struct wf_place *places = making->layout->places;
    size_t nearest = SIZE_MAX;

    for (size_t i = 0; i < making->drawing->count; i++) {
        const struct wf_line *line = &making->drawing->lines[i];

        if (line->to == node && !walk->back[i])
            return;
        if (line->from == node && !walk->back[i] && places[line->to].layer < nearest)
            nearest = places[line->to].layer;
    }
    if (nearest != SIZE_MAX && nearest > 0)
        places[node].layer = nearest - 1;
}

static void set_layers(struct making *making)
{
    struct wf_place *places = making->layout->places;
    size_t nodes = making->drawing->graph->node_count;
    struct walk walk;

    walk_init(&walk, making->drawing);
    walk_all(&walk);
    for (size_t left = walk.count; left-- > 0;) {
        for (size_t i = 0; i < making->drawing->count; i++) {
            const struct wf_line *line = &making->drawing->lines[i];

            if (line->from == walk.done[left] && !walk.back[i] &&
                places[line->to].layer <= places[line->from].layer)
                places[line->to].layer = places[line->from].layer + 1;
        }
    }
    for (size_t i = 0; i < nodes; i++) {
        lift(making, &walk, i);
        places[i].width = making->box;
        if (making->layout->layers <= places[i].layer)
            making->layout->layers = places[i].layer + 1;
    }
    walk_fini(&walk);
}

/* --- lines that pass layers */

static void add_lane(struct making *making, size_t layer)
{
    struct wf_layout *layout = making->layout;

    if (layout->count == layout->room) {
        size_t room = layout->room * 2 + 64;
        struct wf_place *places = reallocarray(layout->places, room, sizeof(*places));

        wf_check(places != NULL ? BW_OK : BW_ENOMEM);
        layout->places = places;
        layout->room = room;
    }
    layout->places[layout->count++] =
        (struct wf_place){ .layer = layer, .width = making->lane };
}

/* Down: the layers between; up, or across: all from the beginning to the end. */
static void add_lanes(struct making *making)
{
    struct wf_layout *layout = making->layout;

    for (size_t i = 0; i < making->drawing->count; i++) {
        size_t from = layout->places[making->drawing->lines[i].from].layer;
        size_t to = layout->places[making->drawing->lines[i].to].layer;
        struct wf_passage *passage = &layout->passages[i];

        passage->first = layout->count;
        passage->up = to <= from;
        if (passage->up) {
            for (size_t layer = from + 1; layer-- > to;)
                add_lane(making, layer);
        } else {
            for (size_t layer = from + 1; layer < to; layer++)
                add_lane(making, layer);
        }
        passage->count = layout->count - passage->first;
    }
}

/* --- order and place within the layers */

static void set_rows(struct making *making)
{
    struct wf_layout *layout = making->layout;

    making->rows = wf_alloc((layout->layers + 1) * sizeof(*making->rows));
    making->counts = wf_alloc((layout->layers + 1) * sizeof(*making->counts));
    for (size_t i = 0; i < layout->layers; i++)
        making->rows[i] = wf_alloc((layout->count + 1) * sizeof(**making->rows));
    for (size_t i = 0; i < layout->count; i++) {
        size_t layer = layout->places[i].layer;

        layout->places[i].rank = making->counts[layer];
        making->rows[layer][making->counts[layer]++] = i;
    }
}

/* Where they want to be, but none over its neighbour: pushed to the right from the left,
 * pushed to the left from the right, and in the middle of both, which fits, too. */
static void pack(struct making *making, size_t layer, const double *wanted)
{
    struct wf_place *places = making->layout->places;
    const size_t *row = making->rows[layer];
    size_t count = making->counts[layer];
    double *pushed = wf_alloc((count + 1) * sizeof(*pushed)), next = 0;

    for (size_t i = 0; i < count; i++) {
        double half = places[row[i]].width / 2;
        bool free_there = i == 0 || wanted[row[i]] > next + half;

        places[row[i]].rank = i;
        pushed[i] = free_there ? wanted[row[i]] : next + half;
        next = pushed[i] + half;
    }
    for (size_t i = count; i-- > 0;) {
        double half = places[row[i]].width / 2;
        bool free_there = i + 1 == count || wanted[row[i]] < next - half;
        double x = free_there ? wanted[row[i]] : next - half;

        next = x - half;
        places[row[i]].x = (pushed[i] + x) / 2;
    }
    free(pushed);
}

struct pull { /* by place: where its neighbours are */
    double *sum;
    size_t *count;
};

static void pull(const struct wf_place *places, struct pull *pull, size_t a, size_t b)
{
    pull->sum[a] += places[b].x;
    pull->count[a]++;
    pull->sum[b] += places[a].x;
    pull->count[b]++;
}

/* The neighbours along each line; a line that goes up stays near its beginning. */
static void pull_all(const struct making *making, struct pull *pulled)
{
    const struct wf_layout *layout = making->layout;

    for (size_t i = 0; i < making->drawing->count; i++) {
        const struct wf_passage *passage = &layout->passages[i];
        size_t before = making->drawing->lines[i].from;

        for (size_t j = 0; j < passage->count; j++) {
            pull(layout->places, pulled, before, passage->first + j);
            before = passage->first + j;
        }
        pull(layout->places, pulled, before, making->drawing->lines[i].to);
    }
}

/* Stable, by where they want to be. */
static void sort_row(struct making *making, size_t layer, const double *wanted)
{
    size_t *row = making->rows[layer];

    for (size_t i = 1; i < making->counts[layer]; i++) {
        size_t item = row[i], at = i;

        for (; at > 0 && wanted[row[at - 1]] > wanted[item]; at--)
            row[at] = row[at - 1];
        row[at] = item;
    }
}

static void sweep(struct making *making, bool sorts)
{
    struct wf_layout *layout = making->layout;
    double *wanted = wf_alloc((layout->count + 1) * sizeof(*wanted));
    struct pull pulled = { wf_alloc((layout->count + 1) * sizeof(double)),
                           wf_alloc((layout->count + 1) * sizeof(size_t)) };

    pull_all(making, &pulled);
    for (size_t i = 0; i < layout->count; i++)
        wanted[i] = pulled.count[i] > 0 ? pulled.sum[i] / (double)pulled.count[i]
                                        : layout->places[i].x;
    for (size_t layer = 0; layer < layout->layers; layer++) {
        if (sorts)
            sort_row(making, layer, wanted);
        pack(making, layer, wanted);
    }
    free(wanted);
    free(pulled.sum);
    free(pulled.count);
}

static void set_places(struct making *making)
{
    struct wf_layout *layout = making->layout;
    double left = 0, right = 0, *none = wf_alloc((layout->count + 1) * sizeof(*none));

    for (size_t layer = 0; layer < layout->layers; layer++)
        pack(making, layer, none);
    free(none);
    for (int i = 0; i < SWEEPS; i++)
        sweep(making, i + 2 < SWEEPS);
    for (size_t i = 0; i < layout->count; i++) {
        const struct wf_place *place = &layout->places[i];

        if (i == 0 || place->x - place->width / 2 < left)
            left = place->x - place->width / 2;
        if (i == 0 || place->x + place->width / 2 > right)
            right = place->x + place->width / 2;
    }
    for (size_t i = 0; i < layout->count; i++)
        layout->places[i].x -= left;
    layout->width = right - left;
}

void wf_layout_init(struct wf_layout *layout, const struct wf_drawing *drawing,
                    double box, double lane)
{
    struct making making = {
        .layout = layout, .drawing = drawing, .box = box, .lane = lane
    };

    *layout = (struct wf_layout){ .count = drawing->graph->node_count,
                                  .room = drawing->graph->node_count + 1 };
    layout->places = wf_alloc(layout->room * sizeof(*layout->places));
    layout->passages = wf_alloc((drawing->count + 1) * sizeof(*layout->passages));
    set_layers(&making);
    add_lanes(&making);
    set_rows(&making);
    set_places(&making);
    for (size_t i = 0; i < layout->layers; i++)
        free(making.rows[i]);
    free(making.rows);
    free(making.counts);
}

void wf_layout_fini(struct wf_layout *layout)
{
    free(layout->places);
    free(layout->passages);
    *layout = (struct wf_layout){ 0 };
}
