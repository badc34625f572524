#include "workflow/engine/locks.h"

#include <stdlib.h>

#include "workflow/base/ids.h"
#include "workflow/engine/kv.h"
#include "workflow/base/mem.h"

void wf_locks_init(struct wf_locks *locks)
{
    bw_mutex_init(&locks->mutex);
    locks->first = NULL;
}

void wf_locks_fini(struct wf_locks *locks)
{
    bw_mutex_fini(&locks->mutex);
}

void wf_lock_init(struct wf_lock *lock, char *key)
{
    *lock = (struct wf_lock){ .key = key };
    wf_id_token(lock->token);
}

void wf_lock_fini(struct wf_lock *lock)
{
    free(lock->key);
    *lock = (struct wf_lock){ 0 };
}

void wf_lock_forget(struct wf_lock *lock, struct wf_keys *keys)
{
    struct wf_kv kv = { 0 };

    (void)wf_kv_add(&kv, WF_KV_RELEASE, wf_strdup(lock->key), wf_strdup(lock->token), 0);
    wf_kv_send(keys, &kv);
}

void wf_locks_add(struct wf_locks *locks, struct wf_lock *lock, struct bw_mono now)
{
    bw_mutex_lock(&locks->mutex);
    lock->held = true;
    lock->renewed = now;
    lock->prev = NULL;
    lock->next = locks->first;
    if (locks->first != NULL)
        locks->first->prev = lock;
    locks->first = lock;
    bw_mutex_unlock(&locks->mutex);
}

void wf_locks_remove(struct wf_locks *locks, struct wf_lock *lock)
{
    bw_mutex_lock(&locks->mutex);
    if (lock->held) {
        lock->held = false;
        if (lock->prev != NULL)
            lock->prev->next = lock->next;
        else
            locks->first = lock->next;
        if (lock->next != NULL)
            lock->next->prev = lock->prev;
    }
    bw_mutex_unlock(&locks->mutex);
}

/* Gathers up to one group of renewals; true: there may be more. */
static bool gather(struct wf_locks *locks, struct wf_kv *kv, int64_t ttl,
                   struct bw_mono now)
{
    struct bw_mono due = bw_mono_add_ms(now, -(ttl * 3 / 10));

    bw_mutex_lock(&locks->mutex);
    for (struct wf_lock *lock = locks->first; lock != NULL && kv->count < WF_KV_MAX;
         lock = lock->next) {
        if (bw_mono_before(due, lock->renewed))
            continue;
        lock->renewed = now;
        (void)wf_kv_add(kv, WF_KV_EXTEND, wf_strdup(lock->key), wf_strdup(lock->token),
                        ttl);
    }
    bw_mutex_unlock(&locks->mutex);
    return kv->count == WF_KV_MAX;
}

void wf_locks_renew(struct wf_locks *locks, struct wf_keys *keys, int64_t ttl_ms,
                    struct bw_mono now)
{
    struct wf_kv kv = { 0 };
    bool more;

    do {
        more = gather(locks, &kv, ttl_ms, now);
        wf_kv_send(keys, &kv);
    } while (more);
}
