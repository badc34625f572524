#include "pg/prepared.h"

#include <stdint.h>
#include <stdlib.h>

#include <bulwark/error.h>

#include "base/assert.h"

static size_t home(const struct pg_prepared *set, const struct pg_statement *statement)
{
    uint64_t bits = (uint64_t)(uintptr_t)statement;

    return (size_t)((bits * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (set->cap - 1);
}

/* Where it is, or the free slot where it would go. The set is never full. */
static size_t probe(const struct pg_prepared *set, const struct pg_statement *statement)
{
    size_t at = home(set, statement);

    BW_ASSERT(set->count < set->cap); /* else the search would not end */
    while (set->slots[at] != NULL && set->slots[at] != statement)
        at = (at + 1) & (set->cap - 1);
    return at;
}

bool pg_prepared_has(const struct pg_prepared *set, const struct pg_statement *statement)
{
    return set->cap > 0 && set->slots[probe(set, statement)] == statement;
}

static int grow(struct pg_prepared *set)
{
    struct pg_prepared grown = { .cap = set->cap > 0 ? set->cap * 2 : 64 };

    grown.slots = calloc(grown.cap, sizeof *grown.slots);
    if (grown.slots == NULL)
        return BW_ENOMEM;
    for (size_t i = 0; i < set->cap; i++)
        if (set->slots[i] != NULL)
            grown.slots[probe(&grown, set->slots[i])] = set->slots[i];
    grown.count = set->count;
    free(set->slots);
    *set = grown;
    return BW_OK;
}

int pg_prepared_add(struct pg_prepared *set, const struct pg_statement *statement)
{
    size_t at;

    if (set->count * 2 >= set->cap && grow(set) != BW_OK)
        return BW_ENOMEM;
    at = probe(set, statement);
    if (set->slots[at] == NULL)
        set->count++;
    set->slots[at] = statement;
    return BW_OK;
}

/* Whoever was pushed past the gap moves up. */
void pg_prepared_remove(struct pg_prepared *set, const struct pg_statement *statement)
{
    size_t at;

    if (!pg_prepared_has(set, statement))
        return;
    at = probe(set, statement);
    BW_ASSERT(set->count > 0);
    set->slots[at] = NULL;
    set->count--;
    for (at = (at + 1) & (set->cap - 1); set->slots[at] != NULL;
         at = (at + 1) & (set->cap - 1)) {
        const struct pg_statement *moved = set->slots[at];

        set->slots[at] = NULL;
        set->slots[probe(set, moved)] = moved;
    }
}

void pg_prepared_fini(struct pg_prepared *set)
{
    free(set->slots);
    *set = (struct pg_prepared){ 0 };
}
