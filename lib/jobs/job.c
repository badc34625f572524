#include "jobs/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/list.h"
#include "codec/json_check.h"
#include "jobs/batch.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"

/* Values of job->answer. */
enum {
    ANSWER_NOT_DUE, /* the handler has not got the job yet */
    ANSWER_OPEN,
    ANSWER_TELLING, /* the cancel callback runs */
    ANSWER_GIVEN,
    ANSWER_TAKEN /* by the worker: the handler's is dropped */
};

/* Values of job->start. */
enum {
    START_WITH_HANDLER, /* a handler that has got the job has started it */
    START_LATER,        /* bw_job_start_later() */
    START_BEGUN,
    START_TAKEN /* the worker gave the job up before that */
};

/* --- life */

/* Memory of ended jobs is kept for the next ones, but not that of a rare, large job. */
enum { KEPT_JOBS = 1024, KEPT_BYTES = 4096 };

static void trim(struct bw_buf *buf)
{
    if (buf->cap > KEPT_BYTES)
        bw_buf_fini(buf);
    else
        bw_buf_clear(buf);
}

static void deliver_answer(struct bw_letter *letter, bool open)
{
    struct bw_job *job = BW_LIST_OF(letter, struct bw_job, letter);

    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (open)
        job->on_answer(job);
    else
        job->answered = true; /* its lane frees it */
}

/* Zeroed but for its buffers, which keep their memory. */
static void make_anew(struct bw_job *job)
{
    struct bw_buf text = job->outcome.text, stack = job->outcome.stack;
    struct bw_buf telemetry = job->outcome.telemetry, stacktrace = job->stacktrace;

    memset(job, 0, sizeof *job);
    job->outcome.text = text;
    job->outcome.stack = stack;
    job->outcome.telemetry = telemetry;
    job->stacktrace = stacktrace;
}

struct bw_job *bw_job_create(struct bw_lane *lane, void (*on_answer)(struct bw_job *job))
{
    struct bw_job_memory *memory = &lane->lanes->memory;
    struct bw_job *job = memory->first;

    BW_ASSERT((job == NULL) == (memory->count == 0));
    if (job != NULL) {
        BW_ASSERT(job->magic == 0); /* nobody ended it twice, or uses it still */
        memory->first = job->next;
        memory->count--;
        make_anew(job);
    } else {
        job = bw_calloc(1, sizeof *job);
        if (job == NULL)
            return NULL;
    }
    job->magic = BW_JOB_MAGIC;
    job->lane = lane;
    job->on_answer = on_answer;
    job->letter.deliver = deliver_answer;
    job->task.run = bw_job_run_task;
    return job;
}

static void free_memory(struct bw_job *job)
{
    bw_buf_fini(&job->outcome.text);
    bw_buf_fini(&job->outcome.stack);
    bw_buf_fini(&job->outcome.telemetry);
    bw_buf_fini(&job->stacktrace);
    free(job);
}

void bw_job_destroy(struct bw_job **jobp)
{
    struct bw_job *job = *jobp;
    struct bw_job_memory *memory;

    if (job == NULL)
        return;
    *jobp = NULL;
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    job->magic = 0;
    memory = &job->lane->lanes->memory;
    bw_job_data_fini(&job->data);
    free(job->stop.reason);
    if (memory->count >= KEPT_JOBS) {
        free_memory(job);
        return;
    }
    trim(&job->outcome.text);
    trim(&job->outcome.stack);
    trim(&job->outcome.telemetry);
    trim(&job->stacktrace);
    job->next = memory->first;
    memory->first = job;
    memory->count++;
}

void bw_job_memory_fini(struct bw_job_memory *memory)
{
    while (memory->first != NULL) {
        struct bw_job *job = memory->first;

        BW_ASSERT(job->magic == 0);
        memory->first = job->next;
        free_memory(job);
    }
    memory->count = 0;
}

/* --- running */

/* False: put back or stopped before a thread was free for it, and gone now. */
static bool begin(struct bw_job *job)
{
    int expected = ANSWER_NOT_DUE;

    if (!atomic_load(&job->given_up) &&
        atomic_compare_exchange_strong(&job->answer, &expected, ANSWER_OPEN))
        return true;
    bw_letterbox_send(&job->lane->lanes->letters, &job->letter);
    return false;
}

void bw_job_run(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    if (begin(job))
        lane->handler.process(job, lane->handler_arg);
}

void bw_job_run_task(struct bw_task *task)
{
    struct bw_job *job = BW_LIST_OF(task, struct bw_job, task);

    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    bw_job_run(job);
}

void bw_job_run_batch_task(struct bw_task *task)
{
    struct bw_job *job = BW_LIST_OF(task, struct bw_job, task), *next;
    struct bw_lane *lane = job->lane;
    struct bw_job *jobs[BW_BATCH_MAX];
    size_t count = 0;

    for (; job != NULL; job = next) {
        BW_ASSERT(job->magic == BW_JOB_MAGIC);
        next = job->batch_next;
        if (begin(job))
            jobs[count++] = job;
    }
    if (count > 0)
        lane->handler.process_batch(jobs, count, lane->handler_arg);
}

/* --- cancelling: a callback on the reactor, and an answer from anywhere, but never the
 * callback after the answer. The answer waits on `cancel_mutex` while the callback runs.
 */

void bw_job_cancel(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;
    struct bw_lanes *lanes = lane->lanes;
    int expected = ANSWER_OPEN;

    if (atomic_exchange(&job->cancelled, true) || lane->handler.cancel == NULL)
        return;
    bw_mutex_lock(&lanes->cancel_mutex);
    if (atomic_compare_exchange_strong(&job->answer, &expected, ANSWER_TELLING)) {
        lane->handler.cancel(job, lane->handler_arg);
        atomic_store(&job->answer, ANSWER_OPEN);
    }
    bw_mutex_unlock(&lanes->cancel_mutex);
}

/* --- answering */

static void deliver(struct bw_job *job)
{
    struct bw_letterbox *letters = &job->lane->lanes->letters;

    if (bw_letterbox_is_mine(letters)) {
        /* Side effects that another thread has sent come before the end. */
        bw_letterbox_read(letters, true);
        job->on_answer(job);
        return;
    }
    bw_letterbox_send(letters, &job->letter);
}

/* True: the outcome is the caller's to write. False: the worker has ended the job, and
 * it is gone for the caller. */
static bool claim_answer(struct bw_job *job)
{
    struct bw_lanes *lanes = job->lane->lanes;

    for (;;) {
        int expected = ANSWER_OPEN;

        if (atomic_compare_exchange_strong(&job->answer, &expected, ANSWER_GIVEN))
            return true;
        if (expected == ANSWER_TAKEN) {
            deliver(job);
            return false;
        }
        BW_ASSERT(expected == ANSWER_TELLING); /* anything else: answered twice */
        bw_mutex_lock(&lanes->cancel_mutex);
        bw_mutex_unlock(&lanes->cancel_mutex);
    }
}

bool bw_job_take_answer(struct bw_job *job, bool unbegun)
{
    int expected = ANSWER_NOT_DUE;

    if (atomic_compare_exchange_strong(&job->answer, &expected, ANSWER_TAKEN))
        return true;
    if (unbegun)
        return false;
    if (expected == ANSWER_TAKEN)
        return true;
    expected = ANSWER_OPEN;
    return atomic_compare_exchange_strong(&job->answer, &expected, ANSWER_TAKEN);
}

bool bw_job_take_start(struct bw_job *job)
{
    int expected = START_LATER;

    return bw_job_take_answer(job, true) ||
           atomic_compare_exchange_strong(&job->start, &expected, START_TAKEN);
}

void bw_job_start_later(struct bw_job *job)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    atomic_store(&job->start, START_LATER);
}

bool bw_job_start(struct bw_job *job)
{
    int expected = START_LATER;

    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    return atomic_compare_exchange_strong(&job->start, &expected, START_BEGUN) ||
           expected != START_TAKEN;
}

void bw_job_forget_handler(struct bw_job *job)
{
    atomic_store(&job->answer, ANSWER_GIVEN); /* callbacks are on this thread as well */
    job->answered = true;
}

/* Texts of an outcome. Without memory the job is left to the stalled check. */
static bool set_text(struct bw_job *job, struct bw_buf *buf, const char *text, size_t len)
{
    bw_buf_clear(buf);
    if (bw_buf_add(buf, text, len) == BW_OK)
        return true;
    job->outcome.kind = BW_OUTCOME_LEAVE;
    return false;
}

static void set_failure(struct bw_job *job, struct bw_text message, struct bw_text stack)
{
    struct bw_outcome *outcome = &job->outcome;

    outcome->kind = BW_OUTCOME_FAIL;
    outcome->has_text = message.data != NULL;
    outcome->has_stack = stack.data != NULL;
    if (message.data != NULL && !set_text(job, &outcome->text, message.data, message.len))
        return;
    if (stack.data != NULL)
        (void)set_text(job, &outcome->stack, stack.data,
                       stack.len); /* failure is in the kind */
}

/* `len` 0: as far as its NUL. */
static struct bw_text text_from(const char *text, size_t len)
{
    return (struct bw_text){ text, len == 0 && text != NULL ? strlen(text) : len };
}

void bw_job_complete(struct bw_job *job, const char *json, size_t len)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (json != NULL && !bw_json_check(json, len)) { /* would break whoever reads it */
        bw_job_fail(job,
                    &(struct bw_job_failure){ .message = "the result is not JSON",
                                              .stack = "Error: the result is not JSON" });
        return;
    }
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_COMPLETE;
    job->outcome.has_text = json != NULL;
    if (json != NULL)
        (void)set_text(job, &job->outcome.text, json, len); /* failure is in the kind */
    deliver(job);
}

void bw_job_fail(struct bw_job *job, const struct bw_job_failure *failure)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    set_failure(job, text_from(failure->message, failure->message_len),
                text_from(failure->stack, failure->stack_len));
    bw_buf_clear(&job->outcome.telemetry);
    if (failure->telemetry != NULL)
        (void)set_text(job, &job->outcome.telemetry, failure->telemetry,
                       strlen(failure->telemetry)); /* failure is in the kind */
    job->outcome.unrecoverable = failure->unrecoverable;
    job->outcome.has_delay = failure->has_delay;
    job->outcome.delay_ms = failure->delay_ms;
    deliver(job);
}

void bw_job_move_to_delayed(struct bw_job *job, int64_t delay_ms)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_DELAY;
    job->outcome.unstarted = false;
    job->outcome.delay_ms = delay_ms > 0 ? delay_ms : 0;
    job->outcome.until_ms = 0;
    deliver(job);
}

void bw_job_put_off(struct bw_job *job, struct bw_wall until, bool unstarted)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_DELAY;
    job->outcome.unstarted = unstarted;
    job->outcome.delay_ms = 0;
    job->outcome.until_ms = until.ms;
    deliver(job);
}

void bw_job_hand_back(struct bw_job *job, bool unstarted)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_HAND_BACK;
    job->outcome.unstarted = unstarted;
    deliver(job);
}

void bw_job_move_to_wait(struct bw_job *job)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_WAIT;
    deliver(job);
}

void bw_job_rate_limit(struct bw_job *job, int64_t delay_ms)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_LIMIT;
    job->outcome.delay_ms = delay_ms > 0 ? delay_ms : 0;
    deliver(job);
}

void bw_job_moved(struct bw_job *job)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_MOVED;
    deliver(job);
}

void bw_job_answer_fail(struct bw_job *job, struct bw_text message,
                        const char *error_name, bool unrecoverable)
{
    struct bw_buf stack = BW_BUF_INIT;
    bool ok = bw_buf_addf(&stack, "%s: ", error_name) == BW_OK &&
              bw_buf_add(&stack, message.data, message.len) == BW_OK;

    /* A trace is a courtesy: without memory for it the reason alone is recorded. */
    set_failure(job, message, (struct bw_text){ ok ? stack.data : NULL, stack.len });
    job->outcome.unrecoverable = unrecoverable;
    job->outcome.has_delay = false;
    bw_buf_fini(&stack);
}
