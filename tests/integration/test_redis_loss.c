/* Links that break, stall and come back: lib/redis/conn.c. */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "redis/script.h"
#include "redis_rig.h"
#include "support/redis_server.h"

static struct redis_server server;

static int set_up(void **state)
{
    static struct rig rig;

    redis_server_start(&server,
                       (const char *const[]){ "--enable-debug-command", "yes", NULL });
    rig_init(&rig, server.url, NULL);
    rig_open(&rig, "the-name", true);
    RIG_RUN(&rig, rig_is_ready, 15000);
    rig_forget(&rig);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_fini(*state);
    redis_server_stop(&server);
    return 0;
}

static const char *answers(const struct rig *rig)
{
    return bw_buf_text(&rig->answers);
}

/* What never must happen, 4: it works again within 2 s of Redis's return, which a busy
 * machine may multiply. */
static void test_server_stops_and_returns(void **state)
{
    struct rig *rig = *state;

    assert_string_equal(rig_ask(rig, "SET kept 1"), "OK");
    redis_server_halt(&server);
    RIG_RUN(rig, rig_is_lost, 15000);
    assert_int_equal(rig_send(rig, 100, "PING"), BW_ECLOSED);
    assert_false(rig_is_ready(rig));
    redis_server_restart(&server);
    RIG_RUN(rig, rig_is_ready, 10000);
    assert_int_equal(bw_conn_reconnects(rig->conn), 1);
    assert_string_equal(rig_ask(rig, "GET kept"), "1");
    assert_string_equal(rig_ask(rig, "CLIENT GETNAME"), "the-name");
}

static int64_t pause_start;

static bool five_seconds_passed(struct rig *rig)
{
    return bw_loop_mono(rig->loop).ns - pause_start >= 5000000000;
}

static void test_back_after_a_long_absence(void **state)
{
    struct rig *rig = *state;

    redis_server_halt(&server);
    pause_start = bw_loop_mono(rig->loop).ns;
    RIG_RUN(rig, five_seconds_passed, 15000);
    redis_server_restart(&server);
    RIG_RUN(rig, rig_is_ready, 10000);
    /* One reason is told once, not at each attempt. */
    assert_null(strstr(strstr(bw_buf_text(&rig->logged), "2 Redis not reached") + 1,
                       "2 Redis not reached"));
}

/* Every command in flight is answered once, in order, when the link goes. */
static void test_pending_commands_fail_in_order(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_send(rig, 15000, "ECHO one"), BW_OK);
    assert_int_equal(rig_send(rig, 15000, "BLPOP nothing 0"), BW_OK);
    assert_int_equal(rig_send(rig, 15000, "ECHO behind"), BW_OK);
    rig->wanted = 1;
    RIG_RUN(rig, rig_has_answers, 15000);
    redis_server_halt(&server);
    RIG_RUN(rig, rig_is_lost, 15000);
    assert_int_equal(rig->answered, 3);
    assert_memory_equal(answers(rig), "one\n!EIO ", 9);
    assert_int_equal(rig->why.code, BW_EIO);
}

static void test_client_kill(void **state)
{
    struct rig *rig = *state;
    int64_t id = bw_conn_client_id(rig->conn);

    assert_int_equal(redis_server_integer(&server, "CLIENT KILL ID %lld", (long long)id),
                     1);
    RIG_RUN(rig, rig_is_lost, 15000);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_true(bw_conn_client_id(rig->conn) != id);
    assert_string_equal(rig_ask(rig, "CLIENT GETNAME"), "the-name");
}

/* Redis lives, but answers too late: the command fails at its time, the others with it.
 */
static void test_deadline_of_a_command(void **state)
{
    struct rig *rig = *state;
    int64_t took;

    assert_int_equal(rig_send(rig, 5000, "DEBUG SLEEP 4"), BW_OK);
    assert_int_equal(rig_send(rig, 300, "ECHO late"), BW_OK);
    assert_int_equal(rig_send(rig, 5000, "ECHO third"), BW_OK);
    took = RIG_RUN(rig, rig_has_answers, 15000);
    assert_true(took >= 290 && took < 3000);
    assert_int_equal(rig->lost, 1);
    assert_string_equal(answers(rig), "!EIO Redis did not answer in time\n"
                                      "!ETIMEDOUT Redis did not answer in time\n"
                                      "!EIO Redis did not answer in time\n");
    rig_forget(rig);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(rig, "ECHO fresh"),
                        "fresh"); /* no late answer comes first */
}

static void test_client_pause(void **state)
{
    struct rig *rig = *state;

    assert_string_equal(rig_ask(rig, "CLIENT PAUSE 3000 WRITE"), "OK");
    rig_forget(rig);
    assert_int_equal(rig_send(rig, 200, "SET k v"), BW_OK);
    RIG_RUN(rig, rig_has_answers, 15000);
    assert_memory_equal(answers(rig), "!ETIMEDOUT", 10);
    RIG_RUN(rig, rig_is_ready, 15000);
}

/* A peer that neither answers nor hangs up, at any moment. */
static void test_stopped_server(void **state)
{
    struct rig *rig = *state;
    int64_t took;

    redis_server_pause(&server);
    assert_int_equal(rig_send(rig, 250, "PING"), BW_OK);
    took = RIG_RUN(rig, rig_is_lost, 15000);
    assert_true(took >= 240);
    assert_int_equal(rig->why.code, BW_ETIMEDOUT);
    redis_server_cont(&server);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(rig, "PING"), "PONG");
}

static bool asked_twice(struct rig *rig)
{
    char *stats = redis_server_text(&server, "INFO commandstats");
    const char *ping = strstr(stats, "cmdstat_ping:calls=");
    bool asked =
        ping != NULL && strtol(ping + 19, NULL, 10) >= 4; /* the fixture asked once */

    (void)rig;
    free(stats);
    return asked;
}

/* An idle link is asked whether it lives, and given up when it does not. */
static void test_idle_link_is_watched(void **state)
{
    struct rig *rig = *state;

    rig_fini(rig);
    rig_init(rig, server.url, NULL);
    rig->idle_ms = 50;
    rig_open(rig, NULL, false);
    RIG_RUN(rig, rig_is_ready, 15000);
    RIG_RUN(rig, asked_twice, 15000);
    assert_int_equal(rig->lost, 0);
    redis_server_pause(&server);
    RIG_RUN(rig, rig_is_lost, 15000);
    assert_int_equal(rig->why.code, BW_ETIMEDOUT);
    redis_server_cont(&server);
}

static void short_timeout(struct bw_redis_options *options)
{
    options->connect_timeout_ms = 300;
}

static bool failed_twice(struct rig *rig)
{
    const char *first = strstr(bw_buf_text(&rig->logged), "Redis not reached");

    return first != NULL && strstr(first + 1, "Redis not reached") != NULL;
}

/* The kernel accepts for it, so the handshake is what must have its deadline. */
static void test_server_stopped_before_the_handshake(void **state)
{
    struct rig *rig = *state;

    redis_server_pause(&server);
    rig_fini(rig);
    rig_init(rig, server.url, short_timeout);
    rig_open(rig, NULL, false);
    RIG_RUN(rig, failed_twice, 15000);
    assert_int_equal(rig->lost, 0); /* it was never there */
    redis_server_cont(&server);
    RIG_RUN(rig, rig_is_ready, 15000);
}

static bool has_echoed(void)
{
    char *stats = redis_server_text(&server, "INFO commandstats");
    bool echoed = strstr(stats, "cmdstat_echo:") != NULL;

    free(stats);
    return echoed;
}

/* It was we who slept: answers that lie there count, whatever the clock says. */
static void test_own_sleep_is_no_timeout(void **state)
{
    struct rig *rig = *state;
    struct timespec nap = { .tv_nsec = 400000000 };

    rig->wanted = 1;
    assert_int_equal(rig_send(rig, 200, "ECHO there"), BW_OK);
    bw_loop_stop(rig->loop);
    bw_loop_run(rig->loop); /* the turn ends: the command is written */
    do
        assert_int_equal(nanosleep(&nap, NULL), 0);
    while (!has_echoed());
    rig->wanted = 1;
    RIG_RUN(rig, rig_has_answers, 15000);
    assert_string_equal(answers(rig), "there\n");
    assert_int_equal(rig->lost, 0);
}

/* --- NOSCRIPT */

static const char source[] = "return redis.call('INCR', KEYS[1])";
static struct bw_script script = {
    .name = "test_incr",
    .text = (const unsigned char *)source,
    .len = sizeof source - 1,
    .key_count = 1,
};
static char sha1[41];

static void prepare_script(void)
{
    char *sha = redis_server_text(&server, "SCRIPT LOAD %s", source);

    memcpy(sha1, sha, sizeof sha1);
    free(sha);
    script.sha1 = sha1;
    sha = redis_server_text(&server, "SCRIPT FLUSH");
    free(sha);
}

static void send_script(struct rig *rig)
{
    struct bw_cmd cmd = BW_CMD_INIT;

    bw_cmd_script(&cmd, &script, 1);
    bw_cmd_str(&cmd, "counter");
    assert_int_equal(bw_conn_send(rig->conn, &cmd, 15000, rig_on_answer, rig), BW_OK);
    rig->wanted++;
    bw_cmd_fini(&cmd);
}

static void test_unknown_script_is_loaded_and_repeated(void **state)
{
    struct rig *rig = *state;
    char *stats;

    prepare_script();
    free(redis_server_text(&server, "CONFIG RESETSTAT"));
    for (int i = 0; i < 5; i++)
        send_script(rig);
    RIG_RUN(rig, rig_has_answers, 15000);
    assert_string_equal(answers(rig), "1\n2\n3\n4\n5\n");
    stats = redis_server_text(&server, "INFO commandstats");
    assert_non_null(strstr(stats, "script|load:calls=1,")); /* for all five */
    free(stats);
    free(redis_server_text(&server, "SCRIPT FLUSH"));
    rig_forget(rig);
    send_script(rig);
    assert_int_equal(rig_send(rig, 15000, "ECHO x"), BW_OK);
    RIG_RUN(rig, rig_has_answers, 15000);
    assert_string_equal(answers(rig), "x\n6\n");
    assert_int_equal(rig->lost, 0);
}

/* Redis computes another SHA-1 than ours: no endless repetition. */
static void test_script_that_stays_unknown(void **state)
{
    struct rig *rig = *state;

    prepare_script();
    memset(sha1, 'a', 40);
    send_script(rig);
    RIG_RUN(rig, rig_has_answers, 15000);
    assert_int_equal(rig->answered, 1);
    assert_memory_equal(answers(rig), "!EREDIS NOSCRIPT", 16);
    assert_string_equal(rig_ask(rig, "PING"), "PONG");
}

/* --- a fail-over */

static void test_readonly_ends_the_link(void **state)
{
    struct rig *rig = *state;
    char *reply = redis_server_text(&server, "REPLICAOF 127.0.0.1 %d", 1);

    free(reply);
    assert_int_equal(rig_send(rig, 15000, "SET k v"), BW_OK);
    RIG_RUN(rig, rig_is_lost, 15000);
    assert_memory_equal(answers(rig), "!ECLOSED READONLY", 17);
    RIG_RUN(rig, failed_twice, 15000);
    assert_non_null(strstr(bw_buf_text(&rig->logged), "this Redis is a replica"));
    assert_int_equal(rig->ready, 0);
    reply = redis_server_text(&server, "REPLICAOF NO ONE");
    free(reply);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(rig, "SET k v"), "OK");
}

/* --- resets */

static void test_reset(void **state)
{
    struct rig *rig = *state;
    int64_t id = bw_conn_client_id(rig->conn);

    assert_int_equal(rig_send(rig, 1000, "PING"), BW_OK);
    bw_conn_reset(rig->conn, "test", true);
    assert_int_equal(rig->lost, 1);
    assert_string_equal(answers(rig), "!ECLOSED test\n");
    bw_conn_reset(rig->conn, "again, while dialing", true);
    assert_int_equal(rig->lost, 1);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_true(bw_conn_client_id(rig->conn) != id);
    bw_conn_reset(rig->conn, "for good", false);
    assert_int_equal(rig->lost, 2);
    assert_int_equal(bw_conn_client_id(rig->conn), 0);
    bw_conn_open(rig->conn);
    RIG_RUN(rig, rig_is_ready, 15000);
}

static void reset_and_send(const struct bw_reply *reply, const struct bw_error *err,
                           void *arg)
{
    struct rig *rig = arg;
    char before[8];

    if (reply != NULL)
        (void)snprintf(before, sizeof before, "%s", bw_reply_text(reply, NULL));
    bw_conn_reset(rig->conn, "from a callback", true);
    assert_int_equal(rig_send(rig, 100, "PING"), BW_ECLOSED);
    if (reply != NULL) /* still borrowed */
        assert_string_equal(bw_reply_text(reply, NULL), before);
    rig_on_answer(reply, err, rig);
}

static void test_reset_from_inside_callbacks(void **state)
{
    struct rig *rig = *state;
    struct bw_cmd cmd = BW_CMD_INIT;

    bw_cmd_str(&cmd, "PING");
    for (int i = 0; i < 4; i++)
        assert_int_equal(bw_conn_send(rig->conn, &cmd, 15000, reset_and_send, rig),
                         BW_OK);
    bw_cmd_fini(&cmd);
    rig->wanted = 4;
    RIG_RUN(rig, rig_has_answers, 15000);
    assert_string_equal(answers(rig), "!EIO from a callback\n!EIO from a callback\n"
                                      "!EIO from a callback\nPONG\n");
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(rig, "PING"), "PONG");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_server_stops_and_returns),
        CASE(test_back_after_a_long_absence),
        CASE(test_pending_commands_fail_in_order),
        CASE(test_client_kill),
        CASE(test_deadline_of_a_command),
        CASE(test_client_pause),
        CASE(test_stopped_server),
        CASE(test_idle_link_is_watched),
        CASE(test_server_stopped_before_the_handshake),
        CASE(test_own_sleep_is_no_timeout),
        CASE(test_unknown_script_is_loaded_and_repeated),
        CASE(test_script_that_stays_unknown),
        CASE(test_readonly_ends_the_link),
        CASE(test_reset),
        CASE(test_reset_from_inside_callbacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
