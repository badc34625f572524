/* Answers for worker/pg/url.c: the URL as Prisma takes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pg/url.h"

#define FIELDS 6

static const struct good {
    const char *text;
    const char *fields[FIELDS][2]; /* NULL value: must not be set */
    const char *schema, *skipped;
    unsigned connections;
    int64_t connect_timeout_ms;
    bool unnamed, verify_system_ca;
} good[] = {
    { .text = "postgresql://u:p@h:6000/db",
      .fields = { { "user", "u" },
                  { "password", "p" },
                  { "host", "h" },
                  { "port", "6000" },
                  { "dbname", "db" } } },
    { .text = "postgres://h",
      .fields = { { "host", "h" },
                  { "port", "5432" },
                  { "user", NULL },
                  { "dbname", NULL } } },
    { .text = "postgresql://", .fields = { { "host", NULL }, { "dbname", NULL } } },
    { .text = "postgresql://u@h/",
      .fields = { { "password", NULL }, { "dbname", NULL } } },
    { .text = "postgresql://u:@h/d",
      .fields = { { "password", NULL }, { "host", "h" } } },
    { .text = "postgresql://a%40b:p%2Fq%3a@h/d%20e",
      .fields = { { "user", "a@b" }, { "password", "p/q:" }, { "dbname", "d e" } } },
    { .text = "postgresql://u:p@ss@h/d",
      .fields = { { "password", "p@ss" }, { "host", "h" } } },
    { .text = "postgresql://[::1]:6001/d",
      .fields = { { "host", "::1" }, { "port", "6001" } } },
    { .text = "postgresql://a:1,b:2,c/d?target_session_attrs=read-write",
      .fields = { { "host", "a,b,c" },
                  { "port", "1,2,5432" },
                  { "target_session_attrs", "read-write" } } },
    { .text = "postgresql://localhost/d?host=/var/run/postgresql/",
      .fields = { { "host", "/var/run/postgresql/" } } },
    { .text = "postgresql://h/d?schema=app&connection_limit=7&pool_timeout=10&"
              "connect_timeout=3&socket_timeout=5",
      .fields = { { "connect_timeout", NULL },
                  { "schema", NULL },
                  { "pool_timeout", NULL } },
      .schema = "app",
      .skipped = "pool_timeout, socket_timeout",
      .connections = 7,
      .connect_timeout_ms = 3000 },
    { .text = "postgresql://h/d?schema=", .schema = NULL },
    { .text = "postgresql://h/d?pgbouncer=true", .unnamed = true },
    { .text = "postgresql://h/d?pgbouncer=false" },
    { .text = "postgresql://h/d?statement_cache_size=0", .unnamed = true },
    { .text = "postgresql://h/d?statement_cache_size=500" },
    { .text = "postgresql://h/d?pgbouncer=true&statement_cache_size=500",
      .unnamed = true },
    { .text = "postgresql://h/d?sslmode=require&sslaccept=accept_invalid_certs",
      .fields = { { "sslmode", "require" } } },
    { .text = "postgresql://h/d?sslmode=require&sslaccept=strict",
      .fields = { { "sslmode", "verify-full" }, { "sslrootcert", NULL } },
      .verify_system_ca = true },
    { .text = "postgresql://h/d?sslcert=/ca.pem&sslmode=require&sslaccept=strict",
      .fields = { { "sslmode", "verify-full" },
                  { "sslrootcert", "/ca.pem" },
                  { "sslcert", NULL } } },
    { .text = "postgresql://h/d?sslcert=/me.pem&sslkey=/me.key",
      .fields = { { "sslcert", "/me.pem" },
                  { "sslkey", "/me.key" },
                  { "sslrootcert", NULL } } },
    { .text = "postgresql://h/d?sslidentity=/id.p12&sslpassword=x",
      .fields = { { "sslidentity", NULL }, { "sslpassword", "x" } },
      .skipped = "sslidentity" },
    { .text = "postgresql://h/d?&&application_name=x%20y&futile&connection_limit=0#frag",
      .fields = { { "application_name", "x y" } },
      .skipped = "futile" },
};

static void a_url_becomes_keywords(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const struct good *want = &good[i];
        struct bw_error err = { 0 };
        struct pg_url url;

        print_message("%s\n", want->text);
        assert_int_equal(pg_url_parse(&url, want->text, &err), BW_OK);
        for (size_t f = 0; f < FIELDS && want->fields[f][0] != NULL; f++) {
            const char *is = pg_url_get(&url, want->fields[f][0]);

            if (want->fields[f][1] == NULL)
                assert_null(is);
            else
                assert_string_equal(is, want->fields[f][1]);
        }
        assert_true(want->schema == NULL ? url.schema == NULL
                                         : strcmp(url.schema, want->schema) == 0);
        assert_true(want->skipped == NULL ? url.skipped == NULL
                                          : strcmp(url.skipped, want->skipped) == 0);
        assert_int_equal(url.connections, want->connections);
        assert_int_equal(url.connect_timeout_ms, want->connect_timeout_ms);
        assert_int_equal(url.unnamed, want->unnamed);
        assert_int_equal(url.verify_system_ca, want->verify_system_ca);
        assert_null(url.keys[url.count]);
        assert_null(url.values[url.count]);
        pg_url_fini(&url);
        pg_url_fini(&url);
    }
}

static const struct bad {
    const char *text, *part;
} bad[] = {
    { "", "scheme" },
    { "mysql://u:hunter2@h/d", "scheme" },
    { "prisma://h/?api_key=hunter2", "scheme" },
    { "postgresql://u:hunter2%@h/d", "password: bad percent encoding at byte 8" },
    { "postgresql://u:hunter2%00@h/d", "password" },
    { "postgresql://%zz:hunter2@h/d", "user" },
    { "postgresql://u:hunter2@h:/d", "port" },
    { "postgresql://u:hunter2@h:0/d", "port" },
    { "postgresql://u:hunter2@h:65536/d", "port" },
    { "postgresql://u:hunter2@h:12x/d", "port" },
    { "postgresql://u:hunter2@[::1/d", "host" },
    { "postgresql://u:hunter2@[::1]x/d", "port" },
    { "postgresql://u:hunter2@h/d%2", "dbname" },
    { "postgresql://u:hunter2@h/d?connection_limit=many", "connection_limit" },
    { "postgresql://u:hunter2@h/d?connection_limit=-1", "connection_limit" },
    { "postgresql://u:hunter2@h/d?connection_limit=100000", "connection_limit" },
    { "postgresql://u:hunter2@h/d?connect_timeout=", "connect_timeout" },
    { "postgresql://u:hunter2@h/d?pgbouncer=yes", "pgbouncer" },
    { "postgresql://u:hunter2@h/d?sslmode=hunter2", "sslmode" },
    { "postgresql://u:hunter2@h/d?schema=%f", "schema" },
};

static void an_error_names_the_part_and_no_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bw_error err = { 0 };
        struct pg_url url;

        print_message("%s\n", bad[i].text);
        assert_int_equal(pg_url_parse(&url, bad[i].text, &err), BW_EINVAL);
        assert_non_null(strstr(err.text, bad[i].part));
        assert_null(strstr(err.text, "hunter2"));
        assert_int_equal(url.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_becomes_keywords),
        cmocka_unit_test(an_error_names_the_part_and_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
