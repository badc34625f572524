#include "workflow/base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/mem.h"

#define FIRST_BUCKETS 64

struct wf_map_entry {
    struct wf_map_entry *next;
    uint64_t hash;
    void *value;
    char key[];
};

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash ^ (hash >> 29);
}

/* The link that points at the entry, or at the NULL where it would be. */
static struct wf_map_entry **find_link(const struct wf_map *map, const char *key,
                                       uint64_t hash)
{
    struct wf_map_entry **link;

    BW_ASSERT(map->bucket_count != 0); /* a power of two */
    link = &map->buckets[hash & (map->bucket_count - 1)];
    while (*link != NULL && ((*link)->hash != hash || strcmp((*link)->key, key) != 0))
        link = &(*link)->next;
    return link;
}

static void grow(struct wf_map *map)
{
    size_t count = map->bucket_count != 0 ? map->bucket_count * 2 : FIRST_BUCKETS;
    struct wf_map_entry **buckets = wf_alloc(count * sizeof(struct wf_map_entry *));

    for (size_t i = 0; i < map->bucket_count; i++) {
        struct wf_map_entry *entry = map->buckets[i];

        while (entry != NULL) {
            struct wf_map_entry *next = entry->next;
            struct wf_map_entry **slot = &buckets[entry->hash & (count - 1)];

            entry->next = *slot;
            *slot = entry;
            entry = next;
        }
    }
    free((void *)map->buckets);
    map->buckets = buckets;
    map->bucket_count = count;
}

void *wf_map_get(const struct wf_map *map, const char *key)
{
    struct wf_map_entry *entry;

    if (map->count == 0)
        return NULL;
    entry = *find_link(map, key, hash_text(key));
    return entry != NULL ? entry->value : NULL;
}

void wf_map_put(struct wf_map *map, const char *key, void *value)
{
    uint64_t hash = hash_text(key);
    struct wf_map_entry **link;

    if (map->count >= map->bucket_count)
        grow(map);
    link = find_link(map, key, hash);
    if (*link == NULL) {
        size_t len = strlen(key) + 1;
        struct wf_map_entry *entry = wf_alloc(sizeof(*entry) + len);

        memcpy(entry->key, key, len);
        entry->hash = hash;
        *link = entry;
        map->count++;
    }
    (*link)->value = value;
}

void *wf_map_take(struct wf_map *map, const char *key)
{
    struct wf_map_entry **link, *entry;
    void *value;

    if (map->count == 0)
        return NULL;
    link = find_link(map, key, hash_text(key));
    entry = *link;
    if (entry == NULL)
        return NULL;
    *link = entry->next;
    value = entry->value;
    free(entry);
    map->count--;
    return value;
}

void wf_map_fini(struct wf_map *map, void (*end)(void *value))
{
    for (size_t i = 0; i < map->bucket_count; i++) {
        struct wf_map_entry *entry = map->buckets[i];

        while (entry != NULL) {
            struct wf_map_entry *next = entry->next;

            if (end != NULL)
                end(entry->value);
            free(entry);
            entry = next;
        }
    }
    free((void *)map->buckets);
    *map = (struct wf_map){ 0 };
}
