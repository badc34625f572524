/* What other threads tell the one that has a queue's programs.
 *
 * Any thread posts; the owner, and nobody else, takes. A letter is a part of something
 * that lives until it has been delivered, which is what frees it. */
#ifndef WORKER_HANDLERS_EXEC_INBOX_H
#define WORKER_HANDLERS_EXEC_INBOX_H

#include <bulwark/api.h>
#include <bulwark/error.h>
#include <bulwark/thread.h>

struct ex_letter {
    struct ex_letter *next;
    /* `owner` is the inbox's: the pool. */
    void (*deliver)(struct ex_letter *letter, void *owner);
};

struct ex_inbox {
    void *owner;
    /* eventfd: readable while there is something; -1: not open. */
    int wake;
    /* A leaf: nothing is called under it. Guards the list. */
    struct bw_mutex mtx;
    struct ex_letter *first, **end;
};

BW_MUSTCHECK int ex_inbox_init(struct ex_inbox *inbox, void *owner, struct bw_error *err);
void ex_inbox_fini(struct ex_inbox *inbox);

/* Any thread; never fails. */
void ex_inbox_post(struct ex_inbox *inbox, struct ex_letter *letter);
/* Any thread: the owner looks around, even with nothing in it. */
void ex_inbox_wake(struct ex_inbox *inbox);
/* The owner: delivers, in the order in which they were posted. */
void ex_inbox_read(struct ex_inbox *inbox);

#endif
