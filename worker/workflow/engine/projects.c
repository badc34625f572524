#include "workflow/engine/projects.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/language/frozen.h"
#include "workflow/base/mem.h"
#include "workflow/base/map.h"
#include "workflow/language/graph.h"

#define FRESH_MS 60000
#define REFRESH_MS                                                                       \
    5000 /* how long the one who refreshes may take before another does                  \
          */
#define UNMARKED_MS 5000
#define VERSION_MS  60000
#define MAX_ENTRIES 20000

struct entry {
    struct wf_project *project;
    struct bw_mono project_ends;
    struct wf_graph *graph;
    char *marker; /* NULL: loaded while Redis was away */
    struct bw_mono unmarked_ends;
};

struct version_entry {
    struct wf_graph *graph;
    struct bw_mono ends;
};

static bool mention_customer(const json_t *variables)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)variables, key, value)
    {
        const char *text = json_string_value(value);

        if (text != NULL &&
            (strstr(text, "{user.") != NULL || strstr(text, "{transactions.")))
            return true;
    }
    return false;
}

struct wf_project *wf_project_create(const char *id, json_t *object, const char *token,
                                     bool bot_active, json_t *variables, json_t *levels)
{
    struct wf_project *project = wf_alloc(sizeof(*project));

    atomic_init(&project->refs, 1);
    project->id = wf_strdup(id);
    project->object = wf_must(object);
    project->token = token != NULL && *token != '\0' ? wf_strdup(token) : NULL;
    project->bot_active = bot_active;
    project->variables = wf_must(variables);
    wf_json_freeze(object);
    wf_json_freeze(variables);
    wf_json_freeze(levels);
    project->reads_customer = mention_customer(variables);
    project->levels = wf_must(levels);
    return project;
}

static struct wf_project *project_ref(struct wf_project *project)
{
    atomic_fetch_add_explicit(&project->refs, 1, memory_order_relaxed);
    return project;
}

void wf_project_unref(struct wf_project **projectp)
{
    struct wf_project *project = *projectp;

    *projectp = NULL;
    if (project == NULL ||
        atomic_fetch_sub_explicit(&project->refs, 1, memory_order_acq_rel) != 1)
        return;
    free(project->id);
    free(project->token);
    free(project->bot_username);
    wf_json_thaw(project->object);
    wf_json_thaw(project->variables);
    wf_json_thaw(project->levels);
    json_decref(project->object);
    json_decref(project->variables);
    json_decref(project->levels);
    free(project);
}

static void entry_free(void *value)
{
    struct entry *entry = value;

    wf_project_unref(&entry->project);
    wf_graph_unref(&entry->graph);
    free(entry->marker);
    free(entry);
}

static void version_free(void *value)
{
    struct version_entry *entry = value;

    wf_graph_unref(&entry->graph);
    free(entry);
}

void wf_projects_init(struct wf_projects *projects, const struct bw_clock *clock)
{
    *projects = (struct wf_projects){ .clock = clock };
    bw_mutex_init(&projects->mutex);
}

void wf_projects_fini(struct wf_projects *projects)
{
    wf_map_fini(&projects->map, entry_free);
    wf_map_fini(&projects->versions, version_free);
    bw_mutex_fini(&projects->mutex);
}

/* Under the mutex. Ids come from job data, so there may be any number: then all is
 * forgotten, which costs a load each. */
static struct entry *entry_of(struct wf_projects *projects, const char *id)
{
    struct entry *entry = wf_map_get(&projects->map, id);

    if (entry != NULL)
        return entry;
    if (projects->map.count >= MAX_ENTRIES)
        wf_map_fini(&projects->map, entry_free);
    entry = wf_alloc(sizeof(*entry));
    wf_map_put(&projects->map, id, entry);
    return entry;
}

struct wf_project *wf_projects_get(struct wf_projects *projects, const char *id)
{
    struct bw_mono now = bw_mono_now(projects->clock);
    struct wf_project *project = NULL;
    struct entry *entry;

    bw_mutex_lock(&projects->mutex);
    entry = wf_map_get(&projects->map, id);
    if (entry != NULL && entry->project != NULL) {
        if (bw_mono_before(now, entry->project_ends))
            project = project_ref(entry->project);
        else
            entry->project_ends = bw_mono_add_ms(now, REFRESH_MS);
    }
    bw_mutex_unlock(&projects->mutex);
    return project;
}

void wf_projects_put(struct wf_projects *projects, struct wf_project *project)
{
    struct entry *entry;

    bw_mutex_lock(&projects->mutex);
    entry = entry_of(projects, project->id);
    wf_project_unref(&entry->project);
    entry->project = project_ref(project);
    entry->project_ends = bw_mono_add_ms(bw_mono_now(projects->clock), FRESH_MS);
    bw_mutex_unlock(&projects->mutex);
}

static bool graph_counts(const struct wf_projects *projects, const struct entry *entry,
                         const char *marker)
{
    if (entry->graph == NULL)
        return false;
    if (marker == NULL)
        return bw_mono_before(bw_mono_now(projects->clock), entry->unmarked_ends);
    return entry->marker != NULL && strcmp(entry->marker, marker) == 0;
}

struct wf_graph *wf_projects_graph(struct wf_projects *projects, const char *id,
                                   const char *marker)
{
    struct wf_graph *graph = NULL;
    struct entry *entry;

    bw_mutex_lock(&projects->mutex);
    entry = wf_map_get(&projects->map, id);
    if (entry != NULL && graph_counts(projects, entry, marker))
        graph = wf_graph_ref(entry->graph);
    bw_mutex_unlock(&projects->mutex);
    return graph;
}

void wf_projects_put_graph(struct wf_projects *projects, const char *id,
                           struct wf_graph *graph, const char *marker)
{
    struct entry *entry;

    bw_mutex_lock(&projects->mutex);
    entry = entry_of(projects, id);
    wf_graph_unref(&entry->graph);
    entry->graph = wf_graph_ref(graph);
    wf_set(&entry->marker, marker);
    entry->unmarked_ends = bw_mono_add_ms(bw_mono_now(projects->clock), UNMARKED_MS);
    bw_mutex_unlock(&projects->mutex);
}

char *wf_projects_workflow(struct wf_projects *projects, const char *id)
{
    struct entry *entry;
    char *workflow_id = NULL;

    bw_mutex_lock(&projects->mutex);
    entry = wf_map_get(&projects->map, id);
    if (entry != NULL && entry->graph != NULL)
        workflow_id = wf_strdup(entry->graph->workflow_id);
    bw_mutex_unlock(&projects->mutex);
    return workflow_id;
}

static char *version_key(const char *id, const char *workflow_id, int version)
{
    return wf_printf("%s %s %d", id, workflow_id, version);
}

struct wf_graph *wf_projects_version(struct wf_projects *projects, const char *id,
                                     const char *workflow_id, int version)
{
    char *key = version_key(id, workflow_id, version);
    struct version_entry *entry;
    struct wf_graph *graph = NULL;

    bw_mutex_lock(&projects->mutex);
    entry = wf_map_get(&projects->versions, key);
    if (entry != NULL && bw_mono_before(bw_mono_now(projects->clock), entry->ends))
        graph = wf_graph_ref(entry->graph);
    bw_mutex_unlock(&projects->mutex);
    free(key);
    return graph;
}

void wf_projects_put_version(struct wf_projects *projects, const char *id,
                             struct wf_graph *graph)
{
    char *key = version_key(id, graph->workflow_id, graph->version);
    struct version_entry *entry;

    bw_mutex_lock(&projects->mutex);
    entry = wf_map_get(&projects->versions, key);
    if (entry == NULL) {
        if (projects->versions.count >= MAX_ENTRIES)
            wf_map_fini(&projects->versions, version_free);
        entry = wf_alloc(sizeof(*entry));
        wf_map_put(&projects->versions, key, entry);
    }
    wf_graph_unref(&entry->graph);
    entry->graph = wf_graph_ref(graph);
    entry->ends = bw_mono_add_ms(bw_mono_now(projects->clock), VERSION_MS);
    bw_mutex_unlock(&projects->mutex);
    free(key);
}

void wf_projects_drop(struct wf_projects *projects, const char *id)
{
    struct entry *entry;

    bw_mutex_lock(&projects->mutex);
    entry = wf_map_take(&projects->map, id);
    bw_mutex_unlock(&projects->mutex);
    if (entry != NULL)
        entry_free(entry);
}
