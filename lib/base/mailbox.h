/* Messages from many threads to one: the sender pushes, the owner takes all at once, in
 * order.
 *
 * Intrusive: a message begins with, or holds, a struct bw_mail. Storage of the mailbox is
 * the owner's; what is left in it at the end is the owner's to take. */
#ifndef BW_BASE_MAILBOX_H
#define BW_BASE_MAILBOX_H

#include <stdbool.h>

#include <bulwark/thread.h>

struct bw_mail {
    struct bw_mail *next;
};

struct bw_mailbox {
    struct bw_mutex mtx; /* guards the fields below */
    struct bw_mail *first;
    struct bw_mail **last; /* where the next message is hung */
};

void bw_mailbox_init(struct bw_mailbox *box);
/* Must be empty. */
void bw_mailbox_fini(struct bw_mailbox *box);

/* Any thread. True when the box was empty: then the owner must be woken, by whoever got
 * this. */
bool bw_mailbox_push(struct bw_mailbox *box, struct bw_mail *mail);

/* The owner: all messages, oldest first, linked by `next`; NULL when there are none. */
struct bw_mail *bw_mailbox_take_all(struct bw_mailbox *box);

#endif
