/* The run's job, through the table of effects: a dry run has no queue. The functions are
 * those of bulwark/job.h. Private to the engine. */
#ifndef WORKFLOW_JOB_H
#define WORKFLOW_JOB_H

#include "workflow/run/run.h"

#define WF_JOB(run) ((run)->engine->effects->job)

static inline const char *wf_job_id(const struct wf_run *run)
{
    return WF_JOB(run)->id(run->job);
}

static inline const char *wf_job_prefix(const struct wf_run *run)
{
    return WF_JOB(run)->prefix(run->job);
}

static inline const char *wf_job_name(const struct wf_run *run)
{
    return WF_JOB(run)->name(run->job);
}

static inline const char *wf_job_data(const struct wf_run *run, size_t *len)
{
    return WF_JOB(run)->data(run->job, len);
}

static inline int64_t wf_job_timestamp(const struct wf_run *run)
{
    return WF_JOB(run)->timestamp(run->job);
}

static inline unsigned wf_job_attempts(const struct wf_run *run)
{
    return WF_JOB(run)->attempts(run->job);
}

static inline unsigned wf_job_attempts_made(const struct wf_run *run)
{
    return WF_JOB(run)->attempts_made(run->job);
}

static inline unsigned wf_job_attempts_started(const struct wf_run *run)
{
    return WF_JOB(run)->attempts_started(run->job);
}

static inline const struct bw_log *wf_job_log(const struct wf_run *run)
{
    return WF_JOB(run)->log(run->job);
}

static inline bool wf_job_lock_held(const struct wf_run *run)
{
    return WF_JOB(run)->lock_held(run->job);
}

static inline bool wf_job_cancelled(const struct wf_run *run)
{
    return WF_JOB(run)->cancelled(run->job);
}

static inline bool wf_job_revoked(const struct wf_run *run)
{
    return WF_JOB(run)->revoked(run->job);
}

static inline void wf_job_complete(const struct wf_run *run, const char *json, size_t len)
{
    WF_JOB(run)->complete(run->job, json, len);
}

static inline void wf_job_fail(const struct wf_run *run,
                               const struct bw_job_failure *failure)
{
    WF_JOB(run)->fail(run->job, failure);
}

static inline void wf_job_put_off(const struct wf_run *run, int64_t until_ms,
                                  bool unstarted)
{
    WF_JOB(run)->put_off(run->job, until_ms, unstarted);
}

static inline void wf_job_move_to_delayed(const struct wf_run *run, int64_t delay_ms)
{
    WF_JOB(run)->move_to_delayed(run->job, delay_ms);
}

static inline void wf_job_hand_back(const struct wf_run *run, bool unstarted)
{
    WF_JOB(run)->hand_back(run->job, unstarted);
}

#endif
