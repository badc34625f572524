#include "handlers/exec/pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/version.h"
#include "handlers/exec/answer.h"
#include "handlers/exec/request.h"

enum {
    TERM_TO_KILL_MS = 5000,
    TERM_TO_KILL_PART = 5,
    STOP_SLACK_PART = 10,
    TURN_MAX_MS = 1000,
    WATCHES = 4
};

/* ---- jobs for programs */

static struct ex_program *free_program(struct ex_pool *pool)
{
    struct ex_program *best = NULL;

    for (size_t i = 0; i < pool->count; i++) {
        struct ex_program *program = &pool->programs[i];
        unsigned used = ex_jobs_count(&program->jobs);

        if (program->state == EX_READY && used < program->limit &&
            program->child.in >= 0 && (best == NULL || used < ex_jobs_count(&best->jobs)))
            best = program;
    }
    return best;
}

static void tell_active(struct ex_pool *pool, const struct bw_job *job)
{
    struct ex_event event = { .event = "active",
                              .id = { bw_job_id(job), bw_job_id_len(job) },
                              .attempts_made = -1 };
    struct ex_note *note = pool->common.settings.events ? ex_note_new(&event) : NULL;

    if (note != NULL)
        ex_pool_tell(pool, note);
    else if (pool->common.settings.events)
        bw_log(&pool->common.log, BW_LOG_WARNING, "an event was not told: out of memory",
               bw_text("event", event.event));
}

static void send_job(struct ex_pool *pool, struct ex_program *program,
                     struct ex_entry *entry)
{
    BW_ASSERT(program->state == EX_READY && entry->seq == 0);
    ex_list_remove(&pool->pending, entry);
    if (!bw_job_start(entry->job)) { /* the worker's deadline has passed */
        ex_entry_hand_back(entry, true);
        return;
    }
    ex_entry_bind(entry, &program->jobs);
    entry->due = (struct bw_mono){ EX_NEVER };
    if (ex_wire_job(&program->out, entry->seq, entry->job) == BW_OK) {
        tell_active(pool, entry->job);
        return;
    }
    ex_entry_fail(entry, "exec: out of memory");
    ex_entry_end(entry);
}

static void send_jobs(struct ex_pool *pool)
{
    struct ex_program *program;

    while (pool->pending.first != NULL && (program = free_program(pool)) != NULL)
        send_job(pool, program, pool->pending.first);
}

static void hand_back_pending(struct ex_pool *pool)
{
    while (pool->pending.first != NULL) {
        struct ex_entry *entry = pool->pending.first;

        ex_list_remove(&pool->pending, entry);
        ex_entry_hand_back(entry, true);
    }
    BW_ASSERT(pool->pending.count == 0);
}

/* The programs know what they have in common; the pool begins with it. */
static struct ex_pool *pool_of(struct ex_program *program)
{
    struct ex_pool *pool = (struct ex_pool *)program->common; /* its first member */

    BW_ASSERT(program >= pool->programs && program < pool->programs + pool->count);
    return pool;
}

static void ready_changed(struct ex_program *program)
{
    struct ex_pool *pool = pool_of(program);
    int ready = 0;

    if (program->state == EX_READY)
        ex_vain_over(&pool->vain);
    for (size_t i = 0; i < pool->count; i++)
        ready += pool->programs[i].state == EX_READY;
    atomic_store(&pool->ready, ready);
    if (ready == 0)
        hand_back_pending(pool);
    if (pool->common.draining || pool->held == (ready == 0))
        return;
    pool->held = ready == 0;
    bw_log(&pool->common.log, pool->held ? BW_LOG_WARNING : BW_LOG_INFO,
           pool->held ? "no processor is ready: no jobs are taken"
                      : "a processor is ready: jobs are taken");
    /* The queue is known: programs are started after the worker. */
    (void)bw_worker_hold(pool->env.worker, pool->env.queue, pool->held);
}

static void ended_in_vain(struct ex_program *program, const char *reason)
{
    ex_vain_end(&pool_of(program)->vain, program, reason);
}

static const struct ex_program_ops program_ops = { .take = ex_answer_take,
                                                   .barrier = ex_request_barrier,
                                                   .ready_changed = ready_changed,
                                                   .ended_in_vain = ended_in_vain };

bool ex_pool_takes_jobs(const struct ex_pool *pool)
{
    return atomic_load(&pool->ready) > 0 && !atomic_load(&pool->terminated);
}

void ex_pool_tell(struct ex_pool *pool, struct ex_note *note)
{
    if (note->state != EX_NOTE_PLAIN)
        pool->common.paused = note->state == EX_NOTE_PAUSED;
    for (size_t i = 0; i < pool->count; i++)
        ex_program_tell(&pool->programs[i], note);
    ex_note_unref(note);
}

/* ---- the end */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void begin_drain(struct ex_pool *pool, int64_t timeout_ms)
{
    struct bw_mono now = bw_mono_now(NULL);

    if (pool->common.draining) { /* a second time: at once */
        if (timeout_ms == 0)
            pool->term_at = pool->kill_at = now;
        return;
    }
    pool->common.draining = true;
    pool->kill_at = bw_mono_add_ms(now, timeout_ms);
    pool->term_at = bw_mono_add_ms(
        now, timeout_ms - sooner(TERM_TO_KILL_MS, timeout_ms / TERM_TO_KILL_PART));
    if (!ex_pool_takes_jobs(pool))
        hand_back_pending(pool);
}

static void close_program(struct ex_program *program, int64_t deadline_ms)
{
    if (program->child.pid == 0)
        return;
    if (program->state != EX_DYING)
        program->jobs.told_end = true;
    if (program->state != EX_STARTING && program->state != EX_READY)
        return;
    if (ex_wire_close(&program->out, deadline_ms) != BW_OK)
        ex_program_kill(program, NULL);
}

static void close_programs(struct ex_pool *pool, struct bw_mono now)
{
    int64_t left = bw_mono_ms_until(now, pool->term_at);

    if (pool->closed)
        return;
    pool->closed = true;
    for (size_t i = 0; i < pool->count; i++)
        close_program(&pool->programs[i], left > 0 ? left : 0);
}

/* Their jobs go back at once if they end of it; those that nobody has got go back now. */
static void terminate_programs(struct ex_pool *pool)
{
    atomic_store(&pool->terminated, true);
    hand_back_pending(pool);
    for (size_t i = 0; i < pool->count; i++)
        ex_child_signal(&pool->programs[i].child, SIGTERM);
}

static void kill_programs(struct ex_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->programs[i].state != EX_DYING)
            ex_program_kill(&pool->programs[i], NULL);
    }
}

static void check_drain(struct ex_pool *pool, struct bw_mono now)
{
    bool term = !atomic_load(&pool->terminated) && !bw_mono_before(now, pool->term_at);

    if (!pool->common.draining)
        return;
    if (term || (pool->no_more && pool->pending.first == NULL))
        close_programs(pool, now);
    if (term)
        terminate_programs(pool);
    if (!bw_mono_before(now, pool->kill_at))
        kill_programs(pool);
    for (size_t i = 0; pool->closed && i < pool->count; i++) {
        if (ex_jobs_count(&pool->programs[i].jobs) == 0)
            pool->programs[i].out_over = true; /* its end in a plain read loop */
    }
}

static bool all_down(const struct ex_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->programs[i].child.pid != 0)
            return false;
    }
    return true;
}

static void kill_all(struct ex_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        ex_program_kill(&pool->programs[i], NULL);
}

/* ---- the loop */

static int64_t check_deadlines(struct ex_pool *pool)
{
    struct bw_mono now = bw_mono_now(NULL);
    int64_t next = bw_mono_add_ms(now, TURN_MAX_MS).ns;

    check_drain(pool, now);
    if (pool->common.draining && bw_mono_before(now, pool->term_at) &&
        pool->term_at.ns < next)
        next = pool->term_at.ns;
    if (pool->common.draining && pool->kill_at.ns < next &&
        bw_mono_before(now, pool->kill_at))
        next = pool->kill_at.ns;
    for (size_t i = 0; i < pool->count; i++) {
        int64_t own = ex_program_deadlines(&pool->programs[i], now);

        next = own < next ? own : next;
    }
    return next;
}

static void wait_turn(struct ex_pool *pool, int64_t until_ns)
{
    nfds_t count = (nfds_t)(pool->count * WATCHES + 1);
    int64_t ms = bw_mono_ms_until(bw_mono_now(NULL), (struct bw_mono){ until_ns });

    pool->fds[0] = (struct pollfd){ pool->common.inbox.wake, POLLIN, 0 };
    for (size_t i = 0; i < pool->count; i++)
        ex_program_watch(&pool->programs[i], &pool->fds[1 + i * WATCHES]);
    if (poll(pool->fds, count, ms > 0 ? (int)ms : 0) < 0) {
        for (nfds_t i = 0; i < count; i++)
            pool->fds[i].revents = 0; /* interrupted: the next turn looks again */
    }
}

static bool is_over(const struct ex_pool *pool)
{
    return all_down(pool) &&
           (atomic_load(&pool->abandoned) || (pool->ending && pool->common.calls == 0));
}

static void *pool_main(void *arg)
{
    struct ex_pool *pool = arg;

    while (!is_over(pool)) {
        wait_turn(pool, check_deadlines(pool));
        ex_inbox_read(&pool->common.inbox);
        if (atomic_load(&pool->abandoned)) {
            pool->common.draining = true;
            kill_all(pool);
        }
        for (size_t i = 0; i < pool->count; i++)
            ex_program_turn(&pool->programs[i], &pool->fds[1 + i * WATCHES]);
        send_jobs(pool);
    }
    for (size_t i = 0; i < pool->count; i++)
        BW_ASSERT(ex_jobs_count(&pool->programs[i].jobs) == 0); /* none is left behind */
    bw_mutex_lock(&pool->mtx);
    pool->over = true;
    bw_cond_broadcast(&pool->ended);
    bw_mutex_unlock(&pool->mtx);
    return NULL;
}

/* ---- from other threads */

static void deliver_begin(struct ex_letter *letter, void *owner)
{
    struct ex_pool *pool = owner;

    (void)letter; /* part of the pool */
    BW_ASSERT(!pool->common.begun);
    pool->common.begun = true;
}

void ex_pool_begin(struct ex_pool *pool)
{
    pool->begin.deliver = deliver_begin;
    ex_inbox_post(&pool->common.inbox, &pool->begin);
}

static void deliver_last(struct ex_letter *letter, void *owner)
{
    struct ex_pool *pool = owner;

    (void)letter; /* part of the pool */
    pool->no_more = true;
}

void ex_pool_last(struct ex_pool *pool)
{
    pool->last.deliver = deliver_last;
    ex_inbox_post(&pool->common.inbox, &pool->last);
}

struct drain_letter {
    struct ex_letter letter;
    int64_t timeout_ms;
    bool ending;
};

static void deliver_drain(struct ex_letter *letter, void *owner)
{
    struct ex_pool *pool = owner;
    struct drain_letter *drain = (struct drain_letter *)letter; /* its first member */

    if (!drain->ending || !pool->common.draining)
        begin_drain(pool, drain->timeout_ms);
    pool->ending = pool->ending || drain->ending;
    pool->no_more = pool->no_more || drain->ending;
    free(drain);
}

static void post_drain(struct ex_pool *pool, int64_t timeout_ms, bool ending)
{
    struct drain_letter *drain = calloc(1, sizeof *drain);

    if (drain == NULL) { /* without memory the end is not an orderly one */
        atomic_store(&pool->abandoned, true);
        return;
    }
    drain->letter.deliver = deliver_drain;
    drain->timeout_ms = timeout_ms;
    drain->ending = ending;
    ex_inbox_post(&pool->common.inbox, &drain->letter);
}

void ex_pool_drain(struct ex_pool *pool, int64_t timeout_ms)
{
    post_drain(pool, timeout_ms, false);
}

bool ex_pool_stop(struct ex_pool *pool, int64_t timeout_ms)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);
    bool over;

    post_drain(pool, timeout_ms - timeout_ms / STOP_SLACK_PART, true);
    bw_mutex_lock(&pool->mtx);
    while (!pool->over && bw_cond_wait_until(&pool->ended, &pool->mtx, deadline))
        ;
    over = pool->over;
    bw_mutex_unlock(&pool->mtx);
    return over;
}

/* ---- life */

static void name_worker(struct ex_pool *pool)
{
    char host[64] = "localhost";

    (void)gethostname(host, sizeof host - 1); /* else the name above */
    (void)snprintf(pool->worker_name, sizeof pool->worker_name, "%s:%d", host,
                   (int)getpid());
    pool->common.hello =
        (struct ex_hello){ .version = WK_VERSION,
                           .queue = pool->env.queue,
                           .prefix = pool->env.prefix,
                           .worker = pool->env.options->worker_name != NULL
                                         ? pool->env.options->worker_name
                                         : pool->worker_name,
                           .redis = pool->env.redis,
                           .share_redis = pool->common.settings.share_redis };
}

static int make_programs(struct ex_pool *pool, struct bw_error *err)
{
    unsigned count = (unsigned)pool->common.settings.processes;

    BW_ASSERT(count > 0);
    pool->count = count;
    pool->common.share = (pool->env.options->concurrency + count - 1) / count;
    pool->programs = calloc(count, sizeof *pool->programs);
    pool->fds = calloc((size_t)count * WATCHES + 1, sizeof *pool->fds);
    if (pool->programs == NULL || pool->fds == NULL)
        return bw_error_set(err, BW_ENOMEM, "exec: out of memory");
    for (size_t i = 0; i < count; i++) {
        pool->programs[i].common = &pool->common;
        pool->programs[i].jobs.table = &pool->common.table;
        pool->programs[i].child = (struct ex_child){ 0, -1, -1, -1, -1 };
        pool->programs[i].backoff_ms = 100;
        pool->programs[i].restart_at = bw_mono_now(NULL);
    }
    pool->vain.programs = pool->programs;
    pool->vain.count = count;
    return BW_OK;
}

/* Signals are the main program's: here they would interrupt, or end it by a pipe. */
static int start_thread(struct ex_pool *pool, struct bw_error *err)
{
    sigset_t all, before;
    int rc;

    (void)sigfillset(&all);
    bw_thread_check(pthread_sigmask(SIG_SETMASK, &all, &before), "pthread_sigmask");
    rc = pthread_create(&pool->thread, NULL, pool_main, pool);
    bw_thread_check(pthread_sigmask(SIG_SETMASK, &before, NULL), "pthread_sigmask");
    if (rc != 0)
        return bw_error_errno(err, rc, "exec: thread");
    pool->started = true;
    return BW_OK;
}

int ex_pool_create(struct ex_pool **poolp, const struct wk_handler_env *env,
                   const json_t *settings, struct bw_error *err)
{
    struct ex_pool *pool = calloc(1, sizeof *pool);
    int rc;

    if (pool == NULL)
        return bw_error_set(err, BW_ENOMEM, "exec: out of memory");
    pool->env = *env;
    pool->common.ops = &program_ops;
    pool->held = true;
    bw_log_child(&pool->common.log, env->log, "handler", "exec");
    bw_mutex_init(&pool->mtx);
    bw_cond_init(&pool->ended);
    ex_vain_init(&pool->vain, &pool->env);
    rc = ex_inbox_init(&pool->common.inbox, pool, err);
    if (rc == BW_OK)
        rc = ex_settings_read(&pool->common.settings, settings, err);
    if (rc == BW_OK)
        rc = make_programs(pool, err);
    if (rc == BW_OK) {
        name_worker(pool);
        rc = start_thread(pool, err);
    }
    if (rc != BW_OK)
        ex_pool_destroy(pool);
    else
        *poolp = pool;
    return rc;
}

void ex_pool_destroy(struct ex_pool *pool)
{
    if (pool->started) {
        atomic_store(&pool->abandoned, true); /* unless it has ended */
        ex_inbox_wake(&pool->common.inbox);
        bw_thread_check(pthread_join(pool->thread, NULL), "pthread_join");
    }
    ex_inbox_fini(&pool->common.inbox);
    ex_vain_fini(&pool->vain);
    ex_settings_fini(&pool->common.settings);
    bw_cond_fini(&pool->ended);
    bw_mutex_fini(&pool->mtx);
    for (size_t i = 0; pool->programs != NULL && i < pool->count; i++)
        ex_backlog_fini(&pool->programs[i].backlog);
    free(pool->programs);
    free(pool->fds);
    free(pool);
}
