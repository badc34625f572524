/* A hash map from byte strings to pointers. Keys are copied; values are the caller's.
 *
 * Storage of the caller; one thread at a time. A zeroed struct is an empty map. Hashing
 * is seeded at random in each process: keys may come from outside. */
#ifndef BW_BASE_MAP_H
#define BW_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>

struct bw_map_slot;

struct bw_map {
    struct bw_map_slot *slots;
    size_t count;
    size_t cap;
};

#define BW_MAP_INIT                                                                      \
    {                                                                                    \
        NULL, 0, 0                                                                       \
    }

/* NULL when there is no such key. */
void *bw_map_get(const struct bw_map *map, const char *key, size_t len);
/* Sets or replaces; the value must not be NULL. `old` may be NULL, else it gets the value
 * replaced or NULL. BW_ENOMEM: nothing changed. */
BW_MUSTCHECK int bw_map_put(struct bw_map *map, const char *key, size_t len, void *value,
                            void **old);
/* The value taken out; NULL when there was none. */
void *bw_map_remove(struct bw_map *map, const char *key, size_t len);
/* Frees keys and table, not the values; the map is empty afterwards. */
void bw_map_fini(struct bw_map *map);

/* Walks in no particular order: start with *at = 0; returns the next value, NULL at the
 * end. `key` and `len` may be NULL. The map must not change meanwhile. */
void *bw_map_next(const struct bw_map *map, size_t *at, const char **key, size_t *len);

#endif
