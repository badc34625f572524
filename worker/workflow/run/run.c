#include "workflow/run/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/fault_point.h"
#include "workflow/run/frames.h"
#include "workflow/run/ahead.h"
#include "workflow/run/job.h"
#include "workflow/run/run_keys.h"
#include "workflow/run/task.h"
#include "workflow/base/mem.h"
#include "workflow/language/event_telegram.h"
#include "workflow/run/under_way.h"
#include "workflow/language/event.h"
#include "workflow/language/graph.h"
#include "workflow/language/pattern.h"
#include "workflow/run/chat.h"
#include "workflow/run/node_result.h"

#define SHOWN_DATA 500
#define LATER_MS   200

static void free_outbox(struct wf_outbox *outbox)
{
    free(outbox->call.chat);
    json_decref(outbox->call.params);
    free(outbox->throttle.chat);
    json_decref(outbox->token.hold);
    free(outbox->reply.description);
    json_decref(outbox->reply.result);
    free(outbox->checkpoint.text);
    free(outbox->delays.error);
    json_decref(outbox->moves);
}

static void free_steps(struct wf_steps *steps)
{
    json_decref(steps->warm.idle);
    free(steps->pointer);
    free(steps->preloaded);
}

static void free_work(struct wf_run *run)
{
    if (run->work.lock.key != NULL) { /* the database was away, say */
        wf_locks_remove(&run->engine->locks, &run->work.lock);
        wf_lock_forget(&run->work.lock, &run->engine->keys);
        wf_lock_fini(&run->work.lock);
    }
    free(run->work.fetched.body);
    free(run->work.fetched.error);
    json_decref(run->scratch);
}

/* What templates see. */
static void free_values(struct wf_run *run)
{
    free(run->user_id);
    json_decref(run->person.variables);
    json_decref(run->person.object);
    json_decref(run->personal.names);
    json_decref(run->telegram);
    json_decref(run->roots);
    for (size_t i = 0; i < WF_SCOPES; i++)
        json_decref(run->vars[i]);
    json_decref(run->dirty);
}

static void run_free(struct wf_run *run)
{
    struct wf_engine *engine = run->engine;

    BW_ASSERT(run->under_way.prevp == NULL);
    wf_trouble_ended(engine, run->attempt.tried);
    wf_frames_free(run);
    wf_execution_fini(&run->execution);
    json_decref(run->progress.loops);
    json_decref(run->progress.visits);
    json_decref(run->log.rows);
    free_values(run);
    free_work(run);
    free_outbox(&run->outbox);
    free_steps(&run->steps);
    wf_result_clear(&run->out);
    wf_ahead_fini(&run->ahead);
    wf_chat_fini(&run->chat);
    wf_kv_clear(&run->kv);
    engine->effects->batch_destroy(&run->db.batch);
    wf_event_fini(&run->event);
    wf_pattern_budget_fini(&run->patterns);
    wf_project_unref(&run->project);
    wf_graph_unref(&run->graph);
    free(run->versions.marker);
    free(run->ending.failure);
    json_decref(run->attempt.restored);
    free(run->job_key);
    json_decref(run->data);
    free(run);
    wf_busy_leave(&engine->busy);
}

/* Lets the next run of the chat begin. */
static void leave_chat(struct wf_run *run)
{
    struct wf_run *next = wf_chat_leave(run);

    BW_ASSERT(next != run);
    if (next != NULL)
        wf_run_post(next, next->step);
}

static void count_message(struct wf_run *run)
{
    struct wf_counters *counters = &run->engine->counters;

    if (run->chat.key == NULL)
        return;
    wf_count(&counters->messages);
    if (run->patterns.exceeded > 0)
        wf_count(&counters->patterns_exceeded);
    if (run->db.trips > 5)
        wf_count(&counters->trips_over);
}

void wf_run_complete(struct wf_run *run, const char *json)
{
    wf_fault_point("job-end");
    leave_chat(run);
    count_message(run);
    bw_log(wf_job_log(run), BW_LOG_DEBUG, "workflow job answered",
           bw_text("result", json), bw_num("dbTrips", run->db.trips),
           bw_num("steps", run->progress.steps));
    wf_under_way_leave(run);
    wf_job_complete(run, json, json != NULL ? strlen(json) : 0);
    run_free(run);
}

void wf_run_answer(struct wf_run *run, bool result)
{
    wf_step *conclude = run->ending.conclude;

    run->ending.conclude = NULL;
    run->ending.result = result;
    if (conclude != NULL)
        conclude(run);
    else
        wf_run_complete(run, result ? "true" : "false");
}

bool wf_run_last_attempt(const struct wf_run *run)
{
    return wf_job_attempts_made(run) + 1 >= wf_job_attempts(run);
}

/* Ends the job, and the run. What a dashboard shows as the stack trace of the attempt
 * says where the run was. */
static void end_failed(struct wf_run *run, struct bw_job_failure *failure)
{
    char stack[BW_ERROR_TEXT_MAX + SHOWN_DATA];

    if (run->node != NULL)
        (void)snprintf(stack, sizeof(stack), "Error: %s\n    at node %s (%s)",
                       failure->message, run->node->id, run->node->type);
    else
        (void)snprintf(stack, sizeof(stack), "Error: %s", failure->message);
    failure->stack = stack; /* cut is fine */
    wf_under_way_leave(run);
    wf_job_fail(run, failure);
    run_free(run);
}

void wf_run_fail(struct wf_run *run)
{
    struct bw_job_failure failure = { .message = run->ending.failure };

    BW_ASSERT(run->ending.failure != NULL);
    if (run->ending.delay_ms > 0 && !wf_run_last_attempt(run)) {
        failure.has_delay = true;
        failure.delay_ms = run->ending.delay_ms;
    }
    leave_chat(run);
    bw_log(wf_job_log(run), BW_LOG_WARNING, "workflow job failed and may be tried again",
           bw_text("reason", run->ending.failure));
    end_failed(run, &failure);
}

void wf_run_failing(struct wf_run *run)
{
    wf_step *before = run->ending.before_failure;

    BW_ASSERT(run->ending.failure != NULL);
    run->ending.before_failure = NULL;
    if (before != NULL)
        before(run);
    else
        wf_run_fail(run);
}

static bool has_execution(const struct wf_run *run)
{
    return run->execution.id != NULL && run->log.rows != NULL;
}

/* What the row of its execution is to say before the job fails. */
static void say_last_words(struct wf_run *run)
{
    wf_step *say = run->ending.last_words;

    BW_ASSERT(has_execution(run) && run->ending.failure != NULL);
    run->ending.last_words = NULL;
    wf_under_way_last(run);
    if (say != NULL)
        say(run);
    else
        wf_run_failing(run);
}

void wf_run_transient(struct wf_run *run, int64_t delay_ms, const char *format, ...)
{
    bool again = run->ending.failure != NULL; /* the last words failed too */
    char text[BW_ERROR_TEXT_MAX];
    va_list args;

    if (!again && wf_run_lost(run))
        return; /* no wonder; and another attempt may do better */
    if (!wf_job_lock_held(run)) {
        wf_run_go_back(run); /* what it leaves cannot be written */
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
    va_end(args);
    if (!again) {
        run->ending.failure = wf_strdup(text);
        run->ending.delay_ms = delay_ms;
    }
    if (!again && wf_run_last_attempt(run) && has_execution(run))
        say_last_words(run);
    else
        wf_run_failing(run);
}

void wf_run_later(struct wf_run *run, int64_t delay_ms)
{
    BW_ASSERT(delay_ms > 0);
    wf_checkpoint_renew(run, wf_engine_now_ms(run->engine) + delay_ms);
    leave_chat(run);
    wf_under_way_leave(run);
    wf_job_move_to_delayed(run, delay_ms);
    run_free(run);
}

/* Told to the queue before the chat is free: the chat's next job, put off to the same
 * time, comes after it. */
void wf_run_put_off(struct wf_run *run, int64_t until_ms, bool unstarted)
{
    BW_ASSERT(until_ms > 0);
    wf_checkpoint_renew(run, until_ms);
    wf_under_way_leave(run);
    wf_job_put_off(run, until_ms, unstarted);
    leave_chat(run);
    run_free(run);
}

void wf_run_hand_back(struct wf_run *run)
{
    wf_count(&run->engine->counters.handed_back);
    wf_checkpoint_renew(run, 0);
    wf_under_way_leave(run);
    wf_job_hand_back(run, !run->attempt.left);
    leave_chat(run);
    run_free(run);
}

void wf_run_go_back(struct wf_run *run)
{
    bw_log(wf_job_log(run), BW_LOG_WARNING, "the lock of the job was lost");
    wf_run_later(run, LATER_MS);
}

/* Another attempt goes on, whatever this one was at: it may come before Redis has let go
 * of the lock, and then the job goes back. A lock is lost where Redis is away, and it may
 * come back without what it was told of this one. */
static void leave(struct wf_run *run)
{
    wf_step *step = run->ending.leave;

    run->ending.leave = NULL;
    wf_under_way_last(run);
    if (step != NULL)
        step(run);
    else
        wf_run_go_back(run);
}

bool wf_run_lost(struct wf_run *run)
{
    bool held = wf_job_lock_held(run);

    if (held && !wf_job_cancelled(run))
        return false;
    wf_set(&run->ending.failure,
           held ? "The job was cancelled" : "The lock of the job was lost");
    if (!held)
        leave(run);
    else if (wf_job_revoked(run) && has_execution(run))
        say_last_words(run);
    else
        wf_run_fail(run);
    return true;
}

void wf_run_prepare(struct wf_run *run)
{
    BW_ASSERT(run->dirty == NULL);
    for (size_t i = 0; i < WF_SCOPES; i++)
        run->vars[i] = wf_must(json_object());
    run->dirty = wf_must(json_object());
    run->log.rows = wf_must(json_array());
    run->progress.visits = wf_must(json_object());
    run->progress.loops = wf_must(json_array());
    run->roots = wf_must(json_object());
    run->telegram = wf_must(wf_event_telegram(&run->event));
}

void wf_run_refuse(struct wf_run *run, const char *format, ...)
{
    struct bw_job_failure failure = { .unrecoverable = true };
    char text[BW_ERROR_TEXT_MAX + SHOWN_DATA];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
    va_end(args);
    failure.message = text;
    leave_chat(run);
    end_failed(run, &failure);
}

struct wf_run *wf_run_create(struct wf_engine *engine, struct bw_job *job)
{
    struct wf_run *run = wf_alloc(sizeof(*run));

    BW_ASSERT(engine != NULL && job != NULL);
    run->engine = engine;
    run->job = job;
    wf_busy_keep_ticking(&engine->busy, 1);
    wf_under_way_enter(run);
    if (wf_trouble_admit(engine, &run->attempt.tried))
        return run;
    wf_run_hand_back(run);
    return NULL;
}
