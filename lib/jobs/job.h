/* A job in flight, from the reply that brought it to the answer of Redis that its end is
 * recorded.
 *
 * Three owners of fields: constant ones are read by all; the outcome is written by the
 * handler's thread until it answers; the rest is the reactor's. What both sides touch
 * meanwhile is atomic.
 *
 *   HELD ──answer──► READY ──settle call──► SENT ──► GONE
 *     └─ given up (drain), stopped ──┘▲        │ lost reply, odd code
 *                                     └─ LOOKUP ◄┘
 *
 * The memory ends when the job is GONE and its handler has answered. */
#ifndef BW_JOBS_JOB_H
#define BW_JOBS_JOB_H

#include <stdatomic.h>
#include <stdbool.h>

#include <bulwark/buf.h>
#include <bulwark/job.h>
#include <bulwark/log.h>
#include <bulwark/worker.h>

#include "base/list.h"
#include "queue/calls.h"
#include "queue/job.h"
#include "jobs/letters.h"

struct bw_plan_call;
struct bw_lane;
struct bw_reactor;

#define BW_JOB_MAGIC 0x6a6f6221u

enum bw_job_place {
    BW_JOB_HELD,   /* with its handler, or on the way to it */
    BW_JOB_READY,  /* its end waits for a settle call */
    BW_JOB_SENT,   /* in a settle call */
    BW_JOB_LOOKUP, /* Redis is asked whether an earlier call ended it */
    BW_JOB_GONE    /* no more of the queue's */
};

enum bw_outcome_kind {
    BW_OUTCOME_COMPLETE,
    BW_OUTCOME_FAIL,
    BW_OUTCOME_DELAY,
    BW_OUTCOME_WAIT,
    BW_OUTCOME_HAND_BACK,
    BW_OUTCOME_LIMIT,
    BW_OUTCOME_MOVED, /* by the program itself: nothing to record */
    BW_OUTCOME_LEAVE  /* left to the stalled check: nothing can be recorded */
};

struct bw_outcome { /* what the handler said */
    enum bw_outcome_kind kind;
    struct bw_buf text; /* return value or message */
    struct bw_buf stack;
    struct bw_buf telemetry; /* empty: none */
    bool has_text, has_stack, unrecoverable, has_delay;
    bool unstarted; /* delay, hand back: its start does not count */
    int64_t delay_ms;
    int64_t until_ms; /* delay: wall time instead of that; 0: none */
};

struct bw_job {
    unsigned magic;
    struct bw_lane *lane;
    struct bw_job_data data;
    struct bw_log log;

    struct bw_outcome outcome; /* the handler's until it answers */
    struct bw_letter letter;   /* carries the answer */
    struct bw_task task;       /* carries the job, or a batch, to a processor thread */
    struct bw_job *batch_next; /* the next of its batch, until the handler has it */

    /* Whose turn it is to speak about the job: see bw_job_cancel(). */
    _Atomic int answer;
    _Atomic int start;             /* bw_job_start() */
    _Atomic int64_t lock_until_ns; /* monotonic; when the lock expires unless renewed */
    _Atomic bool lock_lost, cancelled, revoked, given_up;

    /* The reactor's. */
    enum bw_job_place place;
    struct bw_list node; /* among the jobs of the queue, or among those given up */
    struct bw_job *next; /* among those that are ready, among those whose next iteration
                            is to be planned, or among free memory */
    struct bw_list handback;   /* among those that are handed back: jobs/handback.c */
    bool planning;             /* jobs/iterations.c has it; no handler yet */
    bool plan_alone;           /* a call that planned for others too was refused */
    struct bw_plan_call *plan; /* in which call; NULL: it waits for the next */
    bool answered;
    int refusal;            /* a code that is being looked into */
    bool unsure;            /* an earlier call with its end was lost */
    bool child_failed;      /* it could not wait for its children, and was told so */
    bool alone;             /* a call with nothing else was refused: endangers others */
    struct bw_mono stop_at; /* jobs/stop.h: its time limit, then the end of the grace */
    char *stop_reason;      /* owned: what a stopped job fails with; NULL: not stopped */
    bool stop_final;        /* and without a retry */
    uint64_t renewal;       /* the renewal call it was last part of */
    struct bw_mono renewed; /* when it was sent; at first when the job was fetched */
    struct bw_settle_item item; /* from READY on */
    struct bw_buf stacktrace;   /* what `item` borrows */
};

/* --- on the reactor */

/* New, or one that ended before: all fields at their start, `data` zeroed. NULL: out of
 * memory. */
struct bw_job *bw_job_create(struct bw_reactor *reactor);
void bw_job_destroy(struct bw_job **jobp);

/* Sets cancelled and tells the handler, unless it has answered or was told before. */
void bw_job_cancel(struct bw_job *job);

/* The job ends without its handler's answer: it is not told of anything any more, and
 * counts as answered. */
void bw_job_forget_handler(struct bw_job *job);

/* The job's end is the worker's to say from now on: false when its handler has answered.
 * What the handler says later is dropped. `unbegun`: only if no handler has got it. */
bool bw_job_take_answer(struct bw_job *job, bool unbegun);

/* For a job that was given up: true when nothing of it has begun, and then nothing will:
 * no handler has got it, or the one that has did not start it. */
bool bw_job_take_start(struct bw_job *job);

/* Puts an outcome in the handler's place, for a job that no handler ever gets (or gets
 * again). */
void bw_job_answer_fail(struct bw_job *job, struct bw_text message,
                        const char *error_name, bool unrecoverable);

/* Runs the handler; on a processor thread through `task`, or on the reactor. */
void bw_job_run(struct bw_job *job);
void bw_job_run_task(struct bw_task *task);
/* The same for a batch that begins with the task's job. */
void bw_job_run_batch_task(struct bw_task *task);

#endif
