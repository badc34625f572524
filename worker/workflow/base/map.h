/* A map from texts to pointers. Not locked: its owner does that. Keys are copied; values
 * are the caller's. A zeroed struct is an empty map. */
#ifndef WORKFLOW_MAP_H
#define WORKFLOW_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct wf_map_entry;

struct wf_map {
    struct wf_map_entry **buckets;
    size_t bucket_count;
    size_t count;
};

/* NULL: no such key. */
void *wf_map_get(const struct wf_map *map, const char *key);
/* Replaces the value that is there. */
void wf_map_put(struct wf_map *map, const char *key, void *value);
/* Returns the value that was there, or NULL. */
void *wf_map_take(struct wf_map *map, const char *key);
/* Calls `end` (may be NULL) for every value and empties the map. */
void wf_map_fini(struct wf_map *map, void (*end)(void *value));

#endif
