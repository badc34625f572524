#include "base/mailbox.h"

#include <assert.h>
#include <stddef.h>

void bw_mailbox_init(struct bw_mailbox *box)
{
    bw_mutex_init(&box->mtx);
    box->first = NULL;
    box->last = &box->first;
}

void bw_mailbox_fini(struct bw_mailbox *box)
{
    assert(box->first == NULL);
    bw_mutex_fini(&box->mtx);
}

bool bw_mailbox_push(struct bw_mailbox *box, struct bw_mail *mail)
{
    bool was_empty;

    mail->next = NULL;
    bw_mutex_lock(&box->mtx);
    was_empty = box->first == NULL;
    *box->last = mail;
    box->last = &mail->next;
    bw_mutex_unlock(&box->mtx);
    return was_empty;
}

struct bw_mail *bw_mailbox_take_all(struct bw_mailbox *box)
{
    struct bw_mail *first;

    bw_mutex_lock(&box->mtx);
    first = box->first;
    box->first = NULL;
    box->last = &box->first;
    bw_mutex_unlock(&box->mtx);
    return first;
}
