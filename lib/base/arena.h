/* Memory that is given back all at once: many small pieces, one end.
 *
 * Storage of the caller; one thread at a time. A zeroed struct with its limit set is an
 * empty arena. Pieces are aligned for any type, and not cleared. */
#ifndef BW_BASE_ARENA_H
#define BW_BASE_ARENA_H

#include <stddef.h>

#include <bulwark/api.h>

struct bw_arena_chunk;

struct bw_arena {
    size_t limit; /* no more than so many bytes between two resets; 0: no limit */
    size_t used;
    struct bw_arena_chunk *chunks; /* the newest, from which is given, first */
};

/* NULL: out of memory, or over the limit. */
BW_MUSTCHECK void *bw_arena_alloc(struct bw_arena *arena, size_t size);
/* All pieces end; memory of ordinary size is kept for the next ones. */
void bw_arena_reset(struct bw_arena *arena);
void bw_arena_fini(struct bw_arena *arena);

#endif
