/* Answers for worker/pg/dispatch.c and pool.c: who gets a connection when, on a server
 * that keeps to a script. */
#include "support/scripted_pg_rig.h"

#include <string.h>
#include <unistd.h>

#include "pg/link.h"

#define SCRIPT static const char *const

static const char *const good[] = { OPENED, FIRST, ">1 Z " ANSWER, NULL };

static struct scripted_pg *serve(const char *const *const *scripts)
{
    struct scripted_pg *server = scripted_pg_create();

    scripted_pg_listen(server, scripts);
    return server;
}

/* A batch that finds no server until its deadline. */
static void expect_away(struct pg_pool *pool, const char *why)
{
    struct pg_call call;

    pg_call_init(&call);
    pg_call_add(&call, &one, "v");
    assert_int_equal(pg_call_run(pool, &call, 100), PG_TRANSIENT);
    assert_false(pg_batch_sent(call.batch));
    if (strstr(pg_batch_message(call.batch), why) == NULL)
        fail_msg("%s", pg_batch_message(call.batch));
    assert_null(strstr(pg_batch_message(call.batch), "secret"));
    pg_call_fini(&call);
}

/* --- opening */

static void a_refused_connection_is_tried_again(void **state)
{
    SCRIPT *const scripts[] = { good, NULL };
    struct scripted_pg *server = scripted_pg_create();
    struct pg_pool *pool = pool_on(server, "", 0);
    struct pg_stats stats;

    (void)state;
    expect_away(pool, "refused");
    pg_pool_stats(pool, &stats);
    assert_false(stats.reachable);
    scripted_pg_listen(server, scripts);
    expect_call(pool, PG_OK, true, "");
    assert_int_equal(scripted_pg_connections(server), 1);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void a_refused_password_is_told(void **state)
{
    SCRIPT asks[] = { "startup", ">R:3", "<p", ">F:28P01", "close", NULL };
    SCRIPT *const scripts[] = { asks, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_away(pool, "as scripted");
    assert_true(scripted_pg_heard(server, 0, "secret"));
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void a_slow_connection_is_given_up(void **state)
{
    SCRIPT silent[] = { "startup", NULL };
    SCRIPT unset[] = { "login", "<PBDES", NULL };
    SCRIPT *const scripts[] = { silent, unset, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 400);

    (void)state;
    expect_away(pool, "");
    expect_call(pool, PG_OK, true, "");
    scripted_pg_await_end(server, 0);
    scripted_pg_await_end(server, 1);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* A pause begins after its attempt has ended, which is after it was let in. */
static void the_pause_doubles_from_failure_to_failure(void **state)
{
    SCRIPT starting_up[] = { "startup", ">F:57P03", "close", NULL };
    SCRIPT *const scripts[] = { starting_up, starting_up, starting_up, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);

    (void)state;
    expect_call(pool, PG_OK, true, "");
    assert_int_equal(scripted_pg_connections(server), 4);
    for (unsigned i = 0; i < 3; i++)
        assert_true(scripted_pg_accepted_ns(server, i + 1) -
                        scripted_pg_accepted_ns(server, i) >=
                    INT64_C(25000000) << i);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

static void a_login_is_cut_at_many_bytes(void **state)
{
    (void)state;
    for (size_t byte = 0; byte < 100; byte += 7) {
        char cut[96];
        const char *const loses[] = { "startup", cut, "close", NULL };
        const char *const *const scripts[] = { loses, good, NULL };
        struct scripted_pg *server;
        struct pg_pool *pool;

        (void)snprintf(cut, sizeof cut,
                       "cut %zu >R:0 S:server_version=15.0 S:client_encoding=UTF8 "
                       "S:standard_conforming_strings=on K Z",
                       byte); /* fits */
        server = serve(scripts);
        pool = pool_on(server, "", 0);
        expect_call(pool, PG_OK, true, "");
        assert_int_equal(scripted_pg_connections(server), 2);
        pg_pool_destroy(&pool);
        scripted_pg_destroy(&server);
    }
}

/* --- cancelling */

static void wait_round_trips(struct pg_pool *pool, uint64_t count)
{
    struct pg_stats stats;

    for (pg_pool_stats(pool, &stats); stats.round_trips < count;
         pg_pool_stats(pool, &stats))
        (void)usleep(500); /* the pool tells nobody */
}

/* The second connection asks, by the first one's process number; then the first serves
 * on. */
static void a_deadline_cancels_and_the_connection_serves_on(void **state)
{
    SCRIPT slow[] = {
        OPENED, FIRST, ">1 Z", "hold", ">E:57014 Z", LATER, ">" ANSWER, NULL
    };
    SCRIPT *const scripts[] = { slow, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);
    struct pg_call call;

    (void)state;
    pg_call_init(&call);
    pg_call_add(&call, &one, "v");
    pg_call_submit(pool, &call, PATIENT_MS);
    scripted_pg_await(server, 0);
    assert_int_equal(pg_pool_cancel(pool, call.ticket), BW_OK);
    assert_int_equal(pg_call_wait(&call), PG_TIMED_OUT);
    assert_true(pg_batch_sent(call.batch));
    assert_true(scripted_pg_heard(server, 1, "pg_cancel_backend"));
    assert_true(scripted_pg_heard(server, 1, "1000"));
    scripted_pg_release(server, 0);
    wait_round_trips(pool, 1);
    expect_call(pool, PG_OK, true, "");
    assert_int_equal(scripted_pg_connections(server), 2);
    pg_call_fini(&call);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* The request comes too late for its batch and hits the one behind it. */
static void a_neighbour_hit_by_a_cancel_is_sent_again(void **state)
{
    SCRIPT slow[] = { OPENED, FIRST,        LATER, "hold",     ">1 Z " ANSWER,
                      "hold", ">E:57014 Z", LATER, ">" ANSWER, NULL };
    SCRIPT *const scripts[] = { slow, good, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);
    struct pg_call calls[2];

    (void)state;
    start_call(pool, &calls[0]);
    start_call(pool, &calls[1]);
    scripted_pg_await(server, 0);
    assert_int_equal(pg_pool_cancel(pool, calls[0].ticket), BW_OK);
    assert_int_equal(pg_call_wait(&calls[0]), PG_TIMED_OUT);
    scripted_pg_await(server, 1);
    scripted_pg_release(server, 0);
    wait_round_trips(pool, 1);
    scripted_pg_release(server, 0);
    assert_int_equal(pg_call_wait(&calls[1]), PG_OK);
    for (size_t i = 0; i < 2; i++)
        pg_call_fini(&calls[i]);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* The connection is free again only once the request is known to be carried out; the
 * batch that waits for that is sent then, not at the next event. */
static void a_cancel_answered_last_frees_the_connection(void **state)
{
    SCRIPT slow[] = {
        OPENED, FIRST, ">1 Z", "hold", ">E:57014 Z", LATER, ">" ANSWER, NULL
    };
    SCRIPT asks[] = { OPENED, FIRST, "hold", ">1 Z " ANSWER, NULL };
    SCRIPT *const scripts[] = { slow, asks, NULL };
    struct scripted_pg *server = serve(scripts);
    struct pg_pool *pool = pool_on(server, "", 0);
    struct pg_call calls[2];

    (void)state;
    start_call(pool, &calls[0]);
    scripted_pg_await(server, 0);
    assert_int_equal(pg_pool_cancel(pool, calls[0].ticket), BW_OK);
    assert_int_equal(pg_call_wait(&calls[0]), PG_TIMED_OUT);
    scripted_pg_await(server, 1);
    scripted_pg_release(server, 0);
    wait_round_trips(pool, 1);
    pg_call_init(&calls[1]);
    pg_call_add(&calls[1], &one, "v");
    pg_call_submit(pool, &calls[1], 8000); /* the next event is 10 s away */
    scripted_pg_release(server, 1);
    assert_int_equal(pg_call_wait(&calls[1]), PG_OK);
    for (size_t i = 0; i < 2; i++)
        pg_call_fini(&calls[i]);
    pg_pool_destroy(&pool);
    scripted_pg_destroy(&server);
}

/* --- the end */

/* Those that are out may be done; the one that found no room is surely not. */
static void stopping_ends_what_is_out(void **state)
{
    enum { OUT = PG_LINK_SLOTS };
    static const char *busy[2 + OUT + 2] = { OPENED, FIRST };
    const char *const *const scripts[] = { busy, NULL };
    struct pg_call calls[OUT + 1];
    struct scripted_pg *server;
    struct pg_pool *pool;

    (void)state;
    for (size_t i = 1; i < OUT; i++)
        busy[2 + i] = LATER;
    busy[2 + OUT] = "hold";
    server = serve(scripts);
    pool = pool_on(server, "", 0);
    for (size_t i = 0; i <= OUT; i++)
        start_call(pool, &calls[i]);
    scripted_pg_await(server, 0);
    pg_pool_destroy(&pool);
    for (size_t i = 0; i <= OUT; i++) {
        assert_int_equal(calls[i].times, 1);
        assert_int_equal(pg_batch_outcome(calls[i].batch), PG_TRANSIENT);
        assert_int_equal(pg_batch_sent(calls[i].batch), i < OUT);
        pg_call_fini(&calls[i]);
    }
    scripted_pg_destroy(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_connection_is_tried_again),
        cmocka_unit_test(a_refused_password_is_told),
        cmocka_unit_test(a_slow_connection_is_given_up),
        cmocka_unit_test(the_pause_doubles_from_failure_to_failure),
        cmocka_unit_test(a_login_is_cut_at_many_bytes),
        cmocka_unit_test(a_deadline_cancels_and_the_connection_serves_on),
        cmocka_unit_test(a_neighbour_hit_by_a_cancel_is_sent_again),
        cmocka_unit_test(a_cancel_answered_last_frees_the_connection),
        cmocka_unit_test(stopping_ends_what_is_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
