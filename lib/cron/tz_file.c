#include "cron/tz_file.h"

#include <stdlib.h>
#include <string.h>

#include <bulwark/error.h>

#include "base/alloc.h"

enum { HEAD_LEN = 44, TYPE_LEN = 6, RULE_MAX = 256, OFFSET_MAX = 93600 };

struct block { /* one of the one or two that a file holds */
    const unsigned char *times, *kinds, *types, *end;
    size_t time_count, type_count, time_len;
};

static uint32_t read_32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_time(const unsigned char *at, size_t len)
{
    uint64_t low;

    if (len == 4)
        return (int32_t)read_32(at);
    low = (uint64_t)read_32(at) << 32 | read_32(at + 4);
    return (int64_t)low;
}

/* `time_len`: 4 in the first block, 8 in the second. */
static bool read_block(struct block *block, const unsigned char *at, size_t len,
                       size_t time_len)
{
    size_t ut_count, std_count, leap_count, name_len;
    uint64_t size;

    if (len < HEAD_LEN || memcmp(at, "TZif", 4) != 0)
        return false;
    ut_count = read_32(at + 20);
    std_count = read_32(at + 24);
    leap_count = read_32(at + 28);
    block->time_count = read_32(at + 32);
    block->type_count = read_32(at + 36);
    name_len = read_32(at + 40);
    block->time_len = time_len;
    /* Each count is below 2^32: no sum of these overflows. */
    size = (uint64_t)HEAD_LEN + (uint64_t)block->time_count * (time_len + 1) +
           (uint64_t)block->type_count * TYPE_LEN + name_len +
           (uint64_t)leap_count * (time_len + 4) + std_count + ut_count;
    if (size > len || block->type_count == 0)
        return false;
    block->times = at + HEAD_LEN;
    block->kinds = block->times + block->time_count * time_len;
    block->types = block->kinds + block->time_count;
    block->end = at + size;
    return true;
}

static bool offset_of(const struct block *block, size_t type, int32_t *offset)
{
    if (type >= block->type_count)
        return false;
    *offset = (int32_t)read_32(block->types + type * TYPE_LEN);
    return *offset > -OFFSET_MAX && *offset < OFFSET_MAX;
}

static int read_changes(struct bw_tz *tz, const struct block *block)
{
    if (!offset_of(block, 0, &tz->first))
        return BW_EINVAL;
    tz->changes = bw_calloc(block->time_count, sizeof(*tz->changes));
    if (tz->changes == NULL)
        return BW_ENOMEM;
    for (size_t i = 0; i < block->time_count; i++) {
        struct bw_tz_change *change = &tz->changes[i];

        change->at = read_time(block->times + i * block->time_len, block->time_len);
        if (!offset_of(block, block->kinds[i], &change->offset) ||
            (i > 0 && change->at <= change[-1].at))
            return BW_EINVAL;
    }
    tz->count = block->time_count;
    return BW_OK;
}

/* The last line of the file, between two line ends; an empty one says nothing. */
static bool read_rule(struct bw_tz *tz, const unsigned char *at, size_t len)
{
    char text[RULE_MAX];
    const unsigned char *end;
    size_t size;

    if (len < 2 || at[0] != '\n')
        return false;
    end = memchr(at + 1, '\n', len - 1);
    if (end == NULL)
        return false;
    size = (size_t)(end - at) - 1;
    if (size == 0)
        return true;
    if (size >= sizeof(text))
        return false;
    memcpy(text, at + 1, size);
    text[size] = '\0';
    tz->has_rule = bw_tz_rule_parse(&tz->rule, text);
    return tz->has_rule;
}

int bw_tz_decode(struct bw_tz *tz, const unsigned char *bytes, size_t len)
{
    const unsigned char *end = bytes + len;
    struct block block;
    bool has_second;
    int rc;

    memset(tz, 0, sizeof(*tz));
    if (!read_block(&block, bytes, len, 4))
        return BW_EINVAL;
    has_second = bytes[4] >= '2';
    if (has_second && !read_block(&block, block.end, (size_t)(end - block.end), 8))
        return BW_EINVAL;
    rc = read_changes(tz, &block);
    if (rc == BW_OK && has_second && !read_rule(tz, block.end, (size_t)(end - block.end)))
        rc = BW_EINVAL;
    if (rc != BW_OK)
        bw_tz_fini(tz);
    return rc;
}

void bw_tz_fini(struct bw_tz *tz)
{
    free(tz->changes);
    memset(tz, 0, sizeof(*tz));
}
