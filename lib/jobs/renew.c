#include "jobs/renew.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "run/reactor.h"

/* Lua takes some thousand arguments at once (Appendix C): further jobs go in a further
 * call. */
enum { RENEW_BATCH = 3000 };

struct renewal { /* one call */
    struct bw_lane *lane;
    uint64_t number;
    struct bw_mono sent;
};

/* Jobs whose end is in a settle call are left out: their locks are about to go. */
static bool is_renewed(const struct bw_job *job)
{
    return (job->place == BW_JOB_HELD || job->place == BW_JOB_READY) &&
           !atomic_load_explicit(&job->lock_lost, memory_order_relaxed);
}

static bool is_enabled(const struct bw_lane *lane)
{
    return !lane->options.skip_lock_renewal && lane->options.lock_renew_time > 0;
}

static int64_t half_time(const struct bw_lane *lane)
{
    return lane->options.lock_renew_time > 1 ? lane->options.lock_renew_time / 2 : 1;
}

/* --- the reply */

static struct bw_job *find_job(struct bw_lane *lane, uint64_t number,
                               const struct bw_reply *id)
{
    size_t len;
    const char *text = bw_reply_text(id, &len);

    for (struct bw_job *job = NULL; (job = bw_lane_next_job(lane, job)) != NULL;) {
        if (job->renewal == number && job->data.id.len == len &&
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
        if (job->renewal == renewal->number)
            atomic_store_explicit(&job->lock_until_ns, until, memory_order_relaxed);
    }
}

static void on_renewed(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct renewal *renewal = arg;
    struct bw_lane *lane = renewal->lane;

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
    atomic_store_explicit(&lane->counters.last_renew_ms,
                          bw_loop_wall(lane->reactor->loop).ms, memory_order_relaxed);
    for (size_t i = 0; i < bw_reply_count(reply); i++) {
        struct bw_job *job = find_job(lane, renewal->number, bw_reply_at(reply, i));

        if (job != NULL)
            lock_lost(job);
    }
    free(renewal);
}

/* --- the call */

struct chunk {
    struct bw_text ids[RENEW_BATCH], tokens[RENEW_BATCH];
    size_t count;
};

static int send_chunk(struct bw_lane *lane, const struct chunk *chunk, uint64_t number)
{
    struct bw_reactor *reactor = lane->reactor;
    struct renewal *renewal = bw_alloc(sizeof *renewal);
    struct bw_cmd *cmd = bw_reactor_cmd(reactor);
    int result;

    if (renewal == NULL)
        return BW_ENOMEM;
    *renewal = (struct renewal){ lane, number, bw_reactor_now(reactor) };
    bw_extend_locks_build(cmd, &lane->keys, lane->options.lock_duration, chunk->ids,
                          chunk->tokens, chunk->count);
    result = bw_reactor_call(reactor, cmd, on_renewed, renewal);
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
        if (!is_renewed(job) || !bw_mono_before(job->renewed, due_before))
            continue;
        chunk->ids[chunk->count] = job->data.id;
        chunk->tokens[chunk->count] = job->data.token;
        chunk->count++;
        job->renewal = number;
        job->renewed = now;
    }
    *from = job;
}

static void renew(struct bw_lane *lane, struct bw_mono due_before)
{
    struct bw_reactor *reactor = lane->reactor;
    struct bw_job *from = bw_lane_next_job(lane, NULL);
    struct chunk *chunk;
    int result = BW_OK;

    if (from == NULL || !bw_reactor_can_call(reactor))
        return;
    chunk = bw_alloc(sizeof *chunk);
    if (chunk == NULL)
        result = BW_ENOMEM;
    while (result == BW_OK && from != NULL) {
        uint64_t number = ++lane->renewals;

        gather(chunk, &from, number, due_before, bw_reactor_now(reactor));
        if (chunk->count > 0)
            result = send_chunk(lane, chunk, number);
    }
    free(chunk);
    if (result ==
        BW_ENOMEM) /* another result means: not connected, and then comes recovery */
        bw_log(&lane->log, BW_LOG_ERROR, "locks could not be renewed: out of memory");
}

void bw_renew_tick(void *arg)
{
    struct bw_lane *lane = arg;
    int64_t half = half_time(lane);

    bw_timer_start(lane->renew_timer, half);
    /* Due are jobs renewed more than half of lockRenewTime ago, as in the reference; a
     * jittering timer must not miss by a hair those of the tick before. */
    renew(lane, bw_mono_add_ms(bw_reactor_now(lane->reactor), -(half - half / 8)));
}

void bw_renew_start(struct bw_lane *lane)
{
    if (is_enabled(lane) && !bw_timer_is_running(lane->renew_timer))
        bw_timer_start(lane->renew_timer, half_time(lane));
}

void bw_renew_all(struct bw_lane *lane)
{
    bw_renew_start(lane);
    if (is_enabled(lane))
        renew(lane, bw_mono_add_ms(bw_reactor_now(lane->reactor), 1));
}
