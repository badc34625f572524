/* What the templates of a workflow may name: what the engine gives, and what its nodes
 * set. worker/workflow/spec/workflow.md §6. One thread. */
#ifndef WORKFLOW_AUTHORING_NAMES_H
#define WORKFLOW_AUTHORING_NAMES_H

#include <stdbool.h>

#include <jansson.h>

#include "workflow/language/graph.h"
#include "workflow/language/text.h"

struct wf_names {
    /* name → what it is: an object has these members and no others, but with "*" also
     * others; anything else may have any */
    json_t *roots;
    json_t *flat; /* name → true: what `{name}` knows */
};

/* `workflow` as it is stored; `graph` made of it. */
void wf_names_init(struct wf_names *names, const json_t *workflow,
                   const struct wf_graph *graph);
void wf_names_fini(struct wf_names *names);

/* Whether something sets what the path names, some time. */
bool wf_names_know(const struct wf_names *names, struct wf_text path);

/* New reference: the words of "a|b|c" as an array. */
json_t *wf_words(const char *list);
/* Borrowed: the nearest of the words of an array, or of the members of an object. `slip`:
 * only what a slip of the finger makes of it; of an object's, `item2` is no slip of
 * `item1`, nor `items` of `item`. NULL: none. */
const char *wf_names_near(const char *word, const json_t *words, bool slip);

#endif
