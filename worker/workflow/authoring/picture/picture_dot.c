/* The picture as source for graphviz. */
#include <string.h>

#include "workflow/authoring/picture/drawing.h"
#include "workflow/authoring/picture/picture.h"
#include "workflow/base/mem.h"

#define GREY  "#9999aa"
#define GREEN "#0a7d3c"

/* A quoted text; "&" would begin an entity. */
static void add_quoted(struct bw_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            wf_check(bw_buf_addf(out, "\\%c", *text));
        else if (*text == '&')
            wf_check(bw_buf_add_str(out, "&amp;"));
        else
            wf_check(bw_buf_add_char(out, (unsigned char)*text < 0x20 ? ' ' : *text));
    }
}

static void add_node(struct bw_buf *out, const struct wf_drawing *drawing, size_t index)
{
    const struct wf_node *node = &drawing->graph->nodes[index];
    bool taken = drawing->visited[index];

    wf_check(bw_buf_addf(out, "  n%zu [label=\"", index));
    add_quoted(out, node->label[0] != '\0' ? node->label : node->id);
    wf_check(bw_buf_add_str(out, "\\n"));
    add_quoted(out, node->type);
    wf_check(bw_buf_addf(out, "\", tooltip=\""));
    add_quoted(out, node->id);
    wf_check(bw_buf_addf(out, "\"%s];\n",
                         taken ? ", class=\"taken\", color=\"" GREEN
                                 "\", fillcolor=\"#e3f6ea\", penwidth=2"
                               : ""));
}

static void add_line(struct bw_buf *out, const struct wf_line *line)
{
    wf_check(bw_buf_addf(out, "  n%zu -> n%zu [label=\"", line->from, line->to));
    add_quoted(out, line->label != NULL ? line->label : "");
    wf_check(bw_buf_addf(
        out, "\"%s%s];\n", line->jump ? ", style=dashed" : "",
        line->taken ? ", class=\"taken\", color=\"" GREEN "\", penwidth=2" : ""));
}

void wf_picture_dot(const struct wf_graph *graph, const json_t *trace, struct bw_buf *out)
{
    struct wf_drawing drawing;

    wf_drawing_init(&drawing, graph, trace);
    wf_check(bw_buf_add_str(
        out, "digraph workflow {\n"
             "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f6f7fa\", "
             "color=\"" GREY "\", fontname=\"sans-serif\", fontsize=11];\n"
             "  edge [color=\"" GREY
             "\", fontname=\"sans-serif\", fontsize=9, fontcolor=\"#666677\"];\n"));
    for (size_t i = 0; i < graph->node_count; i++)
        add_node(out, &drawing, i);
    for (size_t i = 0; i < drawing.count; i++)
        add_line(out, &drawing.lines[i]);
    wf_check(bw_buf_add_str(out, "}\n"));
    wf_drawing_fini(&drawing);
}
