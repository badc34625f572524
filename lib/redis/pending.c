#include "redis/pending.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/num.h"
#include "redis/conn.h"
#include "redis/script.h"

#define RING_MIN ((size_t)16)
#define TRIM_MIN ((size_t)64 * 1024) /* fewer answered bytes are not worth a move */
#define BYTES_KEEP                                                                       \
    ((size_t)1024 * 1024) /* a larger buffer is given back when it is empty */

static struct bw_pending_entry *slot(const struct bw_pending *pending, size_t i)
{
    return &pending->ring[(pending->first + i) & (pending->cap - 1)];
}

static int grow_ring(struct bw_pending *pending)
{
    size_t cap = pending->cap != 0 ? pending->cap * 2 : RING_MIN;
    struct bw_pending_entry *ring;

    if (cap > SIZE_MAX / 2 / sizeof *ring)
        return BW_ENOMEM;
    ring = bw_alloc(cap * sizeof *ring);
    if (ring == NULL)
        return BW_ENOMEM;
    for (size_t i = 0; i < pending->count; i++)
        ring[i] = *slot(pending, i);
    free(pending->ring);
    pending->ring = ring;
    pending->cap = cap;
    pending->first = 0;
    return BW_OK;
}

static int make_room(struct bw_pending *pending, size_t len)
{
    if (pending->count == pending->cap && grow_ring(pending) != BW_OK)
        return BW_ENOMEM;
    return bw_buf_reserve(&pending->bytes, len);
}

static uint64_t end_of(const struct bw_pending *pending)
{
    return pending->base + pending->bytes.len;
}

static void append(struct bw_pending *pending, const void *data, size_t len)
{
    memcpy(pending->bytes.data + pending->bytes.len, data, len); /* room was made */
    pending->bytes.len += len;
}

int bw_pending_push(struct bw_pending *pending, const struct bw_cmd *cmd,
                    struct bw_mono deadline, bw_redis_cb *cb, void *arg)
{
    char head[BW_NUM_LEN_MAX + 3] = "*";
    size_t head_len = 1 + bw_num_format(head + 1, (int64_t)cmd->count);

    head[head_len++] = '\r';
    head[head_len++] = '\n';
    if (cmd->body.len > SIZE_MAX / 2 ||
        make_room(pending, head_len + cmd->body.len) != BW_OK)
        return BW_ENOMEM;
    *slot(pending, pending->count++) = (struct bw_pending_entry){
        .cb = cb,
        .arg = arg,
        .deadline = deadline,
        .start = end_of(pending),
        .len = head_len + cmd->body.len,
        .script = cmd->script,
    };
    append(pending, head, head_len);
    append(pending, cmd->body.data, cmd->body.len);
    return BW_OK;
}

int bw_pending_repeat_first(struct bw_pending *pending)
{
    struct bw_pending_entry again;

    assert(pending->count > 0);
    again = *slot(pending, 0);
    if (make_room(pending, again.len) != BW_OK)
        return BW_ENOMEM;
    append(pending, pending->bytes.data + (again.start - pending->base), again.len);
    again.start = end_of(pending) - again.len;
    again.script = NULL;
    *slot(pending, pending->count++) = again;
    return BW_OK;
}

/* The length of "*n\r\n$7\r\nEVALSHA\r\n$40\r\n…\r\n", which bw_cmd_script() makes, and
 * in `*head` that of its first line. */
static size_t evalsha_len(const char *bytes, size_t *head)
{
    static const char line[] = "$7\r\nEVALSHA\r\n$40\r\n";
    const char *newline = strchr(bytes, '\n');

    *head = (size_t)(newline - bytes) + 1;
    assert(memcmp(newline + 1, line, sizeof line - 1) == 0);
    return *head + sizeof line - 1 + 40 + 2;
}

int bw_pending_repeat_first_as_eval(struct bw_pending *pending)
{
    struct bw_pending_entry again;
    char start[48];
    const char *bytes;
    size_t head, skip, len;
    int start_len;

    assert(pending->count > 0);
    again = *slot(pending, 0);
    assert(again.script != NULL);
    start_len =
        snprintf(start, sizeof start, "$4\r\nEVAL\r\n$%zu\r\n", again.script->len);
    if (make_room(pending, again.len + (size_t)start_len + again.script->len) != BW_OK)
        return BW_ENOMEM;
    bytes = pending->bytes.data + (again.start - pending->base);
    skip = evalsha_len(bytes, &head);
    len = head + (size_t)start_len + again.script->len + 2 + (again.len - skip);
    append(pending, bytes, head);
    append(pending, start, (size_t)start_len);
    append(pending, again.script->text, again.script->len);
    append(pending, "\r\n", 2);
    append(pending, bytes + skip, again.len - skip);
    again.start = end_of(pending) - len;
    again.len = len;
    again.script = NULL;
    *slot(pending, pending->count++) = again;
    return BW_OK;
}

const struct bw_pending_entry *bw_pending_first(const struct bw_pending *pending)
{
    return pending->count > 0 ? slot(pending, 0) : NULL;
}

const struct bw_pending_entry *bw_pending_at(const struct bw_pending *pending, size_t i)
{
    assert(i < pending->count);
    return slot(pending, i);
}

/* Forgets answered bytes: all at once when nothing is left, else when it pays to move the
 * rest. */
static void trim(struct bw_pending *pending)
{
    uint64_t kept = pending->count > 0 ? slot(pending, 0)->start : end_of(pending);
    size_t done;

    if (kept > pending->written)
        kept = pending->written;
    done = (size_t)(kept - pending->base);
    if (done < pending->bytes.len && (done < TRIM_MIN || done < pending->bytes.len / 2))
        return;
    pending->base = kept;
    bw_buf_consume(&pending->bytes, done);
    if (pending->bytes.len == 0 && pending->bytes.cap > BYTES_KEEP)
        bw_buf_fini(&pending->bytes);
}

void bw_pending_shift(struct bw_pending *pending)
{
    assert(pending->count > 0);
    pending->first = (pending->first + 1) & (pending->cap - 1);
    pending->count--;
    trim(pending);
}

bool bw_pending_is_written(const struct bw_pending *pending,
                           const struct bw_pending_entry *entry)
{
    return entry->start + entry->len <= pending->written;
}

bool bw_pending_is_begun(const struct bw_pending *pending,
                         const struct bw_pending_entry *entry)
{
    return entry->start < pending->written;
}

const char *bw_pending_output(const struct bw_pending *pending, size_t *len)
{
    size_t at = (size_t)(pending->written - pending->base);

    *len = pending->bytes.len - at;
    return *len > 0 ? pending->bytes.data + at : NULL;
}

void bw_pending_advance(struct bw_pending *pending, size_t len)
{
    pending->written += len;
    assert(pending->written <= end_of(pending));
}

void bw_pending_fini(struct bw_pending *pending)
{
    free(pending->ring);
    bw_buf_fini(&pending->bytes);
    *pending = (struct bw_pending){ 0 };
}
