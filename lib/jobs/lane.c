#include "jobs/lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "jobs/job.h"
#include "jobs/lanes.h"

static const struct bw_text no_id = { NULL, 0 };

/* --- being looked at */

void bw_lane_touch(struct bw_lane *lane)
{
    struct bw_touched *list = &lane->lanes->touched;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC);
    if (lane->touched)
        return;
    lane->touched = true;
    lane->next_touched = list->first;
    list->first = lane;
}

struct bw_lane *bw_lane_take_touched(struct bw_touched *touched)
{
    struct bw_lane *lane = touched->first;

    if (lane == NULL)
        return NULL;
    BW_ASSERT(lane->touched);
    touched->first = lane->next_touched;
    lane->touched = false;
    return lane;
}

void bw_lane_wake(struct bw_lane *lane)
{
    bw_known_wake(&lane->known);
    bw_lane_touch(lane);
}

/* --- what may be done */

bool bw_lane_in_pause(const struct bw_lane *lane)
{
    return bw_pause_holds(&lane->pause, bw_caller_now(lane->caller));
}

bool bw_lane_in_fetch_pause(const struct bw_lane *lane)
{
    return bw_pause_holds(&lane->fetch_pause, bw_caller_now(lane->caller));
}

bool bw_lane_can_fetch(const struct bw_lane *lane)
{
    return !lane->lanes->ending.draining && bw_steer_allows(&lane->steer) &&
           !bw_adopt_is_due(&lane->adopting) &&
           !bw_known_is_limited(&lane->known, bw_caller_now(lane->caller)) &&
           !bw_lane_in_pause(lane) && !bw_lane_in_fetch_pause(lane);
}

unsigned bw_lane_slots_after(const struct bw_lane *lane, unsigned items)
{
    const struct bw_lane_jobs *jobs = &lane->jobs;
    unsigned used;

    BW_ASSERT(items <= lane->ready.count);
    used = jobs->held + lane->ready.count - items + jobs->reserved;
    return used < lane->options.concurrency ? lane->options.concurrency - used : 0;
}

unsigned bw_lane_free_slots(const struct bw_lane *lane)
{
    return bw_lane_slots_after(lane, 0);
}

bool bw_lane_wants_marker(const struct bw_lane *lane)
{
    return lane->known.drained && bw_lane_free_slots(lane) > 0 && bw_lane_can_fetch(lane);
}

bool bw_lane_is_last(const struct bw_lane *lane)
{
    return lane->jobs.reserved == 0 && !bw_adopt_is_due(&lane->adopting) &&
           bw_iterations_is_idle(&lane->planning);
}

/* --- what holds up calls */

void bw_lane_trouble(struct bw_lane *lane, const char *why)
{
    if (!bw_news_is(&lane->trouble, bw_caller_now(lane->caller), why))
        return;
    bw_log(&lane->log, BW_LOG_WARNING, "Redis refuses what goes with the ends of jobs",
           bw_text("error", why));
    bw_lane_tell_error(lane, why);
}

void bw_lane_fetch_refused(struct bw_lane *lane, const char *why)
{
    struct bw_mono now = bw_caller_now(lane->caller);
    int64_t pause =
        bw_pause_begin(&lane->fetch_pause, now, lane->options.run_retry_delay);

    bw_lane_touch(lane);
    if (!bw_news_is(&lane->no_jobs, now, why))
        return;
    bw_log(&lane->log, BW_LOG_ERROR, "Redis gives no jobs", bw_text("error", why),
           bw_num("retryMs", pause));
    bw_lane_tell_error(lane, why);
}

void bw_lane_refused(struct bw_lane *lane, const char *what, const struct bw_error *err)
{
    int64_t pause = bw_pause_begin(&lane->pause, bw_caller_now(lane->caller),
                                   lane->options.run_retry_delay);

    BW_ASSERT(err->code != BW_OK);
    bw_lane_heard(lane); /* it was an answer */
    bw_log(&lane->log, BW_LOG_WARNING, "Redis refuses a call", bw_text("call", what),
           bw_text("error", err->text), bw_num("retryMs", pause));
    bw_lane_tell_error(lane, err->text);
    bw_lane_touch(lane);
}

void bw_lane_accepted(struct bw_lane *lane)
{
    lane->pause.refusals = 0;
}

void bw_lane_fetch_accepted(struct bw_lane *lane)
{
    lane->fetch_pause.refusals = 0;
}

void bw_lane_end_pause(struct bw_lane *lane)
{
    lane->pause.until.ns = 0;
}

void bw_lane_end_fetch_pause(struct bw_lane *lane)
{
    lane->fetch_pause.until.ns = 0;
}

void bw_lane_heard(struct bw_lane *lane)
{
    lane->answers++;
}

/* --- telling the handler */

static void tell(struct bw_lane *lane, struct bw_event event)
{
    event.queue = lane->name;
    if (lane->handler.event != NULL)
        lane->handler.event(&event, lane->handler_arg);
}

void bw_lane_tell(struct bw_lane *lane, enum bw_event_kind kind, struct bw_text id)
{
    tell(lane, (struct bw_event){ .kind = kind, .id = id.data, .id_len = id.len });
}

void bw_lane_tell_error(struct bw_lane *lane, const char *error)
{
    tell(lane, (struct bw_event){
                   .kind = BW_EVENT_ERROR, .error = error, .error_len = strlen(error) });
}

void bw_lane_tell_of(const struct bw_job *job, struct bw_event event)
{
    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    event.job = job;
    event.id = job->data.id.data;
    event.id_len = job->data.id.len;
    tell(job->lane, event);
}

void bw_lane_tell_drained(struct bw_lane *lane)
{
    if (lane->told.drained)
        return;
    lane->told.drained = true;
    bw_lane_tell(lane, BW_EVENT_DRAINED, no_id);
}

void bw_lane_found_jobs(struct bw_lane *lane)
{
    lane->told.drained = false;
}

void bw_lane_tell_quiet(struct bw_lane *lane)
{
    bool quiet = bw_steer_is_quiet(&lane->steer);

    if (quiet != lane->told.quiet)
        bw_lane_tell(lane, quiet ? BW_EVENT_PAUSED : BW_EVENT_RESUMED, no_id);
    lane->told.quiet = quiet;
}

void bw_lane_tell_last(struct bw_lane *lane)
{
    if (lane->told.last)
        return;
    lane->told.last = true;
    bw_lane_tell(lane, BW_EVENT_LAST, no_id);
}

/* --- its jobs */

static void change_count(struct bw_lane *lane, unsigned count)
{
    lane->jobs.count = count;
    atomic_store_explicit(&lane->counters.in_flight, count, memory_order_relaxed);
}

void bw_lane_enter(struct bw_job *job, struct bw_mono since)
{
    struct bw_lane *lane = job->lane;

    bw_log_child_field(&job->log, &lane->log,
                       bw_text_len("job", job->data.id.data, job->data.id.len));
    job->renewal.sent = since;
    atomic_store_explicit(&job->lock_until_ns,
                          bw_mono_add_ms(since, lane->options.lock_duration).ns,
                          memory_order_relaxed);
    job->place = BW_JOB_HELD;
    bw_list_append(&lane->jobs.all, &job->node);
    change_count(lane, lane->jobs.count + 1);
    lane->jobs.held++;
}

void bw_lane_release(struct bw_job *job)
{
    struct bw_lane_jobs *jobs = &job->lane->jobs;

    BW_ASSERT(jobs->held > 0 && jobs->held <= jobs->count);
    jobs->held--;
}

void bw_lane_job_gone(struct bw_job *job)
{
    struct bw_lane *lane = job->lane;

    BW_ASSERT(job->place != BW_JOB_GONE && lane->jobs.count > 0);
    bw_list_remove(&job->node);
    change_count(lane, lane->jobs.count - 1);
    BW_ASSERT(bw_list_is_empty(&lane->jobs.all) == (lane->jobs.count == 0));
    job->place = BW_JOB_GONE;
    bw_lane_touch(lane);
    if (job->answered)
        bw_job_destroy(&job);
    else
        bw_list_append(&lane->jobs.given_up, &job->node);
}

void bw_lane_bury(struct bw_job *job)
{
    BW_ASSERT(job->place == BW_JOB_GONE && job->answered);
    bw_list_remove(&job->node);
    bw_job_destroy(&job);
}

struct bw_job *bw_lane_next_job(const struct bw_lane *lane, const struct bw_job *job)
{
    const struct bw_list *all = &lane->jobs.all;
    const struct bw_list *next = job != NULL ? job->node.next : all->next;

    BW_ASSERT(job == NULL || (job->magic == BW_JOB_MAGIC && job->lane == lane));
    return next != all ? BW_LIST_OF(next, struct bw_job, node) : NULL;
}

struct bw_job *bw_lane_find_held(const struct bw_lane *lane, struct bw_text id)
{
    for (struct bw_job *job = NULL; (job = bw_lane_next_job(lane, job)) != NULL;) {
        if (job->place == BW_JOB_HELD && job->data.id.len == id.len &&
            memcmp(job->data.id.data, id.data, id.len) == 0)
            return job;
    }
    return NULL;
}

uint64_t bw_lane_token_number(const struct bw_job *job)
{
    size_t skip = strlen(job->lane->token_prefix);

    if (job->data.token.data == NULL || job->data.token.len <= skip)
        return 0;
    return strtoull(job->data.token.data + skip, NULL, 10);
}

void bw_lane_reserve(struct bw_lane *lane, unsigned jobs)
{
    lane->jobs.reserved += jobs;
}

void bw_lane_unreserve(struct bw_lane *lane, unsigned jobs)
{
    BW_ASSERT(lane->jobs.reserved >= jobs);
    lane->jobs.reserved -= jobs;
}
