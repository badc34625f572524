/* Passwords and TLS: lib/redis/tls.c, stream.c, handshake.c. */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "redis_rig.h"
#include "support/redis_server.h"

#define PASSWORD "hunter2-secret"

static struct redis_server server;
static struct rig rig;
static char dir[64];
static uint16_t tls_port;

/* --- a throw-away certificate authority: one certificate for localhost and 127.0.0.1,
 * one for another name */

static void run(const char *script)
{
    char *text;
    int status;

    assert_true(asprintf(&text, "cd %s && { %s; } >>openssl.log 2>&1", dir, script) > 0);
    status = system(text);
    free(text);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("failed, see %s/openssl.log: %s", dir, script);
}

static int make_certificates(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/bulwark-tls-XXXXXX");
    assert_non_null(mkdtemp(dir));
    run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.crt "
        "-subj '/CN=throw-away'");
    run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout other-ca.key "
        "-out other-ca.crt -subj '/CN=other'");
    run("for host in good bad; do "
        "case $host in good) san='DNS:localhost,IP:127.0.0.1';; "
        "*) san='DNS:elsewhere.example';; esac; "
        "printf 'subjectAltName=%s\\n' \"$san\" >$host.ext; "
        "openssl req -newkey rsa:2048 -nodes -keyout $host.key -out $host.csr -subj "
        "/CN=$host && "
        "openssl x509 -req -in $host.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days "
        "2 "
        "-extfile $host.ext -out $host.crt || exit 1; done");
    return 0;
}

static int remove_certificates(void **state)
{
    char *text;
    int status;

    (void)state;
    assert_true(asprintf(&text, "rm -r %s", dir) > 0);
    status = system(text);
    free(text);
    return status;
}

static void start_tls(const char *which)
{
    char port[8], crt[128], key[128], ca[128];

    tls_port = free_port();
    (void)snprintf(port, sizeof port, "%u", (unsigned)tls_port);
    (void)snprintf(crt, sizeof crt, "%s/%s.crt", dir, which);
    (void)snprintf(key, sizeof key, "%s/%s.key", dir, which);
    (void)snprintf(ca, sizeof ca, "%s/ca.crt", dir);
    redis_server_start(&server,
                       (const char *const[]){ "--tls-port", port, "--tls-cert-file", crt,
                                              "--tls-key-file", key, "--tls-ca-cert-file",
                                              ca, "--tls-auth-clients", "no", NULL });
}

static int tear_down(void **state)
{
    (void)state;
    rig_fini(&rig);
    memset(&rig, 0, sizeof rig);
    redis_server_stop(&server);
    return 0;
}

/* --- cases */

static const char *ca_name;

static void set_ca(struct bw_redis_options *options)
{
    if (ca_name == NULL)
        return;
    assert_true(asprintf(&options->ca_file, "%s/%s", dir, ca_name) > 0);
}

static void open_tls(const char *host, const char *ca)
{
    char url[96];

    ca_name = ca;
    (void)snprintf(url, sizeof url, "rediss://%s:%u", host, (unsigned)tls_port);
    rig_init(&rig, url, set_ca);
    rig_open(&rig, "over-tls", true);
}

static bool is_refused(struct rig *at)
{
    return strstr(bw_buf_text(&at->logged), "Redis not reached") != NULL;
}

static void test_tls(void **state)
{
    static const char *const hosts[] = { "localhost", "127.0.0.1" };
    char words[48];

    (void)state;
    start_tls("good");
    for (size_t i = 0; i < 2; i++) {
        open_tls(hosts[i], "ca.crt");
        RIG_RUN(&rig, rig_is_ready, 15000);
        assert_string_equal(rig_ask(&rig, "SET k v"), "OK");
        for (int n = 0; n < 20000; n++) {
            (void)snprintf(words, sizeof words, "RPUSH list%zu element-%d", i, n);
            assert_int_equal(rig_send(&rig, 20000, words), BW_OK);
        }
        RIG_RUN(&rig, rig_has_answers, 20000);
        (void)snprintf(words, sizeof words, "LRANGE list%zu 0 -1", i);
        assert_true(strlen(rig_ask(&rig, words)) > 200000);
        assert_int_equal(rig.lost, 0);
        rig_fini(&rig);
    }
}

static void test_tls_link_is_made_again(void **state)
{
    (void)state;
    start_tls("good");
    open_tls("127.0.0.1", "ca.crt");
    RIG_RUN(&rig, rig_is_ready, 15000);
    redis_server_halt(&server);
    RIG_RUN(&rig, rig_is_lost, 15000);
    redis_server_restart(&server);
    RIG_RUN(&rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(&rig, "CLIENT GETNAME"), "over-tls");
    redis_server_pause(&server);
    rig_forget(&rig);
    assert_int_equal(rig_send(&rig, 200, "PING"), BW_OK);
    RIG_RUN(&rig, rig_is_lost, 15000);
    redis_server_cont(&server);
    RIG_RUN(&rig, rig_is_ready, 15000);
}

static void expect_refusal(const char *reason)
{
    RIG_RUN(&rig, is_refused, 15000);
    if (strstr(bw_buf_text(&rig.logged), reason) == NULL)
        fail_msg("%s", bw_buf_text(&rig.logged));
    assert_int_equal(rig.ready, 0);
}

static void test_wrong_name_is_refused(void **state)
{
    (void)state;
    start_tls("bad");
    open_tls("localhost", "ca.crt");
    expect_refusal("hostname mismatch");
    rig_fini(&rig);
    open_tls("127.0.0.1", "ca.crt");
    expect_refusal("IP address mismatch");
}

static void test_unknown_issuer_is_refused(void **state)
{
    (void)state;
    start_tls("good");
    open_tls("localhost", "other-ca.crt");
    expect_refusal("certificate is refused");
    rig_fini(&rig);
    open_tls("localhost", NULL); /* the system's certificates */
    expect_refusal("certificate is refused");
}

static void test_tls_to_a_plain_port(void **state)
{
    (void)state;
    start_tls("good");
    tls_port = server.port;
    open_tls("localhost", "ca.crt");
    expect_refusal("TLS");
}

static void test_missing_certificates(void **state)
{
    struct bw_conn_options options = { .redis = &rig.options };
    struct bw_error err;

    (void)state;
    ca_name = "no-such-file";
    rig_init(&rig, "rediss://localhost:1", set_ca);
    assert_int_equal(bw_conn_create(&rig.conn, rig.loop, &options, &err), BW_EINVAL);
    assert_non_null(strstr(err.text, "no-such-file"));
    assert_null(rig.conn);
}

static void start_with_password(void)
{
    char *reply;

    redis_server_start(&server, (const char *const[]){ "--requirepass", PASSWORD, NULL });
    reply = redis_server_text(&server, "ACL SETUSER bob on >%s ~* +@all -info -client",
                              "bobs-" PASSWORD);
    assert_string_equal(reply, "OK");
    free(reply);
}

static void open_with(const char *login)
{
    char url[128];

    (void)snprintf(url, sizeof url, "redis://%s@127.0.0.1:%u/5", login,
                   (unsigned)server.port);
    rig_init(&rig, url, NULL);
    rig_open(&rig, "named", false);
}

static void test_password(void **state)
{
    (void)state;
    start_with_password();
    open_with(":" PASSWORD);
    RIG_RUN(&rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(&rig, "ACL WHOAMI"), "default");
    assert_string_equal(rig_ask(&rig, "SET in5 1"), "OK");
    assert_int_equal(redis_server_integer(&server, "EXISTS in5"), 0);
    assert_null(strstr(bw_buf_text(&rig.logged), PASSWORD));
}

/* Also one whom the server denies what is only nice to have. */
static void test_user(void **state)
{
    (void)state;
    start_with_password();
    open_with("bob:bobs-" PASSWORD);
    RIG_RUN(&rig, rig_is_ready, 15000);
    assert_string_equal(rig_ask(&rig, "ACL WHOAMI"), "bob");
    assert_int_equal(bw_conn_server_version(rig.conn), 0);
    assert_int_equal(bw_conn_client_id(rig.conn), 0);
    assert_non_null(strstr(bw_buf_text(&rig.logged), "NOPERM"));
}

static bool is_refused_twice(struct rig *at)
{
    const char *first = strstr(bw_buf_text(&at->logged), "Redis not reached");

    return first != NULL && strstr(first + 1, "Redis not reached") != NULL;
}

static void test_wrong_password_is_tried_again_and_not_told(void **state)
{
    (void)state;
    start_with_password();
    open_with(":wrong-" PASSWORD);
    RIG_RUN(&rig, is_refused_twice, 15000);
    assert_non_null(strstr(bw_buf_text(&rig.logged), "WRONGPASS"));
    assert_null(strstr(bw_buf_text(&rig.logged), PASSWORD));
    assert_int_equal(rig.ready, 0);
    rig_fini(&rig);
    rig_init(&rig, server.url, NULL);
    rig_open(&rig, NULL, true);
    RIG_RUN(&rig, is_refused, 15000);
    assert_non_null(strstr(bw_buf_text(&rig.logged), "NOAUTH"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, NULL, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_tls),
        CASE(test_tls_link_is_made_again),
        CASE(test_wrong_name_is_refused),
        CASE(test_unknown_issuer_is_refused),
        CASE(test_tls_to_a_plain_port),
        CASE(test_missing_certificates),
        CASE(test_password),
        CASE(test_user),
        CASE(test_wrong_password_is_tried_again_and_not_told),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
