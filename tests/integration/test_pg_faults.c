/* Answers for worker/pg/dispatch.c and link.c while the server crashes, restarts, freezes
 * or refuses: work goes on within 2 s of its return. */
#include "pg_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLS 200

static const struct pg_statement select_text = { "f_text", "select $1::text", 1 };
static const struct pg_statement insert_row = { "f_insert",
                                                "insert into t_row (id) values ($1::int)",
                                                1 };
static const struct pg_statement sleep_long = { "f_sleep", "select pg_sleep($1::float8)",
                                                1 };
static const struct pg_statement kill_me = {
    "f_kill", "select pg_terminate_backend(pg_backend_pid())", 0
};
static const struct pg_statement raise_error = { "f_raise", "select f_raise($1)", 1 };

static int set_up(void **state)
{
    struct pg_rig *rig = pg_rig_create();

    free(pg_server_text(
        &rig->server,
        "create table t_row (id int primary key);"
        "create function f_raise(code text) returns int language plpgsql as "
        "$$ begin raise exception 'as told' using errcode = code; end $$"));
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct pg_rig *rig = *state;

    pg_rig_destroy(&rig);
    return 0;
}

static int empty(void **state)
{
    struct pg_rig *rig = *state;

    free(pg_server_text(&rig->server, "truncate t_row"));
    rig->lines[0] = '\0';
    return 0;
}

static void expect_works(struct pg_pool *pool, int64_t within_ms)
{
    struct pg_call call;
    int64_t start = pg_rig_now_ms();

    pg_call_init(&call);
    pg_call_add(&call, &select_text, "works");
    if (pg_call_run(pool, &call, within_ms) != PG_OK)
        fail_msg("%s", pg_batch_message(call.batch));
    assert_true(pg_rig_now_ms() - start <= within_ms);
    assert_string_equal(pg_batch_value(call.batch, 0, 0, 0), "works");
    pg_call_fini(&call);
}

/* --- */

/* A crash amid 200 batches: each ends once, and what the outcome says is what the table
 * holds. */
static void a_crash_in_mid_work_leaves_the_truth(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 4);
    struct pg_call *calls = calloc(CALLS, sizeof *calls);
    char text[128];
    unsigned done = 0;

    expect_works(pool, 15000);
    for (size_t i = 0; i < CALLS; i++) {
        (void)snprintf(text, sizeof text, "%zu", i); /* fits */
        pg_call_init(&calls[i]);
        pg_call_add(&calls[i], &insert_row, text);
        pg_call_add(&calls[i], &sleep_long, "0.01");
        pg_call_submit(pool, &calls[i], 30000);
    }
    pg_rig_wait_sql(rig, "select count(*) > 20 from t_row");
    pg_server_restart(&rig->server);
    for (size_t i = 0; i < CALLS; i++) {
        enum pg_outcome outcome = pg_call_wait(&calls[i]);

        (void)snprintf(text, sizeof text, "select count(*) from t_row where id = %zu", i);
        if (outcome == PG_OK)
            assert_int_equal(pg_server_integer(&rig->server, text), 1);
        else if (!pg_batch_sent(calls[i].batch))
            assert_int_equal(pg_server_integer(&rig->server, text), 0);
        if (outcome != PG_OK)
            assert_int_equal(outcome, PG_TRANSIENT);
        assert_int_equal(calls[i].times, 1);
        done += outcome == PG_OK;
        pg_call_fini(&calls[i]);
    }
    assert_true(done > 20);
    free(calls);
    expect_works(pool, 15000);
    pg_pool_destroy(&pool);
}

/* All statements are answered, but not the transaction's end: nobody can say what became
 * of it, and the pool goes on. */
static void a_crash_amid_a_commit_is_told(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;

    free(pg_server_text(&rig->server,
                        "create function f_slow() returns trigger language plpgsql as "
                        "$$ begin perform pg_sleep(60); return null; end $$;"
                        "create constraint trigger slow after insert on t_row "
                        "deferrable initially deferred for each row "
                        "execute function f_slow()"));
    expect_works(pool, 15000);
    pg_call_init(&call);
    pg_call_add(&call, &insert_row, "1");
    pg_call_add(&call, &select_text, "answered");
    pg_call_submit(pool, &call, 15000);
    pg_rig_wait_sql(rig, "select count(*) = 1 from pg_stat_activity where wait_event = "
                         "'PgSleep'");
    pg_server_restart(&rig->server);
    assert_int_equal(pg_call_wait(&call), PG_TRANSIENT);
    assert_true(pg_batch_sent(call.batch));
    pg_call_fini(&call);
    expect_works(pool, 15000);
    pg_pool_destroy(&pool);
    free(pg_server_text(&rig->server, "drop function f_slow() cascade"));
}

/* A batch that is sent before the loss is noticed would be lost with it. */
static void wait_reconnected(struct pg_pool *pool)
{
    struct timespec pause = { .tv_nsec = 5000000 };
    int64_t deadline = pg_rig_now_ms() + 15000;
    struct pg_stats stats;

    for (pg_pool_stats(pool, &stats); stats.reconnects < 1 || !stats.reachable;
         pg_pool_stats(pool, &stats)) {
        assert_true(pg_rig_now_ms() < deadline);
        (void)nanosleep(&pause, NULL); /* cut short is as good */
    }
}

/* The names of the old session mean nothing to the new server. */
static void statements_are_prepared_again_after_a_restart(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 2);
    struct pg_stats stats;

    expect_works(pool, 15000);
    pg_server_restart(&rig->server);
    wait_reconnected(pool);
    expect_works(pool, 15000);
    pg_pool_stats(pool, &stats);
    assert_true(stats.reconnects >= 1);
    assert_non_null(strstr(rig->lines, "database connection lost"));
    pg_pool_destroy(&pool);
}

static void batches_wait_for_a_server_that_is_away(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 2);
    struct pg_call patient;
    struct pg_call hasty;

    expect_works(pool, 15000);
    pg_server_halt(&rig->server);
    pg_rig_wait_reachable(pool, false);
    pg_call_init(&patient);
    pg_call_add(&patient, &select_text, "later");
    pg_call_submit(pool, &patient, 30000);
    pg_call_init(&hasty);
    pg_call_add(&hasty, &select_text, "now");
    assert_int_equal(pg_call_run(pool, &hasty, 300), PG_TRANSIENT);
    assert_false(pg_batch_sent(hasty.batch));
    assert_true(strlen(pg_batch_message(hasty.batch)) > 0);
    pg_server_launch(&rig->server); /* which refuses with 57P03 for a while */
    pg_server_wait(&rig->server);
    expect_works(pool, 15000);
    assert_int_equal(pg_call_wait(&patient), PG_OK);
    pg_call_fini(&patient);
    pg_call_fini(&hasty);
    assert_non_null(strstr(rig->lines, "database connected"));
    pg_pool_destroy(&pool);
}

static void a_pool_starts_before_its_server(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool;
    struct pg_stats stats;

    pg_server_halt(&rig->server);
    pool = pg_rig_pool(rig, NULL, 2);
    pg_pool_stats(pool, &stats);
    assert_false(stats.reachable);
    pg_server_launch(&rig->server);
    pg_rig_wait_reachable(pool, true);
    expect_works(pool, 15000);
    pg_pool_destroy(&pool);
}

/* A peer that neither answers nor hangs up: the deadline holds, and work goes on
 * afterwards. */
static void a_frozen_server_does_not_hold_the_caller(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 2);
    struct pg_call calls[50];
    int64_t start;

    expect_works(pool, 15000);
    pg_server_pause(&rig->server);
    start = pg_rig_now_ms();
    for (size_t i = 0; i < 50; i++) {
        pg_call_init(&calls[i]);
        pg_call_add(&calls[i], &select_text, "anybody?");
        pg_call_submit(pool, &calls[i], 500);
    }
    for (size_t i = 0; i < 50; i++) {
        enum pg_outcome outcome = pg_call_wait(&calls[i]);

        assert_int_equal(outcome,
                         pg_batch_sent(calls[i].batch) ? PG_TIMED_OUT : PG_TRANSIENT);
        pg_call_fini(&calls[i]);
    }
    assert_true(pg_rig_now_ms() - start >= 490);
    assert_true(pg_rig_now_ms() - start < 15000);
    pg_rig_wait_reachable(pool, false);
    pg_server_cont(&rig->server);
    expect_works(pool, 15000);
    pg_pool_destroy(&pool);
}

/* The pool can be ended while nothing answers. */
static void a_frozen_server_does_not_hold_the_end(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;
    int64_t start;

    expect_works(pool, 15000);
    pg_server_pause(&rig->server);
    pg_call_init(&call);
    pg_call_add(&call, &select_text, "anybody?");
    pg_call_submit(pool, &call, 60000);
    start = pg_rig_now_ms();
    pg_pool_destroy(&pool);
    assert_true(pg_rig_now_ms() - start < 30000);
    assert_int_equal(pg_call_wait(&call), PG_TRANSIENT);
    pg_call_fini(&call);
    pg_server_cont(&rig->server);
}

/* A session the administrator ends: its batch was surely not done, its neighbours may
 * have been. */
static void an_ended_session_is_replaced(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;
    struct pg_call behind;

    expect_works(pool, 15000);
    pg_call_init(&call);
    pg_call_add(&call, &insert_row, "1");
    pg_call_add(&call, &kill_me);
    pg_call_add(&call, &sleep_long, "60");
    pg_call_init(&behind);
    pg_call_add(&behind, &select_text, "behind");
    pg_call_submit(pool, &call, 20000);
    pg_call_submit(pool, &behind, 20000);
    assert_int_equal(pg_call_wait(&call), PG_TRANSIENT);
    assert_string_equal(pg_batch_sqlstate(call.batch), "57P01");
    assert_false(pg_batch_sent(call.batch));
    assert_int_equal(pg_server_integer(&rig->server, "select count(*) from t_row"), 0);
    if (pg_call_wait(&behind) != PG_OK)
        assert_int_equal(pg_batch_outcome(behind.batch), PG_TRANSIENT);
    pg_call_fini(&call);
    pg_call_fini(&behind);
    expect_works(pool, 15000);
    pg_pool_destroy(&pool);
}

static void what_may_succeed_later_is_transient(void **state)
{
    static const char *const codes[] = { "40001", "40P01", "53300", "55P03", "57P03" };
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct pg_call call;

        pg_call_init(&call);
        pg_call_add(&call, &raise_error, codes[i]);
        assert_int_equal(pg_call_run(pool, &call, 20000), PG_TRANSIENT);
        assert_string_equal(pg_batch_sqlstate(call.batch), codes[i]);
        assert_string_equal(pg_batch_message(call.batch), "f_raise: as told");
        assert_false(pg_batch_sent(call.batch));
        pg_call_fini(&call);
    }
    pg_pool_destroy(&pool);
}

static void a_wrong_password_is_told_but_not_written(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_options options = { .connections = 1, .log = &rig->log };
    char url[256];
    struct bw_error err = { 0 };
    struct pg_pool *pool;
    struct pg_call call;

    (void)snprintf(url, sizeof url, "postgresql://bulwark:hunter2@127.0.0.1:%u/postgres",
                   (unsigned)rig->server.port); /* fits */
    options.url = url;
    assert_int_equal(pg_pool_create(&pool, &options, &err), BW_OK);
    pg_call_init(&call);
    pg_call_add(&call, &select_text, "x");
    assert_int_equal(pg_call_run(pool, &call, 3000), PG_TRANSIENT);
    assert_non_null(
        strstr(pg_batch_message(call.batch), "password authentication failed"));
    assert_null(strstr(pg_batch_message(call.batch), "hunter2"));
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
    assert_non_null(strstr(rig->lines, "password authentication failed"));
    assert_null(strstr(rig->lines, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_crash_in_mid_work_leaves_the_truth, empty),
        cmocka_unit_test_setup(a_crash_amid_a_commit_is_told, empty),
        cmocka_unit_test_setup(statements_are_prepared_again_after_a_restart, empty),
        cmocka_unit_test_setup(batches_wait_for_a_server_that_is_away, empty),
        cmocka_unit_test_setup(a_pool_starts_before_its_server, empty),
        cmocka_unit_test_setup(a_frozen_server_does_not_hold_the_caller, empty),
        cmocka_unit_test_setup(a_frozen_server_does_not_hold_the_end, empty),
        cmocka_unit_test_setup(an_ended_session_is_replaced, empty),
        cmocka_unit_test_setup(what_may_succeed_later_is_transient, empty),
        cmocka_unit_test_setup(a_wrong_password_is_told_but_not_written, empty),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
