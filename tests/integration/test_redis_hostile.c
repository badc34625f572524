/* Peers that are no Redis, or a broken one: nothing but a lost link comes of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <bulwark/thread.h>

#include "redis_rig.h"

/* A peer on a thread of its own: takes one connection after the other, answers the
 * handshake if asked to, sends its bytes as often as told, and hangs up or stays silent.
 */
struct peer {
    int listener;
    uint16_t port;
    pthread_t thread;
    bool handshake;
    bool hangs_up;
    const char *bytes;
    size_t len;
    size_t times;
};

static const char handshake_answers[] = "$26\r\nredis_version:7.0.1\r\nx:y\r\n\r\n:5\r\n";

static bool put(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t done = send(fd, data, len, MSG_NOSIGNAL);

        if (done <= 0)
            return false;
        data += done;
        len -= (size_t)done;
    }
    return true;
}

/* INFO and CLIENT ID: what a connection without password, name or scripts sends. */
static bool read_handshake(int fd)
{
    static const char expected[] =
        "*1\r\n$4\r\nINFO\r\n*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n";
    char got[sizeof expected - 1];

    return recv(fd, got, sizeof got, MSG_WAITALL) == (ssize_t)sizeof got &&
           memcmp(got, expected, sizeof got) == 0;
}

static void serve(const struct peer *peer, int fd)
{
    char drop[4096];

    if (peer->handshake) {
        if (!read_handshake(fd) ||
            !put(fd, handshake_answers, sizeof handshake_answers - 1) ||
            recv(fd, drop, sizeof drop, 0) <= 0) /* the test's command */
            return;
    }
    for (size_t i = 0; i < peer->times; i++) {
        if (!put(fd, peer->bytes, peer->len))
            return;
    }
    while (!peer->hangs_up && recv(fd, drop, sizeof drop, 0) > 0)
        ;
}

static void *peer_main(void *arg)
{
    const struct peer *peer = arg;

    for (;;) {
        int fd = accept(peer->listener, NULL, NULL);

        if (fd < 0)
            return NULL; /* the test is over */
        serve(peer, fd);
        (void)close(fd);
    }
}

static void peer_start(struct peer *peer)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(peer->listener >= 0);
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(peer->listener, 16), 0);
    assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&at, &len), 0);
    peer->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&peer->thread, NULL, peer_main, peer), 0);
}

static void peer_stop(struct peer *peer)
{
    assert_int_equal(shutdown(peer->listener, SHUT_RDWR), 0);
    assert_int_equal(pthread_join(peer->thread, NULL), 0);
    (void)close(peer->listener);
}

static void short_timeout(struct bw_redis_options *options)
{
    options->connect_timeout_ms = 200;
}

static void rig_at_peer(struct rig *rig, const struct peer *peer)
{
    char url[64];

    (void)snprintf(url, sizeof url, "redis://127.0.0.1:%u", (unsigned)peer->port);
    rig_init(rig, url, short_timeout);
    rig_open(rig, NULL, false);
}

/* Two lines that say so; one reason counts twice. */
static bool gave_up_twice(struct rig *rig)
{
    const char *first = strstr(bw_buf_text(&rig->logged), " retryMs=");

    return first != NULL && strstr(first + 1, " retryMs=") != NULL;
}

/* A hundred nested arrays; more levels than any reply has. */
#define NEST10 "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"

static const struct {
    const char *name, *bytes;
    size_t times;
    bool hangs_up;
} cases[] = {
    { "silence", "", 0, false },
    { "hangs up", "", 0, true },
    { "another protocol", "SSH-2.0-OpenSSH_9.2\r\n", 1, false },
    { "half a reply", "$100\r\nabc", 1, false },
    { "half a reply, then the end", "*3\r\n:1\r\n$5\r\nab", 1, true },
    { "a huge string", "$536870911\r\nxxxx", 1, false },
    { "an impossible length", "$-7\r\n", 1, false },
    { "a length that overflows", "$18446744073709551616\r\n", 1, false },
    { "a huge array", "*2147483647\r\n", 1, false },
    { "arrays of huge arrays", "*1000000\r\n", 8, false },
    { "deep nesting", NEST10, 10, false },
    { "more replies than commands", "+OK\r\n", 1000, false },
    { "errors without a command", "-ERR max number of clients reached\r\n", 3, true },
    { "NUL bytes", "\0\0\0\0", 1, false },
    { "integers that are none", ":1a\r\n", 1, false },
    { "a line without an end",
      "+xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 2000, false },
    { "a type of its own", "?1\r\n", 1, false },
};

static void test_instead_of_a_handshake(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer peer = { .bytes = cases[i].bytes,
                             .len =
                                 cases[i].bytes[0] != '\0' ? strlen(cases[i].bytes) : 4,
                             .times = cases[i].times,
                             .hangs_up = cases[i].hangs_up };
        struct rig rig;

        peer_start(&peer);
        rig_at_peer(&rig, &peer);
        rig_run(&rig, gave_up_twice, 15000, cases[i].name);
        assert_false(rig_is_ready(&rig));
        rig_fini(&rig);
        peer_stop(&peer);
    }
}

/* The same as the answer to a command: it fails once, the link ends, the next one is
 * tried. */
static void test_instead_of_an_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer peer = { .handshake = true,
                             .bytes = cases[i].bytes,
                             .len =
                                 cases[i].bytes[0] != '\0' ? strlen(cases[i].bytes) : 4,
                             .times = cases[i].times,
                             .hangs_up = cases[i].hangs_up };
        struct rig rig;

        peer_start(&peer);
        rig_at_peer(&rig, &peer);
        RIG_RUN(&rig, rig_is_ready, 15000);
        assert_int_equal(bw_conn_server_version(rig.conn), 0x070001);
        assert_int_equal(bw_conn_client_id(rig.conn), 5);
        assert_int_equal(rig_send(&rig, 200, "GET k"), BW_OK);
        rig_run(&rig, rig_is_lost, 15000, cases[i].name);
        assert_int_equal(rig.answered, 1);
        RIG_RUN(&rig, rig_is_ready, 15000);
        rig_fini(&rig);
        peer_stop(&peer);
    }
}

/* The peer itself is sound: an answer of it is an answer. */
static void test_a_sound_answer(void **state)
{
    struct peer peer = { .handshake = true, .bytes = "+yes\r\n", .len = 6, .times = 1 };
    struct rig rig;

    (void)state;
    peer_start(&peer);
    rig_at_peer(&rig, &peer);
    RIG_RUN(&rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(&rig, "GET k"), "yes");
    rig_fini(&rig);
    peer_stop(&peer);
}

/* Nobody listens: refused at once, and tried again with growing pauses. */
static void test_refused(void **state)
{
    struct peer peer = { .times = 0 };
    struct rig rig;

    (void)state;
    peer_start(&peer);
    peer_stop(&peer);
    rig_at_peer(&rig, &peer);
    RIG_RUN(&rig, gave_up_twice, 15000);
    assert_non_null(strstr(bw_buf_text(&rig.logged), "Connection refused"));
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instead_of_a_handshake),
        cmocka_unit_test(test_instead_of_an_answer),
        cmocka_unit_test(test_a_sound_answer),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
