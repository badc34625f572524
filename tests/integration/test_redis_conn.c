/* A connection and a Redis that behaves: lib/redis/conn.c, dial.c, stream.c, cmd.c. */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "redis/script.h"
#include "redis_rig.h"
#include "support/redis_server.h"

static struct redis_server server;

static int start_server(void **state)
{
    (void)state;
    redis_server_start(&server,
                       (const char *const[]){ "--unixsocket", "%DIR%/sock", NULL });
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig, server.url, NULL);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_fini(*state);
    return 0;
}

static void test_handshake(void **state)
{
    struct rig *rig = *state;
    char *line;

    rig_open(rig, "bull:cXVldWU=", true);
    assert_int_equal(rig_send(rig, 100, "PING"), BW_ECLOSED);
    assert_int_equal(bw_conn_client_id(rig->conn), 0);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_int_equal(rig->ready, 1);
    assert_true(bw_conn_client_id(rig->conn) > 0);
    assert_true(bw_conn_server_version(rig->conn) >= 0x060000);
    assert_int_equal(bw_conn_reconnects(rig->conn), 0);
    line = redis_server_text(&server, "CLIENT LIST ID %lld",
                             (long long)bw_conn_client_id(rig->conn));
    assert_non_null(strstr(line, "name=bull:cXVldWU= "));
    free(line);
    for (size_t i = 0; i < bw_script_count; i++) {
        line = redis_server_text(&server, "SCRIPT EXISTS %s", bw_scripts[i]->sha1);
        assert_string_equal(line, "1");
        free(line);
    }
    bw_conn_open(rig->conn); /* a second time is harmless */
    assert_true(rig_is_ready(rig));
}

static void test_replies_of_all_kinds(void **state)
{
    struct rig *rig = *state;

    rig_open(rig, NULL, false);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(rig, "DEL k l z"), "0");
    assert_string_equal(rig_ask(rig, "SET k v"), "OK");
    assert_string_equal(rig_ask(rig, "GET k"), "v");
    assert_string_equal(rig_ask(rig, "GET none"), "nil");
    assert_string_equal(rig_ask(rig, "RPUSH l a b c"), "3");
    assert_string_equal(rig_ask(rig, "LRANGE l 0 -1"), "a b c");
    assert_string_equal(rig_ask(rig, "INCR k"),
                        "!EREDIS ERR value is not an integer or out of range");
    assert_memory_equal(rig_ask(rig, "EVAL return{1,{ok='x'},{err='ERR_e'},false} 0"),
                        "1 x ERR", 7);
    assert_memory_equal(rig_ask(rig, "NOSUCHCOMMAND"), "!EREDIS ERR unknown command", 27);
    assert_int_equal(rig->lost, 0);
}

/* Many more than a socket takes at once, answered in the order of sending. */
static void test_pipelining(void **state)
{
    struct rig *rig = *state;
    char words[64];
    const char *at;

    rig_open(rig, NULL, false);
    RIG_RUN(rig, rig_is_ready, 15000);
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(words, sizeof words, "ECHO %d", i);
        assert_int_equal(rig_send(rig, 20000, words), BW_OK);
    }
    assert_int_equal(rig->answered, 0);
    RIG_RUN(rig, rig_has_answers, 20000);
    at = bw_buf_text(&rig->answers);
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(strtol(at, NULL, 10), i);
        at = strchr(at, '\n') + 1;
    }
}

static void test_large_values(void **state)
{
    struct rig *rig = *state;
    struct bw_cmd cmd = BW_CMD_INIT;
    size_t len = (size_t)20 * 1024 * 1024;
    char *value = malloc(len);

    memset(value, 'v', len);
    rig_open(rig, NULL, false);
    RIG_RUN(rig, rig_is_ready, 15000);
    bw_cmd_str(&cmd, "SET");
    bw_cmd_str(&cmd, "large");
    bw_cmd_arg(&cmd, value, len);
    assert_int_equal(bw_conn_send(rig->conn, &cmd, 20000, rig_on_answer, rig), BW_OK);
    bw_cmd_fini(&cmd);
    rig->wanted = 1;
    RIG_RUN(rig, rig_has_answers, 20000);
    assert_string_equal(rig_ask(rig, "STRLEN large"), "20971520");
    assert_memory_equal(rig_ask(rig, "GET large"), value, len);
    assert_string_equal(rig_ask(rig, "DEL large"), "1");
    free(value);
}

static void test_bad_commands_are_refused(void **state)
{
    struct rig *rig = *state;
    struct bw_cmd cmd = BW_CMD_INIT;

    rig_open(rig, NULL, false);
    RIG_RUN(rig, rig_is_ready, 15000);
    bw_cmd_arg(&cmd, "", SIZE_MAX - 1);
    assert_int_equal(bw_conn_send(rig->conn, &cmd, 100, rig_on_answer, rig), BW_ENOMEM);
    bw_cmd_fini(&cmd);
    assert_string_equal(rig_ask(rig, "PING"), "PONG");
    assert_int_equal(rig->answered, 1);
}

static void test_unix_socket_and_database(void **state)
{
    struct rig *rig = *state;
    char url[256], *value;

    rig_fini(rig);
    (void)snprintf(url, sizeof url, "unix://%s/sock?db=3", server.dir);
    rig_init(rig, url, NULL);
    rig_open(rig, NULL, false);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(rig, "SET only-in-3 x"), "OK");
    value = redis_server_text(&server, "GET only-in-3");
    assert_null(value);
    value = redis_server_text(&server, "INFO keyspace");
    assert_non_null(strstr(value, "db3:keys=1"));
    free(value);
}

static void test_host_name(void **state)
{
    struct rig *rig = *state;
    char url[64];

    rig_fini(rig);
    (void)snprintf(url, sizeof url, "redis://localhost:%u", (unsigned)server.port);
    rig_init(rig, url, NULL);
    rig_open(rig, NULL, false);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(rig, "PING"), "PONG");
}

static bool three_failures(struct rig *rig)
{
    const char *at = bw_buf_text(&rig->logged);
    int count = 0;

    while ((at = strstr(at, "Redis not reached")) != NULL) {
        count++;
        at++;
    }
    return count >= 3;
}

static void test_unknown_host_is_tried_for_ever(void **state)
{
    struct rig *rig = *state;

    rig_fini(rig);
    rig_init(rig, "redis://no-such-host.invalid:1", NULL);
    rig_open(rig, NULL, false);
    RIG_RUN(rig, three_failures, 30000);
    assert_non_null(strstr(bw_buf_text(&rig->logged), "looking up the name"));
}

static void test_destroyed_in_any_state(void **state)
{
    struct rig *rig = *state;
    struct bw_conn *none = NULL;

    bw_conn_destroy(&none);
    rig_open(rig, NULL, true); /* dialing */
    bw_conn_destroy(&rig->conn);
    rig_open(rig, NULL, true);
    RIG_RUN(rig, rig_is_ready, 15000);
    assert_int_equal(rig_send(rig, 1000, "PING"), BW_OK);
    assert_int_equal(rig_send(rig, 1000, "PING"), BW_OK);
    bw_conn_destroy(&rig->conn); /* ready, with commands that nobody wrote */
    assert_int_equal(rig->answered, 2);
    assert_non_null(strstr(bw_buf_text(&rig->answers), "!ECLOSED"));
    assert_null(strstr(bw_buf_text(&rig->answers), "!EIO"));
    assert_int_equal(rig->lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_handshake, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replies_of_all_kinds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pipelining, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_commands_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unix_socket_and_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_host_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_host_is_tried_for_ever, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_destroyed_in_any_state, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
