/* The end of a worker: finish, hand back, with Redis or without. Answers for
 * lib/run/drain.c. */
#include <stdio.h>

#include "integration/proxy.h"
#include "integration/worker_rig.h"

static void run_and_keep(struct keeping_rig *fixture, unsigned jobs, unsigned concurrency)
{
    struct bw_queue_options options = rig_options(QUEUE, concurrency);

    rig_add(&fixture->rig, QUEUE, jobs, NULL);
    rig_run(&fixture->rig, &options, &rig_keep, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) ==
                              (jobs < concurrency ? jobs : concurrency));
}

static enum bw_worker_end wait_for_end(struct rig *rig)
{
    struct bw_error err;

    return bw_worker_wait(rig->worker, &err);
}

static void idle_worker_ends_at_once(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 4);
    int64_t begun;

    options.drain_delay = 60000;
    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).last_fetch_ms > 0);
    begun = rig_wall_ms();
    assert_int_equal(rig_stop(rig, 60000), BW_END_DRAINED);
    assert_in_range(rig_wall_ms() - begun, 0, 5000); /* a wait takes 10 s */
}

static void never_started_worker_ends(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    rig_worker(rig, NULL, &rig_noop, NULL);
    bw_worker_destroy(&rig->worker);
    assert_null(rig->worker);
    bw_worker_destroy(&rig->worker);
}

static void unreachable_redis_does_not_hold_the_end(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    redis_server_halt(&rig->server);
    rig_run(rig, NULL, &rig_noop, NULL);
    assert_int_equal(rig_stop(rig, 60000), BW_END_DRAINED);
}

/* Jobs in flight finish; those that wait are left for others. */
static void jobs_in_flight_finish(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    run_and_keep(fixture, 10, 4);
    bw_worker_drain(rig->worker, 60000);
    rig_wait(PATIENCE_MS, rig_worker_stats(rig).draining);
    for (int i = 0; i < 4; i++)
        bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    assert_int_equal(wait_for_end(rig), BW_END_DRAINED);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":completed"), 4);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 6);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
}

/* --- fetches that are under way when the drain begins, BMQ-169 */

/* A job that is due in `ms`, as the delayed path of lib/spec/bullmq.md §3 adds it. */
static void add_delayed(struct rig *rig, int64_t ms)
{
    long long due = rig_wall_ms() + ms;

    (void)rig_int(rig,
                  "HSET bull:" QUEUE ":1 name n data {} opts {} timestamp %lld delay "
                  "%lld priority 0",
                  due - ms, (long long)ms);
    (void)rig_int(rig, "ZADD bull:" QUEUE ":delayed %lld 1", due * 4096);
    (void)rig_int(rig, "ZADD bull:" QUEUE ":marker %lld 1", due);
}

/* An idle worker has asked for a delayed job when it is told to stop. */
static void delayed_job_due_at_the_stop(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 1);
    uint64_t calls;

    options.skip_stalled_check = true;
    add_delayed(rig, 4000);
    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(3900, rig_stats(rig, QUEUE).last_fetch_ms > 0);
    redis_server_pause(&rig->server);
    calls = rig_worker_stats(rig).script_calls;
    rig_wait(PATIENCE_MS, rig_worker_stats(rig).script_calls > calls);
    bw_worker_drain(rig->worker, 60000);
    rig_wait(PATIENCE_MS, rig_worker_stats(rig).draining);
    redis_server_cont(&rig->server);
    assert_int_equal(wait_for_end(rig), BW_END_DRAINED);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":completed"), 1);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 ats");
}

/* A worker behind a relay keeps job 1; its end, and what takes the rest, is executed, but
 * the answer is held. */
struct late {
    struct keeping_rig *fixture;
    struct proxy *proxy;
};

static struct late hold_a_fetch(struct keeping_rig *fixture, int64_t drain_ms,
                                const char *opts)
{
    struct rig *rig = &fixture->rig;
    struct late late = { fixture, proxy_start(rig->server.port) };
    struct bw_queue_options options = rig_options(QUEUE, 1);

    options.skip_stalled_check = true;
    options.max_started_attempts = 1;
    rig->redis.port = proxy_port(late.proxy);
    rig_add(rig, QUEUE, 2, opts);
    rig_run(rig, &options, &rig_keep_until_last, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    proxy_hold(late.proxy);
    bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "LLEN bull:" QUEUE ":active") == 1);
    bw_worker_drain(rig->worker, drain_ms);
    rig_wait(PATIENCE_MS, rig_worker_stats(rig).draining);
    return late;
}

static void release_late(struct late *late)
{
    proxy_stop(&late->proxy);
}

/* What a fetch under way brings is run. */
static void job_that_comes_in_the_drain_is_run(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct late late = hold_a_fetch(fixture, 60000, NULL);

    proxy_release(late.proxy);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    assert_int_equal(wait_for_end(rig), BW_END_DRAINED);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":completed"), 2);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":2 ats");
    release_late(&late);
}

/* The answer is lost: what it would have brought is found after the reconnect, and run.
 */
static void job_of_a_lost_reply_is_run_in_the_drain(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct late late = hold_a_fetch(fixture, 60000, NULL);

    proxy_cut(late.proxy);
    proxy_release(late.proxy);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    assert_int_equal(wait_for_end(rig), BW_END_DRAINED);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":completed"), 2);
    release_late(&late);
}

/* It comes too late to be run: it goes back as if it had not been fetched. BMQ-170 */
static void job_that_comes_after_the_deadline_goes_back(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct late late = hold_a_fetch(fixture, 200, NULL);

    (void)rig_int(rig, "DEL bull:" QUEUE ":marker");
    rig_wait(PATIENCE_MS, rig_keeper_told_last(&fixture->keeper));
    proxy_release(late.proxy);
    (void)wait_for_end(rig);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 1);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    assert_int_equal(rig_int(rig, "EXISTS bull:" QUEUE ":2:lock"), 0);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":marker"), 1);
    rig_expect(rig, NULL, "HGET bull:" QUEUE ":2 ats");
    assert_int_equal(rig_keeper_count(&fixture->keeper), 0);
    release_late(&late);
}

/* … and behind those that were fetched before it and go back at the deadline. */
static void late_job_goes_back_in_its_order(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct proxy *proxy = proxy_start(rig->server.port);
    struct bw_queue_options options = rig_options(QUEUE, 2);

    options.skip_stalled_check = true;
    rig->redis.port = proxy_port(proxy);
    rig_add(rig, QUEUE, 4, NULL);
    rig_run(rig, &options, &rig_keep_until_last, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 2);
    proxy_hold(proxy);
    bw_job_complete(rig_keeper_take_id(&fixture->keeper, "1"), NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1 &&
                              rig_int(rig, "LLEN bull:" QUEUE ":active") == 2);
    bw_worker_drain(rig->worker, 100);
    rig_wait(PATIENCE_MS, rig_keeper_told_last(&fixture->keeper));
    proxy_release(proxy);
    (void)wait_for_end(rig);
    rig_expect(rig, "2", "LINDEX bull:" QUEUE ":wait -1");
    rig_expect(rig, "3", "LINDEX bull:" QUEUE ":wait -2");
    rig_expect(rig, "4", "LINDEX bull:" QUEUE ":wait -3");
    proxy_stop(&proxy);
}

/* A fetch that is never answered holds the end no longer than the deadline does, and is
 * told of. */
static void unanswered_fetch_does_not_hold_the_end(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    int64_t begun = rig_wall_ms();
    struct late late = hold_a_fetch(fixture, 300, NULL);

    assert_int_equal(wait_for_end(rig), BW_END_HANDED_BACK);
    assert_in_range(rig_wall_ms() - begun, 300 - EARLY_MS, PATIENCE_MS);
    release_late(&late);
}

/* Locks live on while the drain waits. */
static void locks_are_renewed_meanwhile(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 1);

    options.lock_duration = 5000;
    options.lock_renew_time = 200;
    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, &options, &rig_keep, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    bw_worker_drain(rig->worker, 60000);
    for (int i = 0; i < 3; i++) {
        (void)rig_int(rig, "PEXPIRE bull:" QUEUE ":1:lock 4000");
        rig_wait(3000, rig_int(rig, "PTTL bull:" QUEUE ":1:lock") > 4000);
    }
    bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    assert_int_equal(wait_for_end(rig), BW_END_DRAINED);
}

static void deadline_hands_back(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    int64_t begun = 0;
    struct bw_job *job;

    run_and_keep(fixture, 10, 4);
    begun = rig_wall_ms();
    bw_worker_drain(rig->worker, 300);
    assert_int_equal(wait_for_end(rig), BW_END_HANDED_BACK);
    assert_in_range(rig_wall_ms() - begun, 300 - EARLY_MS, PATIENCE_MS);
    assert_int_equal(rig_keeper_cancelled(&fixture->keeper), 4);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 10);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    assert_int_equal(rig_int(rig, "EXISTS bull:" QUEUE ":1:lock"), 0);
    assert_int_equal(rig_int(rig, "HEXISTS bull:" QUEUE ":1 atm"), 0);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).put_back == 4);
    /* Late answers, and looking at the job, are harmless until destroy; one never comes.
     */
    for (int i = 0; i < 3; i++) {
        job = rig_keeper_take(&fixture->keeper);
        assert_false(bw_job_lock_held(job));
        assert_true(bw_job_cancelled(job));
        assert_int_equal(bw_job_update_progress(job, "1", 1), BW_OK);
        bw_job_complete(job, NULL, 0);
    }
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":completed"), 0);
}

/* WF-166: what a handler hands back comes next, and neither attempt nor start count; one
 * that is put off comes when it is time. BMQ-170 */
static void handler_hands_back(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_job *jobs[4];

    run_and_keep(fixture, 6, 4);
    assert_int_equal(bw_worker_hold(rig->worker, QUEUE, true), BW_OK);
    for (int i = 0; i < 4; i++)
        jobs[i] = rig_keeper_take_id(&fixture->keeper, (char[]){ (char)('1' + i), '\0' });
    bw_job_hand_back(jobs[1], true); /* not in the order of the fetch */
    bw_job_hand_back(jobs[0], true);
    bw_job_hand_back(jobs[2], false);
    bw_job_put_off(jobs[3], (struct bw_wall){ rig_wall_ms() + 300 }, true);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 5);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":delayed"), 1);
    rig_expect(rig, NULL, "HGET bull:" QUEUE ":1 ats");
    rig_expect(rig, "1", "HGET bull:" QUEUE ":3 ats");
    rig_expect(rig, NULL, "HGET bull:" QUEUE ":4 ats");
    rig_expect(rig, NULL, "HGET bull:" QUEUE ":4 atm");
    rig_expect(rig, "1", "LINDEX bull:" QUEUE ":wait -1");
    rig_expect(rig, "2", "LINDEX bull:" QUEUE ":wait -2");
    rig_expect(rig, "3", "LINDEX bull:" QUEUE ":wait -3");
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).put_back == 3);
    assert_int_equal(bw_worker_hold(rig->worker, QUEUE, false), BW_OK);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 4);
    for (int i = 0; i < 6; i++) {
        rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) > 0);
        bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    }
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 6);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":4 ats");
    rig_expect(rig, "2", "HGET bull:" QUEUE ":3 ats");
}

static void second_call_ends_at_once(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    int64_t begun;

    run_and_keep(fixture, 2, 2);
    begun = rig_wall_ms();
    bw_worker_drain(rig->worker, 60000);
    rig_wait(PATIENCE_MS, rig_worker_stats(rig).draining);
    bw_worker_drain(rig->worker, 90000); /* cannot lengthen it */
    bw_worker_drain(rig->worker, 0);
    assert_int_equal(wait_for_end(rig), BW_END_HANDED_BACK);
    assert_in_range(rig_wall_ms() - begun, 0, PATIENCE_MS);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 2);
}

static void deadline_holds_without_redis(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    int64_t begun;

    run_and_keep(fixture, 2, 2);
    redis_server_halt(&rig->server);
    begun = rig_wall_ms();
    bw_worker_drain(rig->worker, 500);
    bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    assert_int_equal(wait_for_end(rig), BW_END_HANDED_BACK);
    assert_in_range(rig_wall_ms() - begun, 500 - EARLY_MS, PATIENCE_MS);
}

static void deadline_holds_while_redis_is_stopped(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    int64_t begun;

    run_and_keep(fixture, 2, 2);
    redis_server_pause(&rig->server);
    begun = rig_wall_ms();
    bw_worker_drain(rig->worker, 500);
    assert_int_equal(wait_for_end(rig), BW_END_HANDED_BACK);
    assert_in_range(rig_wall_ms() - begun, 500 - EARLY_MS, PATIENCE_MS);
    redis_server_cont(&rig->server);
}

/* Somebody stands until he is released. */
struct stand {
    atomic_int begun, released;
};

static void stand_still(struct bw_job *job, void *arg)
{
    struct stand *stand = arg;

    atomic_store(&stand->begun, 1);
    while (atomic_load(&stand->released) == 0)
        rig_nap();
    bw_job_complete(job, NULL, 0);
}

/* Jobs that wait for a thread go back without ever having run; the one that holds it goes
 * back while it runs. */
static void blocked_threads(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 4);
    struct bw_handler handler = { .process = stand_still };
    struct stand stand = { 0, 0 };

    rig->processors = 1;
    rig_add(rig, QUEUE, 4, NULL);
    rig_run(rig, &options, &handler, &stand);
    rig_wait(PATIENCE_MS,
             rig_stats(rig, QUEUE).in_flight == 4 && atomic_load(&stand.begun));
    bw_worker_drain(rig->worker, 0);
    assert_int_equal(wait_for_end(rig), BW_END_HANDED_BACK);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 4);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    for (int i = 1; i <= 4; i++) { /* in their old order; one had begun. BMQ-170 */
        char place[8];

        (void)snprintf(place, sizeof place, "%d", i);
        rig_expect(rig, place, "LINDEX bull:" QUEUE ":wait %d", -i);
        rig_expect(rig, i == 1 ? "1" : NULL, "HGET bull:" QUEUE ":%d ats", i);
    }
    atomic_store(&stand.released, 1);
    bw_worker_destroy(&rig->worker);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":completed"), 0);
}

/* A worker that ends takes no marker with it: the next one finds the job at once. */
static void marker_is_not_lost(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    for (int i = 1; i <= 10; i++) {
        rig_run(rig, NULL, &rig_noop, NULL);
        rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).last_fetch_ms > 0);
        bw_worker_drain(rig->worker, PATIENCE_MS);
        rig_add(rig, QUEUE, 1, NULL);
        assert_int_equal(wait_for_end(rig), BW_END_DRAINED);
        bw_worker_destroy(&rig->worker);
        if (rig_int(rig, "LLEN bull:" QUEUE ":wait") == 1)
            assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":marker"), 1);
        (void)rig_int(rig, "DEL bull:" QUEUE ":wait bull:" QUEUE ":marker");
    }
}

/* The reactor stands in a callback. */
static void stand_in_callback(const struct bw_reply *reply, const struct bw_error *err,
                              void *arg)
{
    struct stand *stand = arg;

    (void)reply;
    (void)err;
    atomic_store(&stand->begun, 1);
    while (atomic_load(&stand->released) == 0)
        rig_nap();
}

static void stop_the_reactor(struct bw_redis *redis, struct stand *stand)
{
    struct bw_redis_arg ping = { "PING", 4 };

    rig_wait(PATIENCE_MS, bw_redis_is_ready(redis));
    assert_int_equal(bw_redis_command(redis, &ping, 1, 30000, stand_in_callback, stand),
                     BW_OK);
    rig_wait(PATIENCE_MS, atomic_load(&stand->begun) == 1);
}

/* Marker and drain come in one turn, whichever of them is seen first: a job that is not
 * fetched keeps its marker. BMQ-170 */
static void marker_that_comes_with_the_drain(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    for (int i = 0; i < 6; i++) {
        struct stand stand = { 0, 0 };
        struct bw_redis *redis;

        rig_worker(rig, NULL, &rig_noop, NULL);
        assert_int_equal(bw_worker_redis(rig->worker, NULL, &redis, NULL), BW_OK);
        rig_start(rig);
        rig_wait(PATIENCE_MS, rig_count_clients(rig, "flags=b") == 1);
        stop_the_reactor(redis, &stand);
        if (i % 2 == 0)
            bw_worker_drain(rig->worker, PATIENCE_MS);
        rig_add(rig, QUEUE, 1, NULL);
        if (i % 2 == 1)
            bw_worker_drain(rig->worker, PATIENCE_MS);
        assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":marker"), 0);
        atomic_store(&stand.released, 1);
        assert_int_equal(wait_for_end(rig), BW_END_DRAINED);
        bw_worker_destroy(&rig->worker);
        if (rig_int(rig, "LLEN bull:" QUEUE ":wait") == 1)
            assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":marker"), 1);
        (void)rig_int(rig, "DEL bull:" QUEUE ":wait bull:" QUEUE ":marker");
    }
}

/* Who has popped the marker of a delayed job and ends leaves it to others. */
static void marker_of_a_delayed_job_is_not_lost(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    rig_run(rig, NULL, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).last_fetch_ms > 0);
    add_delayed(rig, 60000);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":marker") == 0);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":marker"), 1);
    rig_expect(rig, "1", "ZRANGE bull:" QUEUE ":marker 0 -1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keeping_setup, keeping_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(idle_worker_ends_at_once),
        TEST(never_started_worker_ends),
        TEST(unreachable_redis_does_not_hold_the_end),
        TEST(jobs_in_flight_finish),
        TEST(delayed_job_due_at_the_stop),
        TEST(job_that_comes_in_the_drain_is_run),
        TEST(job_of_a_lost_reply_is_run_in_the_drain),
        TEST(job_that_comes_after_the_deadline_goes_back),
        TEST(late_job_goes_back_in_its_order),
        TEST(unanswered_fetch_does_not_hold_the_end),
        TEST(locks_are_renewed_meanwhile),
        TEST(deadline_hands_back),
        TEST(handler_hands_back),
        TEST(second_call_ends_at_once),
        TEST(deadline_holds_without_redis),
        TEST(deadline_holds_while_redis_is_stopped),
        TEST(blocked_threads),
        TEST(marker_is_not_lost),
        TEST(marker_that_comes_with_the_drain),
        TEST(marker_of_a_delayed_job_is_not_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
