/* Handlers that take several jobs in one call. Answers for lib/jobs/batch.c. */
#include "integration/worker_rig.h"

enum { MOST = 4096 };

struct fixture {
    struct rig rig;
    struct bw_mutex mutex; /* guards the rest */
    size_t sizes[MOST];    /* of the calls */
    unsigned calls, jobs;
    struct bw_job *kept[MOST];
    unsigned cancelled;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    rig_open(&fixture->rig, NULL);
    bw_mutex_init(&fixture->mutex);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    rig_close(&fixture->rig);
    bw_mutex_fini(&fixture->mutex);
    free(fixture);
    return 0;
}

static void note(struct fixture *fixture, struct bw_job *const *jobs, size_t count)
{
    bw_mutex_lock(&fixture->mutex);
    fixture->sizes[fixture->calls++] = count;
    for (size_t i = 0; i < count; i++)
        fixture->kept[fixture->jobs++] = jobs[i];
    bw_mutex_unlock(&fixture->mutex);
}

static void complete_all(struct bw_job *const *jobs, size_t count, void *arg)
{
    note(arg, jobs, count);
    for (size_t i = 0; i < count; i++)
        bw_job_complete(jobs[i], "1", 1);
}

static void keep_all(struct bw_job *const *jobs, size_t count, void *arg)
{
    note(arg, jobs, count);
}

static void told(struct bw_job *job, void *arg)
{
    struct fixture *fixture = arg;

    (void)job;
    bw_mutex_lock(&fixture->mutex);
    fixture->cancelled++;
    bw_mutex_unlock(&fixture->mutex);
}

static unsigned read_count(struct fixture *fixture, const unsigned *value)
{
    unsigned count;

    bw_mutex_lock(&fixture->mutex);
    count = *value;
    bw_mutex_unlock(&fixture->mutex);
    return count;
}

#define calls_of(fixture)     read_count((fixture), &(fixture)->calls)
#define jobs_of(fixture)      read_count((fixture), &(fixture)->jobs)
#define cancelled_of(fixture) read_count((fixture), &(fixture)->cancelled)

static void run(struct fixture *fixture, struct bw_handler handler, unsigned concurrency,
                int64_t timeout)
{
    struct bw_queue_options options = rig_options(QUEUE, concurrency);

    options.timeout = timeout;
    handler.cancel = told;
    rig_run(&fixture->rig, &options, &handler, fixture);
}

/* All jobs, each once, in calls of at most the size, and with a backlog of just that. */
static void full_batches(void **state)
{
    for (int inline_ = 0; inline_ < 2; inline_++) {
        struct fixture *fixture = *state;
        struct bw_handler handler = { .process_batch = complete_all,
                                      .batch_size = 10,
                                      .batch_wait = 60000,
                                      .inline_ = inline_ == 1 };

        fixture->calls = fixture->jobs = 0;
        rig_add(&fixture->rig, QUEUE, 1000, NULL);
        run(fixture, handler, 40, 0);
        rig_wait(PATIENCE_MS, rig_int(&fixture->rig, "ZCARD bull:" QUEUE ":completed") ==
                                  1000 * (inline_ + 1));
        assert_int_equal(jobs_of(fixture), 1000);
        assert_int_equal(calls_of(fixture), 100);
        for (unsigned i = 0; i < fixture->calls; i++)
            assert_int_equal(fixture->sizes[i], 10);
        assert_int_equal(rig_stop(&fixture->rig, PATIENCE_MS), BW_END_DRAINED);
    }
}

/* Without a wait what came together goes together; nobody waits for more. */
static void no_wait(void **state)
{
    struct fixture *fixture = *state;
    struct bw_handler handler = { .process_batch = complete_all, .batch_size = 100 };

    rig_add(&fixture->rig, QUEUE, 60, NULL);
    run(fixture, handler, 100, 0);
    rig_wait(PATIENCE_MS, rig_int(&fixture->rig, "ZCARD bull:" QUEUE ":completed") == 60);
    assert_true(calls_of(fixture) < 60);
    rig_add(&fixture->rig, QUEUE, 1, NULL);
    rig_wait(PATIENCE_MS, rig_int(&fixture->rig, "ZCARD bull:" QUEUE ":completed") == 61);
}

/* The first job waits for those that come later, but not for ever; nor once every slot's
 * job is there. */
static void wait_for_more(void **state)
{
    struct fixture *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_handler handler = { .process_batch = complete_all,
                                  .batch_size = 100,
                                  .batch_wait = 2500 };
    int64_t begun;

    run(fixture, handler, 5, 0);
    begun = rig_wall_ms();
    rig_add(rig, QUEUE, 1, NULL);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 1);
    rig_add(rig, QUEUE, 2, NULL);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 3);
    assert_int_equal(calls_of(fixture), 1);
    assert_true(rig_wall_ms() - begun >= 2490);
    rig_add(rig, QUEUE, 5, NULL);
    begun = rig_wall_ms();
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 8);
    assert_int_equal(calls_of(fixture), 2);
    assert_true(rig_wall_ms() - begun < 2490);
}

/* Each job of a batch has its own end, and its own cancellation. */
static void own_ends(void **state)
{
    struct fixture *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_handler handler = { .process_batch = keep_all,
                                  .batch_size = 4,
                                  .batch_wait = 60000 };

    rig_add(rig, QUEUE, 4, "{\"attempts\":2}");
    run(fixture, handler, 8, 0);
    rig_wait(PATIENCE_MS, jobs_of(fixture) == 4);
    assert_int_equal(calls_of(fixture), 1);
    assert_int_equal(bw_worker_cancel_job(rig->worker, QUEUE, "3", "enough"), BW_OK);
    assert_int_equal(cancelled_of(fixture), 1);
    for (unsigned i = 0; i < 4; i++) {
        struct bw_job *job = fixture->kept[i];

        assert_int_equal(bw_job_cancelled(job), strcmp(bw_job_id(job), "3") == 0);
        if (strcmp(bw_job_id(job), "1") == 0)
            bw_job_complete(job, "\"one\"", 5);
        else if (strcmp(bw_job_id(job), "2") == 0)
            bw_job_move_to_delayed(job, 3600000);
        else
            bw_job_fail(
                job, &(struct bw_job_failure){ .message = "no", .unrecoverable = true });
    }
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 2);
    rig_expect(rig, "\"one\"", "HGET bull:" QUEUE ":1 returnvalue");
    rig_expect(rig, "job cancelled: enough", "HGET bull:" QUEUE ":3 failedReason");
    rig_expect(rig, "no", "HGET bull:" QUEUE ":4 failedReason");
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":delayed") == 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 1);
}

/* A job that is stopped before its batch is complete is never seen by the handler. */
static void stopped_while_gathered(void **state)
{
    struct fixture *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_handler handler = { .process_batch = complete_all,
                                  .batch_size = 4,
                                  .batch_wait = 60000 };

    rig_add(rig, QUEUE, 3, NULL);
    run(fixture, handler, 8, 0);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 3);
    assert_int_equal(bw_worker_cancel_job(rig->worker, QUEUE, "1", "enough"), BW_OK);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 1);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 2);
    rig_add(rig, QUEUE, 1, NULL);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":completed") == 3);
    assert_int_equal(jobs_of(fixture), 3);
    assert_int_equal(cancelled_of(fixture), 0);
}

/* The same for its time limit, which began when it was taken. */
static void timed_out_while_gathered(void **state)
{
    struct fixture *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_handler handler = { .process_batch = complete_all,
                                  .batch_size = 4,
                                  .batch_wait = 60000 };

    rig_add(rig, QUEUE, 2, NULL);
    run(fixture, handler, 8, 200);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 2);
    rig_expect(rig, "job timed out after 200 ms", "HGET bull:" QUEUE ":1 failedReason");
    assert_int_equal(jobs_of(fixture), 0);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

/* A drain does not wait for more: what was gathered is run. */
static void drained_while_gathered(void **state)
{
    struct fixture *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_handler handler = { .process_batch = complete_all,
                                  .batch_size = 10,
                                  .batch_wait = 60000 };
    int64_t begun;

    rig_add(rig, QUEUE, 3, NULL);
    run(fixture, handler, 20, 0);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 3);
    begun = rig_wall_ms();
    assert_int_equal(rig_stop(rig, 30000), BW_END_DRAINED);
    assert_true(rig_wall_ms() - begun < 10000);
    assert_int_equal(fixture->calls, 1);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":completed"), 3);
}

/* At a deadline of 0 the whole batch goes back to wait, whole jobs all of them. */
static void handed_back(void **state)
{
    struct fixture *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_handler handler = { .process_batch = keep_all, .batch_size = 3 };

    rig_add(rig, QUEUE, 3, NULL);
    run(fixture, handler, 3, 0);
    rig_wait(PATIENCE_MS, jobs_of(fixture) == 3);
    bw_worker_drain(rig->worker, 0);
    rig_wait(PATIENCE_MS, cancelled_of(fixture) == 3);
    for (unsigned i = 0; i < 3; i++)
        bw_job_complete(fixture->kept[i], NULL, 0); /* too late: dropped */
    assert_int_equal(rig_stop(rig, 0), BW_END_HANDED_BACK);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 3);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":completed"), 0);
}

static void process_one(struct bw_job *job, void *arg)
{
    (void)arg;
    bw_job_complete(job, NULL, 0);
}

static void bad_handlers(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        struct bw_handler handler;
        const char *complaint;
    } rows[] = {
        { { .process = NULL }, "process" },
        { { .process = process_one, .process_batch = keep_all, .batch_size = 1 },
          "process" },
        { { .process_batch = keep_all }, "batch_size" },
        { { .process_batch = keep_all, .batch_size = BW_BATCH_MAX + 1 }, "batch_size" },
        { { .process_batch = keep_all, .batch_size = 1, .batch_wait = -1 },
          "batch_wait" },
    };
    struct bw_worker_options options = { .redis = &fixture->rig.redis };
    struct bw_queue_options queue = rig_options(QUEUE, 1);
    struct bw_worker *worker = NULL;
    struct bw_error err = { 0 };

    assert_int_equal(bw_worker_create(&worker, &options, &err), BW_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(
            bw_worker_add_queue(worker, &queue, &rows[i].handler, NULL, &err), BW_EINVAL);
        assert_non_null(strstr(err.text, rows[i].complaint));
    }
    bw_worker_destroy(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(full_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(no_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(wait_for_more, setup, teardown),
        cmocka_unit_test_setup_teardown(own_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(stopped_while_gathered, setup, teardown),
        cmocka_unit_test_setup_teardown(timed_out_while_gathered, setup, teardown),
        cmocka_unit_test_setup_teardown(drained_while_gathered, setup, teardown),
        cmocka_unit_test_setup_teardown(handed_back, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_handlers, setup, teardown),
    };

    return cmocka_run_group_tests_name("worker_batch", tests, NULL, NULL);
}
