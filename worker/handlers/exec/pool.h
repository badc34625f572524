/* The programs of one queue, and the jobs they have: what the files of this folder share.
 *
 * One thread, started by ex_pool_start(), owns everything here but the inbox: it starts
 * the programs, writes to and reads from their pipes (poll, nothing blocks), answers
 * jobs, and ends when the pool is stopped. Other threads only post to the inbox.
 * Deadlines (start, time limit, kill, restart, shutdown) are looked at before each wait.
 *
 *   handler.c   the worker's side: posts jobs, cancellations, the end
 *   pool.c      the thread: inbox, deadlines, which program gets the next job
 *   program.c   one program's life and its pipes
 *   answer.c    what a program says about a job
 *   request.c   what a program asks
 *   backlog.c   events that wait for it
 *   vain.c      programs that end before they are ready
 *   entry.c     jobs by their seq */
#ifndef WORKER_HANDLERS_EXEC_POOL_H
#define WORKER_HANDLERS_EXEC_POOL_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/buf.h>
#include <bulwark/job.h>
#include <bulwark/log.h>
#include <bulwark/thread.h>
#include <bulwark/time.h>

#include "handlers/exec/backlog.h"
#include "handlers/exec/child.h"
#include "handlers/exec/lines.h"
#include "handlers/exec/settings.h"
#include "handlers/exec/wire.h"
#include "handlers/handler.h"

#define EX_NEVER INT64_MAX

struct ex_pool;
struct ex_program;

/* --- letters: what other threads tell the pool's */

struct ex_letter {
    struct ex_letter *next;
    void (*deliver)(struct ex_letter *letter, struct ex_pool *pool); /* frees it */
};

/* Any thread; never fails. */
void ex_pool_post(struct ex_pool *pool, struct ex_letter *letter);

/* --- jobs */

enum ex_after { EX_AFTER_NONE, EX_AFTER_DELAY, EX_AFTER_WAIT };

struct ex_entry { /* a job from its arrival to its end */
    struct ex_letter letter;
    struct bw_job *job;         /* NULL: it has ended, the program has not said so yet */
    struct ex_program *program; /* NULL: waits for one, or has lost it while moving */
    struct ex_entry *prev, *next; /* list: pool->pending, program->running, ->overdue */
    struct ex_entry *hash_next;
    int64_t seq;         /* 0: not sent */
    struct bw_mono due;  /* overdue: the kill */
    bool overdue;        /* the worker stops it: it has killGrace to answer */
    bool moving;         /* the job is the library's until the answer */
    char reason[96];     /* moving without a program: why it is to fail; "": it is not */
    enum ex_after after; /* asked for, done when the attempt ends */
    int64_t after_ms;    /* EX_AFTER_DELAY: wall clock */
};

struct ex_list { /* of entries, in order */
    struct ex_entry *first, *last;
    unsigned count;
};

void ex_list_add(struct ex_list *list, struct ex_entry *entry);
void ex_list_remove(struct ex_list *list, struct ex_entry *entry);

/* NULL: there is none. */
struct ex_entry *ex_entry_find(struct ex_program *program, int64_t seq);
/* Ties an entry to a program under a new seq, and cuts that again. */
void ex_entry_bind(struct ex_entry *entry, struct ex_program *program);
void ex_entry_unbind(struct ex_entry *entry);
/* Unbinds and frees it; its job has been answered. */
void ex_entry_end(struct ex_entry *entry);

/* --- programs */

enum ex_state {
    EX_DOWN,     /* to be started at restart_at, unless the pool is ending */
    EX_STARTING, /* has not said `ready` */
    EX_READY,
    EX_DYING /* killed; nothing is read from it any more */
};

struct ex_program {
    struct ex_pool *pool;
    struct ex_child child;
    enum ex_state state;
    unsigned generation; /* of its starts; late replies are told by it */
    unsigned limit;      /* jobs at a time */
    struct bw_log log;

    struct ex_lines lines;  /* of stdout */
    struct ex_lines errors; /* of stderr */
    struct bw_buf out;      /* for stdin, from out_start on */
    size_t out_start;
    bool out_blocked;
    bool told_end; /* at the worker's end: its jobs go back, whatever becomes of it */
    bool out_over; /* stdin is to be closed once everything is written */

    struct ex_list running, overdue;
    unsigned asked;   /* requests the library has not answered */
    unsigned unread;  /* replies in `out` since it was last empty */
    unsigned moving;  /* entries of it that are moving: nothing is read */
    unsigned effects; /* side effects since the last barrier */
    size_t effect_bytes;
    bool barrier;           /* waits for the library to catch up: nothing is read */
    struct bw_redis *redis; /* asked whether it has; lives as long as the worker */
    struct bw_mono ask_at;  /* Redis was away: asked again then; EX_NEVER: it is asked */

    struct ex_backlog backlog; /* events it is to be told once it is ready and reads */
    bool knows_paused;         /* it was told so */
    bool drop_logged;

    unsigned vain_starts; /* that ended before it was ready */
    bool broke_protocol;  /* this start's end */
    char last_line[200];  /* of stderr, before it was ready; may be cut */

    int64_t backoff_ms;
    struct bw_mono restart_at, start_by;
    struct bw_mono ready_since; /* 0: it has not been */
    struct bw_mono killed_at;   /* 0: it has not been */
};

bool ex_program_start(struct ex_program *program);
/* SIGKILL to its group; what it has in flight fails with `reason` (NULL: when its end is
 * known, with that). */
void ex_program_kill(struct ex_program *program, const char *reason);
/* Tells it to stop a job; `kill`: it is killed unless it answers within killGrace. The
 * reason for the job's failure is the library's. */
void ex_program_cancel(struct ex_program *program, struct ex_entry *entry,
                       const char *reason, bool kill);
/* An event: told when it is ready and has read what it was told before. */
void ex_program_tell(struct ex_program *program, struct ex_note *note);
/* A line was appended to `out`: writes what goes without waiting. */
void ex_program_flush(struct ex_program *program);
/* Four descriptors to wait for, negative where there is nothing to wait for; and what
 * poll said of them. Every turn of the loop calls both, whatever was said. */
void ex_program_watch(const struct ex_program *program, struct pollfd fds[4]);
void ex_program_turn(struct ex_program *program, const struct pollfd fds[4]);
/* Deadlines; returns when to be asked again, ns. */
int64_t ex_program_deadlines(struct ex_program *program, struct bw_mono now);
unsigned ex_program_in_flight(const struct ex_program *program);

/* It ended, not having been ready: told as an error with what is likely. When that is all
 * that ever happens in this pool, its environment is told (handler.h: hopeless). */
void ex_vain_end(struct ex_program *program, const char *reason);
/* A program is ready. */
void ex_vain_over(struct ex_pool *pool);

/* --- what a program says; false: a breach of the protocol */

bool ex_answer_take(struct ex_program *program, struct ex_slice line);
/* Ends the job, as far as it is ours, with a failure. */
void ex_answer_fail(struct ex_entry *entry, const char *reason);
/* No program will answer it: fails it, or hands it back when the worker, which ends, told
 * its program to end. */
void ex_answer_lost(struct ex_entry *entry, const char *reason);
/* The job goes back to wait; `unstarted`: no program ever got it. */
void ex_answer_hand_back(struct ex_entry *entry, bool unstarted);

struct ex_message;
void ex_request_take(struct ex_program *program, struct ex_entry *entry,
                     const struct ex_message *message);
/* Has the library say when it has done what was sent so far; until then nothing is read
 * from the program. While Redis is away the library cannot say so: asked again. */
void ex_request_barrier(struct ex_program *program);

/* --- the pool */

enum { EX_BUCKETS = 1024 };

struct ex_pool {
    struct ex_settings settings;
    struct wk_handler_env env;
    struct bw_log log;
    struct ex_hello hello;
    char worker_name[128];

    pthread_t thread;
    bool started;
    int wake;           /* eventfd */
    struct pollfd *fds; /* the thread's: room for all programs */

    struct bw_mutex mtx; /* a leaf: nothing is called under it */
    struct bw_cond ended;
    struct ex_letter *inbox, **inbox_end; /* under mtx */
    bool over;                            /* under mtx: the thread returns */

    _Atomic int ready; /* programs; for other threads */
    _Atomic uint64_t restarts;
    _Atomic uint64_t protocol_errors;
    _Atomic uint64_t events_dropped;
    _Atomic bool ever_ready, hopeless; /* one program was; all have failed to be */
    char why[256];                     /* under mtx: the last vain start; "": none */

    /* the thread's */
    struct ex_program *programs;
    size_t count;
    unsigned share; /* jobs a program at a time */
    struct ex_list pending;
    struct ex_entry *buckets[EX_BUCKETS];
    int64_t last_seq;
    unsigned calls; /* of the library, unanswered: their letters are still to come */
    struct ex_letter begin; /* of ex_pool_begin() */
    bool begun;             /* programs may be started */
    bool held;              /* no jobs are fetched */
    struct ex_letter last;  /* of ex_pool_last() */
    bool paused;            /* the worker is quiet: what programs are told of it */
    bool draining, ending;
    bool no_more;            /* draining: no job comes any more */
    bool closed;             /* all programs were told so */
    _Atomic bool abandoned;  /* any thread: kill all, end now */
    struct bw_mono term_at;  /* draining: SIGTERM */
    struct bw_mono kill_at;  /* the deadline: SIGKILL */
    _Atomic bool terminated; /* for other threads too */
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

/* The pool's thread: another program is ready, or one is not any more. */
void ex_pool_ready_changed(struct ex_pool *pool);
/* Any thread: can a job that comes be given to a program? */
bool ex_pool_takes_jobs(const struct ex_pool *pool);
/* … an event for all programs; takes the note. */
void ex_pool_tell(struct ex_pool *pool, struct ex_note *note);

#endif
