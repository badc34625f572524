/* A mailbox: any thread puts mail in, the reactor takes all of it out, in the order of
 * arrival.
 *
 * Mail is embedded in what it carries, so sending cannot fail. No locks: senders push on
 * a stack, the reader takes the whole stack and turns it round. */
#ifndef BW_RUN_MAILBOX_H
#define BW_RUN_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>

struct bw_mail {
    struct bw_mail *next; /* the mailbox's */
    /* Called once, by the reader. `open` is false when the reactor has ended: only free.
     */
    void (*deliver)(struct bw_mail *mail, bool open);
};

struct bw_mailbox {
    _Atomic(struct bw_mail *) in; /* newest first; any thread */
    struct bw_mail *head, *tail;  /* the reader's: taken, oldest first */
};

void bw_mailbox_init(struct bw_mailbox *box);
/* Any thread. True when the box was empty: then the reader has to be woken, once for a
 * burst. */
bool bw_mailbox_put(struct bw_mailbox *box, struct bw_mail *mail);
/* The reader: delivers all there is, also what arrives meanwhile. May be called from
 * inside a delivery: mail is still delivered in order, and each piece once. */
void bw_mailbox_read(struct bw_mailbox *box, bool open);

#endif
