/* Calls that wait for their next attempt, the one due first on top: a binary heap. Each
 * call knows its place, so that any can be taken out. A zeroed struct is empty. */
#ifndef WORKER_TELEGRAM_PAUSES_H
#define WORKER_TELEGRAM_PAUSES_H

#include <stddef.h>

#include <bulwark/api.h>

struct tg_call;

struct tg_pauses {
    struct tg_call **calls;
    size_t count, cap;
};

/* BW_OK or BW_ENOMEM. */
BW_MUSTCHECK int tg_pauses_add(struct tg_pauses *pauses, struct tg_call *call);
/* Borrowed; NULL when empty. */
struct tg_call *tg_pauses_first(const struct tg_pauses *pauses);
void tg_pauses_remove(struct tg_pauses *pauses, struct tg_call *call);
void tg_pauses_fini(struct tg_pauses *pauses);

#endif
