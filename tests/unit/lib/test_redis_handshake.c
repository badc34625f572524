/* Answers for lib/redis/handshake.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "redis/conn.h"
#include "redis/handshake.h"
#include "redis/reply.h"
#include "redis/script.h"

static struct bw_log silent;

static void expect_next(struct bw_handshake *handshake, const char *expected)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    bool more = bw_handshake_next(handshake, &cmd);

    if (expected == NULL)
        assert_false(more);
    else
        assert_string_equal(bw_buf_text(&cmd.body), expected);
    bw_cmd_fini(&cmd);
}

static int answer(struct bw_handshake *handshake, const char *text, bool *done,
                  struct bw_error *err)
{
    struct bw_reply reply = { .kind = BW_REPLY_STRING, .text = { text, strlen(text) } };
    struct bw_error failed = { 0 };

    if (text[0] != '-')
        return bw_handshake_answer(handshake, &reply, NULL, done, err);
    (void)bw_error_set(&failed, BW_EREDIS, "%s", text + 1);
    return bw_handshake_answer(handshake, NULL, &failed, done, err);
}

static void test_least(void **state)
{
    struct bw_redis_options redis = { 0 };
    struct bw_handshake handshake = { .redis = &redis, .log = &silent };
    struct bw_error err;
    bool done;

    (void)state;
    expect_next(&handshake, "$4\r\nINFO\r\n");
    expect_next(&handshake, "$6\r\nCLIENT\r\n$2\r\nID\r\n");
    expect_next(&handshake, NULL);
    assert_int_equal(
        answer(&handshake,
               "# Server\r\nredis_version:7.0.21\r\nloading:0\r\nrole:master\r\n", &done,
               &err),
        BW_OK);
    assert_false(done);
    assert_int_equal(answer(&handshake, "77", &done, &err), BW_OK);
    assert_true(done);
    assert_int_equal(handshake.server_version, 0x070015);
    assert_int_equal(handshake.client_id, 77);
}

static void test_all_steps(void **state)
{
    struct bw_redis_options redis = { .username = (char *)"u",
                                      .password = (char *)"p",
                                      .db = 3 };
    struct bw_handshake handshake = {
        .redis = &redis, .name = "me", .scripts = true, .log = &silent
    };
    struct bw_cmd cmd = BW_CMD_INIT;
    struct bw_error err;
    bool done = false;

    (void)state;
    expect_next(&handshake, "$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n");
    expect_next(&handshake, "$6\r\nSELECT\r\n$1\r\n3\r\n");
    expect_next(&handshake, "$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$2\r\nme\r\n");
    expect_next(&handshake, "$4\r\nINFO\r\n");
    expect_next(&handshake, "$6\r\nCLIENT\r\n$2\r\nID\r\n");
    for (size_t i = 0; i < bw_script_count; i++) {
        bw_cmd_clear(&cmd);
        assert_true(bw_handshake_next(&handshake, &cmd));
        assert_memory_equal(bw_buf_text(&cmd.body), "$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$",
                            23);
    }
    expect_next(&handshake, NULL);
    for (int i = 0; i < 5; i++)
        assert_int_equal(answer(&handshake, "OK", &done, &err), BW_OK);
    for (size_t i = 0; i < bw_script_count; i++) {
        assert_false(done);
        assert_int_equal(answer(&handshake, bw_scripts[i]->sha1, &done, &err), BW_OK);
    }
    assert_true(done);
    bw_cmd_fini(&cmd);
}

/* What the server says, and whether the link may be used all the same. */
static void test_answers(void **state)
{
    static const struct {
        const char *name, *info, *id;
        bool ready;
        unsigned version;
    } cases[] = {
        { "OK", "redis_version:6.2.14\r\nrole:master\r\n", "1", true, 0x06020e },
        { "OK", "redis_version:255.255.255\r\n", "1", true, 0xffffff },
        { "OK", "redis_version:7.2\r\n", "1", true, 0 },
        { "OK", "redis_version:7.2.4-rc1\r\n", "1", true, 0 },
        { "OK", "redis_version:x\r\nos:y", "1", true, 0 },
        { "OK", "", "1", true, 0 },
        { "-ERR Client names cannot contain spaces", "role:master\r\n", "1", true, 0 },
        { "-NOPERM no", "-NOPERM no", "-ERR unknown subcommand", true, 0 },
        { "OK", "redis_version:7.0.0\r\nloading:1\r\n", "1", false, 0x070000 },
        { "OK", "role:slave\r\n", "1", false, 0 },
        { "OK", "xrole:slave\r\nrole:slaves\r\n", "1", true, 0 },
        { "OK", "-LOADING Redis is loading", "1", false, 0 },
        { "-NOAUTH Authentication required.", "x", "1", false, 0 },
        { "OK", "role:master\r\n", "-MASTERDOWN Link", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bw_redis_options redis = { 0 };
        struct bw_handshake handshake = { .redis = &redis, .name = "n", .log = &silent };
        struct bw_error err;
        bool done = false;
        int rc = answer(&handshake, cases[i].name, &done, &err);

        if (rc == BW_OK)
            rc = answer(&handshake, cases[i].info, &done, &err);
        if (rc == BW_OK)
            rc = answer(&handshake, cases[i].id, &done, &err);
        if (done != cases[i].ready || (rc == BW_OK) != cases[i].ready)
            fail_msg("case %zu: %d, %s", i, done, rc != BW_OK ? err.text : "");
        assert_int_equal(handshake.server_version, cases[i].version);
    }
}

static void test_auth_must_succeed(void **state)
{
    struct bw_redis_options redis = { .password = (char *)"hunter2" };
    struct bw_handshake handshake = { .redis = &redis, .log = &silent };
    struct bw_error err;
    bool done;

    (void)state;
    expect_next(&handshake, "$4\r\nAUTH\r\n$7\r\nhunter2\r\n");
    assert_int_equal(answer(&handshake, "-ERR invalid password", &done, &err), BW_EREDIS);
    assert_string_equal(err.text, "AUTH: wrong password");
}

/* Some servers repeat the arguments of a command that they refuse. */
static void test_no_secret_in_errors(void **state)
{
    static const char *const answers[] = {
        "-ERR unknown command `AUTH`, with args beginning with: `hunter2`, ",
        "-ERR unknown command 'hunter2'",
        "-ERR Syntax error: hunter2",
        "-hunter2",
        "-HUNTER hunter2",
        "-NOPERM this user may not say hunter2",
        "-WRONGPASS hunter2 is wrong",
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct bw_redis_options redis = { .password = (char *)"hunter2" };
        struct bw_handshake handshake = { .redis = &redis, .log = &silent };
        struct bw_error err;
        bool done;

        assert_int_equal(answer(&handshake, answers[i], &done, &err), BW_EREDIS);
        if (strstr(err.text, "hunter2") != NULL || strncmp(err.text, "AUTH: ", 6) != 0)
            fail_msg("%s: %s", answers[i], err.text);
    }
}

/* Each refusal is named, and those that may pass soon are told from the rest. */
static void test_refusals_are_named(void **state)
{
    static const struct {
        const char *answer, *text;
        enum bw_not_yet not_yet;
    } cases[] = {
        { "-NOAUTH Authentication required.", "wants a password", BW_NOT_YET_NOTHING },
        { "-DENIED Redis is running in protected mode because", "protected mode",
          BW_NOT_YET_NOTHING },
        { "-ERR max number of clients reached", "too many clients", BW_NOT_YET_NOTHING },
        { "role:slave\r\n", "replica", BW_NOT_YET_REPLICA },
        { "loading:1\r\nrole:slave\r\n", "loading", BW_NOT_YET_LOADING },
        { "redis_mode:sentinel\r\n", "Sentinel", BW_NOT_YET_NOTHING },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bw_redis_options redis = { 0 };
        struct bw_handshake handshake = { .redis = &redis, .log = &silent };
        struct bw_error err;
        bool done;

        expect_next(&handshake, "$4\r\nINFO\r\n");
        assert_int_equal(answer(&handshake, cases[i].answer, &done, &err), BW_EREDIS);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].answer, err.text);
        assert_int_equal(handshake.not_yet, cases[i].not_yet);
    }
}

/* Without SCRIPT there is EVAL. */
static void test_script_load_refused(void **state)
{
    struct bw_redis_options redis = { 0 };
    struct bw_handshake handshake = { .redis = &redis, .scripts = true, .log = &silent };
    struct bw_error err;
    bool done = false;

    (void)state;
    assert_int_equal(answer(&handshake, "role:master\r\n", &done, &err), BW_OK);
    assert_int_equal(answer(&handshake, "1", &done, &err), BW_OK);
    for (size_t i = 0; i < bw_script_count; i++)
        assert_int_equal(answer(&handshake, "-NOPERM no permissions to run 'script|load'",
                                &done, &err),
                         BW_OK);
    assert_true(done);
    assert_true(handshake.no_script_load);
}

static unsigned lines;

static void count_line(void *arg, enum bw_log_level level, const char *message,
                       const struct bw_log_field *fields, size_t count)
{
    (void)arg;
    (void)message;
    (void)fields;
    (void)count;
    lines += level == BW_LOG_WARNING;
}

/* What a server lacks is told once, however often the link is made anew. */
static void test_told_once(void **state)
{
    static const char info[] = "redis_version:6.0.16\r\ncluster_enabled:1\r\n"
                               "maxmemory_policy:allkeys-lru\r\nrole:master\r\n";
    struct bw_log_sink sink = { .level = BW_LOG_DEBUG, .write = count_line };
    struct bw_redis_options redis = { 0 };
    struct bw_log log;
    unsigned told = 0;

    (void)state;
    lines = 0;
    bw_log_init(&log, &sink);
    for (int i = 0; i < 3; i++) {
        struct bw_handshake handshake = {
            .redis = &redis, .name = "n", .log = &log, .told = i < 2 ? &told : NULL
        };
        struct bw_error err;
        bool done;

        assert_int_equal(answer(&handshake, "-NOPERM no", &done, &err), BW_OK);
        assert_int_equal(answer(&handshake, info, &done, &err), BW_OK);
        assert_int_equal(answer(&handshake, "-NOPERM no", &done, &err), BW_OK);
        assert_true(done);
        assert_true(handshake.cluster);
        assert_string_equal(handshake.eviction, "allkeys-lru");
        assert_int_equal(lines, 5);
    }
}

static void test_a_lost_link_is_no_refusal(void **state)
{
    struct bw_redis_options redis = { 0 };
    struct bw_handshake handshake = { .redis = &redis, .name = "n", .log = &silent };
    struct bw_error lost = { 0 }, err;
    bool done;

    (void)state;
    (void)bw_error_set(&lost, BW_EIO, "ERR-like text");
    assert_int_equal(bw_handshake_answer(&handshake, NULL, &lost, &done, &err), BW_EIO);
    assert_false(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_all_steps),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_auth_must_succeed),
        cmocka_unit_test(test_no_secret_in_errors),
        cmocka_unit_test(test_refusals_are_named),
        cmocka_unit_test(test_script_load_refused),
        cmocka_unit_test(test_told_once),
        cmocka_unit_test(test_a_lost_link_is_no_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
