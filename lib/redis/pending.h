/* The commands on their way, oldest first, with the bytes that carry them.
 *
 * Bytes are kept from the call until the answer, so that a script call that Redis does
 * not know can be repeated without a second copy of every command. Storage of the
 * connection; a zeroed struct is empty. Positions count bytes from the beginning of the
 * connection's life. */
#ifndef BW_REDIS_PENDING_H
#define BW_REDIS_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/buf.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>

struct bw_cmd;
struct bw_script;

struct bw_pending_entry {
    bw_redis_cb *cb;
    void *arg;
    struct bw_mono deadline;
    uint64_t start; /* position of its first byte */
    size_t len;
    const struct bw_script *script; /* what NOSCRIPT asks for, once; else NULL */
};

struct bw_pending {
    struct bw_pending_entry *ring;
    size_t cap; /* a power of two, or 0 */
    size_t first, count;
    struct bw_buf bytes;
    uint64_t base;    /* position of bytes.data[0] */
    uint64_t written; /* position up to which the socket took them */
};

/* Appends a command: its head and arguments are copied. BW_ENOMEM: nothing changed. */
BW_MUSTCHECK int bw_pending_push(struct bw_pending *pending, const struct bw_cmd *cmd,
                                 struct bw_mono deadline, bw_redis_cb *cb, void *arg);
/* Appends the oldest command once more, not to be repeated again. */
BW_MUSTCHECK int bw_pending_repeat_first(struct bw_pending *pending);
/* The same for a call of a script, with the script's text in the place of its SHA-1. */
BW_MUSTCHECK int bw_pending_repeat_first_as_eval(struct bw_pending *pending);

/* Borrowed until the next change; NULL when there is none. */
const struct bw_pending_entry *bw_pending_first(const struct bw_pending *pending);
/* The i-th oldest, i < count. */
const struct bw_pending_entry *bw_pending_at(const struct bw_pending *pending, size_t i);
/* Drops the oldest. */
void bw_pending_shift(struct bw_pending *pending);

/* Has the socket taken all of it, or at least a part? */
bool bw_pending_is_written(const struct bw_pending *pending,
                           const struct bw_pending_entry *entry);
bool bw_pending_is_begun(const struct bw_pending *pending,
                         const struct bw_pending_entry *entry);

/* Borrowed: the bytes not written yet. */
const char *bw_pending_output(const struct bw_pending *pending, size_t *len);
void bw_pending_advance(struct bw_pending *pending, size_t len);

void bw_pending_fini(struct bw_pending *pending);

#endif
