#include "workflow/authoring/dry/dry_job.h"

#include <string.h>

#include "workflow/base/mem.h"

/* The engine knows only pointers to jobs; in a dry run they point to these. */
static const struct dry_job *job_of(const struct bw_job *job)
{
    return (const struct dry_job *)(const void *)job;
}

static const char *job_id(const struct bw_job *job)
{
    return job_of(job)->id;
}

static const char *job_name(const struct bw_job *job)
{
    return job_of(job)->name;
}

static const char *job_data(const struct bw_job *job, size_t *len)
{
    *len = strlen(job_of(job)->data);
    return job_of(job)->data;
}

/* The first of one. */
static unsigned one(const struct bw_job *job)
{
    (void)job;
    return 1;
}

static unsigned none(const struct bw_job *job)
{
    (void)job;
    return 0;
}

static const struct bw_log *job_log(const struct bw_job *job)
{
    return &job_of(job)->dry->log;
}

static bool yes(const struct bw_job *job)
{
    (void)job;
    return true;
}

static bool no(const struct bw_job *job)
{
    (void)job;
    return false;
}

static struct wf_dry *answered(struct bw_job *job)
{
    struct dry_job *own = (struct dry_job *)(void *)job;

    own->answered = true;
    return own->dry;
}

static const char *prefix(const struct bw_job *job)
{
    (void)job;
    return "dry";
}

static int64_t now(const struct bw_job *job)
{
    (void)job;
    return 0;
}

static void complete(struct bw_job *job, const char *json, size_t len)
{
    struct wf_dry *dry = answered(job);

    (void)len;
    wf_json_set(dry->item, "answer", json != NULL ? wf_loads(json) : json_null());
}

static void fail(struct bw_job *job, const struct bw_job_failure *failure)
{
    struct wf_dry *dry = answered(job);

    dry->failed = true;
    wf_json_set_text(dry->item, "error", failure->message);
}

static void move_to_delayed(struct bw_job *job, int64_t delay_ms)
{
    struct wf_dry *dry = answered(job);

    (void)delay_ms;
    dry->failed = true;
    wf_json_set_text(dry->item, "error", "the job was put off");
}

static void put_off(struct bw_job *job, int64_t until_ms, bool unstarted)
{
    (void)unstarted;
    move_to_delayed(job, until_ms);
}

static void hand_back(struct bw_job *job, bool unstarted)
{
    put_off(job, 0, unstarted);
}

const struct wf_job_effects dry_job_effects = {
    .id = job_id,
    .prefix = prefix,
    .name = job_name,
    .data = job_data,
    .timestamp = now,
    .attempts = one,
    .attempts_made = none,
    .attempts_started = one,
    .log = job_log,
    .lock_held = yes,
    .cancelled = no,
    .revoked = no,
    .complete = complete,
    .fail = fail,
    .move_to_delayed = move_to_delayed,
    .put_off = put_off,
    .hand_back = hand_back,
};
