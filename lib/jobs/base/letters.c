#include "jobs/base/letters.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/list.h"
#include "redis/loop.h"

/* The box whose reader this thread is. */
static _Thread_local const struct bw_letterbox *mine;

void bw_letterbox_init(struct bw_letterbox *box, struct bw_loop *loop)
{
    bw_mailbox_init(&box->in);
    atomic_init(&box->filled, false);
    box->loop = loop;
    box->head = box->tail = NULL;
}

void bw_letterbox_fini(struct bw_letterbox *box)
{
    BW_ASSERT(box->head == NULL && mine != box);
    bw_mailbox_fini(&box->in);
}

bool bw_letterbox_put(struct bw_letterbox *box, struct bw_letter *letter)
{
    bool first;

    BW_ASSERT(letter->deliver != NULL);
    first = bw_mailbox_push(&box->in, &letter->mail);

    /* From here on the letter may be delivered and gone. */
    atomic_store_explicit(&box->filled, true, memory_order_release);
    return first;
}

void bw_letterbox_send(struct bw_letterbox *box, struct bw_letter *letter)
{
    if (bw_letterbox_put(box, letter))
        bw_loop_wake(box->loop);
}

/* Moves what has been sent behind what is taken already. */
static void take(struct bw_letterbox *box)
{
    struct bw_mail *mail;

    if (!atomic_load_explicit(&box->filled, memory_order_acquire))
        return;
    atomic_store_explicit(&box->filled, false, memory_order_relaxed);
    mail = bw_mailbox_take_all(&box->in);
    if (mail == NULL)
        return;
    if (box->tail != NULL)
        box->tail->next = mail;
    else
        box->head = mail;
    for (box->tail = mail; box->tail->next != NULL;)
        box->tail = box->tail->next;
}

void bw_letterbox_read(struct bw_letterbox *box, bool open)
{
    struct bw_mail *mail;

    for (take(box); (mail = box->head) != NULL; take(box)) {
        struct bw_letter *letter = BW_LIST_OF(mail, struct bw_letter, mail);

        box->head = mail->next;
        if (box->head == NULL)
            box->tail = NULL;
        letter->deliver(letter, open);
    }
}

void bw_letterbox_enter(const struct bw_letterbox *box)
{
    BW_ASSERT(mine == NULL);
    mine = box;
}

void bw_letterbox_leave(const struct bw_letterbox *box)
{
    BW_ASSERT(mine == box);
    mine = NULL;
}

bool bw_letterbox_is_mine(const struct bw_letterbox *box)
{
    return mine == box;
}
