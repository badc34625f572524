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
#include "jobs/base/letters.h"

struct bw_lane;
struct bw_plan_call;

#define BW_JOB_MAGIC 0x6a6f6221u

enum bw_job_place {
    /* With its handler, or on the way to it. */
    BW_JOB_HELD,
    /* Its end waits for a settle call. */
    BW_JOB_READY,
    /* In a settle call. */
    BW_JOB_SENT,
    /* Redis is asked whether an earlier call ended it. */
    BW_JOB_LOOKUP,
    /* No more of the lane's. */
    BW_JOB_GONE
};

enum bw_outcome_kind {
    BW_OUTCOME_COMPLETE,
    BW_OUTCOME_FAIL,
    BW_OUTCOME_DELAY,
    BW_OUTCOME_WAIT,
    BW_OUTCOME_HAND_BACK,
    BW_OUTCOME_LIMIT,
    /* By the program itself: nothing to record. */
    BW_OUTCOME_MOVED,
    /* Left to the stalled check: nothing can be recorded. */
    BW_OUTCOME_LEAVE
};

/* What the handler said. */
struct bw_outcome {
    enum bw_outcome_kind kind;
    /* Return value or message. */
    struct bw_buf text;
    struct bw_buf stack;
    /* Empty: none. */
    struct bw_buf telemetry;
    bool has_text, has_stack, unrecoverable, has_delay;
    /* Delay, hand back: its start does not count. */
    bool unstarted;
    int64_t delay_ms;
    /* Delay: wall time instead of that; 0: none. */
    int64_t until_ms;
};

/* jobs/iterations.c: it waits until the next iteration is planned; no handler yet. */
struct bw_job_plan {
    bool waits;
    /* A call that planned for others too was refused. */
    bool alone;
    /* In which call; NULL: it waits for the next. */
    struct bw_plan_call *call;
    /* What follows. */
    void (*then)(struct bw_job *job);
};

/* jobs/stop.c */
struct bw_job_stop {
    /* Its time limit, then the end of the grace; 0: none. */
    struct bw_mono at;
    /* Owned: what a stopped job fails with; NULL: not stopped. */
    char *reason;
    /* And without a retry. */
    bool is_final;
};

/* jobs/renew.c */
struct bw_job_renewal {
    /* The call that the job was last part of. */
    uint64_t call;
    /* When that was sent; at first when the job was fetched. */
    struct bw_mono sent;
};

struct bw_job {
    unsigned magic;
    struct bw_lane *lane;
    struct bw_job_data data;
    struct bw_log log;

    /* The handler's until it answers. */
    struct bw_outcome outcome;
    /* Carries the answer; on the reactor `on_answer` takes it. */
    struct bw_letter letter;
    void (*on_answer)(struct bw_job *job);
    /* Carries the job, or a batch, to a processor thread. */
    struct bw_task task;
    /* The next of its batch, until the handler has it. */
    struct bw_job *batch_next;

    /* Whose turn it is to speak about the job: see bw_job_cancel(). */
    _Atomic int answer;
    /* bw_job_start() */
    _Atomic int start;
    /* Monotonic; when the lock expires unless renewed. */
    _Atomic int64_t lock_until_ns;
    _Atomic bool lock_lost, cancelled, revoked, given_up;

    /* The reactor's. */
    enum bw_job_place place;
    /* Among the jobs of the lane, or among those given up. */
    struct bw_list node;
    /* Among those that are ready, among those whose next iteration is to be planned, or
     * among free memory. */
    struct bw_job *next;
    /* Among those that are handed back. */
    struct bw_list handback;
    /* Its handler has answered, or never will. */
    bool answered;
    struct bw_job_plan plan;
    struct bw_job_stop stop;
    struct bw_job_renewal renewal;

    /* Its end, from READY on, and what that borrows. */
    struct bw_settle_item item;
    struct bw_buf stacktrace;
    /* An earlier call with its end was lost. */
    bool unsure;
    /* A call with nothing else was refused: endangers others. */
    bool alone;
    /* It could not wait for its children, and was told so. */
    bool child_failed;
    /* A code that is being looked into. */
    int refusal;
};

/* --- on the reactor */

/* Memory of jobs that have ended, for the next ones. */
struct bw_job_memory {
    struct bw_job *first;
    unsigned count;
};

void bw_job_memory_fini(struct bw_job_memory *memory);

/* New, or one that ended before: all fields at their start, `data` zeroed. `on_answer` is
 * called when its handler has answered. NULL: out of memory. */
struct bw_job *bw_job_create(struct bw_lane *lane, void (*on_answer)(struct bw_job *job));
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
