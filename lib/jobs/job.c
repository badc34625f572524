#include "jobs/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/list.h"
#include "codec/json_check.h"
#include "jobs/effects.h"
#include "jobs/lane.h"
#include "run/reactor.h"

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

    assert(job->magic == BW_JOB_MAGIC);
    if (open)
        bw_intake_answered(job);
    else
        job->answered = true; /* its queue frees it */
}

struct bw_job *bw_job_create(struct bw_reactor *reactor)
{
    struct bw_job *job = reactor->free_jobs;
    struct bw_buf text, stack, telemetry, stacktrace;

    if (job == NULL) {
        job = bw_calloc(1, sizeof *job);
        if (job == NULL)
            return NULL;
    } else {
        reactor->free_jobs = job->next;
        reactor->free_job_count--;
    }
    text = job->outcome.text;
    stack = job->outcome.stack;
    telemetry = job->outcome.telemetry;
    stacktrace = job->stacktrace;
    memset(job, 0, sizeof *job);
    job->outcome.text = text;
    job->outcome.stack = stack;
    job->outcome.telemetry = telemetry;
    job->stacktrace = stacktrace;
    job->magic = BW_JOB_MAGIC;
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
    struct bw_reactor *reactor;

    if (job == NULL)
        return;
    *jobp = NULL;
    assert(job->magic == BW_JOB_MAGIC);
    job->magic = 0;
    reactor = job->lane->reactor;
    bw_job_data_fini(&job->data);
    free(job->stop_reason);
    if (reactor->free_job_count >= KEPT_JOBS) {
        free_memory(job);
        return;
    }
    trim(&job->outcome.text);
    trim(&job->outcome.stack);
    trim(&job->outcome.telemetry);
    trim(&job->stacktrace);
    job->next = reactor->free_jobs;
    reactor->free_jobs = job;
    reactor->free_job_count++;
}

void bw_job_free_kept(struct bw_reactor *reactor)
{
    while (reactor->free_jobs != NULL) {
        struct bw_job *job = reactor->free_jobs;

        reactor->free_jobs = job->next;
        free_memory(job);
    }
    reactor->free_job_count = 0;
}

/* --- running */

/* False: put back or stopped before a thread was free for it, and gone now. */
static bool begin(struct bw_job *job)
{
    int expected = ANSWER_NOT_DUE;

    if (!atomic_load(&job->given_up) &&
        atomic_compare_exchange_strong(&job->answer, &expected, ANSWER_OPEN))
        return true;
    bw_reactor_send(job->lane->reactor, &job->letter);
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

    assert(job->magic == BW_JOB_MAGIC);
    bw_job_run(job);
}

void bw_job_run_batch_task(struct bw_task *task)
{
    struct bw_job *job = BW_LIST_OF(task, struct bw_job, task), *next;
    struct bw_lane *lane = job->lane;
    struct bw_job *jobs[BW_BATCH_MAX];
    size_t count = 0;

    for (; job != NULL; job = next) {
        assert(job->magic == BW_JOB_MAGIC);
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
    struct bw_reactor *reactor = lane->reactor;
    int expected = ANSWER_OPEN;

    if (atomic_exchange(&job->cancelled, true) || lane->handler.cancel == NULL)
        return;
    bw_mutex_lock(&reactor->cancel_mutex);
    if (atomic_compare_exchange_strong(&job->answer, &expected, ANSWER_TELLING)) {
        lane->handler.cancel(job, lane->handler_arg);
        atomic_store(&job->answer, ANSWER_OPEN);
    }
    bw_mutex_unlock(&reactor->cancel_mutex);
}

/* --- answering */

static void deliver(struct bw_job *job)
{
    struct bw_reactor *reactor = job->lane->reactor;

    if (bw_reactor_is_current(reactor)) {
        /* Side effects that another thread has sent come before the end. */
        bw_letterbox_read(&reactor->letters, true);
        bw_intake_answered(job);
        return;
    }
    bw_reactor_send(reactor, &job->letter);
}

/* True: the outcome is the caller's to write. False: the worker has ended the job, and
 * it is gone for the caller. */
static bool claim_answer(struct bw_job *job)
{
    struct bw_reactor *reactor = job->lane->reactor;

    for (;;) {
        int expected = ANSWER_OPEN;

        if (atomic_compare_exchange_strong(&job->answer, &expected, ANSWER_GIVEN))
            return true;
        if (expected == ANSWER_TAKEN) {
            deliver(job);
            return false;
        }
        assert(expected == ANSWER_TELLING); /* anything else: answered twice */
        bw_mutex_lock(&reactor->cancel_mutex);
        bw_mutex_unlock(&reactor->cancel_mutex);
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
    assert(job->magic == BW_JOB_MAGIC);
    atomic_store(&job->start, START_LATER);
}

bool bw_job_start(struct bw_job *job)
{
    int expected = START_LATER;

    assert(job->magic == BW_JOB_MAGIC);
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
    assert(job->magic == BW_JOB_MAGIC);
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
    assert(job->magic == BW_JOB_MAGIC);
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
    assert(job->magic == BW_JOB_MAGIC);
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
    assert(job->magic == BW_JOB_MAGIC);
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
    assert(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_HAND_BACK;
    job->outcome.unstarted = unstarted;
    deliver(job);
}

void bw_job_move_to_wait(struct bw_job *job)
{
    assert(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_WAIT;
    deliver(job);
}

void bw_job_rate_limit(struct bw_job *job, int64_t delay_ms)
{
    assert(job->magic == BW_JOB_MAGIC);
    if (!claim_answer(job))
        return;
    job->outcome.kind = BW_OUTCOME_LIMIT;
    job->outcome.delay_ms = delay_ms > 0 ? delay_ms : 0;
    deliver(job);
}

void bw_job_moved(struct bw_job *job)
{
    assert(job->magic == BW_JOB_MAGIC);
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

/* --- reading */

const char *bw_job_queue(const struct bw_job *job)
{
    return job->lane->name;
}

const char *bw_job_id(const struct bw_job *job)
{
    return job->data.id.data;
}

const char *bw_job_name(const struct bw_job *job)
{
    return job->data.name.data;
}

size_t bw_job_id_len(const struct bw_job *job)
{
    return job->data.id.len;
}

size_t bw_job_name_len(const struct bw_job *job)
{
    return job->data.name.len;
}

size_t bw_job_parent_len(const struct bw_job *job)
{
    return job->data.parent.len;
}

size_t bw_job_repeat_key_len(const struct bw_job *job)
{
    return job->data.repeat_key.len;
}

size_t bw_job_deduplication_id_len(const struct bw_job *job)
{
    return job->data.deduplication_id.len;
}

static const char *text_of(const struct bw_text *text, const char *absent, size_t *len)
{
    if (len != NULL)
        *len = text->data != NULL ? text->len : absent != NULL ? strlen(absent) : 0;
    return text->data != NULL ? text->data : absent;
}

const char *bw_job_data(const struct bw_job *job, size_t *len)
{
    return text_of(&job->data.data, "{}", len);
}

const char *bw_job_opts(const struct bw_job *job, size_t *len)
{
    return text_of(&job->data.opts, "{}", len);
}

const char *bw_job_progress(const struct bw_job *job, size_t *len)
{
    return text_of(&job->data.progress, NULL, len);
}

const char *bw_job_parent(const struct bw_job *job)
{
    return job->data.parent.data;
}

const char *bw_job_repeat_key(const struct bw_job *job)
{
    return job->data.repeat_key.data;
}

const char *bw_job_deduplication_id(const struct bw_job *job)
{
    return job->data.deduplication_id.data;
}

const char *bw_job_token(const struct bw_job *job)
{
    return job->data.token.data;
}

int64_t bw_job_timestamp(const struct bw_job *job)
{
    return job->data.timestamp;
}

int64_t bw_job_delay(const struct bw_job *job)
{
    return job->data.delay;
}

int64_t bw_job_priority(const struct bw_job *job)
{
    return job->data.priority;
}

int64_t bw_job_processed_on(const struct bw_job *job)
{
    return job->data.processed_on;
}

unsigned bw_job_attempts(const struct bw_job *job)
{
    return job->data.parsed.attempts;
}

unsigned bw_job_attempts_made(const struct bw_job *job)
{
    return job->data.attempts_made;
}

unsigned bw_job_attempts_started(const struct bw_job *job)
{
    return job->data.attempts_started;
}

unsigned bw_job_stalled_count(const struct bw_job *job)
{
    return job->data.stalled_count;
}

const struct bw_log *bw_job_log(const struct bw_job *job)
{
    return &job->log;
}

bool bw_job_lock_held(const struct bw_job *job)
{
    const struct bw_reactor *reactor = job->lane->reactor;

    return !atomic_load(&job->lock_lost) && !atomic_load(&job->given_up) &&
           bw_mono_now(reactor->clock).ns < atomic_load(&job->lock_until_ns);
}

bool bw_job_cancelled(const struct bw_job *job)
{
    return atomic_load_explicit(&job->cancelled, memory_order_relaxed);
}

bool bw_job_revoked(const struct bw_job *job)
{
    return atomic_load(&job->revoked);
}

/* --- side effects */

static int send_effect(struct bw_job *job, enum bw_effect_kind kind, const char *text,
                       size_t len)
{
    struct bw_effect *effect;

    assert(job->magic == BW_JOB_MAGIC);
    effect = bw_effect_create(job, kind, text, len);
    if (effect == NULL)
        return BW_ENOMEM;
    bw_reactor_send(job->lane->reactor, &effect->letter);
    return BW_OK;
}

int bw_job_update_progress(struct bw_job *job, const char *json, size_t len)
{
    if (json == NULL || !bw_json_check(json, len))
        return BW_EINVAL;
    return send_effect(job, BW_EFFECT_PROGRESS, json, len);
}

int bw_job_add_log(struct bw_job *job, const char *row, size_t len)
{
    if (row == NULL)
        return BW_EINVAL;
    return send_effect(job, BW_EFFECT_LOG, row, len);
}

int bw_job_update_data(struct bw_job *job, const char *json, size_t len)
{
    if (json == NULL || !bw_json_check(json, len))
        return BW_EINVAL;
    return send_effect(job, BW_EFFECT_DATA, json, len);
}
