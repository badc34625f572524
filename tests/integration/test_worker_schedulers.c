/* The worker plans the next iteration of a scheduler before its handler starts.
 * lib/spec/bullmq.md §9.3, BMQ-151…153, 158; answers for lib/jobs/iterations.c,
 * lib/queue/scheduler.c, scheduler_read.c. */
#include "integration/worker_rig.h"

#include <stdio.h>

#include "integration/proxy.h"

enum { CALL_MS = PATIENCE_MS };

/* --- calls that are waited for */

struct answer {
    _Atomic bool done;
    int code;
    int64_t number;
    char text[1024];
};

static void await(struct answer *answer, int rc)
{
    assert_int_equal(rc, BW_OK);
    rig_wait(CALL_MS, atomic_load(&answer->done));
}

static void on_upserted(const char *id, const struct bw_error *err, void *arg)
{
    struct answer *answer = arg;

    answer->code = err != NULL ? err->code : BW_OK;
    (void)snprintf(answer->text, sizeof answer->text, "%s", id != NULL ? id : "");
    atomic_store(&answer->done, true);
}

static void on_reply(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct answer *answer = arg;

    answer->code = err != NULL ? err->code : BW_OK;
    answer->number = bw_reply_integer(reply);
    atomic_store(&answer->done, true);
}

static void on_json(const char *json, size_t len, const struct bw_error *err, void *arg)
{
    struct answer *answer = arg;

    answer->code = err != NULL ? err->code : BW_OK;
    if (err == NULL)
        (void)snprintf(answer->text, sizeof answer->text, "%.*s", (int)len, json);
    atomic_store(&answer->done, true);
}

/* The reply to a get: the worker that owns the connection needs no queue. */
static struct bw_redis *client_of(struct rig *rig)
{
    struct bw_redis *redis;

    assert_int_equal(bw_worker_redis(rig->worker, NULL, &redis, NULL), BW_OK);
    return redis;
}

static int upsert(struct bw_redis *redis, const struct bw_scheduler *scheduler)
{
    struct answer answer = { .done = false };
    struct bw_error err;

    for (int64_t end = rig_wall_ms() + CALL_MS;;) { /* until the client is connected */
        int rc = bw_scheduler_upsert(redis, scheduler, NULL, CALL_MS, on_upserted,
                                     &answer, &err);

        if (rc == BW_ECLOSED && rig_wall_ms() < end) {
            rig_nap();
            continue;
        }
        await(&answer, rc);
        if (answer.code != BW_ECLOSED || rig_wall_ms() > end)
            return answer.code;
        atomic_store(&answer.done, false);
    }
}

static struct bw_scheduler every(int64_t ms)
{
    return (struct bw_scheduler){ .queue = QUEUE, .id = "s", .every = ms };
}

/* --- tests */

static void runs_again_and_again(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = every(20);
    struct bw_redis *redis;
    struct answer answer = { .done = false };
    struct bw_queue_options options = rig_options(QUEUE, 4);

    rig_worker(rig, &options, &rig_noop, NULL);
    redis = client_of(rig);
    rig_start(rig);
    scheduler.limit = 10;
    scheduler.data = "{\"a\":1}";
    scheduler.data_len = 7;
    assert_int_equal(upsert(redis, &scheduler), BW_OK);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 10);
    rig_expect(rig, "10", "HGET bull:q:repeat:s ic");
    assert_int_equal(rig_int(rig, "ZCARD bull:q:delayed"), 0);
    rig_expect(rig, "10", "GET bull:q:id");

    await(&answer, bw_scheduler_get(redis, NULL, QUEUE, "s", CALL_MS, on_json, &answer));
    assert_non_null(strstr(answer.text, "\"key\":\"s\""));
    assert_non_null(strstr(answer.text, "\"iterationCount\":10"));
    assert_non_null(strstr(answer.text, "\"template\":{\"data\":{\"a\":1}}"));
    atomic_store(&answer.done, false);
    await(&answer, bw_scheduler_count(redis, NULL, QUEUE, CALL_MS, on_reply, &answer));
    assert_int_equal(answer.number, 1);
    for (int i = 0; i < 2; i++) {
        atomic_store(&answer.done, false);
        await(&answer,
              bw_scheduler_remove(redis, NULL, QUEUE, "s", CALL_MS, on_reply, &answer));
        assert_int_equal(answer.number, i);
    }
    atomic_store(&answer.done, false);
    await(&answer, bw_scheduler_get(redis, NULL, QUEUE, "s", CALL_MS, on_json, &answer));
    assert_string_equal(answer.text, "null");
    atomic_store(&answer.done, false);
    await(&answer,
          bw_scheduler_list(redis, NULL, QUEUE, 0, -1, true, CALL_MS, on_json, &answer));
    assert_string_equal(answer.text, "[]");
}

/* Adds what an upsert would have left: an iteration that is due, of a scheduler whose
 * next one is years away whenever the test is run. */
static void add_iteration(struct rig *rig, const char *sid)
{
    (void)rig_int(rig, "ZADD bull:q:repeat 1785000000000 %s", sid);
    (void)rig_int(rig, "HSET bull:q:repeat:%s name n every 1000000000000 offset 0 ic 1",
                  sid);
    (void)rig_int(rig,
                  "HSET bull:q:repeat:%s:1785000000000 name n data {} rjk %s opts "
                  "{\"attempts\":2,\"repeat\":{\"every\":1000000000000,\"count\":1}}",
                  sid, sid);
    (void)rig_int(rig, "LPUSH bull:q:wait repeat:%s:1785000000000", sid);
}

/* The handler starts when the next one is there; a retry plans no more. */
static void planned_before_the_handler(void **state)
{
    struct rig *rig = *state;
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);
    const struct bw_job_failure failure = { .message = "again" };
    char sid[16];

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    for (int i = 0; i < 100; i++) { /* more than a call plans */
        (void)snprintf(sid, sizeof sid, "s%d", i);
        add_iteration(rig, sid);
    }
    rig_run(rig, NULL, &rig_keep, keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 4);
    assert_true(rig_int(rig, "ZCARD bull:q:delayed") >= 4);
    for (int taken = 0; taken < 200;) {
        struct bw_job *job = rig_keeper_take(keeper);

        if (job == NULL) {
            rig_nap();
            continue;
        }
        taken++;
        if (bw_job_attempts_started(job) == 1)
            bw_job_fail(job, &failure);
        else
            bw_job_complete(job, NULL, 0);
    }
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 100);
    assert_int_equal(rig_int(rig, "ZCARD bull:q:delayed"), 100);
    rig_expect(rig, "2", "HGET bull:q:repeat:s0 ic");
    rig_expect(rig, "2", "HGET bull:q:repeat:s99 ic");
    rig_keeper_fini(keeper);
    free(keeper);
}

/* What is told of iterations that could not be planned. */
struct told {
    struct bw_mutex mutex; /* guards the rest */
    unsigned errors;
    char text[256];
};

static struct told told;

static void on_event(const struct bw_event *event, void *arg)
{
    (void)arg;
    if (event->kind != BW_EVENT_ERROR)
        return;
    bw_mutex_lock(&told.mutex);
    told.errors++;
    (void)snprintf(told.text, sizeof told.text, "%s", event->error);
    bw_mutex_unlock(&told.mutex);
}

static void run_told(struct rig *rig)
{
    struct bw_handler handler = rig_noop_inline;
    struct bw_queue_options options = rig_options(QUEUE, 4);

    handler.event = on_event;
    options.skip_stalled_check = true;
    bw_mutex_init(&told.mutex);
    told.errors = 0;
    rig_run(rig, &options, &handler, NULL);
}

static void assert_told(unsigned errors, const char *part)
{
    bw_mutex_lock(&told.mutex);
    assert_int_equal(told.errors, errors);
    if (strstr(told.text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", told.text, part);
    bw_mutex_unlock(&told.mutex);
}

/* A scheduler whose hash is no hash spoils nothing: its own job runs, too, and what went
 * wrong is told. BMQ-172 */
static void refused_alone(void **state)
{
    struct rig *rig = *state;

    add_iteration(rig, "good");
    add_iteration(rig, "bad");
    add_iteration(rig, "fine");
    (void)rig_int(rig, "DEL bull:q:repeat:bad");
    free(rig_text(rig, "SET bull:q:repeat:bad x"));
    run_told(rig);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 3);
    assert_int_equal(rig_int(rig, "ZCARD bull:q:delayed"), 2);
    assert_int_equal(rig_int(rig, "LLEN bull:q:active"), 0);
    assert_told(1, "WRONGTYPE");
    /* The worker goes on, and so does its drain. */
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
}

/* What nobody can read: a pattern of another strategy, a zone that is none. BMQ-172 */
static void unreadable(void **state)
{
    static const char *const repeats[][2] = {
        { "{\"repeat\":{\"pattern\":\"hourly\",\"count\":1}}", "pattern" },
        { "{\"repeat\":{\"pattern\":\"FREQ=DAILY\",\"count\":1}}", "pattern" },
        { "{\"repeat\":{\"pattern\":\"0\",\"tz\":\"No/Where\",\"count\":1}}",
          "No/Where" },
    };
    struct rig *rig = *state;

    for (unsigned i = 0; i < sizeof(repeats) / sizeof(repeats[0]); i++) {
        free(rig_text(rig, "FLUSHALL"));
        add_iteration(rig, "p");
        (void)rig_int(rig, "HSET bull:q:repeat:p:1785000000000 opts %s", repeats[i][0]);
        run_told(rig);
        rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 1);
        assert_int_equal(rig_int(rig, "LLEN bull:q:active"), 0);
        assert_int_equal(rig_int(rig, "EXISTS bull:q:delayed"), 0);
        assert_told(1, repeats[i][1]);
        assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    }
}

/* H fields and a zone in lower case go on from one iteration to the next. BMQ-172 */
static void hashed_and_lower_case(void **state)
{
    struct rig *rig = *state;

    add_iteration(rig, "h");
    (void)rig_int(
        rig, "HSET bull:q:repeat:h:1785000000000 opts %s",
        "{\"repeat\":{\"pattern\":\"H/2\",\"tz\":\"europe/london\",\"count\":1}}");
    run_told(rig);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 1);
    assert_int_equal(rig_int(rig, "ZCARD bull:q:delayed"), 1);
    bw_mutex_lock(&told.mutex);
    assert_int_equal(told.errors, 0);
    bw_mutex_unlock(&told.mutex);
}

/* The scheduler was removed: its last iteration runs, and nothing follows. */
static void removed(void **state)
{
    struct rig *rig = *state;

    add_iteration(rig, "s");
    (void)rig_int(rig, "DEL bull:q:repeat bull:q:repeat:s");
    rig_run(rig, NULL, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 1);
    assert_int_equal(rig_int(rig, "EXISTS bull:q:repeat bull:q:repeat:s bull:q:delayed"),
                     0);
}

/* An iteration that is handed back, before or after the next one was planned: there is
 * one that waits, and at most one that is delayed, also once it has been run. BMQ-170 */
static void handed_back_before_planning(void **state)
{
    struct rig *rig = *state;
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);
    struct proxy *proxy = proxy_start(rig->server.port);
    struct bw_queue_options options = rig_options(QUEUE, 1);
    uint16_t port = rig->redis.port;

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    rig_add(rig, QUEUE, 1, NULL);
    rig->redis.port = proxy_port(proxy);
    options.skip_stalled_check = true;
    rig_run(rig, &options, &rig_keep_until_last, keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 1);
    proxy_hold(proxy);
    add_iteration(rig, "s");
    bw_job_complete(rig_keeper_take(keeper), "1", 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "LLEN bull:q:active") == 1 &&
                              rig_int(rig, "ZCARD bull:q:completed") == 1);
    bw_worker_drain(rig->worker, 200);
    rig_wait(PATIENCE_MS, rig_keeper_told_last(keeper));
    proxy_release(proxy);
    (void)bw_worker_wait(rig->worker, &(struct bw_error){ 0 });
    bw_worker_destroy(&rig->worker);
    assert_int_equal(rig_int(rig, "LLEN bull:q:wait"), 1);
    assert_int_equal(rig_int(rig, "EXISTS bull:q:delayed bull:q:active"), 0);

    rig->redis.port = port;
    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 2);
    assert_int_equal(rig_int(rig, "ZCARD bull:q:delayed"), 1);
    rig_expect(rig, "2", "HGET bull:q:repeat:s ic");
    proxy_stop(&proxy);
    rig_keeper_fini(keeper);
    free(keeper);
}

static void handed_back_after_planning(void **state)
{
    struct rig *rig = *state;
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    add_iteration(rig, "s");
    rig_run(rig, NULL, &rig_keep, keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 1);
    assert_int_equal(bw_worker_hold(rig->worker, QUEUE, true), BW_OK);
    bw_job_hand_back(rig_keeper_take(keeper), true);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).put_back == 1);
    assert_int_equal(rig_int(rig, "LLEN bull:q:wait"), 1);
    assert_int_equal(rig_int(rig, "ZCARD bull:q:delayed"), 1);
    assert_int_equal(bw_worker_hold(rig->worker, QUEUE, false), BW_OK);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 1);
    bw_job_complete(rig_keeper_take(keeper), NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 1);
    assert_int_equal(rig_int(rig, "ZCARD bull:q:delayed"), 1);
    rig_expect(rig, "2", "HGET bull:q:repeat:s ic");
    rig_keeper_fini(keeper);
    free(keeper);
}

/* An iteration whose fetch was never answered is adopted, and planned for like any other.
 */
static void planned_after_adoption(void **state)
{
    struct rig *rig = *state;
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);
    struct proxy *proxy = proxy_start(rig->server.port);
    struct bw_queue_options options = rig_options(QUEUE, 1);

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    rig_add(rig, QUEUE, 1, NULL);
    rig->redis.port = proxy_port(proxy);
    options.skip_stalled_check = true;
    rig_run(rig, &options, &rig_keep, keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 1);
    proxy_swallow(proxy);
    add_iteration(rig, "s");
    bw_job_complete(rig_keeper_take(keeper), "1", 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "LLEN bull:q:active") == 1);
    assert_int_equal(rig_int(rig, "ZCARD bull:q:delayed"), 0);
    proxy_cut(proxy);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 1);
    assert_int_equal(rig_int(rig, "ZCARD bull:q:delayed"), 1);
    bw_job_complete(rig_keeper_take(keeper), "1", 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:completed") == 2);
    rig_expect(rig, "2", "HGET bull:q:repeat:s ic");
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    proxy_stop(&proxy);
    rig_keeper_fini(keeper);
    free(keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_again_and_again, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(planned_before_the_handler, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(refused_alone, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(unreadable, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(hashed_and_lower_case, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(removed, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(planned_after_adoption, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(handed_back_before_planning, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(handed_back_after_planning, rig_setup,
                                        rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
