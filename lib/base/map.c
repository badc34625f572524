#include "base/map.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/error.h>

#include "base/alloc.h"
#include "base/rand.h"

#define CAP_MIN ((size_t)16)

/* Open addressing with linear probing; removal moves followers back, so there are no
 * tombstones. */
struct bw_map_slot {
    char *key; /* NULL: free */
    size_t len;
    uint64_t hash;
    void *value;
};

/* FNV-1a over the seed, finished with a mix so that low bits depend on all of it. */
static uint64_t hash_of(const char *key, size_t len)
{
    uint64_t hash = 14695981039346656037U ^ bw_rand_process_seed();

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)key[i]) * 1099511628211U;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93U;
    return hash ^ hash >> 32;
}

/* The slot that holds the key, or the free one where it belongs. */
static struct bw_map_slot *find(const struct bw_map *map, const char *key, size_t len,
                                uint64_t hash)
{
    size_t mask = map->cap - 1;
    size_t i = (size_t)hash & mask;

    for (;; i = (i + 1) & mask) {
        struct bw_map_slot *slot = &map->slots[i];

        if (slot->key == NULL)
            return slot;
        if (slot->hash == hash && slot->len == len && memcmp(slot->key, key, len) == 0)
            return slot;
    }
}

static int grow(struct bw_map *map)
{
    struct bw_map bigger = { .count = map->count };

    if (map->cap > SIZE_MAX / 2)
        return BW_ENOMEM;
    bigger.cap = map->cap != 0 ? map->cap * 2 : CAP_MIN;
    bigger.slots = bw_calloc(bigger.cap, sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return BW_ENOMEM;
    for (size_t i = 0; i < map->cap; i++) {
        const struct bw_map_slot *slot = &map->slots[i];

        if (slot->key != NULL)
            *find(&bigger, slot->key, slot->len, slot->hash) = *slot;
    }
    free(map->slots);
    *map = bigger;
    return BW_OK;
}

void *bw_map_get(const struct bw_map *map, const char *key, size_t len)
{
    if (map->count == 0)
        return NULL;
    return find(map, key, len, hash_of(key, len))->value;
}

int bw_map_put(struct bw_map *map, const char *key, size_t len, void *value, void **old)
{
    uint64_t hash = hash_of(key, len);
    struct bw_map_slot *slot;
    char *copy;

    assert(value != NULL);
    if (old != NULL)
        *old = NULL;
    if (map->count >= map->cap / 4 * 3 && grow(map) != BW_OK)
        return BW_ENOMEM;
    slot = find(map, key, len, hash);
    if (slot->key != NULL) {
        if (old != NULL)
            *old = slot->value;
        slot->value = value;
        return BW_OK;
    }
    copy = bw_memdup(key, len);
    if (copy == NULL)
        return BW_ENOMEM;
    *slot = (struct bw_map_slot){ copy, len, hash, value };
    map->count++;
    return BW_OK;
}

/* Moves back every follower that the gap would cut off from its home. */
static void close_gap(struct bw_map *map, size_t gap)
{
    size_t mask = map->cap - 1;

    for (size_t i = (gap + 1) & mask; map->slots[i].key != NULL; i = (i + 1) & mask) {
        size_t home = (size_t)map->slots[i].hash & mask;
        bool stays = gap < i ? home > gap && home <= i : home > gap || home <= i;

        if (stays)
            continue;
        map->slots[gap] = map->slots[i];
        gap = i;
    }
    map->slots[gap] = (struct bw_map_slot){ 0 };
}

void *bw_map_remove(struct bw_map *map, const char *key, size_t len)
{
    struct bw_map_slot *slot;
    void *value;

    if (map->count == 0)
        return NULL;
    slot = find(map, key, len, hash_of(key, len));
    if (slot->key == NULL)
        return NULL;
    value = slot->value;
    free(slot->key);
    map->count--;
    close_gap(map, (size_t)(slot - map->slots));
    return value;
}

void bw_map_fini(struct bw_map *map)
{
    for (size_t i = 0; i < map->cap; i++)
        free(map->slots[i].key);
    free(map->slots);
    *map = (struct bw_map)BW_MAP_INIT;
}

void *bw_map_next(const struct bw_map *map, size_t *at, const char **key, size_t *len)
{
    while (*at < map->cap) {
        const struct bw_map_slot *slot = &map->slots[(*at)++];

        if (slot->key == NULL)
            continue;
        if (key != NULL)
            *key = slot->key;
        if (len != NULL)
            *len = slot->len;
        return slot->value;
    }
    return NULL;
}
