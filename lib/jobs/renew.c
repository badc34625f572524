#include "jobs/renew.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "queue/calls.h"
#include "jobs/base/caller.h"
#include "jobs/job.h"
#include "jobs/lane.h"

/* Lua takes some thousand arguments at once (Appendix C): further jobs go in a further
 * call. */
enum { RENEW_BATCH = 3000 };

struct renewal { /* one call */
    struct bw_lane *lane;
    uint64_t number;
    struct bw_mono sent;
};

static void on_tick(void *arg);
static void on_renewed(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg);

int bw_renew_init(struct bw_lane *lane)
{
    return bw_timer_create(&lane->renewing.timer, lane->caller->loop, on_tick, lane);
}

void bw_renew_fini(struct bw_lane *lane)
{
    bw_timer_destroy(&lane->renewing.timer);
}

/* Jobs whose end is in a settle call are left out: their locks are about to go. */
static bool is_renewed(const struct bw_job *job)
{
    return (job->place == BW_JOB_HELD || job->place == BW_JOB_READY) &&
           !atomic_load_explicit(&job->lock_lost, memory_order_relaxed);
}

/* --- the call */

struct chunk {
    struct bw_text ids[RENEW_BATCH], tokens[RENEW_BATCH];
    size_t count;
};

static int send_chunk(struct bw_lane *lane, const struct chunk *chunk, uint64_t number)
{
    struct bw_caller *caller = lane->caller;
    struct renewal *renewal = bw_alloc(sizeof *renewal);
    struct bw_cmd *cmd = bw_caller_cmd(caller);
    int result;

    if (renewal == NULL)
        return BW_ENOMEM;
    *renewal = (struct renewal){ lane, number, bw_caller_now(caller) };
    bw_extend_locks_build(cmd, &lane->keys, lane->options.lock_duration, chunk->ids,
                          chunk->tokens, chunk->count);
    result = bw_caller_call(caller, cmd, on_renewed, renewal);
    if (result != BW_OK)
        free(renewal);
    return result;
}

/* Gathers the next jobs that are due, from `*from` on. */
static void gather(struct chunk *chunk, struct bw_job **from, uint64_t number,
                   struct bw_mono due_before, struct bw_mono now)
{
    struct bw_job *job;

    chunk->count = 0;
    for (job = *from; job != NULL && chunk->count < RENEW_BATCH;
         job = bw_lane_next_job(job->lane, job)) {
        if (!is_renewed(job) || !bw_mono_before(job->renewal.sent, due_before))
            continue;
        chunk->ids[chunk->count] = job->data.id;
        chunk->tokens[chunk->count] = job->data.token;
        chunk->count++;
        job->renewal.call = number;
        job->renewal.sent = now;
    }
    *from = job;
    BW_ASSERT(chunk->count <= RENEW_BATCH);
}

static void renew(struct bw_lane *lane, struct bw_mono due_before)
{
    struct bw_caller *caller = lane->caller;
    struct bw_job *from = bw_lane_next_job(lane, NULL);
    struct chunk *chunk;
    int result = BW_OK;

    if (from == NULL || !bw_caller_can_call(caller))
        return;
    chunk = bw_alloc(sizeof *chunk);
    if (chunk == NULL)
        result = BW_ENOMEM;
    while (result == BW_OK && from != NULL) {
        uint64_t number = ++lane->renewing.calls;

        gather(chunk, &from, number, due_before, bw_caller_now(caller));
        if (chunk->count > 0)
            result = send_chunk(lane, chunk, number);
    }
    free(chunk);
    if (result ==
        BW_ENOMEM) /* another result means: not connected, and then comes recovery */
        bw_log(&lane->log, BW_LOG_ERROR, "locks could not be renewed: out of memory");
}

/* --- when */

static bool is_enabled(const struct bw_lane *lane)
{
    return !lane->options.skip_lock_renewal && lane->options.lock_renew_time > 0;
}

static int64_t half_time(const struct bw_lane *lane)
{
    return lane->options.lock_renew_time > 1 ? lane->options.lock_renew_time / 2 : 1;
}

static void on_tick(void *arg)
{
    struct bw_lane *lane = arg;
    int64_t half = half_time(lane);

    BW_ASSERT(lane->magic == BW_LANE_MAGIC);
    bw_timer_start(lane->renewing.timer, half);
    /* Due are jobs renewed more than half of lockRenewTime ago, as in the reference; a
     * jittering timer must not miss by a hair those of the tick before. */
    renew(lane, bw_mono_add_ms(bw_caller_now(lane->caller), -(half - half / 8)));
}

void bw_renew_all(struct bw_lane *lane)
{
    if (!is_enabled(lane))
        return;
    if (!bw_timer_is_running(lane->renewing.timer))
        bw_timer_start(lane->renewing.timer, half_time(lane));
    renew(lane, bw_mono_add_ms(bw_caller_now(lane->caller), 1));
}

/* --- the answer */

static struct bw_job *find_job(struct bw_lane *lane, uint64_t number,
                               const struct bw_reply *id)
{
    size_t len;
    const char *text = bw_reply_text(id, &len);

    for (struct bw_job *job = NULL; (job = bw_lane_next_job(lane, job)) != NULL;) {
        if (job->renewal.call == number && job->data.id.len == len &&
            memcmp(job->data.id.data, text, len) == 0)
            return job;
    }
    return NULL;
}

static void lock_lost(struct bw_job *job)
{
    if (!is_renewed(job) || job->unsure)
        return; /* its end is, or was, on its way: the settle call's code will tell */
    atomic_store(&job->lock_lost, true);
    bw_count(&job->lane->counters.locks_lost);
    bw_log(&job->log, BW_LOG_WARNING, "the job's lock is lost");
    bw_lane_tell_of(job, (struct bw_event){ .kind = BW_EVENT_LOCK_LOST });
    if (job->place == BW_JOB_HELD)
        bw_job_cancel(job);
}

static void note_renewed(const struct renewal *renewal)
{
    struct bw_lane *lane = renewal->lane;
    int64_t until = bw_mono_add_ms(renewal->sent, lane->options.lock_duration).ns;

    for (struct bw_job *job = NULL; (job = bw_lane_next_job(lane, job)) != NULL;) {
        if (job->renewal.call == renewal->number)
            atomic_store_explicit(&job->lock_until_ns, until, memory_order_relaxed);
    }
}

static void on_renewed(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct renewal *renewal = arg;
    struct bw_lane *lane = renewal->lane;

    BW_ASSERT(lane->magic == BW_LANE_MAGIC && renewal->number <= lane->renewing.calls);
    if (err != NULL) {
        /* Tried again by the next tick, or at once after a reconnect. */
        bw_log(&lane->log, BW_LOG_WARNING, "locks could not be renewed",
               bw_text("error", err->text));
        if (err->code == BW_EREDIS) /* a lost connection is told by itself */
            bw_lane_tell_error(lane, err->text);
        free(renewal);
        return;
    }
    note_renewed(renewal);
    atomic_store_explicit(&lane->counters.last_renew_ms, bw_caller_wall(lane->caller).ms,
                          memory_order_relaxed);
    for (size_t i = 0; i < bw_reply_count(reply); i++) {
        struct bw_job *job = find_job(lane, renewal->number, bw_reply_at(reply, i));

        if (job != NULL)
            lock_lost(job);
    }
    free(renewal);
}
