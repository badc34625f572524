/* A worker and its jobs: what handlers say is what the books hold. lib/spec/bullmq.md
 * §§4, 5, 7.1, 10; answers for lib/jobs/job.c, outcome.c, settle.c, lane.c, effects.c. */
#include "integration/worker_rig.h"

#include <pthread.h>

#define completed_count(rig) rig_int(rig, "ZCARD bull:" QUEUE ":completed")
#define failed_count(rig)    rig_int(rig, "ZCARD bull:" QUEUE ":failed")

/* BMQ-054, 069, 070, 072 */
static void completes_jobs(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 4);

    options.worker_name = "w1";
    rig_add(rig, QUEUE, 10, NULL);
    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 10);
    rig_expect(rig, "{\"ok\":true}", "HGET bull:" QUEUE ":1 returnvalue");
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 atm");
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 ats");
    rig_expect(rig, "w1", "HGET bull:" QUEUE ":1 pb");
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    assert_int_equal(rig_int(rig, "EXISTS bull:" QUEUE ":1:lock"), 0);
    assert_int_equal(rig_int(rig, "HEXISTS bull:" QUEUE ":1 failedReason"), 0);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).completed == 10);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
}

/* A worker that no poll will tell of a job in time. */
static struct bw_queue_options without_polls(void)
{
    struct bw_queue_options options = rig_options(QUEUE, 4);

    options.drain_delay = 60000;
    return options;
}

/* A job added to an idle worker is taken at once, not by the next poll (BMQ-066, 068). */
static void marker_wakes_an_idle_worker(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = without_polls();

    rig_run(rig, &options, &rig_noop_inline, NULL);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).last_fetch_ms > 0);
    for (int i = 1; i <= 20; i++) {
        rig_add(rig, QUEUE, 1, NULL);
        rig_wait(PATIENCE_MS, completed_count(rig) == i);
    }
}

static void run_handler(struct rig *rig, const struct bw_handler *handler, unsigned count)
{
    struct bw_queue_options options = rig_options(QUEUE, 100);

    rig_add(rig, QUEUE, count, NULL);
    rig_run(rig, &options, handler, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == (int64_t)count);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 0);
}

static void many_inline(void **state)
{
    run_handler(*state, &rig_noop_inline, 5000);
}

static void many_on_threads(void **state)
{
    run_handler(*state, &rig_noop, 5000);
}

/* --- failing; BMQ-084 to 095, 104 */

static struct bw_job_failure boom = { .message = "boom",
                                      .stack = "Error: boom\n    at x" };

static void final_failure(void **state)
{
    struct rig *rig = *state;

    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, NULL, &rig_fail, &boom);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    rig_expect(rig, "boom", "HGET bull:" QUEUE ":1 failedReason");
    rig_expect(rig, "[\"Error: boom\\n    at x\"]", "HGET bull:" QUEUE ":1 stacktrace");
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 atm");
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).failed == 1);
}

static void no_message_is_null(void **state)
{
    struct rig *rig = *state;
    struct bw_job_failure nothing = { 0 };

    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, NULL, &rig_fail, &nothing);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    rig_expect(rig, "null", "HGET bull:" QUEUE ":1 failedReason");
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

static void retries_at_once(void **state)
{
    struct rig *rig = *state;

    rig_add(rig, QUEUE, 1, "{\"attempts\":3,\"stackTraceLimit\":2}");
    rig_run(rig, NULL, &rig_fail, &boom);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    rig_expect(rig, "3", "HGET bull:" QUEUE ":1 atm");
    rig_expect(rig, "3", "HGET bull:" QUEUE ":1 ats");
    rig_expect(rig, "[\"Error: boom\\n    at x\",\"Error: boom\\n    at x\"]",
               "HGET bull:" QUEUE ":1 stacktrace");
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).retried == 2);
}

static void retries_with_backoff(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = without_polls();
    int64_t before = rig_wall_ms();

    rig_add(rig, QUEUE, 1,
            "{\"attempts\":3,\"backoff\":{\"type\":\"exponential\",\"delay\":100}}");
    rig_run(rig, &options, &rig_fail, &boom);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    /* 100 + 200 ms, and found when due, not by the next poll. */
    assert_true(rig_wall_ms() - before >= 300 - EARLY_MS);
    rig_expect(rig, "0", "HGET bull:" QUEUE ":1 delay"); /* promoted, BMQ-056 */
}

/* §10.10: each failed attempt leaves the trace context that it was given. */
static void telemetry_of_attempts(void **state)
{
    struct rig *rig = *state;
    struct bw_job_failure failure = { .message = "boom",
                                      .telemetry = "00-trace-span-01" };

    rig_add(rig, QUEUE, 1, "{\"attempts\":2,\"backoff\":20}");
    rig_run(rig, NULL, &rig_fail, &failure);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    rig_expect(rig, "00-trace-span-01", "HGET bull:" QUEUE ":1 tm");
    rig_expect(rig, "2", "HGET bull:" QUEUE ":1 atm");
}

static void unrecoverable(void **state)
{
    struct rig *rig = *state;
    struct bw_job_failure failure = { .message = "no use", .unrecoverable = true };

    rig_add(rig, QUEUE, 1, "{\"attempts\":5}");
    rig_run(rig, NULL, &rig_fail, &failure);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 atm");
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

static void custom_delay(void **state)
{
    struct rig *rig = *state;
    struct bw_job_failure failure = { .message = "later",
                                      .has_delay = true,
                                      .delay_ms = 60000 };

    rig_add(rig, QUEUE, 1, "{\"attempts\":5,\"backoff\":{\"type\":\"mine\"}}");
    rig_run(rig, NULL, &rig_fail, &failure);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":delayed") == 1);
    rig_expect(rig, "60000", "HGET bull:" QUEUE ":1 delay");
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

/* BMQ-092: -1 is "do not retry". */
static void custom_delay_refuses(void **state)
{
    struct rig *rig = *state;
    struct bw_job_failure failure = { .message = "never",
                                      .has_delay = true,
                                      .delay_ms = -1 };

    rig_add(rig, QUEUE, 1, "{\"attempts\":5}");
    rig_run(rig, NULL, &rig_fail, &failure);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

/* BMQ-093: active, locked, and no longer renewed. */
static void unknown_backoff(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 1);

    options.lock_duration = 400;
    options.skip_stalled_check = true;
    rig_add(rig, QUEUE, 1,
            "{\"attempts\":5,\"backoff\":{\"type\":\"mine\",\"delay\":1}}");
    rig_run(rig, &options, &rig_fail, &boom);
    rig_wait(PATIENCE_MS, rig_int(rig, "LLEN bull:" QUEUE ":active") == 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "EXISTS bull:" QUEUE ":1:lock") == 0);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 1);
    /* The slot is free again. */
    rig_add(rig, QUEUE, 1, NULL);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
}

/* --- not run at all; BMQ-099, 100 */

static void deferred_failure(void **state)
{
    struct rig *rig = *state;

    rig_add(rig, QUEUE, 1, "{\"attempts\":5}");
    assert_int_equal(rig_int(rig, "HSET bull:" QUEUE ":1 defa gone"), 1);
    rig_run(rig, NULL, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    rig_expect(rig, "gone", "HGET bull:" QUEUE ":1 failedReason");
    assert_int_equal(rig_int(rig, "HEXISTS bull:" QUEUE ":1 defa"), 0);
}

static void started_too_often(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 1);

    options.max_started_attempts = 2;
    rig_add(rig, QUEUE, 1, "{\"attempts\":5}");
    assert_int_equal(rig_int(rig, "HSET bull:" QUEUE ":1 ats 2"), 1);
    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    rig_expect(rig, "job started more than allowable limit",
               "HGET bull:" QUEUE ":1 failedReason");
}

/* BMQ-101 */
static void retry_refused_by_starts(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 1);

    options.max_started_attempts = 2;
    rig_add(rig, QUEUE, 1, "{\"attempts\":5}");
    rig_run(rig, &options, &rig_fail, &boom);
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    rig_expect(rig, "boom", "HGET bull:" QUEUE ":1 failedReason");
    rig_expect(rig, "2", "HGET bull:" QUEUE ":1 ats");
}

/* BMQ-065 */
static void ghost(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_int(rig, "LPUSH bull:" QUEUE ":wait nobody"), 1);
    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, NULL, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "LLEN bull:" QUEUE ":active") == 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "EXISTS bull:" QUEUE ":nobody") == 0);
}

/* §5.1 item 5, BMQ-073 */
static void children_refuse_completion(void **state)
{
    struct rig *rig = *state;

    rig_add(rig, QUEUE, 2, NULL);
    assert_int_equal(rig_int(rig, "SADD bull:" QUEUE ":1:dependencies bull:k:1"), 1);
    assert_int_equal(rig_int(rig, "ZADD bull:" QUEUE ":2:unsuccessful 1 bull:k:1"), 1);
    rig_run(rig, NULL, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, failed_count(rig) == 2);
    rig_expect(rig, "Job 1 has pending dependencies. moveToFinished",
               "HGET bull:" QUEUE ":1 failedReason");
    rig_expect(rig,
               "Cannot complete job 2 because it has at least one failed child. "
               "moveToFinished",
               "HGET bull:" QUEUE ":2 failedReason");
}

/* --- moves by the handler; BMQ-096 to 098 */

static void to_delayed_once(struct bw_job *job, void *arg)
{
    (void)arg;
    if (bw_job_attempts_started(job) == 1)
        bw_job_move_to_delayed(job, 50);
    else
        bw_job_complete(job, NULL, 0);
}

static void moves_to_delayed(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = without_polls();
    struct bw_handler handler = { .process = to_delayed_once };

    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, &options, &handler, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    rig_expect(rig, "null", "HGET bull:" QUEUE ":1 returnvalue"); /* BMQ-071 */
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 atm");
    rig_expect(rig, "2", "HGET bull:" QUEUE ":1 ats");
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).delayed == 1);
}

static void to_wait_once(struct bw_job *job, void *arg)
{
    (void)arg;
    if (bw_job_attempts_started(job) == 1)
        bw_job_move_to_wait(job);
    else
        bw_job_complete(job, NULL, 0);
}

static void moves_to_wait(void **state)
{
    struct rig *rig = *state;
    struct bw_handler handler = { .process = to_wait_once };

    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, NULL, &handler, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 atm");
    rig_expect(rig, "2", "HGET bull:" QUEUE ":1 ats");
}

static void limit_once(struct bw_job *job, void *arg)
{
    (void)arg;
    if (bw_job_attempts_started(job) == 1)
        bw_job_rate_limit(job, 400);
    else
        bw_job_complete(job, NULL, 0);
}

static void limits_by_hand(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = without_polls();
    struct bw_handler handler = { .process = limit_once };
    int64_t before = rig_wall_ms();

    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, &options, &handler, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    assert_true(rig_wall_ms() - before >= 400 - EARLY_MS);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 atm");
}

/* --- side effects; BMQ-114 to 116 */

static void with_effects(struct bw_job *job, void *arg)
{
    (void)arg;
    assert_int_equal(bw_job_update_progress(job, "50", 2), BW_OK);
    assert_int_equal(bw_job_add_log(job, "row 1", 5), BW_OK);
    assert_int_equal(bw_job_add_log(job, "row 2", 5), BW_OK);
    assert_int_equal(bw_job_update_data(job, "{\"new\":1}", 9), BW_OK);
    bw_job_complete(job, "1", 1);
}

static void side_effects(struct rig *rig, bool on_reactor)
{
    struct bw_handler handler = { .process = with_effects, .inline_ = on_reactor };
    char *events;

    rig_add(rig, QUEUE, 1, "{\"removeOnComplete\":false}");
    rig_run(rig, NULL, &handler, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    rig_expect(rig, "50", "HGET bull:" QUEUE ":1 progress");
    rig_expect(rig, "{\"new\":1}", "HGET bull:" QUEUE ":1 data");
    rig_expect(rig, "row 1\nrow 2", "LRANGE bull:" QUEUE ":1:logs 0 -1");
    events = rig_text(rig, "XRANGE bull:" QUEUE ":events - +");
    assert_non_null(events);
    assert_non_null(strstr(events, "progress"));
    /* Each before the end of its job. */
    assert_true(strstr(events, "progress") < strstr(events, "completed"));
    free(events);
}

static void side_effects_inline(void **state)
{
    side_effects(*state, true);
}

static void side_effects_on_threads(void **state)
{
    side_effects(*state, false);
}

/* --- slots */

struct load {
    atomic_uint running, most;
};

static void under_load(struct bw_job *job, void *arg)
{
    struct load *load = arg;
    unsigned now = atomic_fetch_add(&load->running, 1) + 1,
             most = atomic_load(&load->most);

    while (now > most && !atomic_compare_exchange_weak(&load->most, &most, now))
        continue;
    rig_nap();
    atomic_fetch_sub(&load->running, 1);
    bw_job_complete(job, NULL, 0);
}

static void concurrency_is_kept(void **state)
{
    struct rig *rig = *state;
    struct bw_handler handler = { .process = under_load };
    struct bw_queue_options options = rig_options(QUEUE, 3);
    struct load load = { 0 };

    rig->processors = 8;
    rig_add(rig, QUEUE, 200, NULL);
    rig_run(rig, &options, &handler, &load);
    while (completed_count(rig) < 200) {
        assert_in_range(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0, 3);
        rig_nap();
    }
    assert_int_equal(atomic_load(&load.most), 3);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

static void *answer_all(void *arg)
{
    struct rig_keeper *keeper = arg;
    struct bw_job *job;

    while ((job = rig_keeper_take(keeper)) != NULL)
        bw_job_complete(job, "\"late\"", 6);
    return NULL;
}

/* A slot is not a thread: 2,000 jobs in flight on 4 processor threads, finished later by
 * others. */
static void thousands_in_flight(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 2000);
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);
    pthread_t threads[2];

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    rig->processors = 4;
    rig_add(rig, QUEUE, 2500, NULL);
    rig_run(rig, &options, &rig_keep, keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 2000);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 2000);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 2000);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, answer_all, keeper), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    rig_wait(PATIENCE_MS, completed_count(rig) >= 2000);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) > 0 || completed_count(rig) == 2500);
    while (completed_count(rig) < 2500) {
        (void)answer_all(keeper);
        rig_nap();
    }
    rig_expect(rig, "\"late\"", "HGET bull:" QUEUE ":1 returnvalue");
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    rig_keeper_fini(keeper);
    free(keeper);
}

/* --- limits, pause, quiet */

/* BMQ-162 */
static void limiter(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 10);
    int64_t before = rig_wall_ms();

    options.limiter_max = 5;
    options.limiter_duration = 300;
    rig_add(rig, QUEUE, 20, NULL);
    rig_run(rig, &options, &rig_noop_inline, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 20);
    assert_true(rig_wall_ms() - before >= 900 - EARLY_MS);
}

/* BMQ-061, 125: a paused queue is left alone; resume is noticed by its marker. */
static void paused_queue(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = without_polls();
    int64_t fetched;

    assert_int_equal(rig_int(rig, "HSET bull:" QUEUE ":meta paused 1"), 1);
    rig_add(rig, QUEUE, 3, NULL);
    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, (fetched = rig_stats(rig, QUEUE).last_fetch_ms) > 0);
    assert_int_equal(completed_count(rig), 0);
    assert_int_equal(rig_int(rig, "HDEL bull:" QUEUE ":meta paused"), 1);
    (void)rig_int(rig, "ZADD bull:" QUEUE ":marker 0 0");
    rig_wait(PATIENCE_MS, completed_count(rig) == 3);
}

static void quiet_and_resume(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = without_polls();
    struct bw_queue_stats stats;

    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).last_fetch_ms > 0);
    assert_int_equal(bw_worker_quiet(rig->worker, "other"), BW_EINVAL);
    assert_int_equal(bw_worker_quiet(rig->worker, QUEUE), BW_OK);
    stats = rig_stats(rig, QUEUE);
    assert_true(stats.quiet);
    rig_add(rig, QUEUE, 3, NULL);
    /* The marker that our wait may have popped is given back for other workers. */
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":marker") == 1);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 3);
    assert_int_equal(bw_worker_resume(rig->worker, NULL), BW_OK);
    rig_wait(PATIENCE_MS, completed_count(rig) == 3);
}

static void cancel_a_job(void **state)
{
    struct rig *rig = *state;
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);
    struct bw_job *job;

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, NULL, &rig_keep, keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 1);
    assert_int_equal(bw_worker_cancel_job(rig->worker, QUEUE, "2", "test"), BW_EINVAL);
    assert_int_equal(bw_worker_cancel_job(rig->worker, QUEUE, "1", "test"), BW_OK);
    assert_int_equal(rig_keeper_cancelled(keeper), 1);
    job = rig_keeper_take(keeper);
    assert_true(bw_job_cancelled(job));
    assert_true(bw_job_lock_held(job));
    bw_job_fail(job, &(struct bw_job_failure){ .message = "cancelled" });
    rig_wait(PATIENCE_MS, failed_count(rig) == 1);
    assert_int_equal(bw_worker_cancel_job(rig->worker, QUEUE, "1", "test"), BW_EINVAL);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    rig_keeper_fini(keeper);
    free(keeper);
}

/* --- what the handler reads */

static void read_job(struct bw_job *job, void *arg)
{
    atomic_int *checked = arg;
    size_t len;

    assert_string_equal(bw_job_queue(job), QUEUE);
    assert_string_equal(bw_job_id(job), "1");
    assert_string_equal(bw_job_name(job), "test");
    assert_string_equal(bw_job_data(job, &len), "{\"n\":1}");
    assert_int_equal(len, 7);
    assert_string_equal(bw_job_opts(job, NULL), "{\"attempts\":2}");
    assert_null(bw_job_progress(job, NULL));
    assert_null(bw_job_parent(job));
    assert_int_equal(bw_job_attempts(job), 2);
    assert_int_equal(bw_job_attempts_made(job), 0);
    assert_int_equal(bw_job_attempts_started(job), 1);
    assert_in_range(rig_wall_ms() - bw_job_processed_on(job), 0, PATIENCE_MS);
    assert_true(bw_job_lock_held(job));
    assert_false(bw_job_cancelled(job));
    assert_non_null(bw_job_log(job));
    atomic_store(checked, 1);
    bw_job_complete(job, NULL, 0);
}

static void getters(void **state)
{
    struct rig *rig = *state;
    struct bw_handler handler = { .process = read_job };
    atomic_int checked = 0;

    rig_add(rig, QUEUE, 1, "{\"attempts\":2}");
    rig_run(rig, NULL, &handler, &checked);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    assert_int_equal(atomic_load(&checked), 1);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

/* --- tasks */

struct chore {
    struct bw_task task;
    atomic_int *done;
};

static void run_chore(struct bw_task *task)
{
    struct chore *chore = (struct chore *)(void *)task;

    atomic_fetch_add(chore->done, 1);
}

static void tasks(void **state)
{
    struct rig *rig = *state;
    struct chore chores[100];
    atomic_int done = 0;

    rig_run(rig, NULL, &rig_noop, NULL);
    for (int i = 0; i < 100; i++) {
        chores[i] = (struct chore){ .task = { .run = run_chore }, .done = &done };
        if (i % 2 == 0)
            bw_worker_post(rig->worker, &chores[i].task);
        else
            bw_worker_post_after(rig->worker, &chores[i].task, 100 - i);
    }
    rig_wait(PATIENCE_MS, atomic_load(&done) == 100);
    /* What is left at the end is run, so that it can free what it holds. */
    atomic_store(&done, 0);
    bw_worker_post_after(rig->worker, &chores[0].task, 3600000);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    assert_int_equal(atomic_load(&done), 1);
}

/* --- the program's own connection, on the worker's reactor */

struct asking {
    struct bw_redis *redis;
};

static void on_pong(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_job *job = arg;

    if (err == NULL)
        bw_job_complete(job, bw_reply_text(reply, NULL), 4);
    else
        bw_job_fail(job, &(struct bw_job_failure){ .message = err->text });
}

/* Answers from the connection's callback: on the reactor, holding no thread meanwhile. */
static void ask_redis(struct bw_job *job, void *arg)
{
    struct asking *asking = arg;
    struct bw_redis_arg args[] = { { "ECHO", 4 }, { "1234", 4 } };

    while (!bw_redis_is_ready(asking->redis))
        rig_nap();
    if (bw_redis_command(asking->redis, args, 2, PATIENCE_MS, on_pong, job) != BW_OK)
        bw_job_move_to_wait(job);
}

static void own_connection(void **state)
{
    struct rig *rig = *state;
    struct bw_handler handler = { .process = ask_redis };
    struct bw_queue_options options = rig_options(QUEUE, 50);
    struct bw_redis_arg ping = { "PING", 4 };
    struct asking asking = { 0 };
    struct bw_error err;

    rig_add(rig, QUEUE, 200, NULL);
    rig_worker(rig, &options, &handler, &asking);
    assert_int_equal(bw_worker_redis(rig->worker, NULL, &asking.redis, &err), BW_OK);
    rig_start(rig);
    rig_wait(PATIENCE_MS, completed_count(rig) == 200);
    rig_expect(rig, "1234", "HGET bull:" QUEUE ":1 returnvalue");
    bw_worker_drain(rig->worker, PATIENCE_MS);
    assert_int_equal(bw_worker_wait(rig->worker, &err), BW_END_DRAINED);
    assert_false(bw_redis_is_ready(asking.redis));
    assert_int_equal(bw_redis_command(asking.redis, &ping, 1, 1000, on_pong, NULL),
                     BW_ECLOSED);
}

/* --- what is refused */

static void bad_options(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options("a:b", 1);
    struct bw_handler none = { 0 };
    struct bw_error err;

    rig_worker(rig, NULL, &rig_noop, NULL);
    assert_int_equal(bw_worker_add_queue(rig->worker, &options, &rig_noop, NULL, &err),
                     BW_EINVAL);
    options = rig_options(QUEUE, 1);
    assert_int_equal(bw_worker_add_queue(rig->worker, &options, &rig_noop, NULL, &err),
                     BW_EINVAL); /* there already */
    options = rig_options("x", 0);
    assert_int_equal(bw_worker_add_queue(rig->worker, &options, &rig_noop, NULL, &err),
                     BW_EINVAL);
    assert_non_null(strstr(err.text, "concurrency"));
    options = rig_options("x", 1);
    options.drain_delay = 0;
    assert_int_equal(bw_worker_add_queue(rig->worker, &options, &rig_noop, NULL, &err),
                     BW_EINVAL);
    assert_non_null(strstr(err.text, "drainDelay"));
    options = rig_options("x", 1);
    assert_int_equal(bw_worker_add_queue(rig->worker, &options, &none, NULL, &err),
                     BW_EINVAL);
    rig_start(rig);
    assert_int_equal(bw_worker_start(rig->worker, &err), BW_EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(completes_jobs),
        TEST(marker_wakes_an_idle_worker),
        TEST(many_inline),
        TEST(many_on_threads),
        TEST(final_failure),
        TEST(no_message_is_null),
        TEST(retries_at_once),
        TEST(retries_with_backoff),
        TEST(telemetry_of_attempts),
        TEST(unrecoverable),
        TEST(custom_delay),
        TEST(custom_delay_refuses),
        TEST(unknown_backoff),
        TEST(deferred_failure),
        TEST(started_too_often),
        TEST(retry_refused_by_starts),
        TEST(ghost),
        TEST(children_refuse_completion),
        TEST(moves_to_delayed),
        TEST(moves_to_wait),
        TEST(limits_by_hand),
        TEST(side_effects_inline),
        TEST(side_effects_on_threads),
        TEST(concurrency_is_kept),
        TEST(thousands_in_flight),
        TEST(limiter),
        TEST(paused_queue),
        TEST(quiet_and_resume),
        TEST(cancel_a_job),
        TEST(getters),
        TEST(tasks),
        TEST(own_connection),
        TEST(bad_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
