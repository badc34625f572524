#include "redis/reply.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "codec/num.h"

/* A buffer that holds an ordinary turn's replies is not freed in between. */
#define READER_KEEP ((size_t)64 * 1024)

struct bw_reader {
    redisReader *hiredis;
    struct bw_arena arena;
    size_t bytes_max;
    const char *refused; /* the limit that was broken */
};

/* --- building replies in the arena, as hiredis asks for them */

static void *refuse(struct bw_reader *reader, const char *why)
{
    reader->refused = why;
    return NULL;
}

/* The place of this reply: an element of its parent, or a root of its own. */
static struct bw_reply *place(const redisReadTask *task)
{
    struct bw_reader *reader = task->privdata;
    struct bw_reply *reply;

    if (task->parent != NULL) {
        struct bw_reply *parent = task->parent->obj;

        return &parent->elements.list[task->idx];
    }
    reply = bw_arena_alloc(&reader->arena, sizeof *reply);
    return reply != NULL ? reply : refuse(reader, "memory");
}

static void *make_text(const redisReadTask *task, char *text, size_t len)
{
    struct bw_reader *reader = task->privdata;
    struct bw_reply *reply = place(task);
    char *copy = bw_arena_alloc(&reader->arena, len + 1);

    if (reply == NULL || copy == NULL)
        return refuse(reader, "memory");
    if (len != 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    reply->kind = task->type == REDIS_REPLY_ERROR ? BW_REPLY_ERROR : BW_REPLY_STRING;
    reply->text.data = copy;
    reply->text.len = len;
    return reply;
}

static size_t depth_of(const redisReadTask *task)
{
    size_t depth = 1;

    for (; task->parent != NULL; task = task->parent)
        depth++;
    return depth;
}

#if HIREDIS_MAJOR >= 1
static void *make_array(const redisReadTask *task, size_t count)
#else
static void *make_array(const redisReadTask *task, int given)
#endif
{
    struct bw_reader *reader = task->privdata;
    struct bw_reply *reply = place(task);
#if HIREDIS_MAJOR < 1
    size_t count = given > 0 ? (size_t)given : 0;
#endif

    if (reply == NULL)
        return NULL;
    if (depth_of(task) > BW_REPLY_DEPTH_MAX)
        return refuse(reader, "depth");
    if (count > BW_REPLY_ELEMENTS_MAX)
        return refuse(reader, "elements");
    reply->kind = BW_REPLY_ARRAY;
    reply->elements.count = count;
    reply->elements.list = bw_arena_alloc(&reader->arena, count * sizeof *reply);
    if (reply->elements.list == NULL)
        return refuse(reader, "memory");
    /* All NIL, for a reader that is ended half-way. */
    memset(reply->elements.list, 0, count * sizeof *reply);
    return reply;
}

static void *make_integer(const redisReadTask *task, long long number)
{
    struct bw_reply *reply = place(task);

    if (reply == NULL)
        return NULL;
    reply->kind = BW_REPLY_INTEGER;
    reply->integer = number;
    return reply;
}

static void *make_nil(const redisReadTask *task)
{
    struct bw_reply *reply = place(task);

    if (reply != NULL)
        reply->kind = BW_REPLY_NIL;
    return reply;
}

#if HIREDIS_MAJOR >= 1
/* Types of RESP3, which we never ask for: shown as the nearest of RESP2. */
static void *make_double(const redisReadTask *task, double number, char *text, size_t len)
{
    (void)number;
    return make_text(task, text, len);
}

static void *make_bool(const redisReadTask *task, int value)
{
    return make_integer(task, value);
}
#endif

/* The arena ends them all. */
static void forget(void *reply)
{
    (void)reply;
}

static redisReplyObjectFunctions functions = {
    .createString = make_text,
    .createArray = make_array,
    .createInteger = make_integer,
    .createNil = make_nil,
#if HIREDIS_MAJOR >= 1
    .createDouble = make_double,
    .createBool = make_bool,
#endif
    .freeObject = forget,
};

/* --- the reader */

int bw_reader_create(struct bw_reader **readerp, size_t bytes_max)
{
    struct bw_reader *reader = bw_calloc(1, sizeof *reader);

    if (reader == NULL)
        return BW_ENOMEM;
    reader->bytes_max = bytes_max != 0 ? bytes_max : BW_REPLY_BYTES_MAX;
    reader->arena.limit = reader->bytes_max;
    reader->hiredis = redisReaderCreateWithFunctions(&functions);
    if (reader->hiredis == NULL) {
        free(reader);
        return BW_ENOMEM;
    }
    reader->hiredis->privdata = reader;
    reader->hiredis->maxbuf = READER_KEEP;
    *readerp = reader;
    return BW_OK;
}

void bw_reader_destroy(struct bw_reader **readerp)
{
    struct bw_reader *reader = *readerp;

    if (reader == NULL)
        return;
    *readerp = NULL;
    redisReaderFree(reader->hiredis);
    bw_arena_fini(&reader->arena);
    free(reader);
}

int bw_reader_feed(struct bw_reader *reader, const void *data, size_t len,
                   struct bw_error *err)
{
    const redisReader *hiredis = reader->hiredis;

    if (len > reader->bytes_max - (hiredis->len - hiredis->pos))
        return bw_error_set(err, BW_EPROTO, "the reply is longer than %zu bytes",
                            reader->bytes_max);
    if (redisReaderFeed(reader->hiredis, data, len) != REDIS_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory for a reply");
    return BW_OK;
}

int bw_reader_next(struct bw_reader *reader, const struct bw_reply **reply,
                   struct bw_error *err)
{
    void *found = NULL;

    *reply = NULL;
    if (reader->hiredis->reply == NULL) /* else a half-read one still lies in the arena */
        bw_arena_reset(&reader->arena);
    if (redisReaderGetReply(reader->hiredis, &found) == REDIS_OK) {
        *reply = found;
        return BW_OK;
    }
    if (reader->refused != NULL)
        return bw_error_set(err, BW_EPROTO, "the reply is over the limit of %s",
                            reader->refused);
    return bw_error_set(err, BW_EPROTO, "no reply of Redis: %s", reader->hiredis->errstr);
}

/* --- what callers see */

enum bw_reply_kind bw_reply_kind(const struct bw_reply *reply)
{
    return reply != NULL ? reply->kind : BW_REPLY_NIL;
}

const char *bw_reply_text(const struct bw_reply *reply, size_t *len)
{
    enum bw_reply_kind kind = bw_reply_kind(reply);
    bool has_text = kind == BW_REPLY_STRING || kind == BW_REPLY_ERROR;

    if (len != NULL)
        *len = has_text ? reply->text.len : 0;
    return has_text ? reply->text.data : "";
}

int64_t bw_reply_integer(const struct bw_reply *reply)
{
    int64_t number = 0;

    if (bw_reply_kind(reply) == BW_REPLY_INTEGER)
        return reply->integer;
    if (bw_reply_kind(reply) == BW_REPLY_STRING)
        (void)bw_num_parse(reply->text.data, reply->text.len, INT64_MIN, INT64_MAX,
                           &number); /* what is no number stays 0 */
    return number;
}

size_t bw_reply_count(const struct bw_reply *reply)
{
    return bw_reply_kind(reply) == BW_REPLY_ARRAY ? reply->elements.count : 0;
}

const struct bw_reply *bw_reply_at(const struct bw_reply *reply, size_t index)
{
    return index < bw_reply_count(reply) ? &reply->elements.list[index] : NULL;
}
