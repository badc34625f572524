#include "run/processors.h"

#include <signal.h>
#include <stdlib.h>

#include <bulwark/thread.h>

#include "base/alloc.h"
#include "run/delays.h"

struct bw_processors {
    struct bw_mutex mutex; /* guards all below */
    struct bw_cond work;   /* a task came, a delay began, or the end */
    struct bw_task *head, *tail;
    struct bw_task *delays; /* run/delays.h */
    bool stopping;
    unsigned count;
    pthread_t threads[];
};

static void append(struct bw_processors *pool, struct bw_task *first,
                   struct bw_task *last)
{
    last->next = NULL;
    if (pool->tail != NULL)
        pool->tail->next = first;
    else
        pool->head = first;
    pool->tail = last;
}

/* Moves the delayed tasks whose time has come (at the end: all) to the queue. */
static void collect_due(struct bw_processors *pool)
{
    struct bw_mono now;

    if (pool->delays == NULL)
        return;
    now = bw_mono_now(NULL);
    while (pool->delays != NULL &&
           (pool->stopping || !bw_mono_before(now, pool->delays->due))) {
        struct bw_task *task = bw_delays_pop(&pool->delays);

        append(pool, task, task);
    }
}

static struct bw_task *next_task(struct bw_processors *pool)
{
    struct bw_task *task;

    collect_due(pool);
    task = pool->head;
    if (task == NULL)
        return NULL;
    pool->head = task->next;
    if (pool->head == NULL)
        pool->tail = NULL;
    else
        bw_cond_signal(&pool->work); /* what collect_due() moved came without a signal */
    return task;
}

static void wait_for_work(struct bw_processors *pool)
{
    if (pool->delays == NULL)
        bw_cond_wait(&pool->work, &pool->mutex);
    else
        (void)bw_cond_wait_until(&pool->work, &pool->mutex, pool->delays->due);
}

static void *processor_main(void *arg)
{
    struct bw_processors *pool = arg;

    (void)pthread_setname_np(pthread_self(), "bw-processor"); /* a name is a courtesy */
    bw_mutex_lock(&pool->mutex);
    for (;;) {
        struct bw_task *task = next_task(pool);

        if (task == NULL) {
            if (pool->stopping)
                break;
            wait_for_work(pool);
            continue;
        }
        bw_mutex_unlock(&pool->mutex);
        task->run(task); /* may free the task */
        bw_mutex_lock(&pool->mutex);
    }
    bw_mutex_unlock(&pool->mutex);
    return NULL;
}

/* Signals are the program's: they must not land on a thread of the library. */
static int start_thread(pthread_t *thread, struct bw_processors *pool)
{
    sigset_t all, old;
    int result;

    (void)sigfillset(&all); /* cannot fail with a valid set */
    bw_thread_check(pthread_sigmask(SIG_SETMASK, &all, &old), "pthread_sigmask");
    result = pthread_create(thread, NULL, processor_main, pool);
    bw_thread_check(pthread_sigmask(SIG_SETMASK, &old, NULL), "pthread_sigmask");
    return result;
}

int bw_processors_start(struct bw_processors **poolp, unsigned count,
                        struct bw_error *err)
{
    struct bw_processors *pool =
        bw_calloc(1, sizeof *pool + count * sizeof pool->threads[0]);

    if (pool == NULL)
        return bw_error_set(err, BW_ENOMEM, "processor threads: out of memory");
    bw_mutex_init(&pool->mutex);
    bw_cond_init(&pool->work);
    while (pool->count < count) {
        int result = start_thread(&pool->threads[pool->count], pool);

        if (result != 0) {
            bw_processors_stop(&pool);
            return bw_error_errno(err, result, "processor thread");
        }
        pool->count++;
    }
    *poolp = pool;
    return BW_OK;
}

bool bw_processors_post(struct bw_processors *pool, struct bw_task *first,
                        struct bw_task *last, unsigned count)
{
    bool open;

    bw_mutex_lock(&pool->mutex);
    open = !pool->stopping;
    if (open) {
        append(pool, first, last);
        if (count == 1)
            bw_cond_signal(&pool->work);
        else
            bw_cond_broadcast(&pool->work);
    }
    bw_mutex_unlock(&pool->mutex);
    return open;
}

bool bw_processors_post_after(struct bw_processors *pool, struct bw_task *task,
                              int64_t delay_ms)
{
    bool open;

    task->due = bw_mono_add_ms(bw_mono_now(NULL), delay_ms);
    bw_mutex_lock(&pool->mutex);
    open = !pool->stopping;
    if (open) {
        bw_delays_push(&pool->delays, task);
        if (pool->delays == task) /* the earliest: whoever waits has to wait for less */
            bw_cond_signal(&pool->work);
    }
    bw_mutex_unlock(&pool->mutex);
    return open;
}

void bw_processors_hurry(struct bw_processors *pool, struct bw_task *task)
{
    bw_mutex_lock(&pool->mutex);
    if (bw_delays_remove(&pool->delays, task)) {
        append(pool, task, task);
        bw_cond_signal(&pool->work);
    }
    bw_mutex_unlock(&pool->mutex);
}

void bw_processors_stop(struct bw_processors **poolp)
{
    struct bw_processors *pool = *poolp;

    if (pool == NULL)
        return;
    bw_mutex_lock(&pool->mutex);
    pool->stopping = true;
    bw_cond_broadcast(&pool->work);
    bw_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->count; i++)
        bw_thread_check(pthread_join(pool->threads[i], NULL), "pthread_join");
    *poolp = NULL; /* only now: tasks may have read it */
    bw_cond_fini(&pool->work);
    bw_mutex_fini(&pool->mutex);
    free(pool);
}
