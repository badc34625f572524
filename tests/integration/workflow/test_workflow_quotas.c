/* Limits that hold in any window of time, on a real Redis and without one. Answers for
 * worker/workflow/engine/quotas.c. worker/workflow/spec/workflow.md §10.4, §10.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bulwark/time.h>

#include "support/redis_server.h"
#include "workflow/base/mem.h"
#include "workflow/engine/memory.h"
#include "workflow/engine/quotas.h"

#define LEASE_MS 5000

static struct redis_server server;

static int open_server(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    return 0;
}

static int close_server(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

static int empty(void **state)
{
    (void)state;
    free(redis_server_text(&server, "FLUSHALL"));
    return 0;
}

static int64_t mono_ms(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct wf_quotas *bot(const char *holder, int64_t limit, int64_t window_ms)
{
    struct wf_quotas *quotas = wf_quotas_create(wf_strdup("pause"), wf_strdup("counter"),
                                                wf_strdup("waiting"), holder);

    wf_quotas_add(quotas, wf_strdup("bot"), limit, window_ms);
    return quotas;
}

static struct wf_quotas *bot_and_chat(const char *holder, const char *chat)
{
    struct wf_quotas *quotas = bot(holder, 3, 60000);

    wf_quotas_add(quotas, wf_strdup(chat), 1, 60000);
    return quotas;
}

/* Runs the command for the quotas, which it takes. */
static int64_t run(struct wf_quotas *quotas,
                   size_t (*command)(const struct wf_quotas *quotas,
                                     struct bw_redis_arg *args))
{
    struct bw_redis_arg args[WF_QUOTA_ARGS] = { { NULL, 0 } };
    size_t count = command(quotas, args);
    char format[3 * WF_QUOTA_ARGS + 1] = "";
    int64_t result;

    assert_int_equal(WF_QUOTA_ARGS, 17);
    for (size_t i = 0; i < count; i++)
        strcat(format, i > 0 ? " %s" : "%s");
    result = redis_server_integer(
        &server, format, args[0].data, args[1].data, args[2].data, args[3].data,
        args[4].data, args[5].data, args[6].data, args[7].data, args[8].data,
        args[9].data, args[10].data, args[11].data, args[12].data, args[13].data,
        args[14].data, args[15].data, args[16].data);
    wf_quotas_destroy(&quotas);
    assert_null(quotas);
    return result;
}

static int64_t enter(struct wf_quotas *quotas)
{
    return run(quotas, wf_quotas_enter);
}

static void leave(struct wf_quotas *quotas)
{
    assert_int_equal(run(quotas, wf_quotas_leave), 0);
}

/* Asks until there is a place. */
static void wait_for_place(const char *holder, int64_t limit, int64_t window_ms)
{
    int64_t start = mono_ms(), ms;

    while ((ms = enter(bot(holder, limit, window_ms))) > 0) {
        struct timespec pause = { .tv_nsec = 1000000 };

        assert_in_range(ms, 1, window_ms);
        assert_true(mono_ms() < start + 20000);
        (void)nanosleep(&pause, NULL); /* an interrupted nap is a shorter nap */
    }
}

static void test_limit(void **state)
{
    (void)state;
    assert_int_equal(enter(bot("a", 2, 60000)), 0);
    assert_int_equal(enter(bot("b", 2, 60000)), 0);
    assert_in_range(enter(bot("c", 2, 60000)), 1, 60000);
    assert_int_equal(enter(bot("a", 2, 60000)), 0); /* asked again: it is there */
    /* broadcasts have a lower limit on the same places */
    assert_in_range(enter(bot("d", 1, 60000)), 1, 60000);
    assert_int_equal(enter(bot("e", 3, 60000)), 0);
    assert_int_equal(redis_server_integer(&server, "ZCARD bot"), 3);
    assert_in_range(redis_server_integer(&server, "PTTL bot"), 60000, 66000);
    /* §10.4: what entered in a second is counted under its key */
    assert_int_equal(redis_server_integer(&server, "INCR counter"), 5);
    assert_in_range(redis_server_integer(&server, "PTTL counter"), 50000, 60000);
}

/* A place in all, or in none. */
static void test_together(void **state)
{
    (void)state;
    assert_int_equal(enter(bot_and_chat("a", "chat1")), 0);
    assert_in_range(enter(bot_and_chat("b", "chat1")), 1, 60000);
    assert_int_equal(redis_server_integer(&server, "ZCARD bot"), 1);
    assert_int_equal(enter(bot_and_chat("b", "chat2")), 0);
    assert_int_equal(enter(bot_and_chat("c", "chat3")), 0);
    assert_in_range(enter(bot_and_chat("d", "chat4")), 1, 60000);
    assert_int_equal(redis_server_integer(&server, "EXISTS chat4"), 0);
}

/* However long a message is on its way: its window begins with the answer. */
static void test_window_begins_with_the_answer(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct timespec on_its_way = { .tv_nsec = 60000000 };
        int64_t start;

        free(redis_server_text(&server, "DEL bot"));
        assert_int_equal(enter(bot("a", 1, 50)), 0);
        (void)nanosleep(&on_its_way, NULL); /* what is tested: longer than the window */
        assert_in_range(enter(bot("b", 1, 50)), 1, 50);
        start = mono_ms();
        leave(bot("a", 1, 50));
        wait_for_place("b", 1, 50);
        assert_true(mono_ms() - start >= 50);
    }
}

static void test_lease(void **state)
{
    int64_t start = mono_ms();

    (void)state;
    assert_int_equal(enter(bot("dead", 1, 50)), 0);
    wait_for_place("b", 1, 50);
    assert_in_range(mono_ms() - start, LEASE_MS + 50, LEASE_MS + 5000);
}

static void test_clock_put_back(void **state)
{
    (void)state;
    free(redis_server_text(&server, "ZADD bot 99999999999999 a 99999999999998 b"));
    assert_int_equal(enter(bot("c", 1, 1000)), 0);
    assert_int_equal(redis_server_integer(&server, "ZCARD bot"), 1);
}

static void test_pause(void **state)
{
    (void)state;
    free(redis_server_text(&server, "SET pause 1 PX 5000"));
    assert_in_range(enter(bot("a", 10, 1000)), 1000, 5000);
    assert_int_equal(redis_server_integer(&server, "EXISTS bot"), 0);
    free(redis_server_text(&server, "DEL pause"));
    assert_int_equal(enter(bot("a", 10, 1000)), 0);
}

/* Those who wait are told different times: each place wakes one of them. */
static void test_waiting(void **state)
{
    static const char *const holders[] = { "a", "b", "c" };
    int64_t now =
        redis_server_integer(&server, "EVAL %s 0", "return redis.call('TIME')[1] * 1000");

    (void)state;
    for (int i = 0; i < 3; i++)
        free(redis_server_text(&server, "ZADD bot %lld %s",
                               (long long)now + 20000 + 10000 * i, holders[i]));
    for (int i = 0; i < 6; i++)
        assert_in_range(enter(bot("d", 3, 60000)), 15000 + 10000 * (i % 3),
                        20000 + 10000 * (i % 3));
    free(redis_server_text(&server, "ZREM bot a"));
    assert_int_equal(enter(bot("d", 3, 60000)), 0);
    assert_in_range(enter(bot("e", 3, 60000)), 25000, 30000);
}

static int64_t now_ns = INT64_C(1000000000);

static struct bw_mono fake_mono(void *arg)
{
    (void)arg;
    return (struct bw_mono){ now_ns };
}

/* §10.6: without Redis no window that one begins in has more than the limit, either. */
static void test_memory(void **state)
{
    const struct bw_clock clock = { .mono = fake_mono };
    struct wf_memory *memory = wf_memory_create(100, &clock);
    struct wf_quotas *quotas = bot("a", 10, 1000);
    int entered[60] = { 0 };

    (void)state;
    for (int tick = 0; tick < 60; tick++) { /* of 100 ms */
        int window = 0;

        for (int i = 0; i < 20; i++)
            entered[tick] += wf_quotas_enter_memory(quotas, memory) == 0;
        for (int back = 0; back < 10 && back <= tick; back++)
            window += entered[tick - back];
        assert_in_range(window, tick < 10 ? 1 : 5, 10);
        now_ns += INT64_C(100000000);
    }
    wf_memory_set(memory, "pause", "1", 1000);
    now_ns += INT64_C(900000000);
    assert_true(wf_quotas_enter_memory(quotas, memory) > 0);
    now_ns += INT64_C(200000000);
    assert_int_equal(wf_quotas_enter_memory(quotas, memory), 0);
    wf_quotas_destroy(&quotas);
    wf_memory_destroy(&memory);
}

static void test_memory_of_a_chat(void **state)
{
    const struct bw_clock clock = { .mono = fake_mono };
    struct wf_memory *memory = wf_memory_create(100, &clock);
    struct wf_quotas *quotas = bot_and_chat("a", "chat");

    (void)state;
    assert_int_equal(wf_quotas_enter_memory(quotas, memory), 0);
    now_ns += INT64_C(59000000000);
    wf_quotas_leave_memory(quotas, memory); /* the answer */
    now_ns += INT64_C(59000000000);
    assert_true(wf_quotas_enter_memory(quotas, memory) > 0);
    now_ns += INT64_C(1000000000);
    assert_int_equal(wf_quotas_enter_memory(quotas, memory), 0);
    wf_quotas_destroy(&quotas);
    wf_memory_destroy(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_limit, empty),
        cmocka_unit_test_setup(test_together, empty),
        cmocka_unit_test_setup(test_window_begins_with_the_answer, empty),
        cmocka_unit_test_setup(test_lease, empty),
        cmocka_unit_test_setup(test_clock_put_back, empty),
        cmocka_unit_test_setup(test_pause, empty),
        cmocka_unit_test_setup(test_waiting, empty),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_of_a_chat),
    };

    return cmocka_run_group_tests_name("workflow quotas", tests, open_server,
                                       close_server);
}
