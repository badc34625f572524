/* Answers for worker/pg/pool.c, dispatch.c and link.c against a real PostgreSQL: batches,
 * order, errors, deadlines and pooler mode. What happens when the server goes away is in
 * test_pg_faults.c. */
#include "pg_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/thread.h>

/* Well before a minute, for which the statements that are ended would have slept. */
enum { SURELY_MS = 30000 };

static const struct pg_statement select_text = { "t_text", "select $1::text", 1 };
static const struct pg_statement select_two = { "t_two", "select $1::int + 1, $2::text",
                                                2 };
static const struct pg_statement insert_row = {
    "t_insert", "insert into t_row (id, note) values ($1::int, $2)", 2
};
static const struct pg_statement count_rows = { "t_count", "select count(*) from t_row",
                                                0 };
static const struct pg_statement delete_rows = { "t_delete", "delete from t_row", 0 };
static const struct pg_statement sleep_long = { "t_sleep", "select pg_sleep($1::float8)",
                                                1 };
static const struct pg_statement show_zone = {
    "t_zone",
    "select current_setting('TimeZone'), current_setting('search_path'), "
    "current_setting('application_name'), current_setting('jit')",
    0
};
static const struct pg_statement broken_sql = { "t_broken", "selekt 1", 0 };
static const struct pg_statement divide = { "t_divide", "select 1 / $1::int", 1 };
static const struct pg_statement gone_table = { "t_gone", "select * from no_such_table",
                                                0 };
static const struct pg_statement deferred = { "t_deferred",
                                              "insert into t_child (parent) values (77)",
                                              0 };

static int set_up(void **state)
{
    struct pg_rig *rig = pg_rig_create();

    free(pg_server_text(&rig->server,
                        "create table t_row (id int primary key, note text);"
                        "create table t_parent (id int primary key);"
                        "create table t_child (parent int references t_parent "
                        "deferrable initially deferred);"
                        "create schema \"Odd \"\"one\"; "
                        "create table \"Odd \"\"one\".t_here (id int)"));
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
    return 0;
}

/* --- */

static void a_batch_is_one_round_trip(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;
    struct pg_stats before;
    struct pg_stats after;

    pg_call_init(&call);
    pg_call_add(&call, &select_text, "warm");
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    pg_pool_stats(pool, &before);
    pg_batch_clear(call.batch);
    pg_call_add(&call, &insert_row, "1", "one");
    pg_call_add(&call, &insert_row, "2", NULL);
    pg_call_add(&call, &count_rows);
    pg_call_add(&call, &select_two, "41", "");
    pg_call_add(&call, &delete_rows);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    pg_rig_wait_trips(pool, before.round_trips + 1);
    pg_pool_stats(pool, &after);
    assert_int_equal(after.round_trips, before.round_trips + 1);
    assert_int_equal(after.statements, before.statements + 5);

    assert_true(pg_batch_sent(call.batch));
    assert_int_equal(pg_batch_affected(call.batch, 0), 1);
    assert_int_equal(pg_batch_rows(call.batch, 2), 1);
    assert_string_equal(pg_batch_value(call.batch, 2, 0, 0), "2");
    assert_string_equal(pg_batch_value(call.batch, 3, 0, 0), "42");
    assert_string_equal(pg_batch_value(call.batch, 3, 0, 1), "");
    assert_null(pg_batch_value(call.batch, 3, 0, 2));
    assert_null(pg_batch_value(call.batch, 3, 1, 0));
    assert_null(pg_batch_value(call.batch, 5, 0, 0));
    assert_int_equal(pg_batch_affected(call.batch, 4), 2);
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
}

static void sql_null_comes_and_goes(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;

    pg_call_init(&call);
    pg_call_add(&call, &select_text, NULL);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    assert_int_equal(pg_batch_rows(call.batch, 0), 1);
    assert_null(pg_batch_value(call.batch, 0, 0, 0));
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
}

/* The first failing statement undoes those before it, and those after it are not run. */
static void a_failing_statement_undoes_the_batch(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;

    for (int round = 0; round < 2; round++) {
        pg_call_init(&call);
        pg_call_add(&call, &insert_row, "1", "one");
        pg_call_add(&call, &insert_row, "1", "again");
        pg_call_add(&call, &insert_row, "2", "two");
        assert_int_equal(pg_call_run(pool, &call, 20000), PG_FAILED);
        assert_string_equal(pg_batch_sqlstate(call.batch), "23505");
        assert_non_null(strstr(pg_batch_message(call.batch), "t_insert: "));
        assert_non_null(strstr(pg_batch_message(call.batch), "t_row_pkey"));
        assert_false(pg_batch_sent(call.batch));
        pg_call_fini(&call);
        assert_int_equal(pg_server_integer(&rig->server, "select count(*) from t_row"),
                         0);
    }
    pg_pool_destroy(&pool);
}

/* A constraint that is checked at the end fails at the sync, after every statement was
 * answered. */
static void a_failing_commit_fails_the_batch(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;

    pg_call_init(&call);
    pg_call_add(&call, &insert_row, "5", "five");
    pg_call_add(&call, &deferred);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_FAILED);
    assert_string_equal(pg_batch_sqlstate(call.batch), "23503");
    pg_call_fini(&call);
    assert_int_equal(pg_server_integer(&rig->server, "select count(*) from t_row"), 0);
    pg_call_init(&call);
    pg_call_add(&call, &count_rows);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
}

static void an_error_tells_no_values(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;

    pg_call_init(&call);
    pg_call_add(&call, &divide, "secret");
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_FAILED);
    assert_string_equal(pg_batch_sqlstate(call.batch), "22P02");
    assert_null(strstr(pg_batch_message(call.batch), "secret"));
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
}

/* Batches in flight together on one connection: the one that fails, in preparing or in
 * running, does not touch its neighbours. */
static void a_failing_batch_fails_alone(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call calls[40];

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 40; i++) {
            pg_call_init(&calls[i]);
            pg_call_add(&calls[i], &select_text, "x");
            switch (i % 4) {
            case 1:
                pg_call_add(&calls[i], &broken_sql);
                break;
            case 2:
                pg_call_add(&calls[i], &gone_table);
                pg_call_add(&calls[i], &select_two, "1", "2");
                break;
            case 3:
                pg_call_add(&calls[i], &divide, "0");
                break;
            default:
                pg_call_add(&calls[i], &select_two, "1", "2");
            }
            pg_call_submit(pool, &calls[i], 10000);
        }
        for (size_t i = 0; i < 40; i++) {
            static const char *const states[] = { "", "42601", "42P01", "22012" };

            assert_int_equal(pg_call_wait(&calls[i]), i % 4 == 0 ? PG_OK : PG_FAILED);
            assert_string_equal(pg_batch_sqlstate(calls[i].batch), states[i % 4]);
            pg_call_fini(&calls[i]);
        }
    }
    pg_pool_destroy(&pool);
}

static void two_hundred_batches_at_once(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 4);
    struct pg_call *calls = calloc(200, sizeof *calls);
    char number[16];

    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(number, sizeof number, "%zu", i); /* fits */
        pg_call_init(&calls[i]);
        pg_call_add(&calls[i], &insert_row, number, "many");
        pg_call_add(&calls[i], &select_two, number, number);
        pg_call_submit(pool, &calls[i], 20000);
    }
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(pg_call_wait(&calls[i]), PG_OK);
        assert_int_equal(calls[i].times, 1);
        (void)snprintf(number, sizeof number, "%zu", i + 1); /* fits */
        assert_string_equal(pg_batch_value(calls[i].batch, 1, 0, 0), number);
        pg_call_fini(&calls[i]);
    }
    assert_int_equal(pg_server_integer(&rig->server, "select count(*) from t_row"), 200);
    free(calls);
    pg_pool_destroy(&pool);
}

static void an_empty_batch_is_done(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;

    pg_call_init(&call);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
}

/* worker/workflow/spec/workflow.md §0.3: every connection runs in UTC (the server of this
 * test is set to Tokyo). */
static void a_session_has_its_settings(void **state)
{
    static const char *const parameters[] = { "?schema=Odd%20%22one",
                                              "?schema=Odd%20%22one&pgbouncer=true" };
    struct pg_rig *rig = *state;

    for (size_t i = 0; i < 2; i++) {
        struct pg_pool *pool = pg_rig_pool(rig, parameters[i], 1);
        struct pg_call call;

        pg_call_init(&call);
        pg_call_add(&call, &show_zone);
        assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
        assert_string_equal(pg_batch_value(call.batch, 0, 0, 0), "UTC");
        assert_string_equal(pg_batch_value(call.batch, 0, 0, 1), "\"Odd \"\"one\"");
        assert_string_equal(pg_batch_value(call.batch, 0, 0, 2), "bulwark");
        assert_string_equal(pg_batch_value(call.batch, 0, 0, 3), "off");
        pg_call_fini(&call);
        pg_pool_destroy(&pool);
    }
}

/* PgBouncer in transaction mode must work, so no session state and no names. */
static void behind_a_pooler_nothing_is_named(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, "?pgbouncer=true", 1);
    static const struct pg_statement names = {
        "t_names", "select count(*) from pg_prepared_statements where name <> ''", 0
    };
    struct pg_call call;

    pg_call_init(&call);
    pg_call_add(&call, &insert_row, "1", "one");
    pg_call_add(&call, &names);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    assert_string_equal(pg_batch_value(call.batch, 1, 0, 0), "0");
    assert_int_equal(pg_batch_affected(call.batch, 0), 1);
    pg_call_fini(&call);
    pg_call_init(&call);
    pg_call_add(&call, &sleep_long, "60");
    assert_int_equal(pg_call_run(pool, &call, 300), PG_TIMED_OUT);
    pg_call_fini(&call);
    pg_rig_wait_sql(rig,
                    "select count(*) = 0 from pg_stat_activity where state = 'active' "
                    "and query like '%pg_sleep%' and pid <> pg_backend_pid()");
    pg_pool_destroy(&pool);
}

/* A pooler may hand us a session that does not know our names, or knows them already. */
static void a_forgotten_name_is_prepared_again(void **state)
{
    static const struct pg_statement forget = { "t_forget", "select 1", 0 };
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    static const struct pg_statement deallocate = { "t_dealloc", "deallocate all", 0 };
    struct pg_call call;

    pg_call_init(&call);
    pg_call_add(&call, &select_text, "a");
    pg_call_add(&call, &forget);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    pg_batch_clear(call.batch);
    pg_call_add(&call, &deallocate);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    pg_batch_clear(call.batch);
    pg_call_add(&call, &insert_row, "1", "x");
    pg_call_add(&call, &select_text, "b");
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    assert_string_equal(pg_batch_value(call.batch, 1, 0, 0), "b");
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
}

/* A column changes its type while plans that select it are prepared. */
static void a_stale_plan_is_replaced(void **state)
{
    static const struct pg_statement all = { "t_stale", "select * from t_stale", 0 };
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;

    free(pg_server_text(&rig->server, "create table t_stale (v int); insert into t_stale "
                                      "values (7)"));
    pg_call_init(&call);
    pg_call_add(&call, &all);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    free(pg_server_text(&rig->server, "alter table t_stale alter v type text"));
    pg_batch_clear(call.batch);
    pg_call_add(&call, &all);
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    assert_string_equal(pg_batch_value(call.batch, 0, 0, 0), "7");
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
}

/* --- deadlines */

/* The caller hears in time, the server stops, and what shared the connection is not
 * harmed. */
static void a_deadline_cancels_on_the_server(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call slow;
    struct pg_call behind[5];
    int64_t start;

    pg_rig_wait_reachable(pool, true);
    start = pg_rig_now_ms();
    pg_call_init(&slow);
    pg_call_add(&slow, &insert_row, "1", "undone");
    pg_call_add(&slow, &sleep_long, "60");
    pg_call_submit(pool, &slow, 1000);
    for (size_t i = 0; i < 5; i++) {
        pg_call_init(&behind[i]);
        pg_call_add(&behind[i], &select_text, "fine");
        pg_call_submit(pool, &behind[i], 60000);
    }
    assert_int_equal(pg_call_wait(&slow), PG_TIMED_OUT);
    assert_true(pg_rig_now_ms() - start < SURELY_MS);
    assert_true(pg_batch_sent(slow.batch));
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(pg_call_wait(&behind[i]), PG_OK);
        assert_int_equal(behind[i].times, 1);
        pg_call_fini(&behind[i]);
    }
    assert_true(pg_rig_now_ms() - start < SURELY_MS);
    pg_call_fini(&slow);
    pg_rig_wait_sql(rig,
                    "select count(*) = 0 from pg_stat_activity where state = 'active' "
                    "and query like '%pg_sleep%' and pid <> pg_backend_pid()");
    assert_int_equal(pg_server_integer(&rig->server, "select count(*) from t_row"), 0);
    pg_pool_destroy(&pool);
}

/* One deadline after another on the same connection: each is cancelled. */
static void every_deadline_cancels(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call slow[4];
    struct pg_call last;
    int64_t start;

    pg_rig_wait_reachable(pool, true);
    start = pg_rig_now_ms();
    for (size_t i = 0; i < 4; i++) {
        pg_call_init(&slow[i]);
        pg_call_add(&slow[i], &sleep_long, "60");
        pg_call_submit(pool, &slow[i], 1000);
    }
    pg_call_init(&last);
    pg_call_add(&last, &select_text, "fine");
    pg_call_submit(pool, &last, 60000);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pg_call_wait(&slow[i]), PG_TIMED_OUT);
        pg_call_fini(&slow[i]);
    }
    if (pg_call_wait(&last) != PG_OK)
        fail_msg("%s", pg_batch_message(last.batch));
    assert_true(pg_rig_now_ms() - start < SURELY_MS);
    pg_call_fini(&last);
    pg_pool_destroy(&pool);
}

/* --- cancelling */

static const char nobody_sleeps[] =
    "select count(*) = 0 from pg_stat_activity where state = 'active' "
    "and query like '%pg_sleep%' and pid <> pg_backend_pid()";
static const char somebody_sleeps[] =
    "select count(*) = 1 from pg_stat_activity where state = 'active' "
    "and query like '%pg_sleep%' and pid <> pg_backend_pid()";

static void submit_sleep(struct pg_pool *pool, struct pg_call *call, const char *seconds)
{
    pg_call_init(call);
    pg_call_add(call, &insert_row, "1", "undone");
    pg_call_add(call, &sleep_long, seconds);
    pg_call_submit(pool, call, 60000);
}

/* The same for a caller who does not want to wait any more. */
static void a_cancel_stops_on_the_server(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call slow;
    struct pg_call behind[5];
    int64_t start;

    submit_sleep(pool, &slow, "60");
    for (size_t i = 0; i < 5; i++) {
        pg_call_init(&behind[i]);
        pg_call_add(&behind[i], &select_text, "fine");
        pg_call_submit(pool, &behind[i], 60000);
    }
    pg_rig_wait_sql(rig, somebody_sleeps);
    start = pg_rig_now_ms();
    assert_int_equal(pg_pool_cancel(pool, slow.ticket), BW_OK);
    assert_int_equal(pg_call_wait(&slow), PG_TIMED_OUT);
    assert_true(pg_batch_sent(slow.batch));
    assert_true(pg_rig_now_ms() - start < SURELY_MS);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(pg_call_wait(&behind[i]), PG_OK);
        pg_call_fini(&behind[i]);
    }
    pg_rig_wait_sql(rig, nobody_sleeps);
    assert_true(pg_rig_now_ms() - start < SURELY_MS);
    pg_call_fini(&slow);
    assert_int_equal(pg_server_integer(&rig->server, "select count(*) from t_row"), 0);
    pg_pool_destroy(&pool);
}

/* One that stands behind another's on the same connection: its caller hears at once, the
 * one in front goes on to its own end. */
static void a_cancel_spares_the_batch_in_front(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call front, behind;
    int64_t start;

    pg_call_init(&front);
    pg_call_add(&front, &sleep_long, "4");
    pg_call_submit(pool, &front, 20000);
    pg_rig_wait_sql(rig, somebody_sleeps);
    submit_sleep(pool, &behind, "60");
    start = pg_rig_now_ms();
    assert_int_equal(pg_pool_cancel(pool, behind.ticket), BW_OK);
    assert_int_not_equal(pg_call_wait(&behind), PG_OK);
    assert_true(pg_rig_now_ms() - start < 3500);
    assert_int_equal(pg_call_wait(&front), PG_OK);
    pg_rig_wait_sql(rig, nobody_sleeps);
    assert_int_equal(pg_server_integer(&rig->server, "select count(*) from t_row"), 0);
    pg_call_fini(&front);
    pg_call_fini(&behind);
    pg_pool_destroy(&pool);
}

/* Submitted and cancelled in one breath: never lost between the two. */
static void a_cancel_right_after_is_heard(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 2);

    for (size_t i = 0; i < 50; i++) {
        struct pg_call call;
        int64_t start = pg_rig_now_ms();

        submit_sleep(pool, &call, "60");
        assert_int_equal(pg_pool_cancel(pool, call.ticket), BW_OK);
        assert_int_not_equal(pg_call_wait(&call), PG_OK);
        assert_int_equal(call.times, 1);
        assert_true(pg_rig_now_ms() - start < SURELY_MS);
        pg_call_fini(&call);
    }
    pg_rig_wait_sql(rig, nobody_sleeps);
    assert_int_equal(pg_server_integer(&rig->server, "select count(*) from t_row"), 0);
    pg_pool_destroy(&pool);
}

/* Twice, after the end, and a ticket that never was; also when the batch's memory is in
 * use again for the next submission. */
static void a_late_cancel_does_nothing(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;
    uint64_t old;

    pg_call_init(&call);
    pg_call_add(&call, &select_text, "first");
    assert_int_equal(pg_call_run(pool, &call, 20000), PG_OK);
    old = call.ticket;
    assert_int_not_equal(old, 0);
    pg_batch_clear(call.batch);
    pg_call_add(&call, &sleep_long, "0.3");
    pg_call_submit(pool, &call, 20000);
    assert_int_not_equal(call.ticket, old);
    assert_int_equal(pg_pool_cancel(pool, old), BW_OK);
    assert_int_equal(pg_pool_cancel(pool, old), BW_OK);
    assert_int_equal(pg_pool_cancel(pool, UINT64_MAX), BW_OK);
    assert_int_equal(pg_call_wait(&call), PG_OK);
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
}

static void a_passed_deadline_is_never_sent(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call call;

    pg_call_init(&call);
    pg_call_add(&call, &insert_row, "1", "late");
    assert_int_equal(pg_call_run(pool, &call, 0), PG_TRANSIENT);
    assert_false(pg_batch_sent(call.batch));
    pg_call_fini(&call);
    assert_int_equal(pg_server_integer(&rig->server, "select count(*) from t_row"), 0);
    pg_pool_destroy(&pool);
}

/* --- the pool's end */

static void destroying_ends_what_runs(void **state)
{
    struct pg_rig *rig = *state;
    struct pg_pool *pool = pg_rig_pool(rig, NULL, 1);
    struct pg_call calls[30];

    for (size_t i = 0; i < 30; i++) {
        pg_call_init(&calls[i]);
        pg_call_add(&calls[i], &sleep_long, "60");
        pg_call_submit(pool, &calls[i], 60000);
    }
    pg_rig_wait_sql(rig,
                    "select count(*) = 1 from pg_stat_activity where state = 'active' "
                    "and query like '%pg_sleep%' and pid <> pg_backend_pid()");
    pg_pool_destroy(&pool);
    assert_null(pool);
    for (size_t i = 0; i < 30; i++) {
        assert_int_equal(pg_call_wait(&calls[i]), PG_TRANSIENT);
        assert_int_equal(calls[i].times, 1);
        assert_int_equal(pg_batch_sent(calls[i].batch), i < 16);
        pg_call_fini(&calls[i]);
    }
    pg_pool_destroy(&pool);
    /* The server finds out by itself, as nobody reads the answer. */
    pg_rig_wait_sql(rig,
                    "select count(*) = 0 from pg_stat_activity where state = 'active' "
                    "and query like '%pg_sleep%' and pid <> pg_backend_pid()");
}

static void a_bad_url_is_refused(void **state)
{
    struct pg_options options = { .url = "postgresql://u:hunter2@h:x/d" };
    struct bw_error err = { 0 };
    struct pg_pool *pool;

    (void)state;
    assert_int_equal(pg_pool_create(&pool, &options, &err), BW_EINVAL);
    assert_null(pool);
    assert_null(strstr(err.text, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_batch_is_one_round_trip, empty),
        cmocka_unit_test_setup(sql_null_comes_and_goes, empty),
        cmocka_unit_test_setup(a_failing_statement_undoes_the_batch, empty),
        cmocka_unit_test_setup(a_failing_commit_fails_the_batch, empty),
        cmocka_unit_test_setup(an_error_tells_no_values, empty),
        cmocka_unit_test_setup(a_failing_batch_fails_alone, empty),
        cmocka_unit_test_setup(two_hundred_batches_at_once, empty),
        cmocka_unit_test_setup(an_empty_batch_is_done, empty),
        cmocka_unit_test_setup(a_session_has_its_settings, empty),
        cmocka_unit_test_setup(behind_a_pooler_nothing_is_named, empty),
        cmocka_unit_test_setup(a_forgotten_name_is_prepared_again, empty),
        cmocka_unit_test_setup(a_stale_plan_is_replaced, empty),
        cmocka_unit_test_setup(a_deadline_cancels_on_the_server, empty),
        cmocka_unit_test_setup(every_deadline_cancels, empty),
        cmocka_unit_test_setup(a_cancel_stops_on_the_server, empty),
        cmocka_unit_test_setup(a_cancel_spares_the_batch_in_front, empty),
        cmocka_unit_test_setup(a_cancel_right_after_is_heard, empty),
        cmocka_unit_test_setup(a_late_cancel_does_nothing, empty),
        cmocka_unit_test_setup(a_passed_deadline_is_never_sent, empty),
        cmocka_unit_test_setup(destroying_ends_what_runs, empty),
        cmocka_unit_test(a_bad_url_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
