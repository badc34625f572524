/* A node that is looked at, and what is said of it. One thread. */
#ifndef WORKFLOW_AUTHORING_CHECK_SITE_H
#define WORKFLOW_AUTHORING_CHECK_SITE_H

#include <jansson.h>

#include "workflow/authoring/problems.h"
#include "workflow/language/graph.h"

struct wf_names;

struct wf_site {
    const struct wf_graph *graph;
    const struct wf_node *node;
    struct wf_problems *problems;
    const struct wf_names *names; /* what templates may name; NULL: not looked at */
};

void wf_site_problem(const struct wf_site *site, const char *field, const char *format,
                     ...) BW_PRINTF(3, 4);

/* "<what> \"word\"", and the nearest of the names if one is near. */
void wf_site_unknown(const struct wf_site *site, const char *field, const char *what,
                     const char *word,
                     const char *(*name_at)(const void *arg, size_t index));

#endif
