/* The asynchronous producer: bw_queue_add(), bw_queue_pause(), bw_queue_resume(), and how
 * flows and jobs in bulk meet the end of memory. Answers for lib/queue/producer.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bulwark/flow.h>
#include <bulwark/queue.h>

#include "base/alloc.h"
#include "integration/redis_rig.h"
#include "redis/client.h"
#include "support/redis_server.h"

#define TIMEOUT_MS 5000

static struct {
    struct redis_server server;
    struct rig rig; /* its loop only: the connection is the client's */
    struct bw_redis *redis;
    int answers;
    int code;
    char text[BW_ERROR_TEXT_MAX]; /* the id, or the error */
    int64_t number;
} at;

static bool is_ready(struct rig *rig)
{
    (void)rig;
    return bw_redis_is_ready(at.redis);
}

static bool is_answered(struct rig *rig)
{
    (void)rig;
    return at.answers > 0;
}

static int set_up(void **state)
{
    struct bw_error err;

    (void)state;
    memset(&at, 0, sizeof(at));
    redis_server_start(&at.server, NULL);
    rig_init(&at.rig, at.server.url, NULL);
    assert_int_equal(
        bw_redis_create(&at.redis, at.rig.loop, &at.rig.options, false, NULL, &err),
        BW_OK);
    bw_redis_open(at.redis);
    (void)RIG_RUN(&at.rig, is_ready, TIMEOUT_MS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bw_redis_destroy(&at.redis);
    rig_fini(&at.rig);
    redis_server_stop(&at.server);
    return 0;
}

static void on_added(const char *id, const struct bw_error *err, void *arg)
{
    assert_ptr_equal(arg, &at);
    assert_true((id == NULL) == (err != NULL));
    at.code = err != NULL ? err->code : BW_OK;
    (void)snprintf(at.text, sizeof(at.text), "%s", err != NULL ? err->text : id);
    at.answers++;
}

static void on_reply(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    assert_ptr_equal(arg, &at);
    at.code = err != NULL ? err->code : BW_OK;
    at.number = bw_reply_integer(reply);
    at.answers++;
}

/* One callback, and no second one. */
static void wait_answer(void)
{
    (void)RIG_RUN(&at.rig, is_answered, TIMEOUT_MS);
    assert_int_equal(at.answers, 1);
    at.answers = 0;
}

static int add(const char *queue, const char *opts, struct bw_error *err)
{
    struct bw_add job = { .queue = queue,
                          .name = "n",
                          .data = "{\"a\":1}",
                          .data_len = 7,
                          .opts = opts,
                          .opts_len = opts != NULL ? strlen(opts) : 0 };

    return bw_queue_add(at.redis, &job, NULL, TIMEOUT_MS, on_added, &at, err);
}

static void test_add(void **state)
{
    struct bw_error err;
    char *text;

    (void)state;
    assert_int_equal(add("q", "{\"attempts\":2}", &err), BW_OK);
    wait_answer();
    assert_int_equal(at.code, BW_OK);
    assert_string_equal(at.text, "1");
    text = redis_server_text(&at.server, "HMGET bull:q:1 name data opts delay priority");
    assert_string_equal(text, "n\n{\"a\":1}\n{\"attempts\":2}\n0\n0");
    free(text);
    assert_int_equal(add("q", "{\"jobId\":\"own\",\"delay\":60000}", &err), BW_OK);
    wait_answer();
    assert_string_equal(at.text, "own");
    assert_int_equal(redis_server_integer(&at.server, "ZCARD bull:q:delayed"), 1);
}

/* Refused before anything is sent: no callback. */
static void test_refused(void **state)
{
    struct bw_error err;

    (void)state;
    assert_int_equal(add("a:b", NULL, &err), BW_EINVAL);
    assert_int_equal(add("q", "{\"priority\":-0.5}", &err), BW_EINVAL);
    assert_non_null(strstr(err.text, "priority"));
    assert_int_equal(redis_server_integer(&at.server, "DBSIZE"), 0);
    assert_int_equal(at.answers, 0);
}

/* The scripts' codes and Redis's own errors arrive with the callback. BMQ-023 */
static void test_failed(void **state)
{
    struct bw_error err;

    (void)state;
    assert_int_equal(add("q", "{\"parent\":{\"id\":\"p\",\"queue\":\"bull:up\"}}", &err),
                     BW_OK);
    wait_answer();
    assert_int_equal(at.code, BW_EJOB_PARENT_MISSING);
    free(redis_server_text(&at.server, "SET bull:q:wait x"));
    assert_int_equal(add("q", NULL, &err), BW_OK);
    wait_answer();
    assert_int_equal(at.code, BW_EREDIS);
}

/* BMQ-125…127, with more to merge than one call does */
static void test_pause_and_resume(void **state)
{
    char *text;

    (void)state;
    assert_int_equal(bw_queue_pause(at.redis, NULL, "q", TIMEOUT_MS, on_reply, &at),
                     BW_OK);
    wait_answer();
    assert_int_equal(redis_server_integer(&at.server, "HEXISTS bull:q:meta paused"), 1);
    free(redis_server_text(
        &at.server, "EVAL %s 1 bull:q:paused",
        "for i = 1, 15000 do redis.call('LPUSH', KEYS[1], i) end return 1"));
    free(redis_server_text(&at.server, "LPUSH bull:q:wait w"));
    assert_int_equal(bw_queue_resume(at.redis, NULL, "q", TIMEOUT_MS, on_reply, &at),
                     BW_OK);
    wait_answer();
    assert_int_equal(at.code, BW_OK);
    assert_int_equal(at.number, 0);
    assert_int_equal(redis_server_integer(&at.server, "LLEN bull:q:wait"), 15001);
    assert_int_equal(redis_server_integer(&at.server, "XLEN bull:q:events"), 2);
    text = redis_server_text(&at.server, "LRANGE bull:q:wait -2 -1");
    assert_string_equal(text, "2\n1");
    free(text);
    assert_int_equal(bw_queue_pause(at.redis, NULL, "", TIMEOUT_MS, on_reply, &at),
                     BW_EINVAL);
    assert_int_equal(bw_queue_resume(at.redis, NULL, ":", TIMEOUT_MS, on_reply, &at),
                     BW_EINVAL);
}

static bool is_lost(struct rig *rig)
{
    (void)rig;
    return !bw_redis_is_ready(at.redis);
}

/* Without a connection the caller learns it at once or by the callback, never twice. */
static void test_not_connected(void **state)
{
    struct bw_error err;

    (void)state;
    redis_server_halt(&at.server);
    (void)RIG_RUN(&at.rig, is_lost, TIMEOUT_MS);
    int rc = add("q", NULL, &err);

    if (rc == BW_OK) {
        wait_answer();
        rc = at.code;
    }
    assert_true(rc == BW_ECLOSED || rc == BW_EIO);
    assert_int_equal(at.answers, 0);
}

/* --- memory runs out at each allocation in turn: refused or called back, nothing leaks
 */

static void on_ids(const char *const *ids, size_t count, const struct bw_error *err,
                   void *arg)
{
    assert_ptr_equal(arg, &at);
    at.code = err != NULL ? err->code : BW_OK;
    at.number = (int64_t)count;
    (void)snprintf(at.text, sizeof(at.text), "%s",
                   err == NULL && ids[0] != NULL ? ids[0] : "");
    at.answers++;
}

static void on_json(const char *json, size_t len, const struct bw_error *err, void *arg)
{
    (void)len;
    on_added(json, err, arg);
}

static int add_tree(struct bw_error *err)
{
    static const struct bw_flow_node leaf = { .add = { .queue = "q", .name = "leaf" } };
    static const struct bw_flow_node root = {
        .add = { .queue = "q",
                 .name = "root",
                 .opts = "{\"jobId\":\"r\"}",
                 .opts_len = 13 },
        .children = &leaf,
        .child_count = 1,
    };

    return bw_flow_add(at.redis, &root, NULL, TIMEOUT_MS, on_ids, &at, err);
}

static int add_many(struct bw_error *err)
{
    static const struct bw_add adds[] = { { .queue = "q", .name = "a" },
                                          { .queue = "q", .name = "b" },
                                          { .queue = "other", .name = "c" } };

    return bw_queue_add_bulk(at.redis, adds, 3, NULL, TIMEOUT_MS, on_ids, &at, err);
}

static int read_dependencies(struct bw_error *err)
{
    err->code = BW_ENOMEM; /* the only one there is */
    return bw_flow_dependencies(at.redis, NULL, "q", "r", TIMEOUT_MS, on_json, &at);
}

static int read_tree(struct bw_error *err)
{
    static const struct bw_flow_query query = { .queue = "q", .id = "r" };

    err->code = BW_ENOMEM;
    return bw_flow_get(at.redis, &query, TIMEOUT_MS, on_json, &at);
}

static void test_out_of_memory(void **state)
{
    static int (*const calls[])(struct bw_error * err) = { add_tree, add_many,
                                                           read_dependencies, read_tree };

    (void)state;
    for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
        int rc = BW_ENOMEM;

        for (size_t nth = 0; rc != BW_OK; nth++) {
            struct bw_error err = { 0 };

            bw_alloc_fail_at(nth);
            rc = calls[c](&err);
            bw_alloc_fail_never();
            assert_true(rc == BW_OK || rc == BW_ENOMEM);
            assert_true(rc == BW_OK || err.code == BW_ENOMEM);
            assert_true(nth < 500);
        }
        wait_answer();
        assert_int_equal(at.code, BW_OK);
    }
    assert_non_null(strstr(at.text, "\"children\":[{\"key\":\"bull:q:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_add, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pause_and_resume, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_connected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_out_of_memory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
