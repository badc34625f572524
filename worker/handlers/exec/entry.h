/* A job from its arrival to its end, by its seq, and how it ends where no program says
 * so.
 *
 * All of it belongs to the pool's thread. */
#ifndef WORKER_HANDLERS_EXEC_ENTRY_H
#define WORKER_HANDLERS_EXEC_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/job.h>
#include <bulwark/time.h>

#include "handlers/exec/inbox.h"

struct ex_entry;

struct ex_list { /* of entries, in order */
    struct ex_entry *first, *last;
    unsigned count;
};

enum { EX_BUCKETS = 1024 };

/* Those of all programs that have been sent. */
struct ex_table {
    struct ex_entry *buckets[EX_BUCKETS];
    int64_t last_seq;
};

/* The jobs of one program. */
struct ex_jobs {
    struct ex_table *table;
    struct ex_list running, overdue;
    /* Of them so many are moving. */
    unsigned moving;
    /* It was told of the worker's end: its jobs go back, whatever becomes of it. */
    bool told_end;
};

enum ex_after { EX_AFTER_NONE, EX_AFTER_DELAY, EX_AFTER_WAIT };

struct ex_entry {
    struct ex_letter letter;
    /* NULL: it has ended, the program has not said so yet. */
    struct bw_job *job;
    /* NULL: waits for a program, or has lost it while moving. */
    struct ex_jobs *jobs;
    /* In the pool's list of the pending, or in one of `jobs`. */
    struct ex_entry *prev, *next;
    struct ex_entry *hash_next;
    /* 0: not sent. */
    int64_t seq;
    /* Overdue: the kill. */
    struct bw_mono due;
    /* The worker stops it: it has killGrace to answer. */
    bool overdue;
    /* The job is the library's until the answer. */
    bool moving;
    /* Moving without a program: why it is to fail. */
    char reason[96];
    /* Asked for, done when the attempt ends; EX_AFTER_DELAY: at this wall clock. */
    enum ex_after after;
    int64_t after_ms;
};

void ex_list_add(struct ex_list *list, struct ex_entry *entry);
void ex_list_remove(struct ex_list *list, struct ex_entry *entry);

unsigned ex_jobs_count(const struct ex_jobs *jobs);
/* NULL: there is none. */
struct ex_entry *ex_entry_find(struct ex_jobs *jobs, int64_t seq);
/* Gives it to a program, under a new seq. */
void ex_entry_bind(struct ex_entry *entry, struct ex_jobs *jobs);
/* Has until `due` to answer. */
void ex_entry_set_overdue(struct ex_entry *entry, struct bw_mono due);
/* The library has its job until ex_entry_moved(); nothing is read from its program. */
void ex_entry_move(struct ex_entry *entry);
/* It has answered, and has taken the job if `taken`. Frees the entry when its program has
 * ended meanwhile. */
void ex_entry_moved(struct ex_entry *entry, bool taken);
/* The library takes the job; from here on it is not ours. */
struct bw_job *ex_entry_give(struct ex_entry *entry);
/* Takes it from its program, if it has one, and frees it; its job has been answered. */
void ex_entry_end(struct ex_entry *entry);

/* Ends the job, as far as it is ours, with a failure. */
void ex_entry_fail(struct ex_entry *entry, const char *reason);
/* No program will answer it: fails it, or hands it back when the worker, which ends, told
 * its program to end. Frees it, unless it is moving. */
void ex_entry_lose(struct ex_entry *entry, const char *reason);
/* The job goes back to wait; `unstarted`: no program ever got it. Frees it. */
void ex_entry_hand_back(struct ex_entry *entry, bool unstarted);

#endif
