/* The keys of one queue, computed once. lib/spec/bullmq.md §1. */
#ifndef BW_QUEUE_KEYS_H
#define BW_QUEUE_KEYS_H

#include <stddef.h>

#include <bulwark/error.h>

#define BW_DEFAULT_PREFIX "bull"

enum bw_key {
    BW_KEY_BASE, /* "P:Q:", the prefix of job keys */
    BW_KEY_WAIT,
    BW_KEY_PAUSED,
    BW_KEY_ACTIVE,
    BW_KEY_PRIORITIZED,
    BW_KEY_PC,
    BW_KEY_DELAYED,
    BW_KEY_COMPLETED,
    BW_KEY_FAILED,
    BW_KEY_WAITING_CHILDREN,
    BW_KEY_STALLED,
    BW_KEY_STALLED_CHECK,
    BW_KEY_LIMITER,
    BW_KEY_META,
    BW_KEY_ID,
    BW_KEY_EVENTS,
    BW_KEY_MARKER,
    BW_KEY_REPEAT,
    BW_KEY_METRICS_COMPLETED,
    BW_KEY_METRICS_FAILED,
    BW_KEY_COUNT
};

struct bw_keys {
    char *text[BW_KEY_COUNT]; /* owned; NUL-ended */
    size_t len[BW_KEY_COUNT];
};

/* BW_EINVAL for a name that is empty or contains ':' (BMQ-002). `prefix` NULL: "bull". */
BW_MUSTCHECK int bw_keys_init(struct bw_keys *keys, const char *prefix, const char *queue,
                              struct bw_error *err);
void bw_keys_fini(struct bw_keys *keys);

/* New, NULL when memory is out: `P:base64(Q)`, plus `:w:<name>` for a named worker, made
 * fit for CLIENT SETNAME. §10.8 */
char *bw_keys_client_name(const char *prefix, const char *queue, const char *worker_name);

#endif
