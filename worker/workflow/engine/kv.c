#include "workflow/engine/kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/engine/quotas.h"

#define HICCUP_MS 100

static const char script_release[] = "if redis.call('get', KEYS[1]) == ARGV[1] then "
                                     "return redis.call('del', KEYS[1]) end return 0";
static const char script_extend[] =
    "if redis.call('get', KEYS[1]) == ARGV[1] then "
    "return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0";
static const char script_digest[] = "local v = redis.call('get', KEYS[1]) "
                                    "if v then return redis.sha1hex(v) end return false";

void wf_keys_init(struct wf_keys *keys, const struct wf_effects *effects,
                  struct wf_busy *busy, size_t memory_entries)
{
    keys->effects = effects;
    keys->busy = busy;
    keys->memory = wf_memory_create(memory_entries, effects->clock);
    wf_redis_health_init(&keys->health, effects->clock);
}

void wf_keys_fini(struct wf_keys *keys)
{
    wf_memory_destroy(&keys->memory);
}

void wf_kv_clear(struct wf_kv *kv)
{
    for (size_t i = 0; i < kv->count; i++) {
        free(kv->items[i].key);
        free(kv->items[i].value);
        free(kv->items[i].text);
        wf_quotas_destroy(&kv->items[i].quotas);
        kv->items[i] = (struct wf_kv_item){ 0 };
    }
    kv->count = 0;
}

size_t wf_kv_add(struct wf_kv *kv, enum wf_kv_op op, char *key, char *value,
                 int64_t ttl_ms)
{
    BW_ASSERT(kv->count < WF_KV_MAX);
    kv->items[kv->count] =
        (struct wf_kv_item){ .op = op, .key = key, .value = value, .ttl_ms = ttl_ms };
    return kv->count++;
}

size_t wf_kv_add_quotas(struct wf_kv *kv, enum wf_kv_op op, struct wf_quotas *quotas)
{
    size_t index = wf_kv_add(kv, op, NULL, NULL, 0);

    kv->items[index].quotas = quotas;
    return index;
}

const struct wf_kv_item *wf_kv_at(const struct wf_kv *kv, size_t index)
{
    BW_ASSERT(index < kv->count);
    return &kv->items[index];
}

/* `away`: it was not Redis that refused. A hiccup must not let everybody through. */
static void answer_from_memory(struct wf_keys *keys, struct wf_kv_item *item, bool away)
{
    struct wf_memory *memory = keys->memory;

    item->memory = true;
    switch (item->op) {
    case WF_KV_GET:
        item->text = wf_memory_get(memory, item->key);
        break;
    case WF_KV_SET:
        wf_memory_set(memory, item->key, item->value, item->ttl_ms);
        break;
    case WF_KV_SET_NEW:
        item->yes = wf_memory_set_new(memory, item->key, item->value, item->ttl_ms);
        break;
    case WF_KV_COUNT:
        item->number = wf_memory_count(memory, item->key, item->ttl_ms);
        break;
    case WF_KV_DELETE:
        wf_memory_delete(memory, item->key);
        break;
    case WF_KV_RELEASE:
        item->yes = wf_memory_delete_if(memory, item->key, item->value);
        break;
    case WF_KV_EXTEND:
        item->yes = wf_memory_extend_if(memory, item->key, item->value, item->ttl_ms);
        break;
    case WF_KV_ENTER:
        item->number = away && wf_redis_hiccups(&keys->health)
                           ? HICCUP_MS
                           : wf_quotas_enter_memory(item->quotas, memory);
        break;
    case WF_KV_LEAVE:
        wf_quotas_leave_memory(item->quotas, memory);
        break;
    case WF_KV_KEEP:
    case WF_KV_EXISTS:
    case WF_KV_DIGEST:
        break;
    }
}

static void one_less(struct wf_kv *kv)
{
    if (atomic_fetch_sub_explicit(&kv->pending, 1, memory_order_acq_rel) == 1)
        kv->done(kv, kv->arg); /* may free kv */
}

static void on_reply(const struct wf_reply *reply, void *arg)
{
    struct wf_kv_item *item = arg;
    struct wf_kv *kv = item->owner;

    if (!reply->ok) {
        if (reply->away)
            wf_redis_failed(&kv->keys->health);
        answer_from_memory(kv->keys, item, reply->away);
        one_less(kv);
        return;
    }
    wf_redis_worked(&kv->keys->health);
    item->number = reply->number;
    switch (item->op) {
    case WF_KV_GET:
    case WF_KV_DIGEST:
        item->text = reply->nil ? NULL : wf_strdup(reply->text);
        break;
    case WF_KV_SET_NEW:
        item->yes = !reply->nil;
        break;
    case WF_KV_RELEASE:
    case WF_KV_EXTEND:
    case WF_KV_EXISTS:
        item->yes = reply->number == 1;
        break;
    case WF_KV_SET:
    case WF_KV_COUNT:
    case WF_KV_DELETE:
    case WF_KV_KEEP:
    case WF_KV_ENTER:
    case WF_KV_LEAVE:
        break;
    }
    one_less(kv);
}

static void on_ignored_reply(const struct wf_reply *reply, void *arg)
{
    (void)reply; /* the counter that follows tells whether Redis answers */
    one_less(arg);
}

static bool send_texts(struct wf_keys *keys, const char *const *texts, size_t count,
                       wf_redis_done *done, void *arg)
{
    struct bw_redis_arg args[8];

    BW_ASSERT(count <= sizeof(args) / sizeof(args[0]));
    for (size_t i = 0; i < count; i++)
        args[i] = (struct bw_redis_arg){ texts[i], strlen(texts[i]) };
    return keys->effects->redis(keys->effects->arg, args, count, done, arg);
}

#define SEND(done, arg, ...)                                                             \
    send_texts(keys, (const char *const[]){ __VA_ARGS__ },                               \
               sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *),      \
               done, arg)

/* A counter is made with its time to live first, so that none can stay for ever. */
static bool send_count(struct wf_keys *keys, struct wf_kv_item *item, const char *ttl)
{
    atomic_fetch_add_explicit(&item->owner->pending, 1, memory_order_relaxed);
    if (!SEND(on_ignored_reply, item->owner, "SET", item->key, "0", "PX", ttl, "NX")) {
        atomic_fetch_sub_explicit(&item->owner->pending, 1, memory_order_relaxed);
        return false;
    }
    return SEND(on_reply, item, "INCR", item->key);
}

static bool send_args(struct wf_keys *keys, const struct bw_redis_arg *args, size_t count,
                      struct wf_kv_item *item)
{
    return keys->effects->redis(keys->effects->arg, args, count, on_reply, item);
}

static bool send_item(struct wf_keys *keys, struct wf_kv_item *item)
{
    struct bw_redis_arg args[WF_QUOTA_ARGS];
    char ttl[24];

    (void)snprintf(ttl, sizeof(ttl), "%lld", (long long)item->ttl_ms);
    switch (item->op) {
    case WF_KV_GET:
        return SEND(on_reply, item, "GET", item->key);
    case WF_KV_SET:
        return SEND(on_reply, item, "SET", item->key, item->value, "PX", ttl);
    case WF_KV_SET_NEW:
        return SEND(on_reply, item, "SET", item->key, item->value, "NX", "PX", ttl);
    case WF_KV_COUNT:
        return send_count(keys, item, ttl);
    case WF_KV_DELETE:
        return SEND(on_reply, item, "DEL", item->key);
    case WF_KV_RELEASE:
        return SEND(on_reply, item, "EVAL", script_release, "1", item->key, item->value);
    case WF_KV_EXTEND:
        return SEND(on_reply, item, "EVAL", script_extend, "1", item->key, item->value,
                    ttl);
    case WF_KV_KEEP:
        return SEND(on_reply, item, "PEXPIRE", item->key, ttl);
    case WF_KV_ENTER:
        return send_args(keys, args, wf_quotas_enter(item->quotas, args), item);
    case WF_KV_LEAVE:
        return send_args(keys, args, wf_quotas_leave(item->quotas, args), item);
    case WF_KV_EXISTS:
        return SEND(on_reply, item, "EXISTS", item->key);
    case WF_KV_DIGEST:
        return SEND(on_reply, item, "EVAL", script_digest, "1", item->key);
    }
    return false;
}

void wf_kv_submit(struct wf_keys *keys, struct wf_kv *kv,
                  void (*done)(struct wf_kv *kv, void *arg), void *arg)
{
    bool usable = wf_redis_usable(&keys->health);

    kv->keys = keys;
    kv->done = done;
    kv->arg = arg;
    /* one for each, one for this function: `done` must not come before the last is sent
     */
    atomic_store_explicit(&kv->pending, (unsigned)kv->count + 1, memory_order_relaxed);
    for (size_t i = 0; i < kv->count; i++) {
        kv->items[i].owner = kv;
        if (usable && send_item(keys, &kv->items[i]))
            continue;
        answer_from_memory(keys, &kv->items[i], true);
        atomic_fetch_sub_explicit(&kv->pending, 1, memory_order_relaxed);
    }
    one_less(kv);
}

static void detached_done(struct wf_kv *kv, void *arg)
{
    struct wf_keys *keys = arg;

    wf_kv_clear(kv);
    free(kv);
    wf_busy_leave(keys->busy);
}

void wf_kv_send(struct wf_keys *keys, struct wf_kv *kv)
{
    struct wf_kv *own;

    if (kv->count == 0)
        return;
    own = wf_alloc(sizeof(*own));
    memcpy(own->items, kv->items, sizeof(own->items));
    own->count = kv->count;
    memset(kv->items, 0, sizeof(kv->items));
    kv->count = 0;
    wf_busy_enter(keys->busy);
    wf_kv_submit(keys, own, detached_done, keys);
}
