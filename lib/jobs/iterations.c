#include "jobs/iterations.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "redis/refusal.h"
#include "queue/calls_schedulers.h"
#include "jobs/base/caller.h"
#include "jobs/job.h"
#include "jobs/lane.h"

enum { BATCH = 64 };

struct bw_plan_call {
    struct bw_lane *lane;
    unsigned count;
    struct bw_job *jobs[BATCH]; /* NULL: forgotten meanwhile */
};

static void on_planned(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg);
static void lost(struct bw_plan_call *call);
static void refused(struct bw_plan_call *call, const struct bw_error *err);
static void unplanned(struct bw_job *job, const struct bw_error *err);
static void go_on(struct bw_job *job);

/* --- those that wait; a held job's `next` is free for their list */

static void wait_for_call(struct bw_job *job)
{
    struct bw_planning *planning = &job->lane->planning;

    BW_ASSERT(job->place == BW_JOB_HELD && job->plan.waits);
    job->plan.call = NULL;
    job->next = NULL;
    if (planning->tail != NULL)
        planning->tail->next = job;
    else
        planning->head = job;
    planning->tail = job;
    bw_lane_touch(job->lane);
}

void bw_iterations_want(struct bw_job *job, void (*then)(struct bw_job *job))
{
    BW_ASSERT(!job->plan.waits && job->data.repeat_key.data != NULL);
    job->plan.waits = true;
    job->plan.then = then;
    wait_for_call(job);
}

static void remove_waiting(struct bw_job *job)
{
    struct bw_planning *planning = &job->lane->planning;
    struct bw_job *before = NULL;

    for (struct bw_job *at = planning->head; at != job; at = at->next) {
        BW_ASSERT(at != NULL); /* it is in the list */
        before = at;
    }
    if (before != NULL)
        before->next = job->next;
    else
        planning->head = job->next;
    if (planning->tail == job)
        planning->tail = before;
    job->next = NULL;
}

bool bw_iterations_forget(struct bw_job *job)
{
    struct bw_plan_call *call = job->plan.call;

    if (!job->plan.waits)
        return false;
    job->plan.waits = false;
    job->plan.call = NULL;
    if (call == NULL) {
        remove_waiting(job);
        return true;
    }
    for (unsigned i = 0; i < call->count; i++) {
        if (call->jobs[i] == job)
            call->jobs[i] = NULL;
    }
    return true;
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
        job->plan.call = call;
        call->jobs[call->count++] = job;
    } else {
        go_on(job); /* the scheduler has come to its end */
    }
    bw_iteration_fini(&iteration);
}

static struct bw_job *take_waiting(struct bw_lane *lane)
{
    struct bw_job *job = lane->planning.head;

    BW_ASSERT(job != NULL && job->plan.call == NULL);
    remove_waiting(job);
    return job;
}

static void fill(struct bw_plan_call *call, struct bw_cmd *cmd)
{
    struct bw_lane *lane = call->lane;
    struct bw_wall now = bw_caller_wall(lane->caller);

    bw_next_iteration_build(cmd, &lane->keys, now, lane->options.strict);
    while (call->count < BATCH && lane->planning.head != NULL) {
        bool alone = lane->planning.head->plan.alone;

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
    /* Not the scratch command: jobs may begin, and run, while this is built. */
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
    result = bw_caller_call(lane->caller, &cmd, on_planned, call);
    bw_cmd_fini(&cmd);
    if (result == BW_OK) {
        lane->planning.calls++;
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
    while (lane->planning.head != NULL && bw_caller_can_call(lane->caller) &&
           send_one(lane))
        continue;
}

/* --- the answer */

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
    go_on(job);
}

static void on_planned(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_plan_call *call = arg;
    struct bw_lane *lane = call->lane;
    const struct bw_error odd = { BW_EPROTO, "unexpected reply" };

    BW_ASSERT(lane->magic == BW_LANE_MAGIC && lane->planning.calls > 0);
    lane->planning.calls--;
    if (err == NULL && bw_reply_count(reply) != call->count)
        err = &odd;
    if (err == NULL) {
        for (unsigned i = 0; i < call->count; i++) {
            if (call->jobs[i] != NULL)
                planned(call->jobs[i], bw_reply_at(reply, i));
        }
    } else if (err->code == BW_EREDIS && bw_refusal_passes(err->text)) {
        lost(call); /* asked again after a pause */
        bw_lane_refused(lane, "next iteration", err);
    } else if (err->code == BW_EREDIS || err->code == BW_EPROTO ||
               err->code == BW_ENOMEM) {
        refused(call, err);
    } else {
        lost(call); /* sent again once the connection is back */
    }
    free(call);
}

static void lost(struct bw_plan_call *call)
{
    for (unsigned i = 0; i < call->count; i++) {
        if (call->jobs[i] != NULL)
            wait_for_call(call->jobs[i]);
    }
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
            job->plan.alone = true;
            wait_for_call(job);
        }
    }
}

/* --- what follows */

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
    go_on(job);
}

static void go_on(struct bw_job *job)
{
    BW_ASSERT(job->plan.waits && job->place == BW_JOB_HELD);
    job->plan.waits = false;
    job->plan.call = NULL;
    job->plan.then(job);
}
