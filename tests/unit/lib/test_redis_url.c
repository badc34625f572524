/* Answers for lib/redis/url.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bulwark/redis.h>

#include "base/alloc.h"

static void expect_text(const char *url, const char *what, const char *got,
                        const char *expected)
{
    if (got == NULL || expected == NULL ? got != expected : strcmp(got, expected) != 0)
        fail_msg("%s: %s is %s, not %s", url, what, got != NULL ? got : "NULL",
                 expected != NULL ? expected : "NULL");
}

static void test_accepted(void **state)
{
    static const struct {
        const char *url, *host, *path, *username, *password;
        unsigned port;
        int db;
        bool tls;
    } cases[] = {
        { "redis://", "127.0.0.1", NULL, NULL, NULL, 6379, 0, false },
        { "redis://h", "h", NULL, NULL, NULL, 6379, 0, false },
        { "REDIS://h/", "h", NULL, NULL, NULL, 6379, 0, false },
        { "redis://h:1", "h", NULL, NULL, NULL, 1, 0, false },
        { "redis://h:65535/15", "h", NULL, NULL, NULL, 65535, 15, false },
        { "redis://h:/3", "h", NULL, NULL, NULL, 6379, 3, false },
        { "redis://:7000", "127.0.0.1", NULL, NULL, NULL, 7000, 0, false },
        { "redis://:secret@h", "h", NULL, NULL, "secret", 6379, 0, false },
        { "redis://user:secret@h:2", "h", NULL, "user", "secret", 2, 0, false },
        { "redis://user@h", "h", NULL, "user", NULL, 6379, 0, false },
        { "redis://user:@h", "h", NULL, "user", NULL, 6379, 0, false },
        { "redis://@h", "h", NULL, NULL, NULL, 6379, 0, false },
        { "redis://:p%40ss%3A%2fw@h", "h", NULL, NULL, "p@ss:/w", 6379, 0, false },
        { "redis://:p@ss:x@h", "h", NULL, NULL, "p@ss:x", 6379, 0, false },
        { "redis://us%65r:%25@h", "h", NULL, "user", "%", 6379, 0, false },
        { "rediss://h.example:6380/2", "h.example", NULL, NULL, NULL, 6380, 2, true },
        { "redis://[::1]", "::1", NULL, NULL, NULL, 6379, 0, false },
        { "redis://u:p@[fe80::1]:5/1", "fe80::1", NULL, "u", "p", 5, 1, false },
        { "redis://h?db=4", "h", NULL, NULL, NULL, 6379, 4, false },
        { "redis://h/?family=6&db=5&x", "h", NULL, NULL, NULL, 6379, 5, false },
        { "redis://h?password=s%40t&username=u", "h", NULL, "u", "s@t", 6379, 0, false },
        { "redis://a:b@h/1?password=x&username=y&db=7", "h", NULL, "a", "b", 6379, 1,
          false },
        { "redis://h/2?x=/@", "h", NULL, NULL, NULL, 6379, 2, false },
        { "unix:///run/redis.sock", "127.0.0.1", "/run/redis.sock", NULL, NULL, 6379, 0,
          false },
        { "unix:///a%20b?db=9", "127.0.0.1", "/a b", NULL, NULL, 6379, 9, false },
        { "unix://:pw@/s", "127.0.0.1", "/s", NULL, "pw", 6379, 0, false },
        { "unix://u:pw@/s?db=1", "127.0.0.1", "/s", "u", "pw", 6379, 1, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bw_redis_options options;
        struct bw_error err;
        const char *url = cases[i].url;

        if (bw_redis_options_parse(&options, url, &err) != BW_OK)
            fail_msg("%s: %s", url, err.text);
        expect_text(url, "host", options.host, cases[i].host);
        expect_text(url, "path", options.path, cases[i].path);
        expect_text(url, "user", options.username, cases[i].username);
        expect_text(url, "password", options.password, cases[i].password);
        assert_int_equal(options.port, cases[i].port);
        assert_int_equal(options.db, cases[i].db);
        assert_int_equal(options.tls, cases[i].tls);
        assert_int_equal(options.connect_timeout_ms, 5000);
        bw_redis_options_fini(&options);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *url, *names; /* what the message must name */
    } cases[] = {
        { "", "scheme" },
        { "h:6379", "scheme" },
        { "http://h", "scheme" },
        { "redis:/h", "scheme" },
        { "redis://h:0", "port" },
        { "redis://h:65536", "port" },
        { "redis://h:12a", "port" },
        { "redis://h:-1", "port" },
        { "redis://h/x", "database" },
        { "redis://h/1/2", "database" },
        { "redis://h/-1", "database" },
        { "redis://h?db=x", "database" },
        { "redis://h?family=5", "family" },
        { "redis://h?family=", "family" },
        { "redis://h?connectTimeout=0", "connectTimeout" },
        { "redis://h?password=hunter%", "password: bad percent encoding" },
        { "redis://user:12?hunter@h", "%3F" },
        { "redis://[::1", "host" },
        { "redis://[::1]x", "host" },
        { "redis://[]", "host" },
        { "redis://h%zz", "host" },
        { "redis://:hunter%4@h", "password: bad percent encoding at byte 6" },
        { "redis://:hunter%00@h", "password: bad percent encoding at byte 6" },
        { "redis://%:hunter@h", "user: bad percent encoding at byte 0" },
        { "unix://run/redis.sock", "path" },
        { "unix://", "path" },
        { "unix:///a%", "path: bad percent encoding at byte 2" },
        { "unix:///s?db=hunter", "database" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bw_redis_options options;
        struct bw_error err;

        if (bw_redis_options_parse(&options, cases[i].url, &err) != BW_EINVAL)
            fail_msg("%s was not refused", cases[i].url);
        if (strstr(err.text, cases[i].names) == NULL)
            fail_msg("%s: \"%s\" does not name %s", cases[i].url, err.text,
                     cases[i].names);
        /* never a secret in an error */
        assert_null(strstr(err.text, "hunter"));
        assert_null(options.host);
        assert_null(options.password);
        bw_redis_options_fini(&options); /* harmless */
    }
}

static void test_notes(void **state)
{
    static const struct {
        const char *url, *unknown;
        bool port, db, timeout;
        int family;
    } cases[] = {
        { "redis://h", "", false, false, false, 0 },
        { "redis://h:1/0", "", true, true, false, 0 },
        { "redis://h?db=0&family=6&connectTimeout=7", "", false, true, true, 6 },
        { "redis://h?FAMILY=4&&", "", false, false, false, 4 },
        { "redis://h?retries=1&tls=true&=2&hunter&h%20u=1", "retries, tls, ?, ?, ?",
          false, false, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bw_redis_options options;
        struct bw_redis_url_notes notes;
        struct bw_error err;

        assert_int_equal(bw_redis_options_parse_url(&options, cases[i].url, &notes, &err),
                         BW_OK);
        expect_text(cases[i].url, "unknown", notes.unknown, cases[i].unknown);
        assert_int_equal(notes.has_port, cases[i].port);
        assert_int_equal(notes.has_db, cases[i].db);
        assert_int_equal(notes.has_timeout, cases[i].timeout);
        assert_int_equal(options.family, cases[i].family);
        bw_redis_options_fini(&options);
    }
}

static void test_dup(void **state)
{
    struct bw_redis_options from, to;
    struct bw_error err;

    (void)state;
    assert_int_equal(bw_redis_options_parse(&from, "rediss://u:p@h:7/3", &err), BW_OK);
    assert_int_equal(bw_redis_options_dup(&to, &from, &err), BW_OK);
    bw_redis_options_fini(&from);
    assert_null(from.host);
    assert_string_equal(to.host, "h");
    assert_string_equal(to.username, "u");
    assert_string_equal(to.password, "p");
    assert_null(to.path);
    assert_int_equal(to.port, 7);
    assert_int_equal(to.db, 3);
    assert_true(to.tls);
    bw_redis_options_fini(&to);
    bw_redis_options_fini(&to);
}

static int parse_and_dup(struct bw_redis_options *parsed, struct bw_redis_options *copy,
                         struct bw_error *err)
{
    int rc = bw_redis_options_parse(parsed, "redis://user:pass@host:1/2", err);

    return rc == BW_OK ? bw_redis_options_dup(copy, parsed, err) : rc;
}

static void test_each_allocation_fails_once(void **state)
{
    struct bw_redis_options parsed = { 0 }, copy = { 0 };
    struct bw_error err;
    size_t failures = 0;

    (void)state;
    for (size_t nth = 0;; nth++) {
        int rc;

        bw_alloc_fail_at(nth);
        rc = parse_and_dup(&parsed, &copy, &err);
        bw_alloc_fail_never();
        if (rc == BW_OK)
            break;
        assert_int_equal(rc, BW_ENOMEM);
        assert_int_equal(err.code, BW_ENOMEM);
        assert_null(copy.host);
        bw_redis_options_fini(&parsed);
        failures++;
    }
    assert_int_equal(failures, 7);
    bw_redis_options_fini(&parsed);
    bw_redis_options_fini(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_dup),
        cmocka_unit_test(test_each_allocation_fails_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
