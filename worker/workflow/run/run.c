#include "workflow/run/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/read.h"
#include "workflow/jobs/delay_job.h"
#include "workflow/base/fault_point.h"
#include "workflow/run/frames.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/language/sanitise.h"
#include "workflow/jobs/scheduled_job.h"
#include "workflow/jobs/small_jobs.h"
#include "workflow/language/event_telegram.h"
#include "workflow/run/under_way.h"

#define SHOWN_DATA 500
#define LATER_MS   200

static void run_free(struct wf_run *run)
{
    struct wf_engine *engine = run->engine;

    wf_trouble_ended(engine, run);

    wf_frames_free(run);
    wf_kv_clear(&run->kv);
    engine->effects->batch_destroy(&run->batch);
    wf_event_fini(&run->event);
    wf_pattern_budget_fini(&run->patterns);
    wf_lock_fini(&run->chat_lock);
    if (run->node_lock.key != NULL) { /* the database was away, say */
        wf_locks_remove(&engine->locks, &run->node_lock);
        wf_lock_forget(&run->node_lock, engine);
        wf_lock_fini(&run->node_lock);
    }
    wf_project_unref(&run->project);
    wf_graph_unref(&run->graph);
    free(run->chat_key);
    free(run->job_key);
    free(run->marker);
    free(run->pointer);
    json_decref(run->idle);
    free(run->preloaded);
    free(run->user_id);
    free(run->x.id);
    free(run->x.session_id);
    free(run->x.workflow_id);
    free(run->x.wait_type);
    free(run->x.current_node_id);
    free(run->out.target);
    free(run->out.text);
    free(run->out.notice);
    free(run->failure);
    free(run->checkpoint);
    free(run->reply.description);
    free(run->sent_chat);
    json_decref(run->reply.result);
    json_decref(run->token_hold);
    json_decref(run->moves);
    free(run->fetched.body);
    free(run->fetched.error);
    json_decref(run->params);
    json_decref(run->x.wait_payload);
    json_decref(run->out.payload);
    json_decref(run->out.details);
    json_decref(run->out.columns);
    json_decref(run->restored);
    json_decref(run->customer);
    wf_ahead_drop(run);
    json_decref(run->customer_object);
    json_decref(run->telegram);
    json_decref(run->roots);
    for (size_t i = 0; i < WF_SCOPES; i++)
        json_decref(run->vars[i]);
    json_decref(run->dirty);
    json_decref(run->logs);
    json_decref(run->loops);
    json_decref(run->personal);
    json_decref(run->visits);
    json_decref(run->scratch);
    json_decref(run->data);
    free(run);
    wf_engine_leave(engine);
}

/* Lets the next run of the chat begin. */
static void leave_chat(struct wf_run *run)
{
    struct wf_turn *next;

    if (run->has_lock) {
        struct wf_kv kv = { 0 };

        wf_locks_remove(&run->engine->locks, &run->chat_lock);
        (void)wf_kv_add(&kv, WF_KV_RELEASE, wf_strdup(run->chat_lock.key),
                        wf_strdup(run->chat_lock.token), 0);
        wf_kv_send(run->engine, &kv);
        run->has_lock = false;
    }
    if (!run->has_turn)
        return;
    run->has_turn = false;
    next = wf_chats_leave(&run->engine->chats, &run->turn);
    if (next != NULL) {
        struct wf_run *other =
            (struct wf_run *)(void *)((char *)next - offsetof(struct wf_run, turn));

        wf_run_post(other, other->step);
    }
}

static void count_message(struct wf_run *run)
{
    struct wf_counters *counters = &run->engine->counters;

    if (run->chat_key == NULL)
        return;
    wf_engine_count(&counters->messages);
    if (run->patterns.exceeded > 0)
        wf_engine_count(&counters->patterns_exceeded);
    if (run->trips > 5)
        wf_engine_count(&counters->trips_over);
}

void wf_run_complete(struct wf_run *run, const char *json)
{
    wf_fault_point("job-end");
    leave_chat(run);
    count_message(run);
    bw_log(wf_job_log(run), BW_LOG_DEBUG, "workflow job answered",
           bw_text("result", json), bw_num("dbTrips", run->trips),
           bw_num("steps", run->steps_this_run));
    wf_under_way_leave(run);
    wf_job_complete(run, json, json != NULL ? strlen(json) : 0);
    run_free(run);
}

void wf_run_answer(struct wf_run *run, bool result)
{
    wf_step *conclude = run->conclude;

    run->conclude = NULL;
    run->result = result;
    if (conclude != NULL)
        conclude(run);
    else
        wf_run_complete(run, result ? "true" : "false");
}

void wf_run_success(struct wf_run *run)
{
    static const char json[] = "{\"success\":true}";

    wf_under_way_leave(run);
    wf_job_complete(run, json, sizeof(json) - 1);
    run_free(run);
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
    struct bw_job_failure failure = { .message = run->failure };

    if (run->failure_delay_ms > 0 && !wf_run_last_attempt(run)) {
        failure.has_delay = true;
        failure.delay_ms = run->failure_delay_ms;
    }
    leave_chat(run);
    bw_log(wf_job_log(run), BW_LOG_WARNING, "workflow job failed and may be tried again",
           bw_text("reason", run->failure));
    end_failed(run, &failure);
}

static void fail_job(struct wf_run *run)
{
    wf_step *before = run->before_failure;

    run->before_failure = NULL;
    if (before != NULL)
        before(run);
    else
        wf_run_fail(run);
}

static void last_words_done(struct wf_run *run)
{
    fail_job(run);
}

/* The last attempt leaves the execution `failed` before the job fails
 * (worker/workflow/spec/workflow.md §1.4). */
static void last_words(struct wf_run *run)
{
    wf_under_way_last(run);
    wf_db_begin(run);
    run->db_tries = 2; /* one try: the database may be what fails */
    wf_log_error(run, run->failure);
    wf_flush_add(run, &(struct wf_flush){ .status = "failed", .error = run->failure });
    while (run->outer != NULL) { /* and those that called it */
        wf_frames_pop(run);
        wf_log_error(run, run->failure);
        wf_flush_add(run,
                     &(struct wf_flush){ .status = "failed", .error = run->failure });
    }
    wf_db_run(run, last_words_done, last_words_done);
}

static void go_back(struct wf_run *run);

static bool has_execution(const struct wf_run *run)
{
    return run->x.id != NULL && run->logs != NULL;
}

void wf_run_transient(struct wf_run *run, int64_t delay_ms, const char *format, ...)
{
    bool again = run->failure != NULL; /* the last words failed too */
    char text[BW_ERROR_TEXT_MAX];
    va_list args;

    if (!again && wf_run_lost(run))
        return; /* no wonder; and another attempt may do better */
    if (!wf_job_lock_held(run)) {
        go_back(run); /* what it leaves cannot be written */
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
    va_end(args);
    if (!again) {
        run->failure = wf_strdup(text);
        run->failure_delay_ms = delay_ms;
    }
    if (!again && wf_run_last_attempt(run) && has_execution(run))
        last_words(run);
    else
        fail_job(run);
}

void wf_run_later(struct wf_run *run, int64_t delay_ms)
{
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
    wf_checkpoint_renew(run, until_ms);
    wf_under_way_leave(run);
    wf_job_put_off(run, until_ms, unstarted);
    leave_chat(run);
    run_free(run);
}

void wf_run_hand_back(struct wf_run *run)
{
    wf_engine_count(&run->engine->counters.handed_back);
    wf_checkpoint_renew(run, 0);
    wf_under_way_leave(run);
    wf_job_hand_back(run, !run->left);
    leave_chat(run);
    run_free(run);
}

static void held(struct wf_run *run)
{
    wf_run_put_off(run, run->hold_until, false);
}

void wf_run_hold(struct wf_run *run)
{
    wf_checkpoint(run, run->node->id, true, held);
}

static void go_back(struct wf_run *run)
{
    bw_log(wf_job_log(run), BW_LOG_WARNING, "the lock of the job was lost");
    wf_run_later(run, LATER_MS);
}

/* Another attempt goes on, whatever this one was at: it may come before Redis has let go
 * of the lock, and then the job goes back. A lock is lost where Redis is away, and it may
 * come back without what it was told of this one. */
static void leave(struct wf_run *run)
{
    wf_under_way_last(run);
    if (!wf_checkpoint_leave(run, go_back))
        go_back(run);
}

bool wf_run_lost(struct wf_run *run)
{
    bool held = wf_job_lock_held(run);

    if (held && !wf_job_cancelled(run))
        return false;
    wf_set(&run->failure,
           held ? "The job was cancelled" : "The lock of the job was lost");
    if (!held)
        leave(run);
    else if (wf_job_revoked(run) && has_execution(run))
        last_words(run);
    else
        wf_run_fail(run);
    return true;
}

/* --- kinds of jobs */

void wf_run_prepare(struct wf_run *run)
{
    for (size_t i = 0; i < WF_SCOPES; i++)
        run->vars[i] = wf_must(json_object());
    run->dirty = wf_must(json_object());
    run->logs = wf_must(json_array());
    run->visits = wf_must(json_object());
    run->loops = wf_must(json_array());
    run->roots = wf_must(json_object());
    run->telegram = wf_must(wf_event_telegram(&run->event));
}

static void pattern_given_up(void *arg, const char *pattern)
{
    struct wf_run *run = arg;

    bw_log(wf_job_log(run), BW_LOG_WARNING,
           "a trigger's pattern takes too long and does not match: it is told once",
           bw_text("project", run->project_id), bw_text("pattern", pattern));
}

static void start_heavy(struct wf_run *run)
{
    struct bw_error err = { 0 };
    int rc = wf_event_parse(&run->event, json_object_get(run->data, "context"),
                            wf_member(run->data, "trigger", NULL), &err);

    if (rc == BW_ENOMEM) {
        wf_check(rc);
    } else if (rc != BW_OK || run->event.chat_id == NULL) {
        bw_log(wf_job_log(run), BW_LOG_INFO, "nothing in this update can be handled",
               bw_text("reason", err.text));
        wf_run_answer(run, false);
    } else if (run->event.max_platform) {
        bw_log(wf_job_log(run), BW_LOG_WARNING, "there is no transport to MAX");
        wf_run_answer(run, false);
    } else {
        wf_run_prepare(run);
        run->patterns.tell = pattern_given_up;
        run->patterns.arg = run;
        run->event.patterns = &run->patterns;
        wf_arrive(run);
    }
}

static const struct {
    const char *name;
    bool project; /* needs a projectId */
    wf_step *start;
} kinds[] = {
    { "heavy_workflow_execution", true, start_heavy },
    { "user_variables_update", true, wf_small_refresh },
    { "statistics_aggregation", false, wf_small_acknowledge },
    { "scheduled_workflow_execution", true, wf_scheduled_start },
    { "delay-task", true, wf_delay_start },
};

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

/* The data is shown to whoever looks for the cause, but no secret in it (§3.10). */
static void refuse_unknown(struct wf_run *run)
{
    json_t *shown = wf_sanitise(run->data);
    char *text = shown != NULL ? wf_dumps(shown) : wf_strdup("not JSON");
    size_t len = strlen(text);

    if (len > SHOWN_DATA) {
        len = SHOWN_DATA;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--; /* not in the middle of a character */
        text[len] = '\0';
    }
    json_decref(shown);
    wf_run_refuse(run, "Unknown workflow job data: %s", text);
    free(text);
}

static void dispatch(struct wf_run *run)
{
    const char *name = wf_member(run->data, "type", NULL);

    if (name == NULL)
        name = wf_job_name(run);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        run->project_id = wf_member(run->data, "projectId", "");
        if (kinds[i].project && *run->project_id == '\0')
            wf_run_refuse(run, "The job's data has no projectId");
        else
            kinds[i].start(run);
        return;
    }
    refuse_unknown(run);
}

void wf_run_start(struct wf_engine *engine, struct bw_job *job)
{
    struct wf_run *run = wf_alloc(sizeof(*run));
    const char *data;
    size_t len;

    run->engine = engine;
    run->job = job;
    data = wf_job_data(run, &len);
    wf_under_way_enter(run);
    if (!wf_trouble_admit(engine, run)) {
        wf_run_hand_back(run);
        return;
    }
    run->data = wk_json_read(data, len, 0, NULL);
    if (json_is_object(run->data))
        dispatch(run);
    else
        refuse_unknown(run);
}
