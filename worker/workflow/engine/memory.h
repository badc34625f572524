/* The stand-in for Redis while it is away: the same keys, values and times to live, in
 * this process, the least recently used dropped first (worker/workflow/spec/workflow.md
 * §10.6). Any thread. */
#ifndef WORKFLOW_MEMORY_H
#define WORKFLOW_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/time.h>

struct wf_memory;

struct wf_memory *wf_memory_create(size_t max_entries, const struct bw_clock *clock);
void wf_memory_destroy(struct wf_memory **memoryp);

/* New text, or NULL. */
char *wf_memory_get(struct wf_memory *memory, const char *key);
void wf_memory_set(struct wf_memory *memory, const char *key, const char *value,
                   int64_t ttl_ms);
/* False: the key is there already. */
bool wf_memory_set_new(struct wf_memory *memory, const char *key, const char *value,
                       int64_t ttl_ms);
/* Counts from 1; the time to live is set by the first. */
int64_t wf_memory_count(struct wf_memory *memory, const char *key, int64_t ttl_ms);
void wf_memory_delete(struct wf_memory *memory, const char *key);
/* Only if the key holds `value`. Returns whether it did. */
bool wf_memory_delete_if(struct wf_memory *memory, const char *key, const char *value);
bool wf_memory_extend_if(struct wf_memory *memory, const char *key, const char *value,
                         int64_t ttl_ms);

#endif
