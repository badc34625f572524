#include "run/mailbox.h"

#include <stddef.h>

void bw_mailbox_init(struct bw_mailbox *box)
{
    atomic_init(&box->in, NULL);
    box->head = box->tail = NULL;
}

bool bw_mailbox_put(struct bw_mailbox *box, struct bw_mail *mail)
{
    struct bw_mail *head = atomic_load_explicit(&box->in, memory_order_relaxed);

    do {
        mail->next = head;
    } while (!atomic_compare_exchange_weak_explicit(
        &box->in, &head, mail, memory_order_release, memory_order_relaxed));
    return head == NULL;
}

/* Moves what senders pushed behind what is taken already. */
static void take(struct bw_mailbox *box)
{
    struct bw_mail *mail, *first = NULL, *last;

    if (atomic_load_explicit(&box->in, memory_order_relaxed) == NULL)
        return;
    mail = atomic_exchange_explicit(&box->in, NULL, memory_order_acquire);
    last = mail;
    while (mail != NULL) {
        struct bw_mail *older = mail->next;

        mail->next = first;
        first = mail;
        mail = older;
    }
    if (box->tail != NULL)
        box->tail->next = first;
    else
        box->head = first;
    box->tail = last;
}

void bw_mailbox_read(struct bw_mailbox *box, bool open)
{
    struct bw_mail *mail;

    for (take(box); (mail = box->head) != NULL; take(box)) {
        box->head = mail->next;
        if (box->head == NULL)
            box->tail = NULL;
        mail->deliver(mail, open);
    }
}
