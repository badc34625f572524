/* What a handler asks of Redis for its job, over the worker's own connection. */
#include "queue/keys.h"
#include "run/job.h"
#include "run/queue_loop.h"
#include "run/reactor.h"

struct bw_redis *bw_job_redis(const struct bw_job *job)
{
    return job->queue->reactor->commands;
}

const char *bw_job_prefix(const struct bw_job *job)
{
    return job->queue->prefix;
}

const char *bw_job_queue_key(const struct bw_job *job)
{
    return job->queue->qualified_name;
}

int bw_job_children_values(struct bw_job *job, bw_json_cb *cb, void *arg)
{
    return bw_flow_children_values(bw_job_redis(job), job->queue->prefix,
                                   job->queue->name, bw_job_id(job), BW_CALL_TIMEOUT_MS,
                                   cb, arg);
}

int bw_job_ignored_failures(struct bw_job *job, bw_json_cb *cb, void *arg)
{
    return bw_flow_ignored_failures(bw_job_redis(job), job->queue->prefix,
                                    job->queue->name, bw_job_id(job), BW_CALL_TIMEOUT_MS,
                                    cb, arg);
}

int bw_job_dependency_counts(struct bw_job *job, bw_json_cb *cb, void *arg)
{
    return bw_flow_dependency_counts(bw_job_redis(job), job->queue->prefix,
                                     job->queue->name, bw_job_id(job), BW_CALL_TIMEOUT_MS,
                                     cb, arg);
}

int bw_job_state(struct bw_job *job, bw_json_cb *cb, void *arg)
{
    return bw_flow_state(bw_job_redis(job), job->queue->prefix, job->queue->name,
                         bw_job_id(job), BW_CALL_TIMEOUT_MS, cb, arg);
}
