/* What a handler asks of Redis for its job, over the worker's own connection. */
#include "queue/flow_read.h"
#include "queue/keys.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"

struct bw_redis *bw_job_redis(const struct bw_job *job)
{
    return job->lane->lanes->commands;
}

const char *bw_job_prefix(const struct bw_job *job)
{
    return job->lane->prefix;
}

const char *bw_job_queue_key(const struct bw_job *job)
{
    return job->lane->qualified_name;
}

static int ask(const struct bw_job *job, enum bw_flow_question question, bw_json_cb *cb,
               void *arg)
{
    struct bw_flow_job of = { job->lane->prefix, job->lane->name, job->data.id };

    return bw_flow_ask(bw_job_redis(job), &of, question, BW_CALL_TIMEOUT_MS, cb, arg);
}

int bw_job_children_values(struct bw_job *job, bw_json_cb *cb, void *arg)
{
    return ask(job, BW_FLOW_VALUES, cb, arg);
}

int bw_job_ignored_failures(struct bw_job *job, bw_json_cb *cb, void *arg)
{
    return ask(job, BW_FLOW_IGNORED, cb, arg);
}

int bw_job_dependency_counts(struct bw_job *job, bw_json_cb *cb, void *arg)
{
    return ask(job, BW_FLOW_COUNTS, cb, arg);
}

int bw_job_state(struct bw_job *job, bw_json_cb *cb, void *arg)
{
    return ask(job, BW_FLOW_STATE, cb, arg);
}
