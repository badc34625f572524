#include "workflow/engine/memory.h"

#include <stdlib.h>
#include <string.h>

#include <bulwark/thread.h>

#include "workflow/base/map.h"
#include "workflow/base/mem.h"

struct entry {
    struct entry *newer, *older;
    char *key, *value;
    struct bw_mono ends;
};

struct wf_memory {
    struct bw_mutex mutex; /* guards all below */
    struct wf_map map;
    struct entry *newest, *oldest;
    size_t max;
    const struct bw_clock *clock;
};

struct wf_memory *wf_memory_create(size_t max_entries, const struct bw_clock *clock)
{
    struct wf_memory *memory = wf_alloc(sizeof(*memory));

    bw_mutex_init(&memory->mutex);
    memory->max = max_entries;
    memory->clock = clock;
    return memory;
}

static void entry_free(void *value)
{
    struct entry *entry = value;

    free(entry->key);
    free(entry->value);
    free(entry);
}

void wf_memory_destroy(struct wf_memory **memoryp)
{
    struct wf_memory *memory = *memoryp;

    if (memory == NULL)
        return;
    *memoryp = NULL;
    wf_map_fini(&memory->map, entry_free);
    bw_mutex_fini(&memory->mutex);
    free(memory);
}

static void unlink_entry(struct wf_memory *memory, struct entry *entry)
{
    if (entry->newer != NULL)
        entry->newer->older = entry->older;
    else
        memory->newest = entry->older;
    if (entry->older != NULL)
        entry->older->newer = entry->newer;
    else
        memory->oldest = entry->newer;
    entry->newer = entry->older = NULL;
}

static void link_newest(struct wf_memory *memory, struct entry *entry)
{
    entry->older = memory->newest;
    if (memory->newest != NULL)
        memory->newest->newer = entry;
    else
        memory->oldest = entry;
    memory->newest = entry;
}

static void drop(struct wf_memory *memory, struct entry *entry)
{
    unlink_entry(memory, entry);
    (void)wf_map_take(&memory->map, entry->key); /* it is `entry` */
    entry_free(entry);
}

/* The living entry of that key, now the newest; NULL: none. */
static struct entry *find(struct wf_memory *memory, const char *key)
{
    struct entry *entry = wf_map_get(&memory->map, key);

    if (entry == NULL)
        return NULL;
    if (!bw_mono_before(bw_mono_now(memory->clock), entry->ends)) {
        drop(memory, entry);
        return NULL;
    }
    unlink_entry(memory, entry);
    link_newest(memory, entry);
    return entry;
}

static void put(struct wf_memory *memory, const char *key, const char *value,
                int64_t ttl_ms)
{
    struct entry *entry = find(memory, key);

    if (entry == NULL) {
        entry = wf_alloc(sizeof(*entry));
        entry->key = wf_strdup(key);
        wf_map_put(&memory->map, key, entry);
        link_newest(memory, entry);
        if (memory->map.count > memory->max)
            drop(memory, memory->oldest);
    }
    wf_set(&entry->value, value);
    entry->ends = bw_mono_add_ms(bw_mono_now(memory->clock), ttl_ms);
}

char *wf_memory_get(struct wf_memory *memory, const char *key)
{
    struct entry *entry;
    char *value;

    bw_mutex_lock(&memory->mutex);
    entry = find(memory, key);
    value = entry != NULL ? wf_strdup(entry->value) : NULL;
    bw_mutex_unlock(&memory->mutex);
    return value;
}

void wf_memory_set(struct wf_memory *memory, const char *key, const char *value,
                   int64_t ttl_ms)
{
    bw_mutex_lock(&memory->mutex);
    put(memory, key, value, ttl_ms);
    bw_mutex_unlock(&memory->mutex);
}

bool wf_memory_set_new(struct wf_memory *memory, const char *key, const char *value,
                       int64_t ttl_ms)
{
    bool is_new;

    bw_mutex_lock(&memory->mutex);
    is_new = find(memory, key) == NULL;
    if (is_new)
        put(memory, key, value, ttl_ms);
    bw_mutex_unlock(&memory->mutex);
    return is_new;
}

int64_t wf_memory_count(struct wf_memory *memory, const char *key, int64_t ttl_ms)
{
    struct entry *entry;
    int64_t count = 1;

    bw_mutex_lock(&memory->mutex);
    entry = find(memory, key);
    if (entry == NULL) {
        put(memory, key, "1", ttl_ms);
    } else {
        count = strtoll(entry->value, NULL, 10) + 1;
        free(entry->value);
        entry->value = wf_printf("%lld", (long long)count);
    }
    bw_mutex_unlock(&memory->mutex);
    return count;
}

void wf_memory_delete(struct wf_memory *memory, const char *key)
{
    struct entry *entry;

    bw_mutex_lock(&memory->mutex);
    entry = find(memory, key);
    if (entry != NULL)
        drop(memory, entry);
    bw_mutex_unlock(&memory->mutex);
}

bool wf_memory_delete_if(struct wf_memory *memory, const char *key, const char *value)
{
    struct entry *entry;
    bool held;

    bw_mutex_lock(&memory->mutex);
    entry = find(memory, key);
    held = entry != NULL && strcmp(entry->value, value) == 0;
    if (held)
        drop(memory, entry);
    bw_mutex_unlock(&memory->mutex);
    return held;
}

bool wf_memory_extend_if(struct wf_memory *memory, const char *key, const char *value,
                         int64_t ttl_ms)
{
    struct entry *entry;
    bool held;

    bw_mutex_lock(&memory->mutex);
    entry = find(memory, key);
    held = entry != NULL && strcmp(entry->value, value) == 0;
    if (held)
        entry->ends = bw_mono_add_ms(bw_mono_now(memory->clock), ttl_ms);
    bw_mutex_unlock(&memory->mutex);
    return held;
}
