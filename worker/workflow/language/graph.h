/* A workflow version, compiled once: nodes by id, edges by source.
 * worker/workflow/spec/workflow.md §4, §5.1.
 *
 * Immutable after parsing; shared between runs by reference count, any thread. Pure: no
 * I/O. */
#ifndef WORKFLOW_GRAPH_H
#define WORKFLOW_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <bulwark/error.h>

#include "workflow/language/event.h"

struct wf_edge {
    const char *handle; /* NULL: unlabelled */
    size_t target;      /* index into nodes; SIZE_MAX: missing, `target_id` says which */
    const char *target_id;
};

struct wf_node {
    const char *id;
    const char *type;     /* aliases resolved (start → trigger.command …) */
    const char *label;    /* "" if none */
    const json_t *config; /* an object, found by §4.2; never NULL (empty object) */
    bool has_config;      /* false: none of the places of §4.2 had one */
    const json_t *data;   /* the node's `data` object, or NULL */
    const json_t *stored; /* the whole node as stored */
    const struct wf_edge *edges; /* in stored order, `timeout` included */
    size_t edge_count;
    /* A run that begins here needs no stored variable before it ends or waits. */
    bool starts_plain;
    /* Of its texts: some speaks of the customer, of anything at all, of his referral code
     * or link. */
    bool names_customer, has_placeholder, names_code;
};

struct wf_graph {
    char *version_id, *workflow_id, *project_id;
    int version;
    const struct wf_node *nodes; /* stored order */
    size_t node_count;
    const struct wf_node *entry; /* NULL: entry_node_id names no node */
    const json_t *variables;     /* array or NULL */
    const json_t *settings;      /* object or NULL */
    bool reads_customer; /* some config mentions user.* or a flat customer name; a project
                          * variable's text may do so without being seen here */
    bool has_chat_trigger; /* §3.2 */
    /* private to graph.c from here on */
    struct wf_graph_store *store;
};

struct wf_graph_source { /* all borrowed; texts as PostgreSQL gives them */
    const char *version_id, *workflow_id, *project_id, *entry_node_id;
    int version;
    const char *nodes, *connections, *variables,
        *settings; /* JSON; the last two may be NULL */
};

/* Lenient as §4.1 and §4.3 say; fails on BW_ENOMEM, or BW_EINVAL for text that is no JSON
 * at all. */
BW_MUSTCHECK int wf_graph_create(struct wf_graph **graphp,
                                 const struct wf_graph_source *source,
                                 struct bw_error *err);
struct wf_graph *wf_graph_ref(struct wf_graph *graph);
void wf_graph_unref(struct wf_graph **graphp);

/* NULL: no such node. */
const struct wf_node *wf_graph_find(const struct wf_graph *graph, const char *id);

/* The edge for a result handle: NULL handle is the plain rule of §4.4 (first edge that is
 * not `timeout`); else the edge with that handle, falling back to the first unlabelled
 * edge if `fallback`. NULL: none. */
const struct wf_edge *wf_node_edge(const struct wf_node *node, const char *handle,
                                   bool fallback);

#endif
