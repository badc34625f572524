/* The wait for markers goes on after whatever it was answered with, and counts for
 * liveness (BMQ-175). Answers for lib/run/markers.c. */
#include "integration/worker_rig.h"

#define completed_count(rig) rig_int(rig, "ZCARD bull:" QUEUE ":completed")

/* Only a marker can tell of a job: the next poll is a minute away. */
static void run_idle(struct rig *rig)
{
    struct bw_queue_options options = rig_options(QUEUE, 4);

    options.drain_delay = 60000;
    rig_run(rig, &options, &rig_noop_inline, NULL);
}

/* The connection that waits; 0: none does. `flags=b`: it is not the last command only. */
static long long waiting_id(struct rig *rig)
{
    char *list = rig_text(rig, "CLIENT LIST");
    const char *wait = strstr(list, " flags=b");
    long long id = 0;

    for (const char *line = list; wait != NULL && line < wait;) {
        const char *next = strchr(line, '\n');

        if (next == NULL || next > wait) {
            id = strtoll(line + strlen("id="), NULL, 10);
            break;
        }
        line = next + 1;
    }
    free(list);
    return id;
}

static void expect_heard(struct rig *rig)
{
    int64_t before = completed_count(rig);

    rig_wait(PATIENCE_MS, waiting_id(rig) != 0);
    /* The fetches that came with the disturbance are over. */
    rig_wait(PATIENCE_MS, rig_worker_stats(rig).connected);
    for (int i = 0; i < 50; i++)
        rig_nap();
    rig_wait(PATIENCE_MS, waiting_id(rig) != 0);
    (void)rig_int(rig, "LPUSH bull:" QUEUE ":wait x%lld", (long long)before);
    (void)rig_int(rig, "HSET bull:" QUEUE ":x%lld name n data {} opts {}",
                  (long long)before);
    (void)rig_int(rig, "ZADD bull:" QUEUE ":marker 0 0");
    rig_wait(PATIENCE_MS, completed_count(rig) == before + 1);
}

static void error_then_lost_link(void **state)
{
    struct rig *rig = *state;

    run_idle(rig);
    for (int i = 0; i < 3; i++) {
        long long id;

        rig_wait(PATIENCE_MS, (id = waiting_id(rig)) != 0);
        assert_int_equal(rig_int(rig, "CLIENT UNBLOCK %lld ERROR", id), 1);
        assert_int_equal(rig_int(rig, "CLIENT KILL ID %lld", id), 1);
        expect_heard(rig);
    }
}

static void error_alone(void **state)
{
    struct rig *rig = *state;

    run_idle(rig);
    rig_wait(PATIENCE_MS, waiting_id(rig) != 0);
    assert_int_equal(rig_int(rig, "CLIENT UNBLOCK %lld ERROR", waiting_id(rig)), 1);
    expect_heard(rig);
}

/* Refused for seconds: told in the statistics, and over with the first answer. */
static void refused_for_long(void **state)
{
    struct rig *rig = *state;

    (void)rig_int(rig, "HSET bull:" QUEUE ":marker x 1");
    run_idle(rig);
    rig_wait(PATIENCE_MS, rig_worker_stats(rig).waits_refused);
    assert_false(rig_worker_stats(rig).deaf);
    assert_int_equal(rig_int(rig, "DEL bull:" QUEUE ":marker"), 1);
    expect_heard(rig);
    rig_wait(PATIENCE_MS, !rig_worker_stats(rig).waits_refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(error_then_lost_link, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(error_alone, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(refused_for_long, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
