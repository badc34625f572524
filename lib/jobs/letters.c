#include "jobs/letters.h"

#include <stddef.h>

#include "base/list.h"

void bw_letterbox_init(struct bw_letterbox *box)
{
    bw_mailbox_init(&box->in);
    atomic_init(&box->filled, false);
    box->head = box->tail = NULL;
}

void bw_letterbox_fini(struct bw_letterbox *box)
{
    bw_mailbox_fini(&box->in);
}

bool bw_letterbox_put(struct bw_letterbox *box, struct bw_letter *letter)
{
    bool first = bw_mailbox_push(&box->in, &letter->mail);

    /* From here on the letter may be delivered and gone. */
    atomic_store_explicit(&box->filled, true, memory_order_release);
    return first;
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
