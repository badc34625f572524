/* Places for the nodes of a drawing: in layers, below whatever leads to them. A line
 * that passes a layer has a place of its own there, between the boxes, so that no line
 * runs behind one. Pure but for memory; one thread. */
#ifndef WORKFLOW_AUTHORING_LAYOUT_H
#define WORKFLOW_AUTHORING_LAYOUT_H

#include "workflow/authoring/picture/drawing.h"

struct wf_place {
    size_t layer;
    size_t rank;  /* within its layer, from the left */
    double x;     /* of its middle, in pixels from the left */
    double width; /* of what lies there */
};

struct wf_passage { /* of a line: the places it passes, from its beginning to its end */
    size_t first, count;
    bool up; /* it leaves by the bottom all the same, and comes back beside */
};

struct wf_layout {
    struct wf_place *places; /* the nodes', then those of passing lines */
    size_t count, room;
    struct wf_passage *passages; /* by line */
    size_t layers;
    double width;
};

/* `box`, `lane`: widths of a node and of a passing line, with the space beside them. */
void wf_layout_init(struct wf_layout *layout, const struct wf_drawing *drawing,
                    double box, double lane);
void wf_layout_fini(struct wf_layout *layout);

#endif
