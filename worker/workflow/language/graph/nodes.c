/* Nodes: which items count, and where their config lies. worker/workflow/spec/workflow.md
 * §4.1, §4.2. */
#include "workflow/language/graph/nodes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/language/node_type.h"

static const char *text_member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL && text[0] != '\0' ? text : NULL;
}

static const json_t *object_member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_object(value) ? value : NULL;
}

/* ---- config lookup ---- */

/* `{"message": {…}}` keeps the config of another type; `{"message": "text"}` is a flat
 * config with a member of that name (flow.end, flow.jump and flow.loop have such). */
static bool holds_other_type(const json_t *config)
{
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)config, key, member)
    {
        if (json_is_object(member) && wf_node_type_known(key))
            return true;
    }
    return false;
}

/* A config is stored under the type as the node spells it, or under the type that alias
 * stands for. */
static const json_t *by_type(const json_t *config, const char *raw_type, const char *type)
{
    const json_t *found = object_member(config, raw_type);

    return found != NULL ? found : object_member(config, type);
}

static const json_t *find_config(const json_t *item, const char *raw_type,
                                 const char *type)
{
    const json_t *in_data = object_member(object_member(item, "data"), "config");
    const json_t *on_top = object_member(item, "config");
    const json_t *found = by_type(in_data, raw_type, type);

    if (found == NULL && in_data != NULL && !holds_other_type(in_data))
        found = in_data;
    if (found == NULL)
        found = by_type(on_top, raw_type, type);
    return found != NULL ? found : on_top;
}

/* ---- nodes ---- */

static void set_node(struct wf_node *node, const char *id, const json_t *item,
                     json_t *empty)
{
    const char *raw_type = text_member(item, "type");
    const char *label;

    if (raw_type == NULL)
        raw_type = "";
    memset(node, 0, sizeof *node);
    node->id = id;
    node->stored = item;
    node->type = wf_node_type_resolve(raw_type);
    node->data = object_member(item, "data");
    label = text_member(node->data, "label");
    node->label = label != NULL ? label : "";
    node->config = find_config(item, raw_type, node->type);
    node->has_config = node->config != NULL;
    if (node->config == NULL)
        node->config = empty;
}

/* Exported files keep edges among the nodes (§4.1). */
static bool looks_like_edge(const json_t *item)
{
    const char *type = text_member(item, "type");
    const char *id = text_member(item, "id");

    if (id != NULL && strncmp(id, "edge-", strlen("edge-")) == 0)
        return true;
    return text_member(item, "source") != NULL && text_member(item, "target") != NULL &&
           (type == NULL || !wf_node_type_known(type));
}

static int read_array(struct wf_graph_store *store, bool take_edges)
{
    for (size_t i = 0; i < json_array_size(store->nodes_json); i++) {
        json_t *item = json_array_get(store->nodes_json, i);
        const char *id = text_member(item, "id");

        if (take_edges && looks_like_edge(item)) {
            /* a copy: frozen values have one owner */
            if (json_array_append_new(store->edges_json, json_deep_copy(item)) != 0)
                return BW_ENOMEM;
        } else if (id != NULL) {
            set_node(&store->nodes[store->node_count++], id, item, store->empty);
        }
    }
    return BW_OK;
}

/* The member's name, not the inner id, names the node. */
static void read_object(struct wf_graph_store *store)
{
    const char *key;
    json_t *item;

    json_object_foreach(store->nodes_json, key, item)
    {
        if (key[0] != '\0' && text_member(item, "id") != NULL &&
            text_member(item, "type") != NULL)
            set_node(&store->nodes[store->node_count++], key, item, store->empty);
    }
}

/* ---- the index, and duplicates ---- */

struct id_at {
    const char *id;
    size_t at;
};

static int compare_ids(const void *left, const void *right)
{
    const struct id_at *a = left, *b = right;
    int order = strcmp(a->id, b->id);

    if (order != 0)
        return order;
    return (a->at > b->at) - (a->at < b->at);
}

static struct id_at *sort_ids(const struct wf_graph_store *store)
{
    struct id_at *ids = malloc((store->node_count + 1) * sizeof *ids);

    if (ids == NULL)
        return NULL;
    for (size_t i = 0; i < store->node_count; i++)
        ids[i] = (struct id_at){ store->nodes[i].id, i };
    qsort(ids, store->node_count, sizeof *ids, compare_ids);
    return ids;
}

/* The last of several nodes with one id wins, at the place of the first (§4.1). Losers
 * lose their id and are squeezed out. */
static void drop_duplicates(struct wf_graph_store *store, const struct id_at *ids)
{
    size_t kept = 0;

    for (size_t i = 0; i < store->node_count;) {
        size_t last = i;

        while (last + 1 < store->node_count && strcmp(ids[last + 1].id, ids[i].id) == 0)
            last++;
        if (last > i)
            store->nodes[ids[i].at] = store->nodes[ids[last].at];
        for (size_t j = i + 1; j <= last; j++)
            store->nodes[ids[j].at].id = NULL;
        i = last + 1;
    }
    for (size_t i = 0; i < store->node_count; i++)
        if (store->nodes[i].id != NULL)
            store->nodes[kept++] = store->nodes[i];
    store->node_count = kept;
}

static int index_nodes(struct wf_graph_store *store)
{
    struct id_at *ids = sort_ids(store);

    if (ids == NULL)
        return BW_ENOMEM;
    drop_duplicates(store, ids);
    free(ids);
    ids = sort_ids(store);
    store->by_id = calloc(store->node_count + 1, sizeof *store->by_id);
    if (ids == NULL || store->by_id == NULL) {
        free(ids);
        return BW_ENOMEM;
    }
    for (size_t i = 0; i < store->node_count; i++)
        store->by_id[i] = ids[i].at;
    free(ids);
    return BW_OK;
}

int wf_graph_read_nodes(struct wf_graph_store *store, bool take_edges)
{
    size_t most =
        json_array_size(store->nodes_json) + json_object_size(store->nodes_json);
    int rc = BW_OK;

    store->nodes = calloc(most + 1, sizeof *store->nodes);
    if (store->nodes == NULL)
        return BW_ENOMEM;
    if (json_is_array(store->nodes_json))
        rc = read_array(store, take_edges);
    else if (json_is_object(store->nodes_json))
        read_object(store);
    return rc == BW_OK ? index_nodes(store) : rc;
}
