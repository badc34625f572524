/* Answers for worker/pg/link.c, request.c, answer.c and slot.c: one connection and a
 * server that keeps to a script. */
#include "support/scripted_pg_rig.h"

#include <string.h>

#define SCRIPT       static const char *const
#define ANSWER_BYTES 75 /* of "1 Z " ANSWER */

static const struct pg_statement two = { "s_two", "select 2, $1", 1 };
static const char *const good[] = { OPENED, FIRST, ">1 Z " ANSWER, NULL };

static struct scripted_pg *serve(const char *const *const *scripts)
{
    struct scripted_pg *server = scripted_pg_create();

    scripted_pg_listen(server, scripts);
    return server;
}

static void a_session_has_its_settings(void **state)
{
    SCRIPT *const scripts[] = { good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "&schema=Odd%22one", 0);

    (void)state;
    expect_call(pool, PG_OK, true, "");
    assert_true(scripted_pg_heard(server, 0, "application_name"));
    assert_true(scripted_pg_heard(server, 0, "bulwark"));
    assert_true(scripted_pg_heard(server, 0, "set_config('TimeZone', 'UTC', false)"));
    assert_true(scripted_pg_heard(server, 0, "\"Odd\"\"one\""));
    assert_true(scripted_pg_heard(server, 0, "client_connection_check_interval"));
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void refused_settings_end_the_connection(void **state)
{
    SCRIPT refuses[] = { "login", "<PBDES", ">E:42501 Z", NULL };
    SCRIPT *const scripts[] = { refuses, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_OK, true, "");
    scripted_pg_await_end(server, 0);
    assert_int_equal(scripted_pg_connections(server), 2);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void behind_a_pooler_nothing_is_named(void **state)
{
    SCRIPT pooled[] = { "login",
                        "<PBDEPBDES",
                        ">1 2 T D:x C:SELECT_1 1 " ANSWER,
                        "<PBDEPBDES",
                        ">1 2 T D:x C:SELECT_1 1 " ANSWER,
                        NULL };
    SCRIPT *const scripts[] = { pooled, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "&pgbouncer=true", 0);

    (void)state;
    expect_call(pool, PG_OK, true, "");
    expect_call(pool, PG_OK, true, "");
    assert_true(
        scripted_pg_heard(server, 0, "set_config('statement_timeout', $2, true)"));
    assert_true(scripted_pg_heard(server, 0, one.sql));
    assert_false(scripted_pg_heard(server, 0, one.name));
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* All are sent before the first is answered. */
static void batches_are_answered_in_order(void **state)
{
    SCRIPT pipeline[] = { OPENED,
                          FIRST,
                          LATER,
                          LATER,
                          ">1 Z 2 T D:a C:SELECT_1 Z",
                          ">2 T D:b C:SELECT_1 Z 2 T D:c D:d C:SELECT_2 Z",
                          NULL };
    SCRIPT *const scripts[] = { pipeline, NULL };
    SCRIPT values[] = { "a", "b", "c" };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);
    struct pg_call calls[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        start_call(pool, &calls[i]);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pg_call_wait(&calls[i]), PG_OK);
        assert_string_equal(pg_batch_value(calls[i].batch, 0, 0, 0), values[i]);
        assert_int_equal(pg_batch_rows(calls[i].batch, 0), i < 2 ? 1 : 2);
    }
    pg_pool_destroy(&pool);
    for (size_t i = 0; i < 3; i++)
        pg_call_fini(&calls[i]);
    scripted_pg_destroy(&server);
}

/* The batch behind it is answered as if nothing had been. */
static void an_error_amid_a_pipeline_harms_its_batch(void **state)
{
    SCRIPT fails[] = { OPENED,       FIRST, ">1 Z " ANSWER,
                       "<PSBDEBDES", LATER, ">1 Z 2 T D:a C:SELECT_1 E:23505 Z " ANSWER,
                       NULL };
    SCRIPT *const scripts[] = { fails, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);
    struct pg_call call;

    (void)state;
    expect_call(pool, PG_OK, true, "");
    pg_call_init(&call);
    pg_call_add(&call, &one, "v");
    pg_call_add(&call, &two, "v");
    pg_call_submit(pool, &call, PATIENT_MS);
    expect_call(pool, PG_OK, true, "");
    assert_int_equal(pg_call_wait(&call), PG_FAILED);
    assert_false(pg_batch_sent(call.batch));
    assert_string_equal(pg_batch_sqlstate(call.batch), "23505");
    assert_ptr_equal(pg_batch_refused(call.batch), &two);
    assert_string_equal(pg_batch_message(call.batch), "s_two: as scripted");
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void a_refused_commit_fails_the_batch(void **state)
{
    SCRIPT fails[] = { OPENED, FIRST,      ">1 Z 2 T D:a C:SELECT_1 E:23503 Z",
                       LATER,  ">" ANSWER, NULL };
    SCRIPT *const scripts[] = { fails, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_FAILED, false, "23503");
    expect_call(pool, PG_OK, true, "");
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* --- a line that is lost */

static void lose_answer_at(size_t byte, const char *how)
{
    char cut[64];
    const char *const loses[] = { OPENED, FIRST, cut, how, NULL };
    const char *const *const scripts[] = { loses, good, NULL };
    struct scripted_pg *server;
    struct pg_pool *pool;

    (void)snprintf(cut, sizeof cut, "cut %zu >1 Z %s", byte, ANSWER); /* fits */
    server = serve(scripts);
    pool = pool_on(server, "", 0);
    expect_call(pool, byte < ANSWER_BYTES ? PG_TRANSIENT : PG_OK, true, "");
    expect_call(pool, PG_OK, true, "");
    assert_int_equal(scripted_pg_connections(server), 2);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* Up to the last byte nobody can say what became of the batch, and it is not sent again.
 */
static void an_answer_is_cut_at_each_byte(void **state)
{
    (void)state;
    for (size_t byte = 0; byte < ANSWER_BYTES; byte++)
        lose_answer_at(byte, byte % 2 == 0 ? "close" : "reset");
}

static void garbage_ends_the_connection(void **state)
{
    SCRIPT raves[] = { OPENED, FIRST, ">1 Z !\x01\x02\x7f\x7f\x7f\x7f-rubbish", NULL };
    SCRIPT *const scripts[] = { raves, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_TRANSIENT, true, "");
    scripted_pg_await_end(server, 0);
    expect_call(pool, PG_OK, true, "");
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void a_server_that_ends_the_session_did_nothing(void **state)
{
    SCRIPT ends[] = { OPENED, FIRST, ">1 Z F:57P01", "close", NULL };
    SCRIPT *const scripts[] = { ends, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_TRANSIENT, false, "57P01");
    expect_call(pool, PG_OK, true, "");
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void wait_for_the_reset(struct pg_batch *batch, void *arg)
{
    (void)batch;
    scripted_pg_release(arg, 0);
    scripted_pg_await(arg, 0);
}

/* libpq reads an answer and the reset behind it in one go, before it has looked at the
 * answer: it then gives that answer, and NULL, not busy, for ever. The first answer makes
 * its buffer large enough, and holds up the pool's thread until the line is dead. */
static void an_answer_with_the_end_behind_it_ends_all(void **state)
{
    SCRIPT dies[] = { OPENED,
                      FIRST,
                      LATER,
                      LATER,
                      ">1 Z 2 T D:*70000 C:SELECT_1 Z",
                      "hold",
                      ">2 T D:*40000 C:SELECT_1",
                      "reset",
                      NULL };
    SCRIPT *const scripts[] = { dies, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);
    struct pg_call first, calls[2];

    (void)state;
    pg_call_init(&first);
    pg_call_add(&first, &one, "v");
    (void)pg_pool_submit(pool, first.batch, PATIENT_MS, wait_for_the_reset, server);
    for (size_t i = 0; i < 2; i++)
        start_call(pool, &calls[i]);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pg_call_wait(&calls[i]), PG_TRANSIENT);
        assert_true(pg_batch_sent(calls[i].batch));
        pg_call_fini(&calls[i]);
    }
    assert_int_equal(pg_batch_outcome(first.batch), PG_OK);
    pg_call_fini(&first);
    expect_call(pool, PG_OK, true, "");
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* --- names, plans and servers that have changed */

static void a_forgotten_name_is_prepared_again(void **state)
{
    SCRIPT forgets[] = { OPENED,       FIRST, ">1 Z " ANSWER, LATER,
                         ">E:26000 Z", FIRST, ">1 Z " ANSWER, NULL };
    SCRIPT *const scripts[] = { forgets, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_OK, true, "");
    expect_call(pool, PG_OK, true, "");
    assert_int_equal(scripted_pg_connections(server), 1);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void a_name_that_is_there_already_serves(void **state)
{
    SCRIPT knows[] = { OPENED, FIRST, ">E:42P05 Z " ANSWER, LATER, ">" ANSWER, NULL };
    SCRIPT *const scripts[] = { knows, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_OK, true, "");
    expect_call(pool, PG_OK, true, "");
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* The batch is not at fault: another connection serves it. */
static void a_connection_gone_stale_is_replaced(void **state)
{
    SCRIPT stale[] = { OPENED, FIRST, ">1 Z " ANSWER, LATER, ">E:0A000 Z", NULL };
    SCRIPT read_only[] = { "login", "settings", FIRST,
                           ">S:in_hot_standby=on 1 Z E:25006 Z", NULL };
    SCRIPT *const scripts[] = { stale, read_only, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_OK, true, "");
    expect_call(pool, PG_OK, true, "");
    scripted_pg_await_end(server, 0);
    scripted_pg_await_end(server, 1);
    assert_int_equal(scripted_pg_connections(server), 3);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* A batch is sent three times. */
static void a_server_that_stays_read_only_is_told(void **state)
{
    SCRIPT read_only[] = { OPENED, FIRST, ">1 Z E:25006 Z", NULL };
    SCRIPT *const scripts[] = { read_only, read_only, read_only, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_TRANSIENT, false, "25006");
    expect_call(pool, PG_OK, true, "");
    assert_int_equal(scripted_pg_connections(server), 4);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void a_fresh_plan_that_fails_is_the_statements_fault(void **state)
{
    SCRIPT fails[] = { OPENED, FIRST, ">1 Z E:0A000 Z", LATER, ">" ANSWER, NULL };
    SCRIPT *const scripts[] = { fails, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_FAILED, false, "0A000");
    expect_call(pool, PG_OK, true, "");
    assert_int_equal(scripted_pg_connections(server), 1);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_has_its_settings),
        cmocka_unit_test(refused_settings_end_the_connection),
        cmocka_unit_test(behind_a_pooler_nothing_is_named),
        cmocka_unit_test(batches_are_answered_in_order),
        cmocka_unit_test(an_error_amid_a_pipeline_harms_its_batch),
        cmocka_unit_test(a_refused_commit_fails_the_batch),
        cmocka_unit_test(an_answer_is_cut_at_each_byte),
        cmocka_unit_test(garbage_ends_the_connection),
        cmocka_unit_test(a_server_that_ends_the_session_did_nothing),
        cmocka_unit_test(an_answer_with_the_end_behind_it_ends_all),
        cmocka_unit_test(a_forgotten_name_is_prepared_again),
        cmocka_unit_test(a_name_that_is_there_already_serves),
        cmocka_unit_test(a_connection_gone_stale_is_replaced),
        cmocka_unit_test(a_server_that_stays_read_only_is_told),
        cmocka_unit_test(a_fresh_plan_that_fails_is_the_statements_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
