#include "handlers/exec/inbox.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"

int ex_inbox_init(struct ex_inbox *inbox, void *owner, struct bw_error *err)
{
    *inbox = (struct ex_inbox){ .owner = owner };
    inbox->end = &inbox->first;
    bw_mutex_init(&inbox->mtx);
    inbox->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return inbox->wake >= 0 ? BW_OK : bw_error_errno(err, errno, "exec: eventfd");
}

void ex_inbox_fini(struct ex_inbox *inbox)
{
    if (inbox->wake >= 0)
        (void)close(inbox->wake);
    bw_mutex_fini(&inbox->mtx);
}

void ex_inbox_wake(struct ex_inbox *inbox)
{
    uint64_t one = 1;
    ssize_t wrote = write(inbox->wake, &one, sizeof one);

    (void)wrote; /* it fails only when it is full of wake-ups */
}

void ex_inbox_post(struct ex_inbox *inbox, struct ex_letter *letter)
{
    bool wake;

    BW_ASSERT(letter->deliver != NULL);
    letter->next = NULL;
    bw_mutex_lock(&inbox->mtx);
    wake = inbox->first == NULL;
    *inbox->end = letter;
    inbox->end = &letter->next;
    bw_mutex_unlock(&inbox->mtx);
    if (wake)
        ex_inbox_wake(inbox);
}

void ex_inbox_read(struct ex_inbox *inbox)
{
    struct ex_letter *letter;
    uint64_t count;
    ssize_t got = read(inbox->wake, &count, sizeof count);

    (void)got; /* nothing there: the list is looked at all the same */
    bw_mutex_lock(&inbox->mtx);
    letter = inbox->first;
    inbox->first = NULL;
    inbox->end = &inbox->first;
    bw_mutex_unlock(&inbox->mtx);
    while (letter != NULL) {
        struct ex_letter *next = letter->next;

        letter->deliver(letter, inbox->owner);
        letter = next;
    }
}
