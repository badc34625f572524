#include <stdlib.h>

#include "handlers/exec/pool.h"

void ex_list_add(struct ex_list *list, struct ex_entry *entry)
{
    entry->next = NULL;
    entry->prev = list->last;
    if (list->last != NULL)
        list->last->next = entry;
    else
        list->first = entry;
    list->last = entry;
    list->count++;
}

void ex_list_remove(struct ex_list *list, struct ex_entry *entry)
{
    if (entry->prev != NULL)
        entry->prev->next = entry->next;
    else
        list->first = entry->next;
    if (entry->next != NULL)
        entry->next->prev = entry->prev;
    else
        list->last = entry->prev;
    entry->prev = entry->next = NULL;
    list->count--;
}

static struct ex_entry **bucket(struct ex_pool *pool, int64_t seq)
{
    return &pool->buckets[(uint64_t)seq % EX_BUCKETS];
}

struct ex_entry *ex_entry_find(struct ex_program *program, int64_t seq)
{
    struct ex_entry *entry = *bucket(program->pool, seq);

    while (entry != NULL && (entry->seq != seq || entry->program != program))
        entry = entry->hash_next;
    return entry;
}

void ex_entry_bind(struct ex_entry *entry, struct ex_program *program)
{
    struct ex_pool *pool = program->pool;
    struct ex_entry **at;

    entry->program = program;
    entry->seq = ++pool->last_seq;
    at = bucket(pool, entry->seq);
    entry->hash_next = *at;
    *at = entry;
    ex_list_add(&program->running, entry);
}

void ex_entry_unbind(struct ex_entry *entry)
{
    struct ex_program *program = entry->program;
    struct ex_entry **at = bucket(program->pool, entry->seq);

    while (*at != entry)
        at = &(*at)->hash_next;
    *at = entry->hash_next;
    ex_list_remove(entry->overdue ? &program->overdue : &program->running, entry);
    entry->program = NULL;
}

void ex_entry_end(struct ex_entry *entry)
{
    if (entry->program != NULL)
        ex_entry_unbind(entry);
    free(entry);
}
