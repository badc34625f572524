/* Jobs stopped while their handlers have them: time limits, cancellation from here and
 * from elsewhere. Answers for lib/jobs/stop.c, remote_cancel.c,
 * lib/run/cancel_job.c. */
#include "integration/worker_rig.h"

static void keep_jobs(struct keeping_rig *fixture, struct bw_queue_options options)
{
    rig_run(&fixture->rig, &options, &rig_keep, &fixture->keeper);
}

static struct bw_queue_options limited(int64_t timeout)
{
    struct bw_queue_options options = rig_options(QUEUE, 4);

    options.timeout = timeout;
    return options;
}

static void give_in(struct bw_job *job)
{
    struct bw_job_failure failure = { .message = "stopped as told" };

    bw_job_fail(job, &failure);
}

/* The handler is told, and what it fails with is recorded as the time limit. */
static void timed_out(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    rig_add(rig, QUEUE, 1, "{\"attempts\":2}");
    keep_jobs(fixture, limited(1000)); /* after the handler has it */
    rig_wait(PATIENCE_MS, rig_keeper_cancelled(&fixture->keeper) == 1);
    give_in(rig_keeper_take(&fixture->keeper));
    rig_wait(PATIENCE_MS,
             rig_keeper_count(&fixture->keeper) == 1); /* the second attempt */
    rig_expect(rig, "job timed out after 1000 ms", "HGET bull:" QUEUE ":1 failedReason");
    rig_wait(PATIENCE_MS, rig_keeper_cancelled(&fixture->keeper) == 2);
    give_in(rig_keeper_take(&fixture->keeper));
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 1);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).failed == 1);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).retried == 1);
}

/* A job's own limit goes before the queue's; work that is done counts. */
static void own_limit(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    rig_add(rig, QUEUE, 1, "{\"timeout\":1000}");
    keep_jobs(fixture, limited(0));
    rig_wait(PATIENCE_MS, rig_keeper_cancelled(&fixture->keeper) == 1);
    bw_job_complete(rig_keeper_take(&fixture->keeper), "1", 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1);
    rig_add(rig, QUEUE, 1, "{\"timeout\":\"soon\"}"); /* foreign data: no limit */
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    assert_false(bw_job_cancelled(fixture->keeper.jobs[0]));
    bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 2);
}

/* A handler that does not react: the worker fails the job and drops the late answer. */
static void deaf_handler(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = limited(1000);
    struct bw_job *job;

    options.concurrency = 1;
    rig_add(rig, QUEUE, 1, NULL);
    keep_jobs(fixture, options);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 1);
    rig_expect(rig, "job timed out after 1000 ms", "HGET bull:" QUEUE ":1 failedReason");
    job = rig_keeper_take(&fixture->keeper);
    assert_false(bw_job_lock_held(job));
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    rig_add(rig, QUEUE, 1, NULL); /* its slot is free */
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    bw_job_complete(job, "\"late\"", 6);
    bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1);
    rig_expect(rig, NULL, "HGET bull:" QUEUE ":1 returnvalue");
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":failed"), 1);
}

static void cancelled_here(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    rig_add(rig, QUEUE, 1, "{\"attempts\":5}");
    keep_jobs(fixture, limited(0));
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    assert_int_equal(bw_worker_cancel_job(rig->worker, QUEUE, "2", "no"), BW_EINVAL);
    assert_int_equal(bw_worker_cancel_job(rig->worker, QUEUE, "1", "not wanted"), BW_OK);
    assert_int_equal(bw_worker_cancel_job(rig->worker, QUEUE, "1", "again"), BW_OK);
    assert_int_equal(rig_keeper_cancelled(&fixture->keeper), 1);
    give_in(rig_keeper_take(&fixture->keeper));
    rig_wait(PATIENCE_MS,
             rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 1); /* no retry */
    rig_expect(rig, "job cancelled: not wanted", "HGET bull:" QUEUE ":1 failedReason");
}

static void cancelled_elsewhere(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = limited(0);

    options.remote_cancel = true;
    rig_add(rig, QUEUE, 2, "{\"attempts\":5}");
    keep_jobs(fixture, options);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 2);
    assert_int_equal(rig_int(rig, "HSET bull::bulwark:" QUEUE ":cancel 1 bored 99 x"), 2);
    rig_wait(PATIENCE_MS, rig_keeper_cancelled(&fixture->keeper) == 1);
    rig_wait(PATIENCE_MS,
             rig_int(rig, "HLEN bull::bulwark:" QUEUE ":cancel") == 1); /* 99 */
    give_in(rig_keeper_take_id(&fixture->keeper, "1"));
    bw_job_complete(rig_keeper_take_id(&fixture->keeper, "2"), NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 1);
    rig_expect(rig, "job cancelled: bored", "HGET bull:" QUEUE ":1 failedReason");
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1);
}

/* Off, nobody looks. */
static void not_asked_for(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    int64_t until;

    rig_add(rig, QUEUE, 1, NULL);
    keep_jobs(fixture, limited(0));
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    assert_int_equal(rig_int(rig, "HSET bull::bulwark:" QUEUE ":cancel 1 bored"), 1);
    until = rig_wall_ms() + 2500;
    while (rig_wall_ms() < until) {
        assert_int_equal(rig_keeper_cancelled(&fixture->keeper), 0);
        rig_nap();
    }
    bw_job_complete(rig_keeper_take(&fixture->keeper), NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1);
}

/* A drain's deadline does not give a cancelled job back to be run again. */
static void cancelled_then_drained(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_job *job;

    rig_add(rig, QUEUE, 2, NULL);
    keep_jobs(fixture, limited(0));
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 2);
    assert_int_equal(bw_worker_cancel_job(rig->worker, QUEUE, "1", "enough"), BW_OK);
    bw_worker_drain(rig->worker, 0);
    assert_int_equal(bw_worker_wait(rig->worker, NULL), BW_END_HANDED_BACK);
    rig_expect(rig, "job cancelled: enough", "HGET bull:" QUEUE ":1 failedReason");
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":failed"), 1);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 1);
    while ((job = rig_keeper_take(&fixture->keeper)) != NULL)
        bw_job_complete(job, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timed_out, keeping_setup, keeping_teardown),
        cmocka_unit_test_setup_teardown(own_limit, keeping_setup, keeping_teardown),
        cmocka_unit_test_setup_teardown(deaf_handler, keeping_setup, keeping_teardown),
        cmocka_unit_test_setup_teardown(cancelled_here, keeping_setup, keeping_teardown),
        cmocka_unit_test_setup_teardown(cancelled_elsewhere, keeping_setup,
                                        keeping_teardown),
        cmocka_unit_test_setup_teardown(not_asked_for, keeping_setup, keeping_teardown),
        cmocka_unit_test_setup_teardown(cancelled_then_drained, keeping_setup,
                                        keeping_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
