/* Many queues on one worker: one wait for all markers, visible to getWorkers, cheap when
 * idle. lib/spec/bullmq.md §§4.6, 10.8; answers for lib/run/markers.c, links.c. */
#include "integration/worker_rig.h"

#include <stdio.h>
#include <time.h>

static const char *queue_name(unsigned number)
{
    static char name[16];

    (void)snprintf(name, sizeof name, "q%u", number);
    return name;
}

/* drainDelay, in ms: as it is by default, and so that nothing but a marker tells. */
enum { POLLED = 5000, UNPOLLED = 60000 };

static void run_queues(struct rig *rig, unsigned count, bool skip_listing,
                       int64_t drain_delay)
{
    for (unsigned i = 0; i < count; i++) {
        struct bw_queue_options options = rig_options(queue_name(i), 5);

        options.skip_listing = skip_listing;
        options.drain_delay = drain_delay;
        if (i == 0)
            rig_worker(rig, &options, &rig_noop_inline, NULL);
        else
            rig_add_queue(rig, &options, &rig_noop_inline, NULL);
    }
    rig_start(rig);
    for (unsigned i = 0; i < count; i++)
        rig_wait(PATIENCE_MS, rig_stats(rig, queue_name(i)).last_fetch_ms > 0);
}

#define completed_of(rig, number)                                                        \
    rig_int(rig, "ZCARD bull:%s:completed", queue_name(number))

static void each_queue_is_woken(void **state)
{
    struct rig *rig = *state;

    run_queues(rig, 5, false, UNPOLLED);
    for (unsigned round = 1; round <= 5; round++) {
        for (unsigned i = 0; i < 5; i++) {
            rig_add(rig, queue_name(i), 1, NULL);
            rig_wait(PATIENCE_MS, completed_of(rig, i) == round);
        }
    }
}

static void process_again(struct bw_job *job, void *arg)
{
    if (atomic_load((atomic_bool *)arg))
        bw_job_complete(job, NULL, 0);
    else
        bw_job_move_to_wait(job);
}

/* A busy queue, as long as the test lasts, does not keep the others from being heard. */
static void busy_queue_beside_idle_ones(void **state)
{
    static const struct bw_handler again = { .process = process_again, .inline_ = true };
    struct rig *rig = *state;
    struct bw_queue_options busy = rig_options("busy", 5), idle = rig_options("idle", 5);
    atomic_bool enough = false;

    idle.drain_delay = UNPOLLED;
    rig_worker(rig, &busy, &again, &enough);
    rig_add_queue(rig, &idle, &rig_noop_inline, NULL);
    rig_add(rig, "busy", 100, NULL);
    rig_start(rig);
    rig_wait(PATIENCE_MS, rig_stats(rig, "busy").put_back > 100);
    for (int round = 1; round <= 10; round++) {
        rig_add(rig, "idle", 1, NULL);
        rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:idle:completed") == round);
    }
    assert_int_equal(rig_int(rig, "ZCARD bull:busy:completed"), 0);
    atomic_store(&enough, true);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:busy:completed") == 100);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

/* A queue that becomes drained while the wait for others is on joins it. */
static void set_of_the_wait_grows(void **state)
{
    struct rig *rig = *state;
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);
    struct bw_queue_options slow = rig_options("slow", 1),
                            other = rig_options("other", 1);

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    slow.drain_delay = other.drain_delay = UNPOLLED;
    rig_add(rig, "slow", 1, NULL);
    rig_worker(rig, &slow, &rig_keep, keeper);
    rig_add_queue(rig, &other, &rig_noop, NULL);
    rig_start(rig);
    rig_wait(PATIENCE_MS,
             rig_keeper_count(keeper) == 1); /* its only slot: not in the wait */
    rig_wait(PATIENCE_MS, rig_stats(rig, "other").last_fetch_ms > 0);
    for (int i = 1; i <= 10; i++) {
        bw_job_complete(rig_keeper_take(keeper), NULL, 0);
        rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:slow:completed") == i);
        rig_add(rig, "slow", 1, NULL);
        rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 1);
    }
    bw_job_complete(rig_keeper_take(keeper), NULL, 0);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    rig_keeper_fini(keeper);
    free(keeper);
}

/* BMQ-067: the one who pops the marker of a delayed job is answerable for its time. */
static void delayed_job_is_run_when_due(void **state)
{
    struct rig *rig = *state;
    int64_t due;

    run_queues(rig, 2, false, UNPOLLED);
    due = rig_wall_ms() + 700;
    (void)rig_int(rig, "HSET bull:q1:d1 name test data {} opts {} timestamp 1 delay 700");
    (void)rig_int(rig, "ZADD bull:q1:delayed %lld d1", (long long)due * 4096);
    (void)rig_int(rig, "ZADD bull:q1:marker %lld 1", (long long)due);
    rig_wait(PATIENCE_MS, completed_of(rig, 1) == 1);
    assert_true(rig_wall_ms() >= due - EARLY_MS);
}

/* BMQ-161; base64 of q0, q1 and "q". */
static void listed_as_workers(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options single = rig_options(QUEUE, 1);

    run_queues(rig, 2, false, UNPOLLED);
    rig_wait(PATIENCE_MS, rig_count_clients(rig, " name=bull:cTA= ") == 1);
    rig_wait(PATIENCE_MS, rig_count_clients(rig, " name=bull:cTE= ") == 1);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);

    single.worker_name = "w";
    rig_run(rig, &single, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_count_clients(rig, " name=bull:cQ==:w:w ") == 1);
}

static void same_names_after_reconnect(void **state)
{
    struct rig *rig = *state;

    run_queues(rig, 1, false, UNPOLLED);
    for (int i = 0; i < 3; i++) {
        (void)rig_int(rig, "CLIENT KILL TYPE normal SKIPME yes");
        rig_wait(PATIENCE_MS, rig_count_clients(rig, " name=bull:cTA= ") == 1);
    }
}

static double cpu_seconds(void)
{
    struct timespec used;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* 200 idle queues: two connections, and hardly any work. */
static void two_hundred_idle_queues(void **state)
{
    struct rig *rig = *state;
    struct timespec pause = { .tv_sec = 6 };
    double before;

    run_queues(rig, 200, true, POLLED);
    assert_int_equal(rig_count_clients(rig, " name=bulwark:"), 2);
    assert_int_equal(rig_count_clients(rig, " name=bull:"), 0);
    before = cpu_seconds();
    assert_int_equal(nanosleep(&pause, NULL),
                     0); /* what is measured is a span of idleness */
    before = cpu_seconds() - before;
    print_message("200 idle queues: %.2f %% of a core\n", before / 6 * 100);
    /* Far less than this, but for a sanitizer. */
    assert_true(before < 6 * 0.02);
    for (unsigned i = 0; i < 200; i += 37) {
        rig_add(rig, queue_name(i), 1, NULL);
        rig_wait(PATIENCE_MS, completed_of(rig, i) == 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_queue_is_woken),     TEST(busy_queue_beside_idle_ones),
        TEST(set_of_the_wait_grows),   TEST(delayed_job_is_run_when_due),
        TEST(listed_as_workers),       TEST(same_names_after_reconnect),
        TEST(two_hundred_idle_queues),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
