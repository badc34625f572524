/* Adding a tree of jobs. lib/spec/bullmq.md §8.1 */
#include <bulwark/flow.h>

#include <stdlib.h>
#include <string.h>

#include <bulwark/buf.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "queue/add_reply.h"
#include "queue/calls.h"
#include "redis/client.h"

/* --- the tree, level by level: an array in which parents come before their children */

struct place {
    const struct bw_flow_node *node;
    size_t parent; /* its index; the root's is its own */
    const char *prefix;
};

struct tree {
    struct place *places;
    struct bw_flow_item *items; /* the first `ready` of them */
    size_t count, size, ready;
};

static int append(struct tree *tree, const struct bw_flow_node *node, size_t parent)
{
    const char *prefix = node->add.prefix;

    if (tree->count == tree->size) {
        size_t size = tree->size > 0 ? 2 * tree->size : 16;
        struct place *places = NULL;

        if (size <= SIZE_MAX / sizeof *places)
            places = bw_realloc(tree->places, size * sizeof *places);
        if (places == NULL)
            return BW_ENOMEM;
        tree->places = places;
        tree->size = size;
    }
    if (prefix == NULL)
        prefix = tree->count > 0 ? tree->places[parent].prefix : BW_DEFAULT_PREFIX;
    tree->places[tree->count++] = (struct place){ node, parent, prefix };
    return BW_OK;
}

static int flatten(struct tree *tree, const struct bw_flow_node *root)
{
    int rc = append(tree, root, 0);

    for (size_t i = 0; rc == BW_OK && i < tree->count; i++) {
        const struct bw_flow_node *node = tree->places[i].node;

        if (node->children == NULL && node->child_count > 0)
            return BW_EINVAL;
        for (size_t c = 0; rc == BW_OK && c < node->child_count; c++)
            rc = append(tree, &node->children[c], i);
    }
    if (rc == BW_OK)
        tree->items = bw_calloc(tree->count, sizeof *tree->items);
    return tree->items != NULL ? BW_OK : BW_ENOMEM;
}

static void tree_fini(struct tree *tree)
{
    for (size_t i = 0; i < tree->ready; i++) {
        bw_keys_fini(&tree->items[i].keys);
        bw_add_options_fini(&tree->items[i].options);
    }
    free(tree->items);
    free(tree->places);
}

/* "prefix:queue" of the node's parent; nothing for the root. */
static int add_parent_queue(struct bw_buf *out, const struct tree *tree, size_t index)
{
    const struct place *parent = &tree->places[tree->places[index].parent];

    if (index == 0)
        return BW_OK;
    return bw_buf_addf(out, "%s:%s", parent->prefix, parent->node->add.queue);
}

static int make_item(struct tree *tree, size_t index, struct bw_wall now,
                     struct bw_error *err)
{
    const struct place *at = &tree->places[index];
    struct bw_flow_item *item = &tree->items[index];
    struct bw_buf parent_queue = BW_BUF_INIT;
    struct bw_add_place place = { .has_children = at->node->child_count > 0 };
    char uuid[BW_UUID_LEN + 1];
    int rc = bw_rand_uuid(uuid, err);

    if (rc == BW_OK)
        rc = bw_keys_init(&item->keys, at->prefix, at->node->add.queue, err);
    if (rc != BW_OK)
        return rc;
    tree->ready = index + 1; /* from here on tree_fini() sees to it */
    item->add = &at->node->add;
    if (add_parent_queue(&parent_queue, tree, index) != BW_OK) {
        rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    } else {
        place.id = uuid;
        if (index > 0) {
            place.parent_id = tree->items[at->parent].options.job_id;
            place.parent_queue = bw_buf_text(&parent_queue);
        }
        rc = bw_add_options_parse_node(&item->options, item->add, now, &place, err);
    }
    bw_buf_fini(&parent_queue);
    return rc;
}

static int make_items(struct tree *tree, struct bw_wall now, struct bw_error *err)
{
    for (size_t i = 0; i < tree->count; i++) {
        int rc = make_item(tree, i, now, err);

        if (rc != BW_OK) {
            (void)bw_error_prefix(err, "flow: node %zu (%s)", i,
                                  tree->places[i].node->add.name);
            return rc;
        }
    }
    return BW_OK;
}

/* --- the call */

struct flow_call {
    bw_flow_cb *cb;
    void *arg;
    char **ids; /* owned, each */
    size_t count;
};

static void call_free(struct flow_call *call)
{
    if (call == NULL)
        return;
    for (size_t i = 0; i < call->count; i++)
        free(call->ids[i]);
    free(call->ids);
    free(call);
}

/* Takes the ids of the tree. */
static struct flow_call *call_create(struct tree *tree, bw_flow_cb *cb, void *arg)
{
    struct flow_call *call = bw_calloc(1, sizeof *call);

    if (call == NULL)
        return NULL;
    call->cb = cb;
    call->arg = arg;
    call->ids = bw_calloc(tree->count, sizeof *call->ids);
    if (call->ids == NULL) {
        free(call);
        return NULL;
    }
    for (; call->count < tree->count; call->count++) {
        struct bw_add_options *options = &tree->items[call->count].options;

        call->ids[call->count] = options->job_id;
        options->job_id = NULL;
    }
    return call;
}

static void flow_done(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct flow_call *call = arg;
    struct bw_error own;

    if (err == NULL && bw_add_reply_decode(reply, &own) != BW_OK)
        err = &own;
    if (err == NULL)
        call->cb((const char *const *)call->ids, call->count, NULL, call->arg);
    else
        call->cb(NULL, 0, err, call->arg);
    call_free(call);
}

int bw_flow_add(struct bw_redis *redis, const struct bw_flow_node *root,
                const struct bw_clock *clock, unsigned timeout_ms, bw_flow_cb *cb,
                void *arg, struct bw_error *err)
{
    struct bw_wall now = bw_wall_now(clock);
    struct bw_cmd cmd = BW_CMD_INIT;
    struct flow_call *call = NULL;
    struct tree tree = { 0 };
    int rc;

    if (redis == NULL || root == NULL || cb == NULL)
        return bw_error_set(err, BW_EINVAL, "flow: something that it needs is NULL");
    rc = flatten(&tree, root);
    if (rc != BW_OK) {
        (void)bw_error_set(err, rc, "flow: %s",
                           rc == BW_EINVAL ? "children: NULL" : "out of memory");
        goto out;
    }
    rc = make_items(&tree, now, err);
    if (rc != BW_OK)
        goto out;
    bw_add_flow_build(&cmd, now, tree.items, tree.count);
    call = call_create(&tree, cb, arg);
    rc = call != NULL ? bw_redis_send_cmd(redis, &cmd, timeout_ms, flow_done, call)
                      : BW_ENOMEM;
    if (rc == BW_OK)
        call = NULL; /* flow_done() frees it */
    else
        (void)bw_error_set(err, rc, "flow: %s",
                           rc == BW_ENOMEM ? "out of memory" : "not connected");
out:
    call_free(call);
    bw_cmd_fini(&cmd);
    tree_fini(&tree);
    return rc;
}
