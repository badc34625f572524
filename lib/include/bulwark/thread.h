/* pthread primitives whose results are never dropped: a failing call is a defect of ours
 * and stops the program. Header only, so that the library and programs built on it share
 * one set.
 *
 * In debug builds a mutex checks that it is not locked twice by one thread, and
 * bw_mutex_assert_held() holds callers to what they promise. */
#ifndef BULWARK_THREAD_H
#define BULWARK_THREAD_H

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <bulwark/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bw_mutex {
    pthread_mutex_t raw;
};

struct bw_cond {
    pthread_cond_t raw;
};

static inline void bw_thread_check(int result, const char *what)
{
    if (result == 0)
        return;
    (void)fprintf(stderr, "bulwark: %s failed with error %d\n", what, result);
    abort();
}

static inline void bw_mutex_init(struct bw_mutex *mutex)
{
    pthread_mutexattr_t attr;

    bw_thread_check(pthread_mutexattr_init(&attr), "pthread_mutexattr_init");
#ifndef NDEBUG
    bw_thread_check(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK),
                    "pthread_mutexattr_settype");
#endif
    bw_thread_check(pthread_mutex_init(&mutex->raw, &attr), "pthread_mutex_init");
    bw_thread_check(pthread_mutexattr_destroy(&attr), "pthread_mutexattr_destroy");
}

static inline void bw_mutex_fini(struct bw_mutex *mutex)
{
    bw_thread_check(pthread_mutex_destroy(&mutex->raw), "pthread_mutex_destroy");
}

static inline void bw_mutex_lock(struct bw_mutex *mutex)
{
    bw_thread_check(pthread_mutex_lock(&mutex->raw), "pthread_mutex_lock");
}

static inline void bw_mutex_unlock(struct bw_mutex *mutex)
{
    bw_thread_check(pthread_mutex_unlock(&mutex->raw), "pthread_mutex_unlock");
}

static inline void bw_mutex_assert_held(struct bw_mutex *mutex)
{
#ifndef NDEBUG
    assert(pthread_mutex_lock(&mutex->raw) == EDEADLK);
#else
    (void)mutex;
#endif
}

/* Waits use the monotonic clock. */
static inline void bw_cond_init(struct bw_cond *cond)
{
    pthread_condattr_t attr;

    bw_thread_check(pthread_condattr_init(&attr), "pthread_condattr_init");
    bw_thread_check(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC),
                    "pthread_condattr_setclock");
    bw_thread_check(pthread_cond_init(&cond->raw, &attr), "pthread_cond_init");
    bw_thread_check(pthread_condattr_destroy(&attr), "pthread_condattr_destroy");
}

static inline void bw_cond_fini(struct bw_cond *cond)
{
    bw_thread_check(pthread_cond_destroy(&cond->raw), "pthread_cond_destroy");
}

static inline void bw_cond_wait(struct bw_cond *cond, struct bw_mutex *mutex)
{
    bw_thread_check(pthread_cond_wait(&cond->raw, &mutex->raw), "pthread_cond_wait");
}

/* False when the deadline (system monotonic clock) passed. */
static inline bool bw_cond_wait_until(struct bw_cond *cond, struct bw_mutex *mutex,
                                      struct bw_mono deadline)
{
    struct timespec at = { .tv_sec = (time_t)(deadline.ns / 1000000000),
                           .tv_nsec = (long)(deadline.ns % 1000000000) };
    int result = pthread_cond_timedwait(&cond->raw, &mutex->raw, &at);

    if (result == ETIMEDOUT)
        return false;
    bw_thread_check(result, "pthread_cond_timedwait");
    return true;
}

static inline void bw_cond_signal(struct bw_cond *cond)
{
    bw_thread_check(pthread_cond_signal(&cond->raw), "pthread_cond_signal");
}

static inline void bw_cond_broadcast(struct bw_cond *cond)
{
    bw_thread_check(pthread_cond_broadcast(&cond->raw), "pthread_cond_broadcast");
}

#ifdef __cplusplus
}
#endif

#endif
