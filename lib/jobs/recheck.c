#include "jobs/recheck.h"

#include <bulwark/buf.h>

#include "base/assert.h"
#include "redis/refusal.h"
#include "jobs/base/caller.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/outcome.h"
#include "jobs/ready.h"

static void on_looked_up(const struct bw_reply *reply, const struct bw_error *err,
                         void *arg);

/* Codes that an earlier call leaves behind if it was executed and only its reply was
 * lost. */
static bool may_be_our_own_work(int code)
{
    return code == BW_EJOB_MISSING || code == BW_EJOB_NO_LOCK || code == BW_EJOB_STATE ||
           code == BW_EJOB_LOCKED;
}

/* Moves that count no attempt leave no such trace, but then nothing is lost either: not
 * ours and not active is what they wanted. */
static bool leaves_no_trace(const struct bw_job *job)
{
    return job->item.kind == BW_SETTLE_PUT_BACK ||
           job->item.kind == BW_SETTLE_HAND_BACK ||
           (job->item.kind == BW_SETTLE_DELAY && !job->item.counts_attempt);
}

static int build(struct bw_cmd *cmd, const struct bw_job *job)
{
    struct bw_buf key = BW_BUF_INIT;
    int result = bw_buf_add_str(&key, job->lane->keys.text[BW_KEY_BASE]);

    if (result == BW_OK)
        result = bw_buf_add(&key, job->data.id.data, job->data.id.len);
    if (result == BW_OK) {
        bw_cmd_str(cmd, "HMGET");
        bw_cmd_arg(cmd, key.data, key.len);
        bw_cmd_str(cmd, "timestamp");
        bw_cmd_str(cmd, "atm");
    }
    bw_buf_fini(&key);
    return result;
}

bool bw_recheck(struct bw_job *job, int code)
{
    struct bw_caller *caller = job->lane->caller;
    struct bw_cmd *cmd;

    BW_ASSERT(job->magic == BW_JOB_MAGIC && job->place == BW_JOB_SENT);
    if (!job->unsure || !may_be_our_own_work(code))
        return false;
    if (leaves_no_trace(job)) {
        bw_outcome_recorded(job);
        return true;
    }
    job->place = BW_JOB_LOOKUP;
    job->refusal = code;
    cmd = bw_caller_cmd(caller);
    if (build(cmd, job) != BW_OK ||
        bw_caller_call(caller, cmd, on_looked_up, job) != BW_OK)
        bw_ready_add_first(job); /* no memory, or not connected: asked again */
    return true;
}

static bool ends_the_job(const struct bw_job *job)
{
    return job->item.kind == BW_SETTLE_COMPLETED || job->item.kind == BW_SETTLE_FAILED;
}

static bool is_recorded(const struct bw_job *job, const struct bw_reply *exists,
                        const struct bw_reply *made)
{
    if (bw_reply_kind(exists) == BW_REPLY_NIL)
        return ends_the_job(job) && job->item.keep.set;
    return bw_reply_integer(made) > (int64_t)job->data.attempts_made;
}

static void on_looked_up(const struct bw_reply *reply, const struct bw_error *err,
                         void *arg)
{
    struct bw_job *job = arg;

    BW_ASSERT(job->magic == BW_JOB_MAGIC && job->place == BW_JOB_LOOKUP);
    if (err != NULL && (err->code != BW_EREDIS || bw_refusal_passes(err->text))) {
        if (err->code == BW_EREDIS)
            bw_lane_refused(job->lane, "lookup", err);
        bw_ready_add_first(job); /* lost again, or not now: asked again */
        return;
    }
    if (err == NULL && is_recorded(job, bw_reply_at(reply, 0), bw_reply_at(reply, 1))) {
        bw_log(&job->log, BW_LOG_INFO, "job was recorded by a call whose reply was lost");
        bw_outcome_recorded(job);
        return;
    }
    bw_outcome_not_recorded(job, job->refusal);
}
