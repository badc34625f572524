/* BMQ-171: what Redis refuses loses no job and touches no other: an end that is refused
 * for good is told and left to the stalled check, what the server as a whole refuses is
 * waited out, and a fetch that is refused leaves its jobs where they were. Answers for
 * what lib/jobs/settle.c, outcome.c, effects.c and lane.c make of refusals. */
#include <pthread.h>
#include <stdio.h>

#include "integration/worker_rig.h"

/* --- what the handler is told */

static struct told {
    pthread_mutex_t mutex;
    unsigned errors;
    char id[64], error[256];
} told = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void hear(const struct bw_event *event, void *arg)
{
    (void)arg;
    if (event->kind != BW_EVENT_ERROR)
        return;
    assert_int_equal(pthread_mutex_lock(&told.mutex), 0);
    told.errors++;
    (void)snprintf(told.id, sizeof told.id, "%s", event->id != NULL ? event->id : "");
    (void)snprintf(told.error, sizeof told.error, "%s", event->error);
    assert_int_equal(pthread_mutex_unlock(&told.mutex), 0);
}

static unsigned errors_told(void)
{
    unsigned errors;

    assert_int_equal(pthread_mutex_lock(&told.mutex), 0);
    errors = told.errors;
    assert_int_equal(pthread_mutex_unlock(&told.mutex), 0);
    return errors;
}

static void assert_told(const char *id, const char *part)
{
    rig_wait(PATIENCE_MS, errors_told() > 0);
    assert_int_equal(pthread_mutex_lock(&told.mutex), 0);
    if (strcmp(told.id, id) != 0 || strstr(told.error, part) == NULL)
        fail_msg("told \"%s\" of \"%s\"", told.error, told.id);
    assert_int_equal(pthread_mutex_unlock(&told.mutex), 0);
}

static int setup(void **state)
{
    told.errors = 0;
    return rig_setup(state);
}

/* --- handlers */

static void run_retrying(struct bw_job *job, void *arg)
{
    const struct bw_job_failure failure = { .message = "once more" };

    (void)arg;
    if (bw_job_attempts_started(job) == 1)
        bw_job_fail(job, &failure);
    else
        bw_job_complete(job, "1", 1);
}

static const struct bw_handler retrying = { .process = run_retrying,
                                            .event = hear,
                                            .inline_ = true };

static void run_complete(struct bw_job *job, void *arg)
{
    (void)arg;
    bw_job_complete(job, "1", 1);
}

static const struct bw_handler completing = { .process = run_complete,
                                              .event = hear,
                                              .inline_ = true };

#define in(rig, command) rig_int(rig, command)

/* --- ends that are refused for good */

/* 40 jobs, of which one cannot be recorded: 39 are, and the one is left active, its lock
 * not renewed any more. */
static void one_refused(struct rig *rig, const struct bw_handler *handler,
                        const char *opts, const char *spoil, const char *part)
{
    struct bw_queue_options options = rig_options(QUEUE, 40);

    options.skip_stalled_check = true;
    options.lock_duration = 2500;
    rig_add(rig, QUEUE, 40, opts);
    (void)rig_int(rig, "HSET bull:" QUEUE ":meta opts.maxLenEvents 10000");
    free(rig_text(rig, spoil, 0));
    rig_run(rig, &options, handler, NULL);
    rig_wait(PATIENCE_MS, in(rig, "ZCARD bull:" QUEUE ":completed") == 39);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    rig_expect(rig, "7", "LRANGE bull:" QUEUE ":active 0 -1");
    assert_int_equal(in(rig, "LLEN bull:" QUEUE ":wait"), 0);
    assert_int_equal(in(rig, "ZCARD bull:" QUEUE ":failed"), 0);
    assert_told("7", part);
    rig_wait(PATIENCE_MS, in(rig, "EXISTS bull:" QUEUE ":7:lock") == 0);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

static void garbage_in_a_counter(void **state)
{
    one_refused(*state, &retrying, "{\"attempts\":3}", "HSET bull:" QUEUE ":7 atm x",
                "not an integer");
}

static void priority_that_is_no_number(void **state)
{
    one_refused(*state, &retrying, "{\"attempts\":3}",
                "HSET bull:" QUEUE ":7 priority nan", "float");
}

static void parent_of_another_type(void **state)
{
    struct rig *rig = *state;

    free(rig_text(rig, "SET bull:other:p:dependencies x"));
    one_refused(rig, &completing, NULL,
                "HSET bull:" QUEUE ":7 parentKey bull:other:p parent "
                "{\"id\":\"p\",\"queueKey\":\"bull:other\"}",
                "WRONGTYPE");
}

/* --- the server as a whole refuses */

/* NOREPLICAS while jobs end: kept, their side effects too, and recorded later. */
static void too_few_replicas(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 4);
    struct bw_job *job;
    int64_t until;

    options.run_retry_delay = 200;
    rig_add(rig, QUEUE, 4, NULL);
    rig_run(rig, &options, &rig_keep, &fixture->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 4);
    rig_expect(rig, "OK", "CONFIG SET min-replicas-to-write 1");
    while ((job = rig_keeper_take(&fixture->keeper)) != NULL) {
        assert_int_equal(bw_job_update_progress(job, "50", 2), BW_OK);
        bw_job_complete(job, "1", 1);
    }
    until = rig_wall_ms() + 600;
    rig_wait(PATIENCE_MS, rig_wall_ms() > until);
    assert_int_equal(in(rig, "LLEN bull:" QUEUE ":active"), 4);
    rig_expect(rig, "OK", "CONFIG SET min-replicas-to-write 0");
    rig_wait(PATIENCE_MS, in(rig, "ZCARD bull:" QUEUE ":completed") == 4);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    for (int i = 1; i <= 4; i++) {
        rig_expect(rig, "50", "HGET bull:" QUEUE ":%d progress", i);
        rig_expect(rig, "1", "HGET bull:" QUEUE ":%d atm", i);
    }
    assert_int_equal(rig_stats(rig, QUEUE).locks_lost, 0);
}

/* --- fetches that are refused */

/* No job is taken while their events cannot be told, none is lost, and all run once they
 * can. */
static void events_of_another_type(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 8);

    options.run_retry_delay = 200;
    options.skip_stalled_check = true; /* it would tell of its own */
    free(rig_text(rig, "SET bull:" QUEUE ":events x"));
    rig_add(rig, "neighbour", 3, NULL);
    rig_worker(rig, &options, &completing, NULL);
    options = rig_options("neighbour", 8);
    rig_add_queue(rig, &options, &completing, NULL);
    for (int i = 1; i <= 21; i++) { /* rig_add() would tell of them */
        (void)rig_int(rig, "HSET bull:" QUEUE ":%d name n data {} opts {} timestamp 1",
                      i);
        (void)rig_int(rig, "LPUSH bull:" QUEUE ":wait %d", i);
    }
    rig_start(rig);
    rig_wait(PATIENCE_MS, in(rig, "ZCARD bull:neighbour:completed") == 3);
    assert_told("", "WRONGTYPE");
    assert_int_equal(in(rig, "LLEN bull:" QUEUE ":wait"), 21);
    assert_int_equal(in(rig, "LLEN bull:" QUEUE ":active"), 0);
    assert_int_equal(in(rig, "DEL bull:" QUEUE ":events"), 1);
    rig_wait(PATIENCE_MS, in(rig, "ZCARD bull:" QUEUE ":completed") == 21);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 ats");
    assert_int_equal(errors_told(), 1); /* once, however often it was tried */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)
#define KEEPING(name)                                                                    \
    cmocka_unit_test_setup_teardown(name, keeping_setup, keeping_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(garbage_in_a_counter),   TEST(priority_that_is_no_number),
        TEST(parent_of_another_type), KEEPING(too_few_replicas),
        TEST(events_of_another_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
