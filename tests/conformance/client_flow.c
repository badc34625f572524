/* Flows; ops_flow.mjs has BullMQ's. */
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* --- trees */

static struct bw_add read_add(struct client *client, const char *queue,
                              const json_t *args)
{
    char *data = client_json(args, "data"), *opts = client_json(args, "opts");

    return (struct bw_add){
        .prefix = client->prefix,
        .queue = queue,
        .name = client_text(args, "name"),
        .data = data,
        .data_len = data != NULL ? strlen(data) : 0,
        .opts = opts,
        .opts_len = opts != NULL ? strlen(opts) : 0,
        .line = client->line,
    };
}

static void free_add(struct bw_add *add)
{
    free((void *)(uintptr_t)add->data); /* ours, though the library only reads it */
    free((void *)(uintptr_t)add->opts);
}

static void read_node(struct client *client, struct bw_flow_node *node,
                      const json_t *tree)
{
    const json_t *children = json_object_get(tree, "children");
    struct bw_flow_node *nodes =
        calloc(json_array_size(children) + 1, sizeof(struct bw_flow_node));

    if (nodes == NULL)
        abort();
    node->add = read_add(client, client_text(tree, "queueName"), tree);
    node->children = nodes;
    node->child_count = json_array_size(children);
    for (size_t i = 0; i < node->child_count; i++)
        read_node(client, &nodes[i], json_array_get(children, i));
}

static void free_node(struct bw_flow_node *node)
{
    struct bw_flow_node *children = (void *)(uintptr_t)node->children;

    for (size_t i = 0; i < node->child_count; i++)
        free_node(&children[i]);
    free(children);
    free_add(&node->add);
}

/* --- adding */

/* An id that was made up, a UUID of version 4, can only be compared by its form. */
static json_t *known_id(const char *id)
{
    if (id == NULL)
        return json_null();
    if (strlen(id) == 36 && id[8] == '-' && id[13] == '-' && id[14] == '4' &&
        strspn(id, "0123456789abcdef-") == 36)
        return json_string("uuid");
    return json_string(id);
}

static json_t *id_list(const char *const *ids, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, known_id(ids[i]));
    return list;
}

static void on_flow(const char *const *ids, size_t count, const struct bw_error *err,
                    void *arg)
{
    if (err != NULL)
        client_refuse(arg, err);
    else
        client_reply(arg, id_list(ids, count));
}

/* {name, queueName, data, opts, children} → the ids, level by level */
static void add_flow(struct client *client, const char *queue, const json_t *args)
{
    struct bw_flow_node root = { .child_count = 0 };
    struct bw_error err = { .code = BW_OK };

    (void)queue;
    read_node(client, &root, args);
    client_called(client,
                  bw_flow_add(client->redis, &root, client->clock, CLIENT_CALL_MS,
                              on_flow, client, &err),
                  &err);
    free_node(&root);
}

/* One that is refused is null: BullMQ gives its code as the id of a job. */
static void on_bulk(const char *const *ids, size_t count, const struct bw_error *err,
                    void *arg)
{
    if (err != NULL && err->code > BW_EJOB_MISSING)
        client_refuse(arg, err);
    else
        client_reply(arg, id_list(ids, count));
}

/* {jobs: [{name, data, opts}]} → their ids */
static void add_bulk(struct client *client, const char *queue, const json_t *args)
{
    const json_t *jobs = json_object_get(args, "jobs");
    size_t count = json_array_size(jobs);
    struct bw_add *adds = calloc(count + 1, sizeof *adds);
    struct bw_error err = { .code = BW_OK };

    if (adds == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        adds[i] = read_add(client, queue, json_array_get(jobs, i));
    client_called(client,
                  bw_queue_add_bulk(client->redis, adds, count, client->clock,
                                    CLIENT_CALL_MS, on_bulk, client, &err),
                  &err);
    for (size_t i = 0; i < count; i++)
        free_add(&adds[i]);
    free(adds);
}

/* --- reading: {id} → what flow.h says */

typedef int read_fn(struct bw_redis *redis, const char *prefix, const char *queue,
                    const char *id, unsigned timeout_ms, bw_json_cb *cb, void *arg);

static void read_job(struct client *client, const char *queue, const json_t *args,
                     read_fn *read)
{
    client_called(client,
                  read(client->redis, client->prefix, queue, client_text(args, "id"),
                       CLIENT_CALL_MS, client_on_json, client),
                  NULL);
}

static void dependency_counts(struct client *client, const char *queue,
                              const json_t *args)
{
    read_job(client, queue, args, bw_flow_dependency_counts);
}

static void children_values(struct client *client, const char *queue, const json_t *args)
{
    read_job(client, queue, args, bw_flow_children_values);
}

static void ignored_failures(struct client *client, const char *queue, const json_t *args)
{
    read_job(client, queue, args, bw_flow_ignored_failures);
}

static void job_state(struct client *client, const char *queue, const json_t *args)
{
    read_job(client, queue, args, bw_flow_state);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sets come in any order. New reference. */
static json_t *sorted(const json_t *list)
{
    size_t count = json_array_size(list);
    const char **texts = calloc(count + 1, sizeof *texts);
    json_t *result = json_array();

    if (texts == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        texts[i] = json_string_value(json_array_get(list, i));
    qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(result, json_string(texts[i]));
    free(texts);
    return result;
}

static void on_dependencies(const char *json, size_t len, const struct bw_error *err,
                            void *arg)
{
    json_t *all;

    if (err != NULL) {
        client_refuse(arg, err);
        return;
    }
    all = json_loadb(json, len, 0, NULL);
    if (all == NULL)
        abort();
    (void)json_object_set_new(all, "unprocessed",
                              sorted(json_object_get(all, "unprocessed")));
    (void)json_object_set_new(all, "failed", sorted(json_object_get(all, "failed")));
    client_reply(arg, all);
}

/* --- {id, depth, maxChildren} → {id, name, data, children}, sorted by id */

static int compare_nodes(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;

    return strcmp(client_text(left, "id"), client_text(right, "id"));
}

static json_t *shape(const json_t *node)
{
    const json_t *job = json_object_get(node, "job");
    const json_t *children = json_object_get(node, "children");
    const char *key = client_text(node, "key");
    size_t count = json_array_size(children);
    json_t **shapes = calloc(count + 1, sizeof(json_t *));
    json_t *list = json_array();

    if (shapes == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        shapes[i] = shape(json_array_get(children, i));
    qsort(shapes, count, sizeof(json_t *), compare_nodes);
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, shapes[i]);
    free(shapes);
    return json_pack("{s:s, s:O, s:O, s:o}", "id", strrchr(key, ':') + 1, "name",
                     json_object_get(job, "name"), "data", json_object_get(job, "data"),
                     "children", list);
}

static void on_tree(const char *json, size_t len, const struct bw_error *err, void *arg)
{
    json_t *tree;

    if (err != NULL) {
        client_refuse(arg, err);
        return;
    }
    tree = json_loadb(json, len, JSON_DECODE_ANY, NULL);
    client_reply(arg, json_is_object(tree) ? shape(tree) : NULL);
    json_decref(tree);
}

static void get_flow(struct client *client, const char *queue, const json_t *args)
{
    struct bw_flow_query query = {
        .prefix = client->prefix,
        .queue = queue,
        .id = client_text(args, "id"),
        .depth = (unsigned)client_number(args, "depth", 0),
        .max_children = (unsigned)client_number(args, "maxChildren", 0),
    };

    client_called(client,
                  bw_flow_get(client->redis, &query, CLIENT_CALL_MS, on_tree, client),
                  NULL);
}

static void dependencies(struct client *client, const char *queue, const json_t *args)
{
    client_called(client,
                  bw_flow_dependencies(client->redis, client->prefix, queue,
                                       client_text(args, "id"), CLIENT_CALL_MS,
                                       on_dependencies, client),
                  NULL);
}

const struct client_op client_flow_ops[] = {
    { "addFlow", add_flow },
    { "addBulk", add_bulk },
    { "getFlow", get_flow },
    { "dependencyCounts", dependency_counts },
    { "dependencies", dependencies },
    { "childrenValues", children_values },
    { "ignoredFailures", ignored_failures },
    { "jobState", job_state },
    { NULL, NULL },
};
