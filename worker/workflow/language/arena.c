#include "workflow/language/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#define CHUNK_SIZE 4096

struct wf_arena_chunk {
    struct wf_arena_chunk *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

static struct wf_arena_chunk *add_chunk(struct wf_arena *arena, size_t size)
{
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    struct wf_arena_chunk *chunk = calloc(1, sizeof *chunk + room);

    if (chunk == NULL)
        return NULL;
    chunk->size = room;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *wf_arena_alloc(struct wf_arena *arena, size_t size)
{
    struct wf_arena_chunk *chunk = arena->chunks;
    size_t aligned;
    void *place;

    if (size > arena->limit) {
        arena->used = arena->limit + 1;
        return NULL;
    }
    aligned = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    arena->used += aligned;
    if (arena->used > arena->limit)
        return NULL;
    if (chunk == NULL || chunk->size - chunk->used < aligned)
        chunk = add_chunk(arena, aligned);
    if (chunk == NULL)
        return NULL;
    place = chunk->data + chunk->used;
    chunk->used += aligned;
    return place;
}

void wf_arena_fini(struct wf_arena *arena)
{
    while (arena->chunks != NULL) {
        struct wf_arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->next;
        free(chunk);
    }
    arena->used = 0;
}
