#include "jobs/iterations.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/calls_schedulers.h"
#include "redis/refusal.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "run/reactor.h"

enum { BATCH = 64 };

struct bw_plan_call {
    struct bw_lane *lane;
    unsigned count;
    struct bw_job *jobs[BATCH]; /* NULL: forgotten meanwhile */
};

/* --- those that wait; a held job's `next` is free for their list */

void bw_iterations_want(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    assert(job->place == BW_JOB_HELD);
    job->planning = true;
    job->plan = NULL;
    job->next = NULL;
    if (lane->plan_tail != NULL)
        lane->plan_tail->next = job;
    else
        lane->plan_head = job;
    lane->plan_tail = job;
    bw_lane_touch(lane);
}

static void remove_waiting(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;
    struct bw_job *before = NULL;

    for (struct bw_job *at = lane->plan_head; at != job; at = at->next)
        before = at;
    if (before != NULL)
        before->next = job->next;
    else
        lane->plan_head = job->next;
    if (lane->plan_tail == job)
        lane->plan_tail = before;
    job->next = NULL;
}

bool bw_iterations_forget(struct bw_job *job)
{
    if (!job->planning)
        return false;
    job->planning = false;
    if (job->plan == NULL) {
        remove_waiting(job);
        return true;
    }
    for (unsigned i = 0; i < job->plan->count; i++) {
        if (job->plan->jobs[i] == job)
            job->plan->jobs[i] = NULL;
    }
    job->plan = NULL;
    return true;
}

/* --- how it ends */

static void begin(struct bw_job *job)
{
    job->planning = false;
    job->plan = NULL;
    bw_intake_begin(job);
}

/* The iteration that is there runs all the same; the scheduler's trouble is told each
 * time, where the reference leaves the job to stall (BMQ-172). */
static void unplanned(struct bw_job *job, const struct bw_error *err)
{
    bw_log(&job->log, BW_LOG_ERROR, "the next iteration could not be planned",
           bw_text_len("scheduler", job->data.repeat_key.data, job->data.repeat_key.len),
           bw_text("error", err->text));
    bw_lane_tell_of(job, (struct bw_event){ .kind = BW_EVENT_ERROR,
                                            .error = err->text,
                                            .error_len = strlen(err->text) });
    begin(job);
}

static void planned(struct bw_job *job, const struct bw_reply *reply)
{
    if (bw_reply_kind(reply) == BW_REPLY_ERROR) {
        struct bw_error err;

        (void)bw_error_set(&err, BW_EREDIS, "%s", bw_reply_text(reply, NULL));
        unplanned(job, &err);
        return;
    }
    if (bw_reply_integer(reply) == BW_PLAN_NOT_CONTINUED)
        bw_log(&job->log, BW_LOG_WARNING, "a legacy repeatable is not continued",
               bw_text_len("scheduler", job->data.repeat_key.data,
                           job->data.repeat_key.len));
    begin(job);
}

/* One job may have spoilt the call for the others: each gets its own. */
static void refused(struct bw_plan_call *call, const struct bw_error *err)
{
    bool alone = call->count == 1;

    for (unsigned i = 0; i < call->count; i++) {
        struct bw_job *job = call->jobs[i];

        if (job == NULL)
            continue;
        if (alone) {
            unplanned(job, err);
        } else {
            job->plan_alone = true;
            bw_iterations_want(job);
        }
    }
}

static void lost(struct bw_plan_call *call)
{
    for (unsigned i = 0; i < call->count; i++) {
        if (call->jobs[i] != NULL)
            bw_iterations_want(call->jobs[i]);
    }
}

static void on_planned(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_plan_call *call = arg;
    const struct bw_error odd = { BW_EPROTO, "unexpected reply" };

    call->lane->plan_calls--;
    if (err == NULL && bw_reply_count(reply) != call->count)
        err = &odd;
    if (err == NULL) {
        for (unsigned i = 0; i < call->count; i++) {
            if (call->jobs[i] != NULL)
                planned(call->jobs[i], bw_reply_at(reply, i));
        }
    } else if (err->code == BW_EREDIS && bw_refusal_passes(err->text)) {
        lost(call); /* asked again after a pause */
        bw_lane_refused(call->lane, "next iteration", err);
    } else if (err->code == BW_EREDIS || err->code == BW_EPROTO ||
               err->code == BW_ENOMEM) {
        refused(call, err);
    } else {
        lost(call); /* sent again once the connection is back */
    }
    free(call);
}

/* --- sending */

/* Adds the job to the call, or ends its wait without one. */
static void add_job(struct bw_plan_call *call, struct bw_cmd *cmd, struct bw_job *job,
                    struct bw_wall now)
{
    struct bw_iteration iteration;
    struct bw_error err;
    bool due;

    if (bw_iteration_next(&iteration, &due, &job->data, now, &err) != BW_OK) {
        unplanned(job, &err);
        return;
    }
    if (due) {
        bw_next_iteration_add(cmd, &job->data, &iteration);
        job->plan = call;
        call->jobs[call->count++] = job;
    } else {
        begin(job); /* the scheduler has come to its end */
    }
    bw_iteration_fini(&iteration);
}

static struct bw_job *take_waiting(struct bw_lane *lane)
{
    struct bw_job *job = lane->plan_head;

    if (job != NULL)
        remove_waiting(job);
    return job;
}

static void fill(struct bw_plan_call *call, struct bw_cmd *cmd)
{
    struct bw_lane *lane = call->lane;
    struct bw_wall now = bw_loop_wall(lane->reactor->loop);

    bw_next_iteration_build(cmd, &lane->keys, now, lane->options.strict);
    while (call->count < BATCH && lane->plan_head != NULL) {
        bool alone = lane->plan_head->plan_alone;

        if (alone && call->count > 0)
            break;
        add_job(call, cmd, take_waiting(lane), now);
        if (alone)
            break;
    }
}

/* False: the rest waits. */
static bool send_one(struct bw_lane *lane)
{
    struct bw_plan_call *call = bw_calloc(1, sizeof *call);
    /* Not the reactor's scratch: jobs may begin, and run, while this is built. */
    struct bw_cmd cmd = BW_CMD_INIT;
    const struct bw_error no_memory = { BW_ENOMEM, "out of memory" };
    int result;

    if (call == NULL) {
        unplanned(take_waiting(lane), &no_memory);
        return true;
    }
    call->lane = lane;
    fill(call, &cmd);
    if (call->count == 0) {
        free(call);
        bw_cmd_fini(&cmd);
        return true;
    }
    result = bw_reactor_call(lane->reactor, &cmd, on_planned, call);
    bw_cmd_fini(&cmd);
    if (result == BW_OK) {
        lane->plan_calls++;
        return true;
    }
    if (result == BW_ENOMEM)
        refused(call, &no_memory);
    else
        lost(call);
    free(call);
    return result == BW_ENOMEM;
}

void bw_iterations_send(struct bw_lane *lane)
{
    while (lane->plan_head != NULL && bw_reactor_can_call(lane->reactor) &&
           send_one(lane))
        continue;
}
