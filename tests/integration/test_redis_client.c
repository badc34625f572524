/* Commands from many threads: lib/redis/client.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <bulwark/log.h>
#include <bulwark/thread.h>

#include "redis/client.h"
#include "redis/conn.h"
#include "redis/loop.h"
#include "redis/script.h"
#include "support/redis_server.h"

/* What has to happen happens within this, however busy the machine is. */
enum { PATIENCE_MS = 20000 };

struct fixture {
    struct redis_server server;
    struct bw_loop *loop;
    struct bw_redis *redis;
    pthread_t thread;
};

static void *loop_main(void *arg)
{
    struct fixture *fixture = arg;

    bw_loop_run(fixture->loop);
    return NULL;
}

static void nap(void)
{
    struct timespec pause = { .tv_nsec = 1000000 };

    (void)nanosleep(&pause, NULL);
}

static void wait_ready(struct fixture *fixture, bool ready)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), PATIENCE_MS);

    while (bw_redis_is_ready(fixture->redis) != ready) {
        assert_true(bw_mono_before(bw_mono_now(NULL), deadline));
        nap();
    }
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct bw_redis_options options;
    struct bw_error err;

    memset(&fixture, 0, sizeof fixture);
    redis_server_start(&fixture.server, NULL);
    assert_int_equal(bw_redis_options_parse(&options, fixture.server.url, &err), BW_OK);
    assert_int_equal(bw_loop_create(&fixture.loop, NULL, &err), BW_OK);
    assert_int_equal(
        bw_redis_create(&fixture.redis, fixture.loop, &options, false, NULL, &err),
        BW_OK);
    bw_redis_options_fini(&options);
    assert_false(bw_redis_is_ready(fixture.redis));
    bw_redis_open(fixture.redis);
    assert_int_equal(pthread_create(&fixture.thread, NULL, loop_main, &fixture), 0);
    wait_ready(&fixture, true);
    *state = &fixture;
    return 0;
}

static void stop_loop(struct fixture *fixture)
{
    bw_loop_stop(fixture->loop);
    assert_int_equal(pthread_join(fixture->thread, NULL), 0);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    if (fixture->redis != NULL)
        stop_loop(fixture);
    bw_redis_destroy(&fixture->redis);
    bw_redis_destroy(&fixture->redis);
    bw_loop_destroy(&fixture->loop);
    redis_server_stop(&fixture->server);
    return 0;
}

/* --- one command and the waiting for it */

struct answer {
    atomic_int count;
    int code;
    int64_t number;
    char text[BW_ERROR_TEXT_MAX];
};

static void on_answer(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct answer *answer = arg;

    answer->code = err != NULL ? err->code : BW_OK;
    answer->number = bw_reply_integer(reply);
    (void)snprintf(answer->text, sizeof answer->text, "%s",
                   err != NULL ? err->text : bw_reply_text(reply, NULL));
    atomic_fetch_add(&answer->count, 1);
}

static void wait_for(struct answer *answer, int count)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), PATIENCE_MS);

    while (atomic_load(&answer->count) < count) {
        assert_true(bw_mono_before(bw_mono_now(NULL), deadline));
        nap();
    }
    assert_int_equal(atomic_load(&answer->count), count);
}

static int command(struct fixture *fixture, const char *verb, const char *key,
                   unsigned timeout_ms, struct answer *answer)
{
    struct bw_redis_arg args[] = { { verb, strlen(verb) }, { key, strlen(key) } };

    return bw_redis_command(fixture->redis, args, 2, timeout_ms, on_answer, answer);
}

static void test_command(void **state)
{
    struct fixture *fixture = *state;
    struct answer answer = { 0 };

    assert_int_equal(command(fixture, "INCR", "k", PATIENCE_MS, &answer), BW_OK);
    wait_for(&answer, 1);
    assert_int_equal(answer.code, BW_OK);
    assert_int_equal(answer.number, 1);
    assert_int_equal(command(fixture, "LPUSH", "k", PATIENCE_MS, &answer), BW_OK);
    wait_for(&answer, 2);
    assert_int_equal(answer.code, BW_EREDIS);
    assert_memory_equal(answer.text, "ERR wrong number", 16);
}

static void test_refused_calls(void **state)
{
    struct fixture *fixture = *state;
    struct answer answer = { 0 };
    struct bw_redis_arg huge = { "", SIZE_MAX - 1 };

    assert_int_equal(bw_redis_command(fixture->redis, NULL, 0, 1000, on_answer, &answer),
                     BW_EINVAL);
    assert_int_equal(command(fixture, "INCR", "k", 0, &answer), BW_EINVAL);
    assert_int_equal(bw_redis_command(fixture->redis, &huge, 1, 1000, on_answer, &answer),
                     BW_ENOMEM);
    redis_server_halt(&fixture->server);
    wait_ready(fixture, false);
    assert_int_equal(command(fixture, "INCR", "k", PATIENCE_MS, &answer), BW_ECLOSED);
    redis_server_restart(&fixture->server);
    wait_ready(fixture, true);
    assert_int_equal(command(fixture, "INCR", "k", PATIENCE_MS, &answer), BW_OK);
    wait_for(&answer, 1);
    assert_int_equal(answer.code, BW_OK);
}

/* --- many threads */

#define THREADS 4
#define CALLS   2000

struct sender {
    struct fixture *fixture;
    pthread_t thread;
    char list[16];
    int sent;
    struct answer answer;
    int64_t last;
    bool in_order;
};

static void on_length(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct sender *sender = arg;

    if (err != NULL || bw_reply_integer(reply) != sender->last + 1)
        sender->in_order = false;
    sender->last = bw_reply_integer(reply);
    atomic_fetch_add(&sender->answer.count, 1);
}

static void *send_many(void *arg)
{
    struct sender *sender = arg;

    for (int i = 0; i < CALLS; i++) {
        char number[16];
        int len = snprintf(number, sizeof number, "%d", i);
        struct bw_redis_arg args[] = { { "RPUSH", 5 },
                                       { sender->list, strlen(sender->list) },
                                       { number, (size_t)len } };

        sender->sent += bw_redis_command(sender->fixture->redis, args, 3, PATIENCE_MS,
                                         on_length, sender) == BW_OK;
    }
    return NULL;
}

static void test_threads_keep_their_order(void **state)
{
    struct fixture *fixture = *state;
    struct sender senders[THREADS] = { 0 };

    for (int i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){ .fixture = fixture, .in_order = true };
        (void)snprintf(senders[i].list, sizeof senders[i].list, "list%d", i);
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_many, &senders[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        char *values, *at;

        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
        assert_int_equal(senders[i].sent, CALLS);
        wait_for(&senders[i].answer, CALLS);
        assert_true(senders[i].in_order);
        values = at =
            redis_server_text(&fixture->server, "LRANGE %s 0 -1", senders[i].list);
        for (int n = 0; n < CALLS; n++) {
            assert_int_equal(strtol(at, &at, 10), n);
            at += *at == '\n';
        }
        free(values);
    }
}

/* --- scripts, deadlines, the end */

static void test_scripts_load_on_demand(void **state)
{
    static const char source[] = "return {KEYS[1], ARGV[1]}";
    struct fixture *fixture = *state;
    char *sha = redis_server_text(&fixture->server, "SCRIPT LOAD %s", source);
    struct bw_script script = { "test", sha, (const unsigned char *)source,
                                sizeof source - 1, 1 };
    struct bw_cmd cmd = BW_CMD_INIT;
    struct answer answer = { 0 };

    free(redis_server_text(&fixture->server, "SCRIPT FLUSH"));
    bw_cmd_script(&cmd, &script, 1);
    bw_cmd_str(&cmd, "key");
    bw_cmd_str(&cmd, "arg");
    assert_int_equal(
        bw_redis_send_cmd(fixture->redis, &cmd, PATIENCE_MS, on_answer, &answer), BW_OK);
    assert_int_equal(cmd.count, 0);
    assert_null(cmd.body.data);
    wait_for(&answer, 1);
    assert_int_equal(answer.code, BW_OK);
    bw_cmd_fini(&cmd);
    free(sha);
}

static void test_deadline(void **state)
{
    struct fixture *fixture = *state;
    struct answer answer = { 0 };

    redis_server_pause(&fixture->server);
    assert_int_equal(command(fixture, "INCR", "k", 200, &answer), BW_OK);
    wait_for(&answer, 1);
    assert_int_equal(answer.code, BW_ETIMEDOUT);
    redis_server_cont(&fixture->server);
    wait_ready(fixture, true);
}

static void on_answer_again(const struct bw_reply *reply, const struct bw_error *err,
                            void *arg)
{
    struct fixture *fixture = arg;
    static struct answer never;

    (void)reply;
    assert_non_null(err);
    assert_int_equal(command(fixture, "INCR", "k", 1000, &never), BW_ECLOSED);
    assert_int_equal(atomic_load(&never.count), 0);
}

/* What is in flight at the end is called back, and may not send again. */
static void test_destroyed_with_calls_in_flight(void **state)
{
    struct fixture *fixture = *state;
    struct bw_redis_arg args[] = { { "BLPOP", 5 }, { "nothing", 7 }, { "0", 1 } };
    struct answer answers[2] = { 0 };

    assert_int_equal(
        bw_redis_command(fixture->redis, args, 3, 60000, on_answer, &answers[0]), BW_OK);
    while (redis_server_integer(
               &fixture->server, "EVAL %s 0",
               "local n = 0 for _ in string.gmatch(redis.call('INFO', 'clients'),"
               "'blocked_clients:1') do n = n + 1 end return n") == 0)
        nap();
    stop_loop(fixture);
    assert_int_equal(command(fixture, "INCR", "k", 1000, &answers[1]),
                     BW_OK); /* in the mailbox */
    assert_int_equal(
        bw_redis_command(fixture->redis, args, 3, 1000, on_answer_again, fixture), BW_OK);
    {
        struct bw_redis *redis = fixture->redis;

        bw_redis_destroy(&redis);
    }
    fixture->redis = NULL;
    assert_int_equal(atomic_load(&answers[0].count), 1);
    assert_int_equal(answers[0].code, BW_EIO);
    assert_int_equal(atomic_load(&answers[1].count), 1);
    assert_int_equal(answers[1].code, BW_ECLOSED);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_command),
        CASE(test_refused_calls),
        CASE(test_threads_keep_their_order),
        CASE(test_scripts_load_on_demand),
        CASE(test_deadline),
        CASE(test_destroyed_with_calls_in_flight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
