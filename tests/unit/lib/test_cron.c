/* Cron patterns and time zones. Answers for lib/cron. lib/spec/bullmq.md §9.5, BMQ-155;
 * tests/conformance/cron.mjs holds them against the reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bulwark/cron.h>

#include "base/alloc.h"
#include "cron/civil.h"
#include "cron/tz.h"
#include "cron/tz_file.h"

enum { NEXT_MAX = 4, TEXT_LEN = 25 };

/* "2026-03-29T01:30:00Z", or with ".999" */
static int64_t ms_of(const char *text)
{
    int year, month, day, hour, minute, second, ms = 0;

    assert_true(sscanf(text, "%d-%d-%dT%d:%d:%d.%d", &year, &month, &day, &hour, &minute,
                       &second, &ms) >= 6);
    return ((bw_days_of(year, (unsigned)month, (unsigned)day) * BW_DAY_SECONDS) +
            hour * 3600 + minute * 60 + second) *
               1000 +
           ms;
}

static struct bw_cron *parse(const char *pattern, const char *tz)
{
    struct bw_cron *cron;
    struct bw_error err;

    if (bw_cron_parse(&cron, pattern, tz, &err) != BW_OK)
        fail_msg("%s: %s", pattern, err.text);
    return cron;
}

struct vector {
    const char *pattern, *tz, *after, *next[NEXT_MAX];
};

static void check_vector(const struct vector *vector)
{
    struct bw_cron *cron = parse(vector->pattern, vector->tz);
    int64_t at = ms_of(vector->after);

    for (size_t i = 0; i < NEXT_MAX && vector->next[i] != NULL; i++) {
        int64_t expected = ms_of(vector->next[i]);

        assert_int_equal(bw_cron_next(cron, at, &at, NULL), BW_OK);
        if (at != expected)
            fail_msg("%s %s after %s: %lld, not %s", vector->pattern, vector->tz,
                     vector->after, (long long)at, vector->next[i]);
    }
    bw_cron_destroy(&cron);
}

/* The table of §9.5. */
static void test_vectors(void **state)
{
    static const struct vector vectors[] = {
        { "0 30 2 * * *",
          "Europe/Madrid",
          "2026-03-28T12:00:00Z",
          { "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z" } },
        { "0 30 1 * * *",
          "America/New_York",
          "2026-10-31T12:00:00Z",
          { "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z" } },
        { "*/30 2 * * *",
          "Europe/Madrid",
          "2026-10-24T20:30:00Z",
          { "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:00:00Z",
            "2026-10-26T01:30:00Z" } },
        { "0 * * * *",
          "Europe/Madrid",
          "2026-10-24T23:30:00Z",
          { "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z",
            "2026-10-25T03:00:00Z" } },
        { "0 0 12 1 * 5",
          "UTC",
          "2026-07-30T00:00:00Z",
          { "2026-07-31T12:00:00Z", "2026-08-01T12:00:00Z", "2026-08-07T12:00:00Z" } },
        { "0 0 0 L * *",
          "UTC",
          "2026-02-01T00:00:00Z",
          { "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z" } },
        { "0 0 0 * * 5L",
          "UTC",
          "2026-02-01T00:00:00Z",
          { "2026-02-27T00:00:00Z", "2026-03-27T00:00:00Z", "2026-04-24T00:00:00Z" } },
        { "0 0 0 * * 1#2",
          "UTC",
          "2026-02-01T00:00:00Z",
          { "2026-02-09T00:00:00Z", "2026-03-09T00:00:00Z", "2026-04-13T00:00:00Z" } },
        { "*/15 * * * *", "UTC", "2026-02-01T00:00:00.000Z", { "2026-02-01T00:15:00Z" } },
        { "*/15 * * * *", "UTC", "2026-01-31T23:59:59.999Z", { "2026-02-01T00:00:00Z" } },
        { "5/20 * * * * *",
          "UTC",
          "2026-02-01T00:00:00Z",
          { "2026-02-01T00:00:05Z", "2026-02-01T00:00:25Z", "2026-02-01T00:00:45Z" } },
        { "0 0 29 2 *",
          "UTC",
          "2026-02-02T00:00:00Z",
          { "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z" } },
        { "0 9 * jan-mar mon-fri",
          "Asia/Kolkata",
          "2026-03-30T00:00:00Z",
          { "2026-03-30T03:30:00Z", "2026-03-31T03:30:00Z", "2027-01-01T03:30:00Z" } },
        /* Past the tables of the zone files: the rule in their last line. */
        { "0 12 * * *",
          "Europe/Madrid",
          "2150-07-01T20:00:00Z",
          { "2150-07-02T10:00:00Z" } },
        { "0 12 * * *",
          "Australia/Sydney",
          "2150-01-01T20:00:00Z",
          { "2150-01-02T01:00:00Z" } },
        { "0 12 * * *", "UTC+5:30", "2026-01-01T00:00:00Z", { "2026-01-01T06:30:00Z" } },
        { "@weekends",
          "UTC",
          "2026-02-02T00:00:00Z",
          { "2026-02-07T00:00:00Z", "2026-02-08T00:00:00Z" } },
        { "5 4 * *",
          "UTC",
          "2026-01-15T10:20:30Z",
          { "2026-02-04T05:00:00Z", "2026-02-04T05:01:00Z" } },
        { "0 0 1-3,L * ?",
          "UTC",
          "2026-02-02T00:00:00Z",
          { "2026-02-03T00:00:00Z", "2026-02-28T00:00:00Z" } },
        { "0 0 * 2 1#5", "UTC", "2026-01-01T00:00:00Z", { "2044-02-29T00:00:00Z" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        check_vector(&vectors[i]);
}

static void test_refused(void **state)
{
    static const struct {
        const char *pattern, *text;
    } cases[] = {
        { "0 0 31 2 *", "pattern: no such day of the month in these months" },
        { "0 0 31 4,6 *", "pattern: no such day of the month in these months" },
        { "60 * * * *", "pattern: minute, byte 1: the value is out of range" },
        { "0 24 * * *", "pattern: hour, byte 3: the value is out of range" },
        { "0 0 0 * *", "pattern: day of the month, byte 5: the value is out of range" },
        { "0 0 1 13 *", "pattern: month, byte 7: the value is out of range" },
        { "0 0 1 1 8", "pattern: day of the week, byte 9: the value is out of range" },
        { "5-1 * * * *", "pattern: minute, byte 4: the range ends before it begins" },
        { "*/0 * * * *", "pattern: minute, byte 4: a step of at least 1 is expected" },
        { "1, * * * *", "pattern: minute, byte 3: a value is expected" },
        { "1,1 * * * *", "pattern: minute, byte 4: a value is there twice" },
        { "1x * * * *", "pattern: minute, byte 2: unexpected character" },
        { "jan * * * *", "pattern: minute, byte 1: a value is expected" },
        { "0 0 * * 1#6",
          "pattern: day of the week, byte 11: after # a number from 1 to 5 is expected" },
        { "0 0 * * 1-2#1",
          "pattern: day of the week, byte 12: # follows one day of the week" },
        { "0 0 * * L", "pattern: day of the week, byte 9: a value is expected" },
        { "* * * * * * *", "pattern: more than 6 fields" },
        { "@never", NULL },
        { "99999999999999999999 * * * *", NULL },
        { "H(1) * * * *", "pattern: minute, byte 4: H(a-b) is expected" },
        { "H(5-1) * * * *", "pattern: minute, byte 7: the range ends before it begins" },
        { "H/0 * * * *", "pattern: minute, byte 4: a step of at least 1 is expected" },
        { "H-5 * * * *", "pattern: minute, byte 2: unexpected character" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bw_cron *cron;
        struct bw_error err;

        assert_int_equal(bw_cron_parse(&cron, cases[i].pattern, "UTC", &err), BW_EINVAL);
        if (cases[i].text != NULL)
            assert_string_equal(err.text, cases[i].text);
    }
}

static void test_unknown_zones(void **state)
{
    static const char *const names[] = {
        "",        "No/Where", "../etc/passwd", "/etc/localtime",    "Europe",
        "UTC+123", "UTC+",     "Europe//Rome",  "Europe/./Rome",     "posixrules/",
        "UTC+1x",  "UTC+1:5",  "zone.tab",      "Europe/Madrid\nxx",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct bw_tz *tz;
        struct bw_error err;

        if (bw_tz_find(&tz, names[i], &err) != BW_EINVAL)
            fail_msg("a zone \"%s\" was found", names[i]);
    }
}

static void test_offsets(void **state)
{
    static const struct {
        const char *tz, *at;
        int32_t seconds;
    } rows[] = {
        { "UTC", "2026-07-01T00:00:00Z", 0 },
        { "Asia/Seoul", "2026-07-01T00:00:00Z", 9 * 3600 },
        { "Europe/Madrid", "2026-03-29T00:59:59Z", 3600 },
        { "Europe/Madrid", "2026-03-29T01:00:00Z", 2 * 3600 },
        { "America/New_York", "2026-12-01T00:00:00Z", -5 * 3600 },
        { "america/new_york", "2026-12-01T00:00:00Z", -5 * 3600 },
        { "AMERICA/ARGENTINA/BUENOS_AIRES", "2026-12-01T00:00:00Z", -3 * 3600 },
        { "etc/gmt+5", "2026-12-01T00:00:00Z", -5 * 3600 },
        { "utc+5:30", "2026-12-01T00:00:00Z", 5 * 3600 + 1800 },
        { "UTC+15", "2026-12-01T00:00:00Z", 15 * 3600 },
    };
    int32_t seconds = 1;
    struct bw_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            bw_cron_offset(rows[i].tz, ms_of(rows[i].at) / 1000, &seconds, NULL), BW_OK);
        assert_int_equal(seconds, rows[i].seconds);
    }
    assert_int_equal(bw_cron_offset("No/Where", 0, &seconds, &err), BW_EINVAL);
    assert_non_null(strstr(err.text, "No/Where"));
}

/* A zone is one, however it is written, and spellings do not fill the memory. */
static void test_spellings(void **state)
{
    const struct bw_tz *tz, *other;
    char name[] = "europe/madrid";

    (void)state;
    assert_int_equal(bw_tz_find(&tz, "Europe/Madrid", NULL), BW_OK);
    for (unsigned bits = 0; bits < 4096; bits++) {
        for (size_t i = 0; i < 6; i++) {
            name[i] = (char)((bits >> i & 1) != 0 ? name[i] & ~0x20 : name[i] | 0x20);
            name[i + 7] = (char)((bits >> (i + 6) & 1) != 0 ? name[i + 7] & ~0x20
                                                            : name[i + 7] | 0x20);
        }
        assert_int_equal(bw_tz_find(&other, name, NULL), BW_OK);
        assert_ptr_equal(other, tz);
    }
    assert_int_equal(bw_tz_find(&tz, "UTC+5", NULL), BW_OK);
    assert_int_equal(bw_tz_find(&other, "utc+05:00", NULL), BW_OK);
    assert_ptr_equal(other, tz);
}

/* H is the same for the same key; a value beside it is never in its way. BMQ-172 */
static void test_hashed(void **state)
{
    struct bw_cron *cron;
    int64_t at = ms_of("2026-01-01T00:00:00Z"), next, again;
    char key[16];

    (void)state;
    for (int i = 0; i < 300; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(bw_cron_parse_for(&cron, "H H(0-1),0 H * * *", "UTC", key, NULL),
                         BW_OK);
        assert_int_equal(bw_cron_next(cron, at, &next, NULL), BW_OK);
        bw_cron_destroy(&cron);
        assert_int_equal(bw_cron_parse_for(&cron, "H H(0-1),0 H * * *", "UTC", key, NULL),
                         BW_OK);
        assert_int_equal(bw_cron_next(cron, at, &again, NULL), BW_OK);
        bw_cron_destroy(&cron);
        assert_int_equal(next, again);
    }
    assert_int_equal(bw_cron_parse_for(&cron, "H(0-0),0 * * * * *", "UTC", "k", NULL),
                     BW_EINVAL); /* no draw can help */
}

/* The local zone is read once a process: this is the only test that asks for it. */
static void test_local_zone(void **state)
{
    struct bw_cron *cron;
    int64_t next;

    (void)state;
    assert_int_equal(setenv("TZ", "<+0330>-3:30", 1), 0);
    cron = parse("0 12 * * *", NULL);
    assert_int_equal(bw_cron_next(cron, ms_of("2026-01-01T00:00:00Z"), &next, NULL),
                     BW_OK);
    assert_int_equal(next, ms_of("2026-01-01T08:30:00Z"));
    bw_cron_destroy(&cron);
}

static void test_rules(void **state)
{
    static const char *const wrong[] = { "",
                                         "CE-1",
                                         "CET",
                                         "CET-1CEST",
                                         "CET-1CEST,M3.5.0",
                                         "CET-1:",
                                         "CET-1CEST,M13.5.0,M1.1.0",
                                         "CET-1CEST,J0,J1",
                                         "<+03-3",
                                         "CET-1CEST,M3.5.0,M10.5.0x" };
    struct bw_tz_rule rule;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (bw_tz_rule_parse(&rule, wrong[i]))
            fail_msg("\"%s\" was taken", wrong[i]);
    }
    assert_true(bw_tz_rule_parse(&rule, "IST-1GMT0,M10.5.0,M3.5.0/1"));
    assert_int_equal(bw_tz_rule_offset(&rule, ms_of("2050-07-01T00:00:00Z") / 1000),
                     3600);
    assert_int_equal(bw_tz_rule_offset(&rule, ms_of("2050-01-01T00:00:00Z") / 1000), 0);
    assert_true(bw_tz_rule_parse(&rule, "AAA3BBB,J60/0,300/26:30:15"));
    assert_int_equal(bw_tz_rule_offset(&rule, ms_of("2024-03-01T03:00:00Z") / 1000),
                     -7200);
    assert_int_equal(bw_tz_rule_offset(&rule, ms_of("2024-03-01T02:59:59Z") / 1000),
                     -10800);
}

/* A file cut anywhere, or with any byte changed, is refused or understood, no more. */
static void test_damaged_file(void **state)
{
    unsigned char bytes[8192], copy[8192];
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Madrid", "rb");
    struct bw_tz tz;
    size_t len;

    (void)state;
    if (file == NULL)
        skip();
    len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    assert_int_equal(bw_tz_decode(&tz, bytes, len), BW_OK);
    bw_tz_fini(&tz);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(bw_tz_decode(&tz, bytes, i), BW_EINVAL);
        memcpy(copy, bytes, len);
        copy[i] ^= 0xff;
        if (bw_tz_decode(&tz, copy, len) == BW_OK)
            bw_tz_fini(&tz);
    }
}

static void test_without_memory(void **state)
{
    struct bw_cron *cron;
    size_t nth = 0;
    int rc;

    (void)state;
    do {
        bw_alloc_fail_at(nth++);
        rc = bw_cron_parse(&cron, "0 0 * * *", "Asia/Tokyo", NULL);
        bw_alloc_fail_never();
        assert_true(rc == BW_OK || rc == BW_ENOMEM);
    } while (rc != BW_OK);
    assert_true(nth > 2);
    bw_cron_destroy(&cron);
    bw_cron_destroy(&cron);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unknown_zones), cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_spellings),     cmocka_unit_test(test_hashed),
        cmocka_unit_test(test_local_zone),    cmocka_unit_test(test_rules),
        cmocka_unit_test(test_damaged_file),  cmocka_unit_test(test_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
