/* What a handler is told of its jobs' ends: after Redis has recorded them, and only then.
 * Answers for lib/jobs/outcome.c. */
#include <stdio.h>

#include "integration/worker_rig.h"

static struct {
    struct bw_mutex mutex; /* guards the rest */
    char text[4096];       /* one "kind id …" a line */
} told;

static const char *const kinds[] = {
    [BW_EVENT_STALLED] = "stalled", [BW_EVENT_DRAINED] = "drained",
    [BW_EVENT_ERROR] = "error",     [BW_EVENT_PAUSED] = "paused",
    [BW_EVENT_RESUMED] = "resumed", [BW_EVENT_COMPLETED] = "completed",
    [BW_EVENT_FAILED] = "failed",   [BW_EVENT_LOCK_LOST] = "lockLost",
};

/* NULs are shown as @. */
static void add(const char *text, size_t len)
{
    size_t at = strlen(told.text);

    if (text == NULL)
        return;
    assert_true(at + len + 2 < sizeof told.text);
    told.text[at++] = ' ';
    for (size_t i = 0; i < len; i++)
        told.text[at++] = text[i];
    for (size_t i = at - len; i < at; i++) {
        if (told.text[i] == '\0')
            told.text[i] = '@';
    }
    told.text[at] = '\0';
}

static void on_event(const struct bw_event *event, void *arg)
{
    char number[32];

    (void)arg;
    if (event->kind == BW_EVENT_DRAINED || event->kind == BW_EVENT_LAST)
        return; /* when is a matter of timing */
    bw_mutex_lock(&told.mutex);
    assert_string_equal(event->queue, QUEUE);
    add(kinds[event->kind], strlen(kinds[event->kind]));
    add(event->id, event->id_len);
    add(event->result, event->result_len);
    add(event->error, event->error_len);
    if (event->kind == BW_EVENT_FAILED) {
        (void)snprintf(number, sizeof number, "%u%s", event->attempts_made,
                       event->is_final ? " final" : "");
        add(number, strlen(number));
    }
    if (event->job != NULL) {
        assert_int_equal(bw_job_id_len(event->job), event->id_len);
        add(bw_job_name(event->job), bw_job_name_len(event->job));
    }
    add("|", 1);
    bw_mutex_unlock(&told.mutex);
}

static bool was_told(const char *text)
{
    bool same;

    bw_mutex_lock(&told.mutex);
    same = strcmp(told.text, text) == 0;
    bw_mutex_unlock(&told.mutex);
    return same;
}

static void expect_told(const char *text)
{
    int64_t deadline = rig_wall_ms() + PATIENCE_MS;

    while (!was_told(text)) {
        if (rig_wall_ms() > deadline)
            fail_msg("told \"%s\", wanted \"%s\"", told.text, text);
        rig_nap();
    }
    bw_mutex_lock(&told.mutex);
    told.text[0] = '\0';
    bw_mutex_unlock(&told.mutex);
}

static struct bw_handler keep_and_tell(void)
{
    struct bw_handler handler = rig_keep;

    handler.event = on_event;
    return handler;
}

static void run(struct keeping_rig *fixture, const struct bw_queue_options *options)
{
    struct bw_handler handler = keep_and_tell();

    bw_mutex_init(&told.mutex);
    told.text[0] = '\0';
    rig_run(&fixture->rig, options, &handler, &fixture->keeper);
}

/* BMQ-176 */
static void ends_are_told(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig_keeper *keeper = &fixture->keeper;
    struct bw_job_failure failure = { .message = "no" };

    rig_add(&fixture->rig, QUEUE, 3, "{\"attempts\":2}");
    run(fixture, NULL);
    bw_job_complete(rig_keeper_take_id(keeper, "1"), "{\"a\":1}", 7);
    expect_told(" completed 1 {\"a\":1} test |");
    bw_job_complete(rig_keeper_take_id(keeper, "2"), NULL, 0);
    expect_told(" completed 2 test |");
    bw_job_fail(rig_keeper_take_id(keeper, "3"), &failure);
    expect_told(" failed 3 no 1 test |");
    bw_job_fail(rig_keeper_take_id(keeper, "3"), &failure);
    expect_told(" failed 3 no 2 final test |");
}

/* BMQ-176: while Redis is stopped nothing is recorded, so nothing is told. */
static void not_before_redis_has_it(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;

    rig_add(rig, QUEUE, 1, NULL);
    run(fixture, NULL);
    rig_wait(PATIENCE_MS, rig_keeper_count(&fixture->keeper) == 1);
    redis_server_pause(&rig->server);
    bw_job_complete(rig_keeper_take_id(&fixture->keeper, "1"), "1", 1);
    for (int i = 0; i < 30; i++) {
        rig_nap();
        assert_true(was_told(""));
    }
    redis_server_cont(&rig->server);
    expect_told(" completed 1 1 test |");
}

/* BMQ-176: `error`, and neither `completed` nor `failed`. */
static void refused_ends(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_job_failure failure = { .message = "no" };
    struct bw_job *job;

    rig_add(rig, QUEUE, 3, NULL);
    run(fixture, NULL);
    job = rig_keeper_take_id(&fixture->keeper, "1");
    assert_int_equal(rig_int(rig, "DEL bull:" QUEUE ":1:lock"), 1);
    bw_job_complete(job, "1", 1);
    expect_told(" error 1 its lock has expired test |");
    job = rig_keeper_take_id(&fixture->keeper, "2");
    rig_expect(rig, "OK", "SET bull:" QUEUE ":2:lock another");
    bw_job_fail(job, &failure);
    expect_told(" error 2 its lock belongs to another worker test |");
    job = rig_keeper_take_id(&fixture->keeper, "3");
    assert_int_equal(rig_int(rig, "DEL bull:" QUEUE ":3"), 1);
    bw_job_complete(job, "1", 1);
    expect_told(" error 3 the job is gone test |");
}

/* BMQ-176: what no handler ever gets. */
static void decided_by_the_worker(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 4);

    options.max_started_attempts = 1;
    rig_add(rig, QUEUE, 2, "{\"attempts\":5}");
    (void)rig_int(rig, "HSET bull:" QUEUE ":1 defa fate");
    (void)rig_int(rig, "HSET bull:" QUEUE ":2 ats 1");
    run(fixture, &options);
    expect_told(" failed 1 fate 1 final test |"
                " failed 2 job started more than allowable limit 1 final test |");
    assert_int_equal(rig_keeper_count(&fixture->keeper), 0);
}

/* A job whose worker vanished, more often than it may. BMQ-176 */
static void stalled_too_often(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 4);

    options.stalled_interval = 200;
    options.max_stalled_count = 0;
    rig_add(rig, QUEUE, 1, "{\"attempts\":5}");
    rig_expect(rig, "1", "LMOVE bull:" QUEUE ":wait bull:" QUEUE ":active LEFT RIGHT");
    assert_int_equal(rig_int(rig, "SADD bull:" QUEUE ":stalled 1"), 1);
    run(fixture, &options);
    expect_told(" stalled 1 |"
                " failed 1 job stalled more than allowable limit 1 final test |");
}

/* The time limit's failure is told once, whatever the handler says afterwards. */
static void timed_out(void **state)
{
    struct keeping_rig *fixture = *state;
    struct rig *rig = &fixture->rig;
    struct bw_queue_options options = rig_options(QUEUE, 4);
    struct bw_job *job;

    options.timeout = 1000;
    rig_add(rig, QUEUE, 1, NULL);
    run(fixture, &options);
    job = rig_keeper_take_id(&fixture->keeper, "1");
    rig_wait(PATIENCE_MS, bw_job_cancelled(job));
    bw_job_fail(job, &(struct bw_job_failure){ .message = "own words" });
    expect_told(" failed 1 job timed out after 1000 ms 1 final test |");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ends_are_told, keeping_setup, keeping_teardown),
        cmocka_unit_test_setup_teardown(not_before_redis_has_it, keeping_setup,
                                        keeping_teardown),
        cmocka_unit_test_setup_teardown(refused_ends, keeping_setup, keeping_teardown),
        cmocka_unit_test_setup_teardown(decided_by_the_worker, keeping_setup,
                                        keeping_teardown),
        cmocka_unit_test_setup_teardown(stalled_too_often, keeping_setup,
                                        keeping_teardown),
        cmocka_unit_test_setup_teardown(timed_out, keeping_setup, keeping_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
