/* The programs of one queue, and the jobs they have.
 *
 * One thread, started by ex_pool_create(), owns everything of it but the inbox: it starts
 * the programs, writes to and reads from their pipes (poll, nothing blocks), answers
 * jobs, and ends when the pool is stopped. Other threads only post to the inbox.
 * Deadlines (start, time limit, kill, restart, shutdown) are looked at before each wait.
 *
 *   handler.c   the worker's side: posts jobs, cancellations, the end
 *   pool.c      the thread: deadlines, which program gets the next job
 *   answer.c    what a program says about a job
 *   request.c   what a program asks
 *   vain.c      programs that end before they are ready
 *   program.c   one program's life and its pipes
 *   entry.c     jobs by their seq, and their ends
 *   backlog.c   events that wait for a program
 *   inbox.c     what other threads tell
 *
 * Each calls those below it, and those above by struct ex_program_ops. */
#ifndef WORKER_HANDLERS_EXEC_POOL_H
#define WORKER_HANDLERS_EXEC_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/thread.h>

#include "handlers/exec/program.h"
#include "handlers/exec/vain.h"
#include "handlers/handler.h"

struct ex_pool {
    struct ex_common common;
    struct wk_handler_env env;
    struct ex_vain vain;
    char worker_name[128];

    pthread_t thread;
    bool started;
    /* The thread's: room for the inbox and all programs. */
    struct pollfd *fds;

    /* A leaf. Guards `over`: the thread returns. */
    struct bw_mutex mtx;
    struct bw_cond ended;
    bool over;

    /* Programs; for other threads. */
    _Atomic int ready;
    /* Any thread: kill all, end now. */
    _Atomic bool abandoned;
    /* SIGTERM was sent; for other threads too. */
    _Atomic bool terminated;

    /* The thread's. */
    struct ex_program *programs;
    size_t count;
    struct ex_list pending;
    struct ex_letter begin; /* of ex_pool_begin() */
    struct ex_letter last;  /* of ex_pool_last() */
    /* No jobs are fetched. */
    bool held;
    bool ending;
    /* Draining: no job comes any more; all programs were told so. */
    bool no_more;
    bool closed;
    /* Draining: SIGTERM, and the deadline: SIGKILL. */
    struct bw_mono term_at, kill_at;
};

BW_MUSTCHECK int ex_pool_create(struct ex_pool **poolp, const struct wk_handler_env *env,
                                const json_t *settings, struct bw_error *err);
/* The worker has started and knows its queues: so may the programs. Once. */
void ex_pool_begin(struct ex_pool *pool);
/* Any thread, as often as wanted: SIGKILL after `timeout_ms`, SIGTERM 5 s or a fifth of
 * that before, whichever is shorter; a second call with 0 kills at once. */
void ex_pool_drain(struct ex_pool *pool, int64_t timeout_ms);
/* In a drain no job comes any more: programs are told `close`. Once; any thread. */
void ex_pool_last(struct ex_pool *pool);
/* The worker has ended. Without a drain before, programs have until shortly before
 * `timeout_ms`. False: not all has ended in time. */
bool ex_pool_stop(struct ex_pool *pool, int64_t timeout_ms);
void ex_pool_destroy(struct ex_pool *pool);

/* Any thread: can a job that comes be given to a program? */
bool ex_pool_takes_jobs(const struct ex_pool *pool);
/* The pool's thread: an event for all programs; takes the note. */
void ex_pool_tell(struct ex_pool *pool, struct ex_note *note);

#endif
