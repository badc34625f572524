/* What this process keeps of the projects it serves: settings with token, variables and
 * levels for 60 seconds, and their workflows as parsed graphs
 * (worker/workflow/spec/workflow.md §10.2, §10.3). Any thread.
 */
#ifndef WORKFLOW_PROJECTS_H
#define WORKFLOW_PROJECTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/thread.h>
#include <bulwark/time.h>

#include "workflow/language/graph.h"
#include "workflow/base/map.h"

/* Immutable once made; shared by reference count. */
struct wf_project {
    atomic_uint refs;
    char *id;
    json_t *object;     /* what templates see as `project` (§6.3) */
    char *token;        /* NULL: no bot; never logged */
    char *bot_username; /* or NULL */
    bool bot_active;
    int64_t max_steps, timeout_ms;
    json_t *variables;   /* key → value */
    bool reads_customer; /* some variable's text mentions the customer (§6.1, rule 3) */
    json_t *levels;      /* active, by least amount */
};

/* One reference; takes everything. */
struct wf_project *wf_project_create(const char *id, json_t *object, const char *token,
                                     bool bot_active, json_t *variables, json_t *levels);
void wf_project_unref(struct wf_project **projectp);

struct wf_projects {
    struct bw_mutex mutex; /* guards all below */
    struct wf_map map;
    struct wf_map versions; /* graphs other than the active ones, 60 s */
    const struct bw_clock *clock;
};

void wf_projects_init(struct wf_projects *projects, const struct bw_clock *clock);
void wf_projects_fini(struct wf_projects *projects);

/* New reference, or NULL: to be loaded. An entry that has just become too old is still
 * given to all but one caller, who loads it anew. */
struct wf_project *wf_projects_get(struct wf_projects *projects, const char *id);
/* Takes its own reference. */
void wf_projects_put(struct wf_projects *projects, struct wf_project *project);

/* The active graph if `marker`, the digest of Node's key, is the one it was stored with.
 * `marker` NULL: Redis is away; then a graph counts for five seconds. New reference or
 * NULL. */
struct wf_graph *wf_projects_graph(struct wf_projects *projects, const char *id,
                                   const char *marker);
void wf_projects_put_graph(struct wf_projects *projects, const char *id,
                           struct wf_graph *graph, const char *marker);
/* New text: the workflow that was active last, or NULL. */
char *wf_projects_workflow(struct wf_projects *projects, const char *id);

struct wf_graph *wf_projects_version(struct wf_projects *projects, const char *id,
                                     const char *workflow_id, int version);
void wf_projects_put_version(struct wf_projects *projects, const char *id,
                             struct wf_graph *graph);

/* Forgets everything of a project. */
void wf_projects_drop(struct wf_projects *projects, const char *id);

#endif
