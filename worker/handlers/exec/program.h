/* One program of a queue: its start and end, and the bytes that go in and out.
 *
 * All of it belongs to the pool's thread. What a program says, and what follows from its
 * end, is for those above, which it calls by a table. */
#ifndef WORKER_HANDLERS_EXEC_PROGRAM_H
#define WORKER_HANDLERS_EXEC_PROGRAM_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/buf.h>
#include <bulwark/log.h>
#include <bulwark/time.h>

#include "handlers/exec/backlog.h"
#include "handlers/exec/child.h"
#include "handlers/exec/entry.h"
#include "handlers/exec/lines.h"
#include "handlers/exec/settings.h"
#include "handlers/exec/wire.h"

#define EX_NEVER INT64_MAX

struct ex_program;

struct ex_program_ops {
    /* It says this; false: a breach of the protocol. */
    bool (*take)(struct ex_program *program, struct ex_slice line);
    /* Has the library say when it has done what was sent so far. */
    void (*barrier)(struct ex_program *program);
    /* It is ready (its state tells), or is not any more. */
    void (*ready_changed)(struct ex_program *program);
    /* It ended without having been ready. */
    void (*ended_in_vain)(struct ex_program *program, const char *reason);
};

/* What the programs of a queue have in common. */
struct ex_common {
    struct ex_settings settings;
    const struct ex_program_ops *ops;
    struct bw_log log;
    struct ex_hello hello;
    struct ex_inbox inbox;
    struct ex_table table;
    /* Jobs a program at a time. */
    unsigned share;
    /* Of the library, unanswered: their letters are still to come. */
    unsigned calls;
    /* Programs may be started, until `draining`. */
    bool begun;
    bool draining;
    /* The worker is quiet: what programs are told of it. */
    bool paused;
    /* For other threads. */
    _Atomic uint64_t restarts;
    _Atomic uint64_t protocol_errors;
    _Atomic uint64_t events_dropped;
};

enum ex_state {
    EX_DOWN,     /* to be started at restart_at, unless the pool is ending */
    EX_STARTING, /* has not said `ready` */
    EX_READY,
    EX_DYING /* killed; nothing is read from it any more */
};

struct ex_program {
    struct ex_common *common;
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
    bool out_over; /* stdin is to be closed once everything is written */

    struct ex_jobs jobs;
    unsigned asked;   /* requests the library has not answered */
    unsigned unread;  /* replies in `out` since it was last empty */
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

#endif
