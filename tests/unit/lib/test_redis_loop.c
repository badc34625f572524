/* Answers for lib/redis/loop.c and lib/redis/lookup.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bulwark/thread.h>

#include "redis/loop.h"

struct fixture {
    struct bw_loop *loop;
    struct bw_timer *timer, *other;
    char trace[128];
    int count;
    int fds[2];
    struct bw_io *io;
    struct bw_waker *waker;
    struct bw_lookup *lookup;
    struct bw_flush flush;
};

static void note(struct fixture *fixture, const char *what)
{
    (void)strncat(fixture->trace, what,
                  sizeof fixture->trace - strlen(fixture->trace) - 1);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct bw_error err;

    memset(&fixture, 0, sizeof fixture);
    bw_list_init(&fixture.flush.node);
    *state = &fixture;
    return bw_loop_create(&fixture.loop, NULL, &err);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    bw_timer_destroy(&fixture->timer);
    bw_timer_destroy(&fixture->other);
    bw_io_destroy(&fixture->io);
    bw_waker_destroy(&fixture->waker);
    bw_lookup_cancel(&fixture->lookup);
    bw_loop_destroy(&fixture->loop);
    bw_loop_destroy(&fixture->loop);
    return 0;
}

static void stop(void *arg)
{
    struct fixture *fixture = arg;

    note(fixture, "s");
    bw_loop_stop(fixture->loop);
}

/* --- turns */

static void on_turn(void *arg)
{
    struct fixture *fixture = arg;

    note(fixture, "t");
    bw_loop_flush(fixture->loop, &fixture->flush);
    bw_loop_flush(fixture->loop, &fixture->flush);
}

static void on_flush(void *arg)
{
    struct fixture *fixture = arg;

    note(fixture, "f");
    if (fixture->count++ == 0)
        bw_loop_flush(fixture->loop, &fixture->flush); /* in the same turn */
}

static void test_a_turn_ends_with_turn_then_flush(void **state)
{
    struct fixture *fixture = *state;

    fixture->flush.fn = on_flush;
    fixture->flush.arg = fixture;
    bw_loop_on_turn(fixture->loop, on_turn, fixture);
    assert_int_equal(bw_timer_create(&fixture->timer, fixture->loop, stop, fixture),
                     BW_OK);
    bw_timer_start(fixture->timer, 1);
    bw_loop_run(fixture->loop);
    assert_memory_equal(fixture->trace, "tff", 3);
    assert_non_null(strstr(fixture->trace, "stf"));
    /* what was gathered last is sent although the loop was stopped */
    assert_string_equal(fixture->trace + strlen(fixture->trace) - 2, "tf");
}

static void test_stop_before_run(void **state)
{
    struct fixture *fixture = *state;

    bw_loop_stop(fixture->loop);
    bw_loop_run(fixture->loop);
    assert_int_equal(bw_timer_create(&fixture->timer, fixture->loop, stop, fixture),
                     BW_OK);
    bw_timer_start(fixture->timer, 1);
    bw_loop_run(fixture->loop); /* the first stop is used up */
    assert_string_equal(fixture->trace, "s");
}

/* --- time */

static int64_t fake_ns;

static struct bw_mono fake_mono(void *arg)
{
    (void)arg;
    return (struct bw_mono){ ++fake_ns };
}

static struct bw_wall fake_wall(void *arg)
{
    (void)arg;
    return (struct bw_wall){ fake_ns * 10 };
}

static void check_time(void *arg)
{
    struct fixture *fixture = arg;
    int64_t first = bw_loop_mono(fixture->loop).ns;

    assert_int_equal(bw_loop_mono(fixture->loop).ns, first);
    assert_int_equal(bw_loop_wall(fixture->loop).ms, first * 10);
    assert_true(first > fixture->count);
    fixture->count = (int)first;
    if (first >= 3)
        bw_loop_stop(fixture->loop);
    else
        bw_timer_start(fixture->timer, 1);
}

static void test_a_turn_has_one_instant(void **state)
{
    struct fixture *fixture = *state;
    struct bw_clock clock = { fake_mono, fake_wall, NULL };
    struct bw_error err;

    bw_loop_destroy(&fixture->loop);
    assert_int_equal(bw_loop_create(&fixture->loop, &clock, &err), BW_OK);
    assert_int_equal(bw_timer_create(&fixture->timer, fixture->loop, check_time, fixture),
                     BW_OK);
    bw_timer_start(fixture->timer, 0);
    bw_loop_run(fixture->loop);
    assert_true(fixture->count >= 3);
}

/* --- timers */

static void on_first(void *arg)
{
    note(arg, "1");
}

static void test_timers(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(bw_timer_create(&fixture->timer, fixture->loop, on_first, fixture),
                     BW_OK);
    assert_int_equal(bw_timer_create(&fixture->other, fixture->loop, stop, fixture),
                     BW_OK);
    assert_false(bw_timer_is_running(fixture->timer));
    bw_timer_stop(fixture->timer);
    bw_timer_start(fixture->timer, 100000);
    assert_true(bw_timer_is_running(fixture->timer));
    bw_timer_start(fixture->timer, 1); /* moved */
    bw_timer_start(fixture->other, 20);
    bw_loop_run(fixture->loop);
    assert_string_equal(fixture->trace, "1s");
    assert_false(bw_timer_is_running(fixture->timer));
    bw_timer_start(fixture->timer, 1);
    bw_timer_stop(fixture->timer);
    bw_timer_start(fixture->other, 10);
    bw_loop_run(fixture->loop);
    assert_string_equal(fixture->trace, "1ss");
    bw_timer_start(fixture->other, -5); /* at once, and destroyed while it runs */
}

/* --- wake-ups */

static void *wake_often(void *arg)
{
    struct fixture *fixture = arg;

    for (int i = 0; i < 1000; i++) {
        bw_waker_wake(fixture->waker);
        bw_loop_wake(fixture->loop);
    }
    return NULL;
}

static void count_wake(struct fixture *fixture, int bit)
{
    fixture->count |= bit;
    if (fixture->count == 3)
        bw_loop_stop(fixture->loop);
}

static void on_woken(void *arg)
{
    count_wake(arg, 1);
}

static void on_loop_woken(void *arg)
{
    count_wake(arg, 2);
}

static void test_wakes_from_another_thread(void **state)
{
    struct fixture *fixture = *state;
    struct bw_error err;
    pthread_t thread;

    bw_loop_on_wake(fixture->loop, on_loop_woken, fixture);
    assert_int_equal(
        bw_waker_create(&fixture->waker, fixture->loop, on_woken, fixture, &err), BW_OK);
    assert_int_equal(bw_timer_create(&fixture->timer, fixture->loop, stop, fixture),
                     BW_OK);
    bw_timer_start(fixture->timer, 5000);
    assert_int_equal(pthread_create(&thread, NULL, wake_often, fixture), 0);
    bw_loop_run(fixture->loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(fixture->count, 3);
}

/* --- sockets */

static void on_io(void *arg, int events)
{
    struct fixture *fixture = arg;
    char byte;

    if ((events & BW_IO_WRITE) != 0) {
        note(fixture, "w");
        assert_int_equal(write(fixture->fds[1], "x", 1), 1);
        bw_io_watch(fixture->io, BW_IO_READ);
        return;
    }
    assert_int_equal(read(fixture->fds[0], &byte, 1), 1);
    note(fixture, "r");
    bw_io_watch(fixture->io, 0);
    bw_io_destroy(&fixture->io); /* inside its own callback */
    bw_loop_stop(fixture->loop);
}

static void test_io(void **state)
{
    struct fixture *fixture = *state;
    struct bw_error err;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fixture->fds), 0);
    assert_int_equal(
        bw_io_create(&fixture->io, fixture->loop, fixture->fds[0], on_io, fixture, &err),
        BW_OK);
    bw_io_watch(fixture->io, BW_IO_WRITE);
    bw_loop_run(fixture->loop);
    assert_string_equal(fixture->trace, "wr");
    (void)close(fixture->fds[0]);
    (void)close(fixture->fds[1]);
}

static void test_io_needs_a_socket(void **state)
{
    struct fixture *fixture = *state;
    struct bw_error err;

    assert_int_equal(bw_io_create(&fixture->io, fixture->loop, -1, on_io, fixture, &err),
                     BW_ESYSTEM);
    assert_null(fixture->io);
}

/* --- lookups */

static void on_found(void *arg, int code, const struct sockaddr_storage *list,
                     const socklen_t *lens, size_t count, const char *text)
{
    struct fixture *fixture = arg;

    assert_null(fixture->lookup);
    if (code == BW_OK) {
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++)
            assert_true(lens[i] == sizeof(struct sockaddr_in)
                            ? list[i].ss_family == AF_INET
                            : list[i].ss_family == AF_INET6);
        note(fixture, "ok");
    } else {
        assert_non_null(text);
        note(fixture, "no");
    }
    bw_loop_stop(fixture->loop);
}

static void look_up(struct fixture *fixture, const char *host)
{
    struct bw_error err;

    assert_int_equal(bw_lookup_start(&fixture->lookup, fixture->loop, host, 6379,
                                     on_found, fixture, &err),
                     BW_OK);
}

static void test_lookup(void **state)
{
    struct fixture *fixture = *state;

    look_up(fixture, "localhost");
    bw_loop_run(fixture->loop);
    look_up(fixture, "not a name");
    bw_loop_run(fixture->loop);
    assert_string_equal(fixture->trace, "okno");
}

static void test_lookup_cancelled(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 20; i++) {
        look_up(fixture, "localhost");
        bw_lookup_cancel(&fixture->lookup);
        bw_lookup_cancel(&fixture->lookup);
    }
    assert_int_equal(bw_timer_create(&fixture->timer, fixture->loop, stop, fixture),
                     BW_OK);
    bw_timer_start(fixture->timer, 20);
    bw_loop_run(fixture->loop);
    assert_string_equal(fixture->trace, "s");
    look_up(fixture, "localhost"); /* and cancelled by the end */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_turn_ends_with_turn_then_flush, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_stop_before_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_turn_has_one_instant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wakes_from_another_thread, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_io, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_io_needs_a_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lookup, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lookup_cancelled, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
