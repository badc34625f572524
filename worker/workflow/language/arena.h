/* Memory that lives as long as one evaluation and is bounded. One thread at a time. */
#ifndef WORKFLOW_ARENA_H
#define WORKFLOW_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct wf_arena_chunk;

struct wf_arena { /* zeroed but for `limit` to begin with */
    struct wf_arena_chunk *chunks;
    size_t used, limit; /* bytes */
};

/* Zeroed and aligned for anything. NULL: memory is out, or the limit is reached (`used` >
 * `limit`). */
void *wf_arena_alloc(struct wf_arena *arena, size_t size);
void wf_arena_fini(struct wf_arena *arena);

#endif
