/* Locks: renewed while a job runs, known when they are lost; stalled jobs are recovered.
 * lib/spec/bullmq.md §6; answers for lib/jobs/renew.c, stalled.c. */
#include "integration/worker_rig.h"

/* Short enough for several renewals, long enough for one that is late. */
static struct bw_queue_options short_lock(void)
{
    struct bw_queue_options options = rig_options(QUEUE, 50);

    options.lock_duration = 2500;
    options.skip_stalled_check = true;
    return options;
}

static void renewed_while_running(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = short_lock();
    int64_t begun;
    struct bw_job *job;

    rig_add(rig, QUEUE, 20, NULL);
    rig_run(rig, &options, &rig_keep, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 20);
    begun = rig_wall_ms();
    while (rig_wall_ms() < begun + 4000) {
        assert_int_equal(rig_int(rig, "EXISTS bull:" QUEUE ":1:lock"), 1);
        assert_int_equal(rig_int(rig, "EXISTS bull:" QUEUE ":20:lock"), 1);
        rig_nap();
    }
    while ((job = rig_keeper_take(&fixture->keeper)) != NULL) {
        assert_true(bw_job_lock_held(job));
        bw_job_complete(job, NULL, 0);
    }
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 20);
    assert_int_equal(rig_stats(rig, QUEUE).locks_lost, 0);
}

static void loss_is_noticed(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = short_lock();
    struct bw_job *job;

    rig_add(rig, QUEUE, 2, NULL);
    rig_run(rig, &options, &rig_keep, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 2);
    /* Another worker holds job 1 now. */
    rig_expect(rig, "OK", "SET bull:" QUEUE ":1:lock other");
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).locks_lost == 1);
    rig_wait(PATIENCE_MS, rig_keeper_cancelled(&fixture->keeper) == 1);
    while ((job = rig_keeper_take(&fixture->keeper)) != NULL) {
        bool first = strcmp(bw_job_id(job), "1") == 0;

        assert_int_equal(bw_job_lock_held(job), !first);
        assert_int_equal(bw_job_cancelled(job), first);
        bw_job_complete(job, NULL, 0);
    }
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    /* Not finished by the one who lost it, and its new owner's lock is untouched. */
    rig_expect(rig, "other", "GET bull:" QUEUE ":1:lock");
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 1);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).locks_lost == 1);
}

/* Without renewal the lock's time runs out, by our own clock as well. */
static void unrenewed_lock_runs_out(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = short_lock();
    struct bw_job *job;

    options.skip_lock_renewal = true;
    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, &options, &rig_keep, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    job = rig_keeper_take(&fixture->keeper);
    assert_true(bw_job_lock_held(job));
    rig_wait(PATIENCE_MS, !bw_job_lock_held(job));
    rig_wait(PATIENCE_MS, rig_int(rig, "EXISTS bull:" QUEUE ":1:lock") == 0);
    bw_job_complete(job, NULL, 0);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).locks_lost == 1);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":completed"), 0);
}

/* The locks of jobs in flight outlive an outage that is shorter than they are. */
static void renewed_at_once_after_reconnect(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 10);
    struct bw_job *job;

    options.lock_duration = 60000;
    options.lock_renew_time = 30000;
    rig_add(rig, QUEUE, 5, NULL);
    rig_run(rig, &options, &rig_keep, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 5);
    (void)rig_int(rig, "PEXPIRE bull:" QUEUE ":1:lock 20000");
    (void)rig_int(rig, "CLIENT KILL TYPE normal");
    rig_wait(18000, rig_int(rig, "PTTL bull:" QUEUE ":1:lock") > 30000);
    while ((job = rig_keeper_take(&fixture->keeper)) != NULL)
        bw_job_complete(job, NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 5);
}

/* BMQ-107 to 110: a dead worker's job is marked, recovered, run. */
static void stalled_job_is_recovered(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 1);

    options.stalled_interval = 200;
    rig_add(rig, QUEUE, 1, NULL);
    rig_expect(rig, "1", "RPOPLPUSH bull:" QUEUE ":wait bull:" QUEUE ":active");
    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 stc");
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).stalled == 1);
}

static void stalled_too_often_fails(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 1);

    options.stalled_interval = 200;
    rig_add(rig, QUEUE, 1, NULL);
    assert_int_equal(rig_int(rig, "HSET bull:" QUEUE ":1 stc 1"), 1);
    rig_expect(rig, "1", "RPOPLPUSH bull:" QUEUE ":wait bull:" QUEUE ":active");
    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 1);
    rig_expect(rig, "job stalled more than allowable limit",
               "HGET bull:" QUEUE ":1 failedReason");
}

/* A running job whose lock is renewed does not stall, whatever the interval. */
static void running_job_does_not_stall(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = short_lock();
    int64_t begun;

    options.skip_stalled_check = false;
    options.stalled_interval = 100;
    rig_add(rig, QUEUE, 1, NULL);
    rig_run(rig, &options, &rig_keep, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    begun = rig_wall_ms();
    rig_wait(PATIENCE_MS, rig_wall_ms() > begun + 4000);
    assert_int_equal(rig_stats(rig, QUEUE).stalled, 0);
    bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keeping_setup, keeping_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(renewed_while_running),      TEST(loss_is_noticed),
        TEST(unrenewed_lock_runs_out),    TEST(renewed_at_once_after_reconnect),
        TEST(stalled_job_is_recovered),   TEST(stalled_too_often_fails),
        TEST(running_job_does_not_stall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
