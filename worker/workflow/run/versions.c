#include "workflow/run/versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/run/io.h"
#include "workflow/language/graph.h"

static wf_step own_read, node_read, exact_loaded;
static char *own_key(const struct wf_run *run, const char *workflow_id);

/* Node's key was missing and we wrote it: its digest is the marker of what we loaded.
 * Done on the side: the run does not wait. */
struct marking {
    struct wf_engine *engine;
    char *project_id;
    struct wf_graph *graph;
    json_t *value; /* of the S key */
    char *own_key;
    struct wf_kv kv;
};

char *wf_versions_node_key(const struct wf_run *run)
{
    const char *const fills[] = { "projectId", run->project_id, NULL };

    return wf_settings_key(run->engine->settings.key_node_version, fills);
}

static char *own_key(const struct wf_run *run, const char *workflow_id)
{
    const char *const fills[] = { "projectId", run->project_id, "workflowId", workflow_id,
                                  NULL };

    return wf_settings_key(run->engine->settings.key_version, fills);
}

/* --- the S key */

static void read_own(struct wf_run *run, const char *workflow_id)
{
    (void)wf_kv_add(wf_run_keys(run), WF_KV_GET, own_key(run, workflow_id), NULL, 0);
    wf_run_kv(run, own_read);
}

static char *member_text(const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);

    return member != NULL && !json_is_null(member) ? wf_dumps(member) : NULL;
}

static struct wf_graph *graph_from_value(const struct wf_run *run, const json_t *value)
{
    struct wf_graph *graph = NULL;
    struct bw_error err = { 0 };
    char *nodes = member_text(value, "nodes");
    char *connections = member_text(value, "connections");
    char *variables = member_text(value, "variables");
    char *settings = member_text(value, "settings");
    struct wf_graph_source source = {
        .version_id = wf_member(value, "id", ""),
        .workflow_id = wf_member(value, "workflowId", ""),
        .project_id = run->project_id,
        .entry_node_id = wf_member(value, "entryNodeId", ""),
        .version = (int)json_integer_value(json_object_get(value, "version")),
        .nodes = nodes != NULL ? nodes : "[]",
        .connections = connections != NULL ? connections : "[]",
        .variables = variables,
        .settings = settings,
    };

    if (wf_graph_create(&graph, &source, &err) != BW_OK) {
        graph = NULL;
        bw_log(wf_job_log(run), BW_LOG_WARNING, "a cached workflow version is unusable",
               bw_text("reason", err.text));
    }
    free(nodes);
    free(connections);
    free(variables);
    free(settings);
    return graph;
}

static void own_read(struct wf_run *run)
{
    json_t *value = wf_loads(wf_kv_at(&run->kv, 0)->text);
    const char *marker = wf_member(value, "marker", "");

    if (run->versions.marker != NULL && strcmp(marker, run->versions.marker) == 0)
        run->graph = graph_from_value(run, value);
    if (run->graph != NULL)
        wf_projects_put_graph(&run->engine->projects, run->project_id, run->graph,
                              run->versions.marker);
    wf_count_cache(&run->engine->counters, WF_CACHE_VERSION, run->graph != NULL);
    json_decref(value);
    run->versions.then(run);
}

void wf_versions_find(struct wf_run *run, wf_step *then)
{
    struct wf_projects *projects = &run->engine->projects;
    char *workflow_id;

    BW_ASSERT(run->graph == NULL);
    if (run->versions.marker != NULL || run->redis_away)
        run->graph = wf_projects_graph(projects, run->project_id, run->versions.marker);
    if (run->graph != NULL || run->versions.marker == NULL) {
        wf_count_cache(&run->engine->counters, WF_CACHE_VERSION, run->graph != NULL);
        then(run);
        return;
    }
    run->versions.then = then;
    workflow_id = wf_projects_workflow(projects, run->project_id);
    if (workflow_id != NULL) {
        read_own(run, workflow_id);
    } else {
        (void)wf_kv_add(wf_run_keys(run), WF_KV_GET, wf_versions_node_key(run), NULL, 0);
        wf_run_kv(run, node_read);
    }
    free(workflow_id);
}

static void node_read(struct wf_run *run)
{
    json_t *value = wf_loads(wf_kv_at(&run->kv, 0)->text);
    const char *workflow_id = wf_member(value, "workflowId", "");

    if (*workflow_id != '\0') {
        read_own(run, workflow_id);
    } else {
        wf_count_cache(&run->engine->counters, WF_CACHE_VERSION, false);
        run->versions.then(run);
    }
    json_decref(value);
}

/* --- rows */

static struct wf_graph *graph_from_row(const struct wf_run *run, size_t index, size_t row)
{
    struct wf_graph *graph = NULL;
    struct bw_error err = { 0 };
    struct wf_graph_source source = {
        .version_id = wf_db_value(run, index, row, WF_COL_versions_id),
        .workflow_id = wf_db_value(run, index, row, WF_COL_versions_workflow),
        .project_id = run->project_id,
        .entry_node_id = wf_db_value(run, index, row, WF_COL_versions_entry),
        .version = (int)wf_db_number(run, index, row, WF_COL_versions_version),
        .nodes = wf_db_value(run, index, row, WF_COL_versions_nodes),
        .connections = wf_db_value(run, index, row, WF_COL_versions_connections),
        .variables = wf_db_value(run, index, row, WF_COL_versions_variables),
        .settings = wf_db_value(run, index, row, WF_COL_versions_settings),
    };

    if (wf_graph_create(&graph, &source, &err) == BW_OK)
        return graph;
    bw_log(wf_job_log(run), BW_LOG_ERROR, "a workflow version is unusable",
           bw_text("version", source.version_id), bw_text("reason", err.text));
    return NULL;
}

static json_t *json_or_null(const char *text)
{
    json_t *value = wf_loads(text);

    return value != NULL ? value : json_null();
}

/* Node keeps the nodes as an object by id (worker/workflow/spec/workflow.md §10.2). */
static json_t *nodes_by_id(json_t *nodes)
{
    json_t *object, *node;
    size_t i;

    if (!json_is_array(nodes))
        return nodes;
    object = wf_must(json_object());
    json_array_foreach(nodes, i, node)
    {
        const char *id = wf_member(node, "id", NULL);

        if (id != NULL)
            wf_json_set(object, id, json_incref(node));
    }
    json_decref(nodes);
    return object;
}

/* New reference: the row as it is cached. */
static json_t *value_of_row(const struct wf_run *run, size_t index, size_t row,
                            bool for_node)
{
    json_t *value = wf_must(json_object());
    json_t *nodes = json_or_null(wf_db_value(run, index, row, WF_COL_versions_nodes));

    wf_json_set_text(value, "id", wf_db_value(run, index, row, WF_COL_versions_id));
    wf_json_set_text(value, "workflowId",
                     wf_db_value(run, index, row, WF_COL_versions_workflow));
    wf_json_set(value, "version",
                json_integer(wf_db_number(run, index, row, WF_COL_versions_version)));
    wf_json_set(value, "nodes", for_node ? nodes_by_id(nodes) : nodes);
    wf_json_set_text(value, "entryNodeId",
                     wf_db_value(run, index, row, WF_COL_versions_entry));
    wf_json_set(value, "variables",
                json_or_null(wf_db_value(run, index, row, WF_COL_versions_variables)));
    wf_json_set(value, "settings",
                json_or_null(wf_db_value(run, index, row, WF_COL_versions_settings)));
    wf_json_set(value, "isActive", json_true());
    wf_json_set_text(value, "createdAt",
                     wf_db_value(run, index, row, WF_COL_versions_created_at));
    wf_json_set(value, "connections",
                json_or_null(wf_db_value(run, index, row, WF_COL_versions_connections)));
    return value;
}

/* --- keeping what was loaded */

/* The first version with a chat trigger, else the first (§3.2). */
static size_t pick(struct wf_run *run, size_t index)
{
    size_t rows = wf_db_rows(run, index), chosen = 0;

    for (size_t row = 0; row < rows; row++) {
        struct wf_graph *graph = graph_from_row(run, index, row);

        if (graph == NULL)
            continue;
        if (run->graph == NULL || graph->has_chat_trigger) {
            wf_graph_unref(&run->graph);
            run->graph = graph;
            chosen = row;
            if (graph->has_chat_trigger)
                break;
        } else {
            wf_graph_unref(&graph);
        }
    }
    return chosen;
}

static void marked(struct wf_kv *kv, void *arg)
{
    struct marking *marking = arg;
    struct wf_engine *engine = marking->engine;
    const struct wf_kv_item *written = wf_kv_at(kv, 0), *digest = wf_kv_at(kv, 1);

    if (written->yes && digest->text != NULL) {
        struct wf_kv own = { 0 };

        wf_json_set_text(marking->value, "marker", digest->text);
        (void)wf_kv_add(&own, WF_KV_SET, marking->own_key, wf_dumps(marking->value),
                        engine->settings.ttl_version * 1000);
        marking->own_key = NULL;
        wf_kv_send(&engine->keys, &own);
        wf_projects_put_graph(&engine->projects, marking->project_id, marking->graph,
                              digest->text);
    } else if (written->memory) {
        wf_projects_put_graph(&engine->projects, marking->project_id, marking->graph,
                              NULL);
    } /* else another wrote it meanwhile: the next run finds out what counts */
    wf_kv_clear(kv);
    free(marking->project_id);
    free(marking->own_key);
    wf_graph_unref(&marking->graph);
    json_decref(marking->value);
    free(marking);
    wf_busy_leave(&engine->busy);
}

/* Takes both values. */
static void write_node_key(struct wf_run *run, json_t *node_value, json_t *value)
{
    struct marking *marking = wf_alloc(sizeof(*marking));

    marking->engine = run->engine;
    marking->project_id = wf_strdup(run->project_id);
    marking->graph = wf_graph_ref(run->graph);
    marking->value = value;
    marking->own_key = own_key(run, run->graph->workflow_id);
    (void)wf_kv_add(&marking->kv, WF_KV_SET_NEW, wf_versions_node_key(run),
                    wf_dumps(node_value), run->engine->settings.ttl_version * 1000);
    (void)wf_kv_add(&marking->kv, WF_KV_DIGEST, wf_versions_node_key(run), NULL, 0);
    json_decref(node_value);
    wf_busy_enter(&run->engine->busy);
    wf_kv_submit(&run->engine->keys, &marking->kv, marked, marking);
}

static void keep(struct wf_run *run, json_t *value)
{
    struct wf_kv kv = { 0 };

    wf_json_set_text(value, "marker", run->versions.marker);
    (void)wf_kv_add(&kv, WF_KV_SET, own_key(run, run->graph->workflow_id),
                    wf_dumps(value), run->engine->settings.ttl_version * 1000);
    wf_kv_send(&run->engine->keys, &kv);
    wf_projects_put_graph(&run->engine->projects, run->project_id, run->graph,
                          run->versions.marker);
}

void wf_versions_take(struct wf_run *run, size_t index)
{
    size_t row = pick(run, index);
    json_t *value;

    if (run->graph == NULL || wf_db_true(run, index, row, WF_COL_versions_is_young))
        return; /* younger than 10 s: the editor may still be writing edges */
    value = value_of_row(run, index, row, false);
    if (run->versions.marker == NULL) { /* Node takes the first row */
        write_node_key(run, value_of_row(run, index, 0, true), value);
        return;
    }
    keep(run, value);
    json_decref(value);
}

void wf_versions_take_project(struct wf_run *run, size_t index)
{
    json_t *object, *variables, *levels;

    BW_ASSERT(run->project == NULL);
    if (wf_db_rows(run, index) == 0)
        return;
    object = wf_must(wf_loads(wf_db_value(run, index, 0, WF_COL_project_object)));
    variables = wf_must(wf_loads(wf_db_value(run, index, 0, WF_COL_project_variables)));
    levels = wf_must(wf_loads(wf_db_value(run, index, 0, WF_COL_project_levels)));
    run->project = wf_project_create(
        run->project_id, object, wf_db_value(run, index, 0, WF_COL_project_bot_token),
        wf_db_true(run, index, 0, WF_COL_project_bot_is_active), variables, levels);
    run->project->bot_username =
        wf_strdup(wf_db_value(run, index, 0, WF_COL_project_bot_username));
    run->project->max_steps = wf_db_number(run, index, 0, WF_COL_project_max_steps);
    run->project->timeout_ms = wf_db_number(run, index, 0, WF_COL_project_timeout_ms);
    wf_projects_put(&run->engine->projects, run->project);
}

/* --- another version than the active one */

void wf_versions_exact(struct wf_run *run, const char *workflow_id, int version,
                       wf_step *then)
{
    char number[16];

    BW_ASSERT(workflow_id != NULL);
    if (run->graph != NULL && run->graph->version == version &&
        strcmp(run->graph->workflow_id, workflow_id) == 0) {
        then(run);
        return;
    }
    wf_graph_unref(&run->graph);
    run->graph = wf_projects_version(&run->engine->projects, run->project_id, workflow_id,
                                     version);
    wf_count_cache(&run->engine->counters, WF_CACHE_VERSION, run->graph != NULL);
    if (run->graph != NULL) {
        then(run);
        return;
    }
    run->versions.then = then;
    (void)snprintf(number, sizeof(number), "%d", version);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_version, run->project_id, workflow_id, number);
    wf_db_run(run, exact_loaded, NULL);
}

static void exact_loaded(struct wf_run *run)
{
    if (wf_db_rows(run, 0) > 0)
        run->graph = graph_from_row(run, 0, 0);
    if (run->graph != NULL)
        wf_projects_put_version(&run->engine->projects, run->project_id, run->graph);
    run->versions.then(run);
}

void wf_versions_drop(struct wf_run *run)
{
    struct wf_kv kv = { 0 };

    wf_projects_drop(&run->engine->projects, run->project_id);
    (void)wf_kv_add(&kv, WF_KV_DELETE, wf_versions_node_key(run), NULL, 0);
    if (run->graph != NULL)
        (void)wf_kv_add(&kv, WF_KV_DELETE, own_key(run, run->graph->workflow_id), NULL,
                        0);
    wf_kv_send(&run->engine->keys, &kv);
}
