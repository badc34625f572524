/* Job schedulers as JSON. lib/spec/bullmq.md §9.4 */
#include <bulwark/scheduler.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/add_options.h"
#include "queue/calls_schedulers.h"
#include "queue/json_text.h"
#include "redis/client.h"

/* How a field of the hash appears; those of the template come last. */
static const struct field {
    const char *stored, *shown;
    enum { TEXT, NUMBER, DATA, OPTS } kind;
} fields[] = {
    { "name", "name", TEXT },         { "ic", "iterationCount", NUMBER },
    { "limit", "limit", NUMBER },     { "startDate", "startDate", NUMBER },
    { "endDate", "endDate", NUMBER }, { "tz", "tz", TEXT },
    { "pattern", "pattern", TEXT },   { "every", "every", NUMBER },
    { "offset", "offset", NUMBER },   { "data", "data", DATA },
    { "opts", "opts", OPTS },
};

static const struct bw_reply *find_value(const struct bw_reply *hash, const char *name)
{
    for (size_t i = 0; i + 1 < bw_reply_count(hash); i += 2) {
        if (strcmp(bw_reply_text(bw_reply_at(hash, i), NULL), name) == 0)
            return bw_reply_at(hash, i + 1);
    }
    return NULL;
}

static json_t *parse_or_text(const char *text, size_t len)
{
    json_t *value = json_loadb(text, len, JSON_DECODE_ANY, NULL);

    return value != NULL ? value : bw_json_string(text, len);
}

/* The template's options by their public names. */
static json_t *publish(json_t *stored)
{
    json_t *opts = json_object();
    const char *name;
    json_t *value;

    json_object_foreach(stored, name, value)
    {
        if (json_object_set(opts, bw_option_public_name(name), value) != 0) {
            json_decref(opts);
            opts = NULL;
            break;
        }
    }
    json_decref(stored);
    return opts;
}

static int add_field(json_t *object, const struct field *field,
                     const struct bw_reply *value)
{
    size_t len;
    const char *text = bw_reply_text(value, &len);
    json_t *shown =
        field->kind == TEXT ? bw_json_string(text, len) : parse_or_text(text, len);

    if (field->kind == OPTS)
        shown = publish(shown);
    if (field->kind == TEXT || field->kind == NUMBER)
        return json_object_set_new(object, field->shown, shown);
    if (json_object_get(object, "template") == NULL &&
        json_object_set_new(object, "template", json_object()) != 0) {
        json_decref(shown);
        return -1;
    }
    return json_object_set_new(json_object_get(object, "template"), field->shown, shown);
}

/* NULL: out of memory. */
static json_t *make_scheduler(const struct bw_reply *entry)
{
    const struct bw_reply *hash = bw_reply_at(entry, 2);
    json_t *object = json_object();
    size_t len;
    const char *id = bw_reply_text(bw_reply_at(entry, 0), &len);
    int failed = json_object_set_new(object, "key", bw_json_string(id, len));

    failed |= json_object_set_new(object, "next",
                                  json_integer(bw_reply_integer(bw_reply_at(entry, 1))));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const struct bw_reply *value = find_value(hash, fields[i].stored);

        if (value != NULL)
            failed |= add_field(object, &fields[i], value);
    }
    if (failed == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* --- the calls */

struct read_call {
    bool one; /* else a list */
    bw_json_cb *cb;
    void *arg;
};

static int print(struct bw_buf *out, const struct bw_reply *reply, bool one)
{
    json_t *list = json_array();
    int rc = list != NULL ? BW_OK : BW_ENOMEM;

    for (size_t i = 0; rc == BW_OK && i < bw_reply_count(reply); i++) {
        if (json_array_append_new(list, make_scheduler(bw_reply_at(reply, i))) != 0)
            rc = BW_ENOMEM;
    }
    if (rc == BW_OK && !one)
        rc = bw_json_add(out, list);
    else if (rc == BW_OK && json_array_size(list) == 0)
        rc = bw_buf_add_str(out, "null");
    else if (rc == BW_OK)
        rc = bw_json_add(out, json_array_get(list, 0));
    json_decref(list);
    return rc;
}

static void read_done(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct read_call *call = arg;
    struct bw_buf json = BW_BUF_INIT;
    struct bw_error own;

    if (err == NULL && print(&json, reply, call->one) != BW_OK) {
        (void)bw_error_set(&own, BW_ENOMEM, "schedulers: out of memory");
        err = &own;
    }
    if (err == NULL)
        call->cb(bw_buf_text(&json), json.len, NULL, call->arg);
    else
        call->cb(NULL, 0, err, call->arg);
    bw_buf_fini(&json);
    free(call);
}

struct range {
    const char *id; /* or NULL */
    int64_t first, last;
    bool latest_first;
};

static int read_schedulers(struct bw_redis *redis, const char *prefix, const char *queue,
                           const struct range *range, unsigned timeout_ms, bw_json_cb *cb,
                           void *arg)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    struct read_call *call;
    struct bw_keys keys;
    int rc;

    if (cb == NULL)
        return BW_EINVAL;
    call = bw_alloc(sizeof(*call));
    if (call == NULL)
        return BW_ENOMEM;
    *call = (struct read_call){ range->id != NULL, cb, arg };
    rc = bw_keys_init(&keys, prefix, queue, NULL);
    if (rc == BW_OK) {
        bw_read_schedulers_build(&cmd, &keys, range->id, range->first, range->last,
                                 range->latest_first);
        rc = bw_redis_send_cmd(redis, &cmd, timeout_ms, read_done, call);
        bw_keys_fini(&keys);
    }
    if (rc != BW_OK) /* else read_done() frees it */
        free(call);
    bw_cmd_fini(&cmd);
    return rc;
}

int bw_scheduler_get(struct bw_redis *redis, const char *prefix, const char *queue,
                     const char *id, unsigned timeout_ms, bw_json_cb *cb, void *arg)
{
    if (id == NULL)
        return BW_EINVAL;
    return read_schedulers(redis, prefix, queue, &(struct range){ .id = id }, timeout_ms,
                           cb, arg);
}

int bw_scheduler_list(struct bw_redis *redis, const char *prefix, const char *queue,
                      int64_t first, int64_t last, bool latest_first, unsigned timeout_ms,
                      bw_json_cb *cb, void *arg)
{
    const struct range range = { NULL, first, last, latest_first };

    return read_schedulers(redis, prefix, queue, &range, timeout_ms, cb, arg);
}
