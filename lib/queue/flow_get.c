/* A tree of jobs as JSON. lib/spec/bullmq.md §8.1, getFlow */
#include <bulwark/flow.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/calls.h"
#include "queue/json_text.h"
#include "redis/client.h"

/* --- one job */

/* Fields of the hash that are JSON; the others are texts. §2.1 */
static bool is_json(const char *field)
{
    static const char *const names[] = { "data",       "opts",        "parent",
                                         "progress",   "returnvalue", "stacktrace",
                                         "delay",      "priority",    "timestamp",
                                         "ats",        "atm",         "stc",
                                         "finishedOn", "processedOn" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], field) == 0)
            return true;
    }
    return false;
}

static int add_member(struct bw_buf *out, const struct bw_reply *name,
                      const struct bw_reply *value)
{
    size_t name_len, len;
    const char *name_text = bw_reply_text(name, &name_len);
    const char *text = bw_reply_text(value, &len);
    int rc = bw_json_add_string(out, name_text, name_len);

    if (rc == BW_OK)
        rc = bw_buf_add_char(out, ':');
    if (rc != BW_OK)
        return rc;
    return is_json(name_text) ? bw_json_add_text(out, text, len)
                              : bw_json_add_string(out, text, len);
}

static int add_fields(struct bw_buf *out, const struct bw_reply *fields)
{
    int rc = bw_buf_add_char(out, '{');

    for (size_t i = 0; rc == BW_OK && i + 1 < bw_reply_count(fields); i += 2) {
        if (i > 0)
            rc = bw_buf_add_char(out, ',');
        if (rc == BW_OK)
            rc = add_member(out, bw_reply_at(fields, i), bw_reply_at(fields, i + 1));
    }
    return rc == BW_OK ? bw_buf_add_char(out, '}') : rc;
}

/* The node, but for the end of its list of children. */
static int begin_node(struct bw_buf *out, const struct bw_reply *node)
{
    size_t len;
    const char *key = bw_reply_text(bw_reply_at(node, 1), &len);
    int rc = bw_buf_add_str(out, "{\"key\":");

    if (rc == BW_OK)
        rc = bw_json_add_string(out, key, len);
    if (rc == BW_OK)
        rc = bw_buf_add_str(out, ",\"job\":");
    if (rc == BW_OK)
        rc = add_fields(out, bw_reply_at(node, 2));
    return rc == BW_OK ? bw_buf_add_str(out, ",\"children\":[") : rc;
}

/* --- the tree: nodes with their levels, parents first */

static int print_tree(struct bw_buf *out, const struct bw_reply *nodes)
{
    int64_t open = 0; /* nodes whose list of children is open: the level of the last */
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < bw_reply_count(nodes); i++) {
        const struct bw_reply *node = bw_reply_at(nodes, i);
        int64_t level = bw_reply_integer(bw_reply_at(node, 0));
        bool sibling = open >= level;

        if (level < 1 || level > open + 1)
            return BW_EPROTO;
        for (; rc == BW_OK && open >= level; open--)
            rc = bw_buf_add_str(out, "]}");
        if (rc == BW_OK && sibling)
            rc = bw_buf_add_char(out, ',');
        if (rc == BW_OK)
            rc = begin_node(out, node);
        open = level;
    }
    for (; rc == BW_OK && open > 0; open--)
        rc = bw_buf_add_str(out, "]}");
    return rc;
}

/* --- the call */

struct get_call {
    bw_json_cb *cb;
    void *arg;
};

static void get_done(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct get_call *call = arg;
    struct bw_buf json = BW_BUF_INIT;
    struct bw_error own;
    int rc = BW_OK;

    if (err == NULL && bw_reply_count(reply) == 0)
        rc = bw_buf_add_str(&json, "null");
    else if (err == NULL)
        rc = print_tree(&json, reply);
    if (rc != BW_OK) {
        (void)bw_error_set(&own, rc, "flow: %s",
                           rc == BW_ENOMEM ? "out of memory" : "unexpected reply");
        err = &own;
    }
    if (err == NULL)
        call->cb(bw_buf_text(&json), json.len, NULL, call->arg);
    else
        call->cb(NULL, 0, err, call->arg);
    bw_buf_fini(&json);
    free(call);
}

int bw_flow_get(struct bw_redis *redis, const struct bw_flow_query *query,
                unsigned timeout_ms, bw_json_cb *cb, void *arg)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    struct get_call *call;
    struct bw_keys keys;
    int rc;

    if (query == NULL || query->id == NULL || cb == NULL)
        return BW_EINVAL;
    rc = bw_keys_init(&keys, query->prefix, query->queue, NULL);
    if (rc != BW_OK)
        return rc;
    call = bw_alloc(sizeof *call);
    if (call == NULL) {
        bw_keys_fini(&keys);
        return BW_ENOMEM;
    }
    *call = (struct get_call){ cb, arg };
    bw_get_flow_build(&cmd, &keys, query);
    rc = bw_redis_send_cmd(redis, &cmd, timeout_ms, get_done, call);
    if (rc != BW_OK)
        free(call); /* else get_done() frees it */
    bw_cmd_fini(&cmd);
    bw_keys_fini(&keys);
    return rc;
}
