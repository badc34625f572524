/* Letters to the reactor: mail that knows what is to be done with it. Any thread sends,
 * the reactor delivers, in the order of arrival.
 *
 * Letters are embedded in what they carry, so sending cannot fail. */
#ifndef BW_JOBS_BASE_LETTERS_H
#define BW_JOBS_BASE_LETTERS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/mailbox.h"

struct bw_loop;

struct bw_letter {
    struct bw_mail mail;
    /* Called once, by the reader. `open` is false when the reactor has ended: only free.
     */
    void (*deliver)(struct bw_letter *letter, bool open);
};

struct bw_letterbox {
    /* Any thread. */
    struct bw_mailbox in;
    /* There may be something: spares the reader a lock. */
    _Atomic bool filled;
    /* Woken by what is sent; NULL: nobody. */
    struct bw_loop *loop;
    /* The reader's: taken, oldest first. */
    struct bw_mail *head, *tail;
};

/* The loop is borrowed. */
void bw_letterbox_init(struct bw_letterbox *box, struct bw_loop *loop);
/* Must have been read. */
void bw_letterbox_fini(struct bw_letterbox *box);
/* Any thread. True when the box was empty: then the reader has to be woken, once for a
 * burst. */
bool bw_letterbox_put(struct bw_letterbox *box, struct bw_letter *letter);
/* The same, and wakes the loop. */
void bw_letterbox_send(struct bw_letterbox *box, struct bw_letter *letter);
/* The reader: delivers all there is, also what arrives meanwhile. May be called from
 * inside a delivery: letters are still delivered in order, and each once. */
void bw_letterbox_read(struct bw_letterbox *box, bool open);

/* The calling thread is the box's reader from now on, or no more. */
void bw_letterbox_enter(const struct bw_letterbox *box);
void bw_letterbox_leave(const struct bw_letterbox *box);
/* Is the calling thread its reader? */
bool bw_letterbox_is_mine(const struct bw_letterbox *box);

#endif
