#include "jobs/outcome.h"

#include <string.h>

#include "base/assert.h"
#include "jobs/groups.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"
#include "jobs/ready.h"

enum { LOGGED_NAME = 128, LOGGED_REASON = 512 }; /* bytes */

int bw_outcome_name_job(struct bw_buf *out, const char *before, struct bw_text id,
                        const char *after)
{
    int rc = bw_buf_addf(out, "%s ", before);

    if (rc == BW_OK)
        rc = bw_buf_add(out, id.data, id.len);
    return rc == BW_OK ? bw_buf_addf(out, " %s", after) : rc;
}

/* --- deciding */

static struct bw_text text_of(const char *text)
{
    return (struct bw_text){ text, strlen(text) };
}

static struct bw_text said(const struct bw_outcome *outcome, const char *otherwise)
{
    if (!outcome->has_text)
        return text_of(otherwise);
    return (struct bw_text){ bw_buf_text(&outcome->text), outcome->text.len };
}

static void start_item(struct bw_job *job, enum bw_settle_kind kind)
{
    job->item = (struct bw_settle_item){
        .kind = kind,
        .id = job->data.id,
        .token = job->data.token,
        .attempts = job->data.parsed.attempts,
        .lifo = job->data.parsed.lifo,
    };
}

static struct bw_keep keep_for(const struct bw_keep *own, const struct bw_keep *lanes)
{
    return own->set ? *own : *lanes;
}

static void decide_completed(struct bw_job *job)
{
    start_item(job, BW_SETTLE_COMPLETED);
    job->item.value = said(&job->outcome, "null");
    job->item.keep = keep_for(&job->data.parsed.remove_on_complete,
                              &job->lane->options.remove_on_complete);
}

/* The refusal to wait for failed children is final where the handler passes it on, as an
 * exception does in the reference (BMQ-174). */
static bool is_unrecoverable(const struct bw_job *job)
{
    const struct bw_outcome *outcome = &job->outcome;

    return outcome->unrecoverable ||
           (job->child_failed && outcome->has_text &&
            memmem(outcome->text.data, outcome->text.len, BW_CHILD_FAILED,
                   sizeof BW_CHILD_FAILED - 1) != NULL);
}

/* May the job be tried again? lib/spec/bullmq.md §5.1 item 4; the backoff has a say as
 * well. */
static bool may_retry(const struct bw_job *job)
{
    const struct bw_job_data *data = &job->data;
    int64_t most_started = job->lane->options.max_started_attempts;

    if (is_unrecoverable(job) || data->attempts_made + 1 >= data->parsed.attempts)
        return false;
    return most_started < 0 || most_started > (int64_t)data->attempts_started;
}

static int64_t retry_delay(struct bw_job *job)
{
    if (job->outcome.has_delay)
        return job->outcome.delay_ms;
    return bw_backoff_delay(&job->data.parsed, job->data.attempts_made,
                            bw_rand_unit(&job->lane->lanes->rand));
}

static void start_retry(struct bw_job *job, int64_t delay)
{
    start_item(job, delay > 0 ? BW_SETTLE_DELAY : BW_SETTLE_RETRY);
    job->item.delay_ms = delay;
    job->item.counts_attempt = true;
}

static void start_failed(struct bw_job *job, struct bw_text reason)
{
    start_item(job, BW_SETTLE_FAILED);
    job->item.value = reason;
    job->item.keep =
        keep_for(&job->data.parsed.remove_on_fail, &job->lane->options.remove_on_fail);
}

/* failedReason and stacktrace are written by every failed attempt (BMQ-084). */
static bool add_failure(struct bw_job *job, struct bw_text reason)
{
    const struct bw_outcome *outcome = &job->outcome;
    const struct bw_text entry = { bw_buf_text(&outcome->stack), outcome->stack.len };

    bw_buf_clear(&job->stacktrace);
    if (bw_stacktrace_append(&job->stacktrace, &job->data.stacktrace,
                             outcome->has_stack ? &entry : NULL,
                             job->data.parsed.stack_trace_limit) != BW_OK)
        return false;
    job->item.has_failure = true;
    if (outcome->telemetry.len > 0)
        job->item.telemetry =
            (struct bw_text){ bw_buf_text(&outcome->telemetry), outcome->telemetry.len };
    job->item.reason = reason;
    job->item.stacktrace =
        (struct bw_text){ bw_buf_text(&job->stacktrace), job->stacktrace.len };
    return true;
}

/* Redis does not take the job's end, or there is none to give it. */
static void tell_unrecorded(const struct bw_job *job, const char *why)
{
    bw_lane_tell_of(job, (struct bw_event){ .kind = BW_EVENT_ERROR,
                                            .error = why,
                                            .error_len = strlen(why) });
}

static bool leave(struct bw_job *job, const char *why)
{
    bw_log(&job->log, BW_LOG_ERROR, "job left active until its lock expires",
           bw_text("reason", why));
    tell_unrecorded(job, why);
    return false;
}

static bool decide_failure(struct bw_job *job)
{
    struct bw_text reason =
        said(&job->outcome, job->outcome.unrecoverable ? "bullmq:unrecoverable" : "null");
    int64_t delay = may_retry(job) ? retry_delay(job) : -1;

    if (delay == BW_BACKOFF_UNKNOWN) /* BMQ-093 */
        return leave(job, "its backoff type is unknown");
    if (delay >= 0)
        start_retry(job, delay);
    else
        start_failed(job, reason);
    if (!add_failure(job, reason))
        return leave(job, "out of memory");
    return true;
}

static void decide_limit(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;
    struct bw_caller *caller = lane->caller;
    struct bw_cmd *cmd = bw_caller_cmd(caller);
    int64_t pause = job->outcome.delay_ms;

    bw_rate_limit_build(cmd, &lane->keys, pause > 0 ? pause : 1);
    /* When this is lost the pause below still holds for this worker. */
    bw_caller_tell(caller, cmd, &lane->log);
    bw_known_limit(&lane->known, bw_caller_now(caller), pause, &lane->options);
    bw_outcome_put_back(job);
}

bool bw_outcome_decide(struct bw_job *job)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC && job->place != BW_JOB_GONE);
    switch (job->outcome.kind) {
    case BW_OUTCOME_COMPLETE:
        decide_completed(job);
        return true;
    case BW_OUTCOME_FAIL:
        return decide_failure(job);
    case BW_OUTCOME_DELAY:
        start_item(job, BW_SETTLE_DELAY);
        job->item.delay_ms = job->outcome.delay_ms;
        job->item.until_ms = job->outcome.until_ms;
        job->item.unstarted = job->outcome.unstarted;
        return true;
    case BW_OUTCOME_WAIT:
        bw_outcome_put_back(job);
        return true;
    case BW_OUTCOME_HAND_BACK:
        bw_outcome_hand_back(job, job->outcome.unstarted);
        return true;
    case BW_OUTCOME_LIMIT:
        decide_limit(job);
        return true;
    case BW_OUTCOME_MOVED:
        bw_groups_left(job);
        return false;
    case BW_OUTCOME_LEAVE:
        return leave(job, "out of memory");
    }
    return leave(job, "its outcome is unknown");
}

void bw_outcome_put_back(struct bw_job *job)
{
    start_item(job, BW_SETTLE_PUT_BACK);
}

void bw_outcome_hand_back(struct bw_job *job, bool unstarted)
{
    start_item(job, BW_SETTLE_HAND_BACK);
    job->item.unstarted = unstarted;
}

/* --- Redis's answer */

static void count_recorded(struct bw_job *job)
{
    struct bw_lane_counters *counters = &job->lane->counters;

    switch (job->item.kind) {
    case BW_SETTLE_COMPLETED:
        bw_count(&counters->completed);
        break;
    case BW_SETTLE_FAILED:
        bw_count(&counters->failed);
        break;
    case BW_SETTLE_RETRY:
        bw_count(&counters->retried);
        break;
    case BW_SETTLE_DELAY:
        bw_count(job->item.counts_attempt ? &counters->retried : &counters->delayed);
        break;
    case BW_SETTLE_HAND_BACK:
        if (job->lane->lanes->ending.draining)
            job->lane->lanes->ending.handed_back = true;
        bw_count(&counters->put_back);
        break;
    case BW_SETTLE_PUT_BACK:
        bw_count(&counters->put_back);
        break;
    }
}

/* A reason may be of any length, and bytes of a character are not torn apart. */
static struct bw_text bounded(struct bw_text text, size_t most)
{
    if (text.len <= most)
        return text;
    while (most > 0 && ((unsigned char)text.data[most] & 0xc0) == 0x80)
        most--;
    return (struct bw_text){ text.data, most };
}

/* The one line that a failed attempt leaves. */
static void log_failure(const struct bw_job *job, bool is_final)
{
    struct bw_text name = bounded(job->data.name, LOGGED_NAME);
    struct bw_text reason = bounded(job->item.reason, LOGGED_REASON);
    int64_t attempt = (int64_t)job->data.attempts_made + 1;

    if (is_final)
        bw_log(&job->log, BW_LOG_WARNING, "job failed",
               bw_text_len("name", name.data, name.len), bw_num("attempt", attempt),
               bw_text_len("reason", reason.data, reason.len));
    else
        bw_log(&job->log, BW_LOG_INFO, "attempt failed",
               bw_text_len("name", name.data, name.len), bw_num("attempt", attempt),
               bw_text_len("reason", reason.data, reason.len),
               bw_num("retryMs", job->item.delay_ms));
}

/* BMQ-176: not before. */
static void tell_recorded(const struct bw_job *job)
{
    const struct bw_settle_item *item = &job->item;
    const struct bw_outcome *outcome = &job->outcome;
    bool is_final = item->kind == BW_SETTLE_FAILED;

    if (item->kind == BW_SETTLE_COMPLETED) {
        bw_lane_tell_of(
            job, (struct bw_event){
                     .kind = BW_EVENT_COMPLETED,
                     .result = outcome->has_text ? bw_buf_text(&outcome->text) : NULL,
                     .result_len = outcome->has_text ? outcome->text.len : 0 });
    } else if (item->has_failure) {
        log_failure(job, is_final);
        bw_lane_tell_of(job,
                        (struct bw_event){ .kind = BW_EVENT_FAILED,
                                           .error = item->reason.data,
                                           .error_len = item->reason.len,
                                           .attempts_made = job->data.attempts_made + 1,
                                           .is_final = is_final,
                                           .retry_ms = is_final ? 0 : item->delay_ms });
    }
}

void bw_outcome_recorded(struct bw_job *job)
{
    BW_ASSERT(job->place == BW_JOB_SENT || job->place == BW_JOB_LOOKUP);
    count_recorded(job);
    tell_recorded(job);
    bw_lane_job_gone(job);
}

/* Completing was refused for the sake of the job's children: the failure path is run
 * (§5.1 item 5). */
static void fail_instead(struct bw_job *job, const char *before, const char *after,
                         bool unrecoverable)
{
    struct bw_buf message = BW_BUF_INIT;

    if (bw_outcome_name_job(&message, before, job->data.id, after) == BW_OK) {
        bw_job_answer_fail(job, (struct bw_text){ message.data, message.len },
                           unrecoverable ? "UnrecoverableError" : "Error", unrecoverable);
        tell_unrecorded(job, bw_buf_text(&message));
    } else {
        job->outcome.kind = BW_OUTCOME_LEAVE;
    }
    bw_buf_fini(&message);
    if (bw_outcome_decide(job))
        bw_ready_add(job);
    else
        bw_lane_job_gone(job);
}

static void lose(struct bw_job *job, const char *why)
{
    if (!atomic_exchange(&job->lock_lost, true))
        bw_count(&job->lane->counters.locks_lost);
    bw_log(&job->log, BW_LOG_WARNING, "job abandoned: its end cannot be recorded",
           bw_text("reason", why));
    tell_unrecorded(job, why);
    bw_lane_job_gone(job);
}

static void drop(struct bw_job *job, enum bw_log_level level, const char *why)
{
    bw_log(&job->log, level, "result of a job dropped", bw_text("reason", why));
    tell_unrecorded(job, why);
    bw_lane_job_gone(job);
}

void bw_outcome_refused(struct bw_job *job, const char *why)
{
    BW_ASSERT(job->place == BW_JOB_SENT && why != NULL);
    bw_log(&job->log, BW_LOG_ERROR,
           "the end of a job cannot be recorded: it is left to the stalled check",
           bw_text_len("name", job->data.name.data, job->data.name.len),
           bw_text("reason", why));
    tell_unrecorded(job, why);
    bw_lane_job_gone(job);
}

static void settle_odd(struct bw_job *job, int code)
{
    switch (code) {
    case BW_EJOB_PENDING:
        fail_instead(job, "Job", "has pending dependencies. moveToFinished", false);
        return;
    case BW_EJOB_FAILED_CHILD:
        fail_instead(job, "Cannot complete job", BW_CHILD_FAILED " moveToFinished", true);
        return;
    case BW_EJOB_MISSING: /* removed by a user meanwhile (Appendix C) */
        drop(job, BW_LOG_WARNING, "the job is gone");
        return;
    case BW_EJOB_NO_LOCK:
        lose(job, "its lock has expired");
        return;
    case BW_EJOB_LOCKED:
        lose(job, "its lock belongs to another worker");
        return;
    case BW_EJOB_STATE:
        drop(job, BW_LOG_ERROR, "the job is not active");
        return;
    default:
        drop(job, BW_LOG_ERROR, bw_code_name(code));
        return;
    }
}

void bw_outcome_settled(struct bw_job *job, int code)
{
    BW_ASSERT(job->place == BW_JOB_SENT);
    if (code == BW_OK)
        bw_outcome_recorded(job);
    else
        settle_odd(job, code);
}

void bw_outcome_not_recorded(struct bw_job *job, int code)
{
    BW_ASSERT(job->place == BW_JOB_LOOKUP && code != BW_OK);
    settle_odd(job, code);
}
