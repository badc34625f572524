#include "handlers/exec/entry.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

/* ---- lists */

void ex_list_add(struct ex_list *list, struct ex_entry *entry)
{
    BW_ASSERT(entry->prev == NULL && entry->next == NULL); /* it is in no other list */
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
    BW_ASSERT(list->count > 0);
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

/* ---- whose it is */

static struct ex_entry **bucket(struct ex_table *table, int64_t seq)
{
    return &table->buckets[(uint64_t)seq % EX_BUCKETS];
}

unsigned ex_jobs_count(const struct ex_jobs *jobs)
{
    return jobs->running.count + jobs->overdue.count;
}

struct ex_entry *ex_entry_find(struct ex_jobs *jobs, int64_t seq)
{
    struct ex_entry *entry = *bucket(jobs->table, seq);

    while (entry != NULL && (entry->seq != seq || entry->jobs != jobs))
        entry = entry->hash_next;
    return entry;
}

void ex_entry_bind(struct ex_entry *entry, struct ex_jobs *jobs)
{
    struct ex_entry **at;

    BW_ASSERT(entry->jobs == NULL && entry->seq == 0 && entry->job != NULL);
    entry->jobs = jobs;
    entry->seq = ++jobs->table->last_seq;
    at = bucket(jobs->table, entry->seq);
    entry->hash_next = *at;
    *at = entry;
    ex_list_add(&jobs->running, entry);
}

static void unbind(struct ex_entry *entry)
{
    struct ex_jobs *jobs = entry->jobs;
    struct ex_entry **at = bucket(jobs->table, entry->seq);

    while (*at != entry) {
        BW_ASSERT(*at != NULL); /* what is bound is in the table */
        at = &(*at)->hash_next;
    }
    *at = entry->hash_next;
    ex_list_remove(entry->overdue ? &jobs->overdue : &jobs->running, entry);
    entry->jobs = NULL;
}

void ex_entry_set_overdue(struct ex_entry *entry, struct bw_mono due)
{
    BW_ASSERT(entry->jobs != NULL);
    if (entry->overdue)
        return;
    ex_list_remove(&entry->jobs->running, entry);
    entry->overdue = true;
    entry->due = due;
    ex_list_add(&entry->jobs->overdue, entry);
}

void ex_entry_move(struct ex_entry *entry)
{
    BW_ASSERT(entry->job != NULL && entry->jobs != NULL && !entry->moving);
    entry->moving = true;
    entry->jobs->moving++;
}

void ex_entry_moved(struct ex_entry *entry, bool taken)
{
    BW_ASSERT(entry->moving);
    entry->moving = false;
    if (taken)
        entry->job = NULL;
    if (entry->jobs != NULL) {
        BW_ASSERT(entry->jobs->moving > 0);
        entry->jobs->moving--;
        return;
    }
    /* Its program has ended meanwhile. */
    ex_entry_fail(entry, entry->reason);
    ex_entry_end(entry);
}

/* ---- ends */

struct bw_job *ex_entry_give(struct ex_entry *entry)
{
    struct bw_job *job = entry->job;

    BW_ASSERT(job != NULL && !entry->moving);
    entry->job = NULL;
    return job;
}

void ex_entry_end(struct ex_entry *entry)
{
    BW_ASSERT(entry->job == NULL && !entry->moving); /* none is left behind */
    if (entry->jobs != NULL)
        unbind(entry);
    free(entry);
}

void ex_entry_fail(struct ex_entry *entry, const char *reason)
{
    char stack[160];
    struct bw_job_failure failure = { .message = reason, .stack = stack };

    (void)snprintf(stack, sizeof stack, "Error: %s", reason); /* cut: a courtesy */
    if (entry->job != NULL)
        bw_job_fail(ex_entry_give(entry), &failure);
}

void ex_entry_hand_back(struct ex_entry *entry, bool unstarted)
{
    if (entry->job != NULL)
        bw_job_hand_back(ex_entry_give(entry), unstarted);
    ex_entry_end(entry);
}

void ex_entry_lose(struct ex_entry *entry, const char *reason)
{
    if (entry->moving) { /* the library's now; settled when it answers */
        BW_ASSERT(entry->jobs != NULL && entry->jobs->moving > 0);
        entry->jobs->moving--;
        unbind(entry);
        (void)snprintf(entry->reason, sizeof entry->reason, "%s", reason);
        return;
    }
    if (entry->jobs != NULL && entry->jobs->told_end) {
        ex_entry_hand_back(entry, false);
        return;
    }
    ex_entry_fail(entry, reason);
    ex_entry_end(entry);
}
