/* What a handler reads of its job. Any thread, while the job is the handler's. */
#include <stdatomic.h>
#include <string.h>

#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"

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
    const struct bw_clock *clock = job->lane->lanes->clock;

    return !atomic_load(&job->lock_lost) && !atomic_load(&job->given_up) &&
           bw_mono_now(clock).ns < atomic_load(&job->lock_until_ns);
}

bool bw_job_cancelled(const struct bw_job *job)
{
    return atomic_load_explicit(&job->cancelled, memory_order_relaxed);
}

bool bw_job_revoked(const struct bw_job *job)
{
    return atomic_load(&job->revoked);
}
