/* Many adds in one go, some of them a script call; not a transaction. lib/spec/bullmq.md
 * §3.4 */
#include <bulwark/queue.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/add_reply.h"
#include "queue/calls.h"
#include "redis/client.h"

enum { CHUNK = 100 }; /* jobs a script call: none keeps Redis for long */

struct chunk {
    struct bw_cmd cmd;
    size_t first, count; /* its jobs */
};

/* The caller's until the first chunk is sent, then the callbacks' on the reactor. */
struct bulk {
    struct bw_redis *redis;
    unsigned timeout_ms;
    bw_bulk_cb *cb;
    void *arg;
    struct chunk *chunks;
    size_t chunk_count, next; /* the chunk that is sent next */
    char **ids;               /* owned, each; NULL: none yet, or refused */
    size_t count;
    struct bw_error first; /* code BW_OK: none */
};

static void bulk_free(struct bulk *bulk)
{
    if (bulk == NULL)
        return;
    for (size_t i = 0; bulk->chunks != NULL && i < bulk->chunk_count; i++)
        bw_cmd_fini(&bulk->chunks[i].cmd);
    for (size_t i = 0; bulk->ids != NULL && i < bulk->count; i++)
        free(bulk->ids[i]);
    free(bulk->chunks);
    free(bulk->ids);
    free(bulk);
}

static struct bulk *bulk_create(size_t count)
{
    struct bulk *bulk = bw_calloc(1, sizeof *bulk);

    if (bulk == NULL)
        return NULL;
    bulk->count = count;
    bulk->ids = bw_calloc(count, sizeof *bulk->ids);
    bulk->chunks = bw_calloc(count, sizeof *bulk->chunks); /* at most one a job */
    if (bulk->ids == NULL || bulk->chunks == NULL) {
        bulk_free(bulk);
        return NULL;
    }
    return bulk;
}

/* --- building: all of it before anything is sent */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool fits(const struct chunk *chunk, const struct bw_add *adds, size_t index)
{
    const struct bw_add *first = &adds[chunk->first], *add = &adds[index];

    return chunk->count < CHUNK && first->line == add->line &&
           same_text(first->queue, add->queue) && same_text(first->prefix, add->prefix);
}

/* The chunk that the job belongs to, begun if need be. */
static int chunk_for(struct chunk **chunkp, struct bulk *bulk, const struct bw_add *adds,
                     size_t index, struct bw_wall now, struct bw_error *err)
{
    struct chunk *chunk =
        bulk->chunk_count > 0 ? &bulk->chunks[bulk->chunk_count - 1] : NULL;
    struct bw_keys keys;
    int rc;

    if (chunk == NULL || !fits(chunk, adds, index)) {
        rc = bw_keys_init(&keys, adds[index].prefix, adds[index].queue, err);
        if (rc != BW_OK)
            return rc;
        chunk = &bulk->chunks[bulk->chunk_count++];
        chunk->first = index;
        bw_add_many_begin(&chunk->cmd, &keys, now, &adds[index]);
        bw_keys_fini(&keys);
    }
    *chunkp = chunk;
    return BW_OK;
}

static int build_one(struct bulk *bulk, const struct bw_add *adds, size_t index,
                     struct bw_wall now, struct bw_error *err)
{
    struct bw_add_options options;
    struct chunk *chunk;
    int rc = bw_add_options_parse(&options, &adds[index], now, err);

    if (rc != BW_OK)
        return rc;
    rc = chunk_for(&chunk, bulk, adds, index, now, err);
    if (rc == BW_OK) {
        bw_add_many_append(&chunk->cmd, &adds[index], &options);
        chunk->count++;
        rc = chunk->cmd.failed;
        if (rc != BW_OK)
            (void)bw_error_set(err, rc, "out of memory");
    }
    bw_add_options_fini(&options);
    return rc;
}

static int build(struct bulk *bulk, const struct bw_add *adds, struct bw_wall now,
                 struct bw_error *err)
{
    for (size_t i = 0; i < bulk->count; i++) {
        int rc = build_one(bulk, adds, i, now, err);

        if (rc != BW_OK) {
            (void)bw_error_prefix(err, "add: job %zu", i);
            return rc;
        }
    }
    return BW_OK;
}

/* --- sending, one chunk after the other */

static void finish(struct bulk *bulk)
{
    bulk->cb((const char *const *)bulk->ids, bulk->count,
             bulk->first.code != BW_OK ? &bulk->first : NULL, bulk->arg);
    bulk_free(bulk);
}

static void note_error(struct bulk *bulk, const struct bw_error *err)
{
    if (bulk->first.code == BW_OK)
        bulk->first = *err;
}

static void take_id(struct bulk *bulk, size_t index, const struct bw_reply *reply)
{
    struct bw_error err;

    if (bw_add_reply_decode(reply, &err) == BW_OK) {
        bulk->ids[index] = bw_strdup(bw_reply_text(reply, NULL));
        if (bulk->ids[index] != NULL)
            return;
        (void)bw_error_set(&err, BW_ENOMEM, "add: out of memory");
    }
    (void)bw_error_prefix(&err, "job %zu", index);
    note_error(bulk, &err);
}

static void chunk_done(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg);

static int send_next(struct bulk *bulk)
{
    return bw_redis_send_cmd(bulk->redis, &bulk->chunks[bulk->next].cmd, bulk->timeout_ms,
                             chunk_done, bulk);
}

static void chunk_done(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bulk *bulk = arg;
    const struct chunk *chunk = &bulk->chunks[bulk->next++];
    struct bw_error own;
    int rc;

    if (err == NULL && bw_reply_count(reply) != chunk->count) {
        (void)bw_error_set(&own, BW_EPROTO, "add: unexpected reply");
        err = &own;
    }
    if (err != NULL) {
        note_error(bulk, err);
        finish(bulk);
        return;
    }
    for (size_t i = 0; i < chunk->count; i++)
        take_id(bulk, chunk->first + i, bw_reply_at(reply, i));
    if (bulk->next == bulk->chunk_count) {
        finish(bulk);
        return;
    }
    rc = send_next(bulk);
    if (rc == BW_OK)
        return;
    (void)bw_error_set(&own, rc, "add: from job %zu on nothing was sent",
                       bulk->chunks[bulk->next].first);
    note_error(bulk, &own);
    finish(bulk);
}

int bw_queue_add_bulk(struct bw_redis *redis, const struct bw_add *adds, size_t count,
                      const struct bw_clock *clock, unsigned timeout_ms, bw_bulk_cb *cb,
                      void *arg, struct bw_error *err)
{
    struct bulk *bulk;
    int rc;

    if (redis == NULL || (adds == NULL && count > 0) || cb == NULL)
        return bw_error_set(err, BW_EINVAL, "add: something that it needs is NULL");
    if (count == 0)
        return bw_error_set(err, BW_EINVAL, "add: no jobs");
    bulk = bulk_create(count);
    if (bulk == NULL)
        return bw_error_set(err, BW_ENOMEM, "add: out of memory");
    bulk->redis = redis;
    bulk->timeout_ms = timeout_ms;
    bulk->cb = cb;
    bulk->arg = arg;
    rc = build(bulk, adds, bw_wall_now(clock), err);
    if (rc == BW_OK) {
        rc = send_next(bulk);
        if (rc == BW_OK)
            return BW_OK; /* finish() frees it */
        (void)bw_error_set(err, rc, "add: %s",
                           rc == BW_ENOMEM ? "out of memory" : "not connected");
    }
    bulk_free(bulk);
    return rc;
}
