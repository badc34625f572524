#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"

#define CHUNK_MIN  ((size_t)4 * 1024)
#define CHUNK_KEEP ((size_t)256 * 1024) /* a larger one is not kept over a reset */
#define ALIGN      alignof(max_align_t)

struct bw_arena_chunk {
    struct bw_arena_chunk *older;
    size_t cap, used;
    alignas(ALIGN) char bytes[];
};

static void *give(struct bw_arena_chunk *chunk, size_t size)
{
    void *piece = chunk->bytes + chunk->used;

    chunk->used += size;
    return piece;
}

static struct bw_arena_chunk *add_chunk(struct bw_arena *arena, size_t size)
{
    size_t cap = arena->chunks != NULL ? arena->chunks->cap : CHUNK_MIN / 2;
    struct bw_arena_chunk *chunk;

    cap = cap < CHUNK_KEEP / 2 ? cap * 2 : CHUNK_KEEP;
    if (cap < size)
        cap = size;
    chunk = bw_alloc(sizeof *chunk + cap);
    if (chunk == NULL)
        return NULL;
    *chunk = (struct bw_arena_chunk){ .older = arena->chunks, .cap = cap };
    arena->chunks = chunk;
    return chunk;
}

void *bw_arena_alloc(struct bw_arena *arena, size_t size)
{
    struct bw_arena_chunk *chunk = arena->chunks;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (arena->limit != 0 && size > arena->limit - arena->used)
        return NULL;
    if (chunk == NULL || size > chunk->cap - chunk->used)
        chunk = add_chunk(arena, size);
    if (chunk == NULL)
        return NULL;
    arena->used += size;
    return give(chunk, size);
}

/* Of the chunks the newest is kept: sizes only grow, so soon one chunk is enough for all.
 */
void bw_arena_reset(struct bw_arena *arena)
{
    struct bw_arena_chunk *keep = arena->chunks;
    struct bw_arena rest = { 0 };

    arena->used = 0;
    if (keep == NULL)
        return;
    rest.chunks = keep->older;
    keep->older = NULL;
    keep->used = 0;
    bw_arena_fini(&rest);
    if (keep->cap > CHUNK_KEEP)
        bw_arena_fini(arena);
}

void bw_arena_fini(struct bw_arena *arena)
{
    while (arena->chunks != NULL) {
        struct bw_arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->older;
        free(chunk);
    }
    arena->used = 0;
}
