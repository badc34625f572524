/* Locks in Redis that are held: renewed every three seconds until they are let go
 * (worker/workflow/spec/workflow.md §10.5). They keep work apart that would otherwise
 * collide; what must be right is right without them. Any thread. */
#ifndef WORKFLOW_LOCKS_H
#define WORKFLOW_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/thread.h>

struct wf_keys;

struct wf_lock {
    struct wf_lock *prev, *next;
    char *key;
    char token[33]; /* 128 random bits */
    bool held;
    struct bw_mono renewed;
};

struct wf_locks {
    struct bw_mutex mutex; /* guards the list and its members */
    struct wf_lock *first;
};

void wf_locks_init(struct wf_locks *locks);
void wf_locks_fini(struct wf_locks *locks);

/* Names a lock and draws its token. Takes `key`. */
void wf_lock_init(struct wf_lock *lock, char *key);
void wf_lock_fini(struct wf_lock *lock);

/* After it was obtained, and before it is released. */
void wf_locks_add(struct wf_locks *locks, struct wf_lock *lock, struct bw_mono now);
void wf_locks_remove(struct wf_locks *locks, struct wf_lock *lock);

/* Not waiting for it: a try whose answer was lost may have left our own token there, in
 * the way of the next. */
void wf_lock_forget(struct wf_lock *lock, struct wf_keys *keys);
/* Sends the renewals that are due. */
void wf_locks_renew(struct wf_locks *locks, struct wf_keys *keys, int64_t ttl_ms,
                    struct bw_mono now);

#endif
