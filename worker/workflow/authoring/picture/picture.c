#include "workflow/authoring/picture/picture.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/picture/drawing.h"
#include "workflow/authoring/picture/layout.h"
#include "workflow/base/mem.h"
#include "workflow/language/template.h"

/* All in pixels. */
#define BOX_WIDTH   190
#define BOX_HEIGHT  42
#define SPACE       26 /* beside a box */
#define LANE        18 /* of a line that passes */
#define STEP_Y      124
#define MARGIN      40
#define BEND        50
#define TITLE_SHOWN 26 /* characters that fit into a box */
#define LABEL_SHOWN 18

struct picture {
    const struct wf_drawing *drawing;
    struct wf_layout layout;
    struct bw_buf *out;
};

/* --- places */

static double x_of(const struct picture *picture, size_t place)
{
    return MARGIN + picture->layout.places[place].x;
}

static double top_of(const struct picture *picture, size_t place)
{
    return MARGIN + (double)picture->layout.places[place].layer * STEP_Y;
}

/* Which of the lines at that end of the node this one is, from the left, and how many
 * there are: they share the side of the box. */
static double port_of(const struct picture *picture, size_t line, bool leaves)
{
    const struct wf_line *lines = picture->drawing->lines;
    size_t node = leaves ? lines[line].from : lines[line].to, count = 0, before = 0;

    for (size_t i = 0; i < picture->drawing->count; i++) {
        size_t other = leaves ? lines[i].to : lines[i].from;
        size_t own = leaves ? lines[line].to : lines[line].from;

        if ((leaves ? lines[i].from : lines[i].to) != node)
            continue;
        count++;
        before +=
            x_of(picture, other) < x_of(picture, own) || (other == own && i < line) ||
            (other != own && x_of(picture, other) <= x_of(picture, own) && i < line);
    }
    return x_of(picture, node) - BOX_WIDTH / 2.0 +
           BOX_WIDTH * ((double)before + 1) / ((double)count + 1);
}

/* --- text */

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

static void draw_text(struct bw_buf *out, const char *class, double x, double y,
                      const char *text, size_t characters)
{
    wf_check(bw_buf_addf(out, "<text class=\"%s\" x=\"%.0f\" y=\"%.0f\">", class, x, y));
    add_escaped(out, text, characters);
    wf_check(bw_buf_add_str(out, "</text>\n"));
}

static void draw_node(struct picture *picture, size_t index)
{
    const struct wf_node *node = &picture->drawing->graph->nodes[index];
    double x = x_of(picture, index), y = top_of(picture, index);

    wf_check(bw_buf_addf(picture->out,
                         "<rect class=\"node%s\" x=\"%.0f\" y=\"%.0f\" width=\"%d\" "
                         "height=\"%d\" rx=\"6\"/>\n",
                         picture->drawing->visited[index] ? " taken" : "",
                         x - BOX_WIDTH / 2.0, y, BOX_WIDTH, BOX_HEIGHT));
    draw_text(picture->out, "id", x, y + 17,
              node->label[0] != '\0' ? node->label : node->id, TITLE_SHOWN);
    draw_text(picture->out, "type", x, y + 33, node->type, TITLE_SHOWN);
}

/* --- lines: curves between the layers, straight beside their boxes */

/* A curve that stays between two layers: both ends reach into the space by as much. */
static void add_curve(struct bw_buf *out, double x1, double y1, double reach1, double x2,
                      double y2, double reach2)
{
    wf_check(bw_buf_addf(out, " C%.0f %.0f %.0f %.0f %.0f %.0f", x1, y1 + reach1, x2,
                         y2 + reach2, x2, y2));
}

static void draw_line(struct picture *picture, size_t index)
{
    const struct wf_line *line = &picture->drawing->lines[index];
    const struct wf_passage *passage = &picture->layout.passages[index];
    double x = port_of(picture, index, true);
    double y = top_of(picture, line->from) + BOX_HEIGHT;

    wf_check(bw_buf_addf(picture->out, "<path class=\"%s%s\" d=\"M%.0f %.0f",
                         line->jump ? "jump" : "edge", line->taken ? " taken" : "", x,
                         y));
    for (size_t i = 0; i < passage->count; i++) {
        size_t place = passage->first + i;
        double top = top_of(picture, place), bottom = top + BOX_HEIGHT;
        double in = passage->up ? bottom : top, end = passage->up ? top : bottom;
        bool turns = passage->up && i == 0;

        add_curve(picture->out, x, y, passage->up && !turns ? -BEND : BEND,
                  x_of(picture, place), in, passage->up ? BEND : -BEND);
        x = x_of(picture, place);
        y = end;
        wf_check(bw_buf_addf(picture->out, " L%.0f %.0f", x, y));
    }
    add_curve(picture->out, x, y, passage->up ? -BEND : BEND,
              port_of(picture, index, false), top_of(picture, line->to), -BEND);
    wf_check(bw_buf_add_str(picture->out, "\"/>\n"));
}

static void draw_label(struct picture *picture, size_t index)
{
    const struct wf_line *line = &picture->drawing->lines[index];

    if (line->label != NULL)
        draw_text(picture->out, "branch", port_of(picture, index, true),
                  top_of(picture, line->from) + BOX_HEIGHT + 16, line->label,
                  LABEL_SHOWN);
}

static void draw_all(struct picture *picture)
{
    const struct wf_drawing *drawing = picture->drawing;

    for (int taken = 0; taken < 2; taken++) { /* the path over the rest */
        for (size_t i = 0; i < drawing->count; i++) {
            if (drawing->lines[i].taken == (taken == 1))
                draw_line(picture, i);
        }
    }
    for (size_t i = 0; i < drawing->count; i++)
        draw_label(picture, i);
    for (size_t i = 0; i < drawing->graph->node_count; i++)
        draw_node(picture, i);
}

void wf_picture(const struct wf_graph *graph, const json_t *trace, struct bw_buf *out)
{
    struct wf_drawing drawing;
    struct picture picture = { .drawing = &drawing, .out = out };

    wf_drawing_init(&drawing, graph, trace);
    wf_layout_init(&picture.layout, &drawing, BOX_WIDTH + SPACE, LANE);
    wf_check(bw_buf_addf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%zu\">\n"
        "<style>text{font:12px sans-serif;text-anchor:middle}.type,.branch{fill:#667;"
        "font-size:10px}.branch{paint-order:stroke;stroke:#fff;stroke-width:3px}"
        ".node{fill:#f6f7fa;stroke:#99a}.edge,.jump{fill:none;"
        "stroke:#99a;marker-end:url(#tip)}.jump{stroke-dasharray:5 4}.taken{"
        "stroke:#0a7d3c;stroke-width:2.5}rect.taken{fill:#e3f6ea}</style>\n"
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
        "markerWidth=\"7\" markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" "
        "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#667\"/></marker></defs>\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
        2.0 * MARGIN + picture.layout.width,
        2 * (size_t)MARGIN + picture.layout.layers * STEP_Y));
    draw_all(&picture);
    wf_check(bw_buf_add_str(out, "</svg>\n"));
    wf_layout_fini(&picture.layout);
    wf_drawing_fini(&drawing);
}
