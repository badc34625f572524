/* What is wrong with a workflow, in the order it was found. Storage of the caller; a
 * zeroed struct is an empty list; one thread. */
#ifndef WORKFLOW_AUTHORING_PROBLEMS_H
#define WORKFLOW_AUTHORING_PROBLEMS_H

#include <stddef.h>

#include <jansson.h>

#include <bulwark/api.h>
#include <bulwark/buf.h>

struct wf_problem {
    char *node;  /* NULL: the workflow as a whole */
    char *field; /* a path such as `keyboard.buttons[0][1].text`; NULL: none */
    char *text;
};

struct wf_problems {
    struct wf_problem *items;
    size_t count, room;
};

void wf_problems_add(struct wf_problems *problems, const char *node, const char *field,
                     const char *format, ...) BW_PRINTF(4, 5);
void wf_problems_fini(struct wf_problems *problems);

/* Appends one line a problem: `node m1, text: …`, `node m1: …`, `workflow, nodes: …`. */
void wf_problems_text(const struct wf_problems *problems, struct bw_buf *out);
/* New reference: `[{"node": …, "field": …, "problem": …}]`, null where there is none. */
json_t *wf_problems_json(const struct wf_problems *problems);

#endif
