/* Short keys in Redis, several at a time, with the memory of this process standing in
 * while Redis is away (worker/workflow/spec/workflow.md §10.6): nothing fails because a
 * cache command failed. */
#ifndef WORKFLOW_KV_H
#define WORKFLOW_KV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workflow/engine/busy.h"
#include "workflow/engine/effects.h"
#include "workflow/engine/memory.h"
#include "workflow/engine/redis_health.h"

struct wf_quotas;

/* Where they are. */
struct wf_keys {
    const struct wf_effects *effects;
    struct wf_busy *busy;
    /* stands in for Redis */
    struct wf_memory *memory;
    struct wf_redis_health health;
};

enum wf_kv_op {
    WF_KV_GET,
    WF_KV_SET,
    WF_KV_SET_NEW, /* yes: it was not there */
    WF_KV_COUNT,   /* number: how often within the time to live */
    WF_KV_DELETE,
    WF_KV_RELEASE, /* deletes it if it holds `value`; yes: it did */
    WF_KV_EXTEND,  /* sets the time to live if it holds `value`; yes: it did */
    WF_KV_KEEP,    /* sets the time to live, if it is there */
    WF_KV_ENTER,  /* a place in `quotas`; number: 0, or the ms after which to ask again */
    WF_KV_LEAVE,  /* what has a place in `quotas` was answered */
    WF_KV_EXISTS, /* yes: there is such a key, of any type; never from memory */
    WF_KV_DIGEST  /* text: SHA-1 of the value, NULL: no such key; never from memory */
};

struct wf_kv;

struct wf_kv_item {
    enum wf_kv_op op;
    char *key, *value;
    int64_t ttl_ms;
    struct wf_quotas *quotas;
    struct wf_kv *owner;
    /* result */
    bool memory; /* Redis was away */
    bool yes;
    char *text;
    int64_t number;
};

#define WF_KV_MAX 12

/* Some commands sent together. Storage of the caller; one thread at a time. */
struct wf_kv {
    struct wf_kv_item items[WF_KV_MAX];
    size_t count;
    struct wf_keys *keys;
    atomic_uint pending;
    void (*done)(struct wf_kv *kv, void *arg);
    void *arg;
};

void wf_keys_init(struct wf_keys *keys, const struct wf_effects *effects,
                  struct wf_busy *busy, size_t memory_entries);
void wf_keys_fini(struct wf_keys *keys);

/* Empties; harmless on a zeroed struct. */
void wf_kv_clear(struct wf_kv *kv);
/* Returns the item's index. Takes `key` and `value`. */
size_t wf_kv_add(struct wf_kv *kv, enum wf_kv_op op, char *key, char *value,
                 int64_t ttl_ms);
/* The same for WF_KV_ENTER and WF_KV_LEAVE. Takes `quotas`. */
size_t wf_kv_add_quotas(struct wf_kv *kv, enum wf_kv_op op, struct wf_quotas *quotas);
const struct wf_kv_item *wf_kv_at(const struct wf_kv *kv, size_t index);

/* Sends them. `done` is called exactly once, on a foreign thread or from inside of this
 * call. */
void wf_kv_submit(struct wf_keys *keys, struct wf_kv *kv,
                  void (*done)(struct wf_kv *kv, void *arg), void *arg);
/* Sends them without waiting: takes the content of `kv`, which is empty afterwards. */
void wf_kv_send(struct wf_keys *keys, struct wf_kv *kv);

#endif
