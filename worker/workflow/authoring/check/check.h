/* Checks of a workflow before it runs: what the engine would stumble over, or pass over
 * in silence. spec/workflow.md §§4–7, 11.2.
 *
 * Pure but for memory (mem.h); one thread. To check another field, add a row to
 * fields.c. */
#ifndef WORKFLOW_AUTHORING_CHECK_H
#define WORKFLOW_AUTHORING_CHECK_H

#include <jansson.h>

#include "workflow/authoring/problems.h"
#include "workflow/language/graph.h"
#include "workflow/language/text.h"

/* Everything about a workflow as it is stored: {nodes, connections, entryNodeId}, the
 * first two also as JSON text. Any value. */
void wf_check_workflow(const json_t *workflow, struct wf_problems *problems);

/* New: the graph of such a workflow, an object. BW_EINVAL, BW_ENOMEM. */
BW_MUSTCHECK int wf_stored_graph(struct wf_graph **graphp, const json_t *workflow,
                                 struct bw_error *err);

/* --- parts of it */

struct wf_names;

struct wf_site { /* a node that is looked at */
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

/* What lies in the stored form and is dropped when a graph is made of it: items without
 * an id, edges from nowhere, an entry that is not there. */
void wf_check_stored(const json_t *workflow, const struct wf_graph *graph,
                     struct wf_problems *problems);
/* A node's edges: their targets and branches. */
void wf_check_edges(const struct wf_site *site);
/* Nodes that no trigger leads to; loops that nothing ends. */
void wf_check_reach(const struct wf_graph *graph, struct wf_problems *problems);
/* A node's type and the fields of its config. */
void wf_check_fields(const struct wf_site *site);
/* Members of its config that nothing reads. */
void wf_check_members(const struct wf_site *site);
/* The same of the workflow itself, its nodes and edges. */
void wf_check_outline(const json_t *workflow, struct wf_problems *problems);
/* The row of a field by one of its spellings; NULL: there is none. */
const struct wf_field *wf_field_find(const char *type, const char *name);
/* Whether the row is about nodes of that type. */
bool wf_field_is_of(const struct wf_field *field, const char *type);
/* A message node's keyboard. */
void wf_check_keyboard(const struct wf_site *site);

/* --- values; `field` is the path in the report */

/* Every `{{…}}` in a text. */
void wf_check_template(const struct wf_site *site, const char *field, const char *text);
/* Every text in a value, at any depth. */
void wf_check_templates(const struct wf_site *site, const char *field,
                        const json_t *value);
/* A path as it stands between braces or as an operand; a name that nothing sets, but one
 * like it is known, or a member its object never has, is a problem. */
void wf_check_path(const struct wf_site *site, const char *field, struct wf_text path);
void wf_check_node_id(const struct wf_site *site, const char *field, const char *id);

/* A check of one kind of value; `arg` is the row's. */
typedef void wf_value_check(const struct wf_site *site, const char *field,
                            const json_t *value, const char *arg);

wf_value_check wf_check_text;    /* text or a number, a template */
wf_value_check wf_check_literal; /* text, no template */
wf_value_check wf_check_any;     /* any JSON, templates inside */
wf_value_check wf_check_object;  /* an object, templates inside */
wf_value_check wf_check_array;   /* an array, templates inside */
wf_value_check wf_check_number;  /* a number or a template; arg: "least most" */
wf_value_check wf_check_flag;    /* true or false */
wf_value_check wf_check_one_of;  /* arg: "a|b|c"; a template passes */
wf_value_check wf_check_method;  /* of HTTP */
wf_value_check wf_check_operand; /* a path, with or without braces */
wf_value_check wf_check_expression;
wf_value_check wf_check_operator; /* of the simple form of conditions */
wf_value_check wf_check_pattern;  /* a regular expression */
wf_value_check wf_check_url;
wf_value_check wf_check_query;  /* a named query */
wf_value_check wf_check_target; /* a node's id */
wf_value_check wf_check_cron;
wf_value_check wf_check_zone;            /* a time zone */
wf_value_check wf_check_audience;        /* of a schedule trigger */
wf_value_check wf_check_cases;           /* of a switch */
wf_value_check wf_check_parameters;      /* of the query that the config names */
wf_value_check wf_check_keyboard_member; /* nothing: wf_check_keyboard() does */

/* --- the table */

/* What editors keep beside the fields of a node; starting with "_", anything. */
#define WF_OF_EDITORS                                                                    \
    "id|type|nodeType|label|title|name|description|note|notes|comment|icon|color|"       \
    "position|category|enabled|disabled|version|metadata|style|width|height|selected|"   \
    "schema|settings"
#define WF_METHODS "GET|POST|PUT|DELETE|PATCH|HEAD"

struct wf_field {
    const char *types; /* of the nodes: "a|b|c*" */
    const char
        *names; /* its spellings: "a|b"; the first that is there counts; "*": any */
    wf_value_check *check;
    const char *arg;
    const char *missing; /* what to say when it is not there; NULL: it need not be */
    /* Only if: "key=a|b" the member has one of these values ("": it is not there), or
     * "!a|b" none of the members is there. NULL: always. */
    const char *when;
    const char
        *fallback;       /* what counts when it is not there, for people; NULL: nothing */
    const char *meaning; /* for people */
};

extern const struct wf_field wf_fields[];
extern const size_t wf_field_count;

struct wf_about {
    const char *type, *meaning;
};

extern const struct wf_about wf_abouts[];
extern const size_t wf_about_count;

#endif
