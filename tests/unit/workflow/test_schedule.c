/* When a schedule trigger fires, for whom, and under which label. Answers for
 * worker/workflow/{minute_cron,schedule}.c. worker/workflow/spec/workflow.md §11.2,
 * §11.3; WF-159, WF-160, the dates of WF-161. */
#include "unit.h"

#include <time.h>

#include "workflow/language/schedule.h"

/* "2027-01-01T09:00" as seconds since the epoch */
static int64_t seconds_of(const char *text)
{
    struct tm tm = { 0 };

    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M", &tm));
    return timegm(&tm);
}

static bool matches(const char *cron_text, const char *time)
{
    struct wf_minute at = wf_minute_of(seconds_of(time));
    struct wf_cron cron;
    struct bw_error err;

    if (wf_cron_parse(&cron, cron_text, &err) != BW_OK)
        fail_msg("%s: %s", cron_text, err.text);
    return wf_cron_matches(&cron, &at);
}

static void yes(const char *cron, const char *time)
{
    if (!matches(cron, time))
        fail_msg("%s does not match %s", cron, time);
}

static void no(const char *cron, const char *time)
{
    if (matches(cron, time))
        fail_msg("%s matches %s", cron, time);
}

/* The minutes of a day at which the pattern matches. */
static unsigned minutes_of_day(const char *cron_text, const char *day)
{
    int64_t start = seconds_of(day);
    struct wf_cron cron;
    unsigned count = 0;

    assert_int_equal(wf_cron_parse(&cron, cron_text, NULL), BW_OK);
    for (int i = 0; i < 1440; i++) {
        struct wf_minute at = wf_minute_of(start + i * 60);

        count += wf_cron_matches(&cron, &at);
    }
    return count;
}

/* WF-159: 2027-03-01 is a Monday, 2027-08-13 a Friday. */
static void test_statement(void **state)
{
    (void)state;
    yes("0 9 * * 1-5", "2027-03-01T09:00");
    yes("0 9 * * 1-5", "2027-03-05T09:00");
    no("0 9 * * 1-5", "2027-03-06T09:00");
    no("0 9 * * 1-5", "2027-03-07T09:00");
    no("0 9 * * 1-5", "2027-03-01T09:01");
    no("0 9 * * 1-5", "2027-03-01T08:00");
    yes("0 0 13 * 5", "2027-08-13T00:00");
    yes("0 0 13 * 5", "2027-03-13T00:00"); /* a Saturday */
    yes("0 0 13 * 5", "2027-03-12T00:00"); /* a Friday */
    no("0 0 13 * 5", "2027-03-14T00:00");
    yes("*/15 * * * *", "2027-03-01T10:00");
    yes("*/15 * * * *", "2027-03-01T10:15");
    yes("*/15 * * * *", "2027-03-01T10:30");
    yes("*/15 * * * *", "2027-03-01T10:45");
    assert_int_equal(minutes_of_day("*/15 * * * *", "2027-03-01T00:00"), 96);
    assert_int_equal(wf_cron_parse(&(struct wf_cron){ 0 }, "0 9 * * 7", NULL), BW_EINVAL);
}

static void test_fields(void **state)
{
    (void)state;
    yes("59 23 31 12 0", "2028-12-31T23:59"); /* a Sunday */
    yes("0 0 1 1 *", "2027-01-01T00:00");
    yes("5,10-12,*/30 * * * *", "2027-03-01T00:11");
    yes("5,10-12,*/30 * * * *", "2027-03-01T00:30");
    no("5,10-12,*/30 * * * *", "2027-03-01T00:13");
    assert_int_equal(minutes_of_day("10-20/5 3 * * *", "2027-03-01T00:00"), 3);
    assert_int_equal(minutes_of_day("7/20 3 * * *", "2027-03-01T00:00"), 1); /* v..v */
    assert_int_equal(minutes_of_day("*/100 3 * * *", "2027-03-01T00:00"), 1);
    assert_int_equal(minutes_of_day("*/99999999999999999999 3 * * *", "2027-03-01T00:00"),
                     1);
    assert_int_equal(minutes_of_day("1,1,1 3 * * *", "2027-03-01T00:00"), 1);
    assert_int_equal(minutes_of_day("* * * * *", "2027-03-01T00:00"), 1440);
    yes("0 0 */10 * *", "2027-03-11T00:00"); /* counts from 1 */
    no("0 0 */10 * *", "2027-03-10T00:00");
    yes("00 09 01 03 *", "2027-03-01T09:00");
    yes(" 0\t9  1 3 * \n", "2027-03-01T09:00");
}

static void test_names(void **state)
{
    (void)state;
    yes("0 9 * MAR mon", "2027-03-01T09:00");
    yes("0 9 * jan-Mar MON-fri", "2027-03-01T09:00");
    yes("0 9 * * SUN", "2027-03-07T09:00");
    yes("0 9 * * SAT,0", "2027-03-06T09:00");
    yes("0 9 * * MON-FRI/2", "2027-03-03T09:00");
    no("0 9 * * MON-FRI/2", "2027-03-02T09:00");
    yes("0 0 1 DEC *", "2027-12-01T00:00");
}

/* A day field that covers all values is not restricted, however it is written. */
static void test_days(void **state)
{
    (void)state;
    yes("0 0 1-31 * 5", "2027-03-12T00:00");
    no("0 0 1-31 * 5", "2027-03-13T00:00");
    no("0 0 13 * 0-6", "2027-03-12T00:00");
    yes("0 0 13 * 0-6", "2027-03-13T00:00");
    no("0 0 13 * */1", "2027-03-12T00:00");
    yes("0 0 */2 * 5", "2027-03-12T00:00"); /* fewer than all: either will do */
    yes("0 0 13 * 1-6,0/1", "2027-03-13T00:00");
    no("0 0 13 * 1-6,0/1", "2027-03-12T00:00");
}

static void test_refused(void **state)
{
    static const char *const patterns[] = {
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * * 13 *",
        "* * * * 7",
        "* * * * 5-7",
        "-1 * * * *",
        "+1 * * * *",
        "? * * * *",
        "* * L * *",
        "* * 15W * *",
        "* * * * 5#2",
        "* * * * 5L",
        "* * ? * *",
        "@daily",
        "@daily * * * *",
        "20-10 * * * *",
        "* * * * FRI-MON",
        "*/0 * * * *",
        "1-5/0 * * * *",
        "5x * * * *",
        "*/5x * * * *",
        "1-5x * * * *",
        "** * * * *",
        "*-5 * * * *",
        "5- * * * *",
        "-5 * * * *",
        "5/ * * * *",
        "*/ * * * *",
        "/5 * * * *",
        "1-2-3 * * * *",
        "*/2/2 * * * *",
        ", * * * *",
        "1, * * * *",
        ",1 * * * *",
        "1,,2 * * * *",
        "1.5 * * * *",
        "0x1 * * * *",
        "* MON * * *",
        "* * MON * *",
        "* * * MON *",
        "* * * * JAN",
        "* * * JANUARY *",
        "* * * * MONDAY",
        "* * * * MO",
        "* * * * */MON",
        "4294967296 * * * *",
        "1000000 * * * *",
    };
    struct wf_cron cron;
    struct bw_error err;

    (void)state;
    for (size_t i = 0; i < COUNT(patterns); i++) {
        if (wf_cron_parse(&cron, patterns[i], &err) != BW_EINVAL)
            fail_msg("%s is taken", patterns[i]);
        assert_true(strlen(err.text) > 0);
    }
    assert_int_equal(wf_cron_parse(&cron, "* * * * 7", &err), BW_EINVAL);
    assert_non_null(strstr(err.text, "weekday"));
}

/* --- the trigger's config */

static int read_text(struct wf_schedule *schedule, json_t **config, const char *text,
                     struct bw_error *err)
{
    *config = json_of(text);
    return wf_schedule_read(schedule, *config, err);
}

static void check_bucket(const char *config_text, const char *time, const char *expected)
{
    char bucket[WF_BUCKET_SIZE];
    struct wf_schedule schedule;
    struct bw_error err = { 0 };
    json_t *config;

    if (read_text(&schedule, &config, config_text, &err) != BW_OK)
        fail_msg("%s: %s", config_text, err.text);
    wf_schedule_bucket(&schedule, seconds_of(time), bucket);
    if (strcmp(bucket, expected) != 0)
        fail_msg("%s at %s: %s, not %s", config_text, time, bucket, expected);
    json_decref(config);
}

#define ALL(window)                                                                      \
    "{'cron': '* * * * *', 'audience': {'type': 'all_active_users'}" window "}"
#define WINDOW(name) ALL(", 'dedupeWindow': '" name "'")

/* WF-160 */
static void test_buckets(void **state)
{
    (void)state;
    check_bucket(WINDOW("week"), "2027-01-01T09:00", "2026-W53");
    check_bucket(WINDOW("none"), "2027-01-01T09:00", "none-2027-01-01T09-00Z");
    check_bucket(WINDOW("year"), "2027-01-01T09:00", "2027");
    check_bucket(WINDOW("month"), "2027-01-01T09:00", "2027-01");
    check_bucket(WINDOW("day"), "2027-01-01T09:00", "2027-01-01");
    check_bucket(WINDOW("none"), "2026-12-31T23:59", "none-2026-12-31T23-59Z");
    check_bucket(WINDOW("year"), "2026-12-31T23:59", "2026");
}

static void test_weeks(void **state)
{
    (void)state;
    check_bucket(WINDOW("week"), "2027-01-03T23:59", "2026-W53"); /* a Sunday */
    check_bucket(WINDOW("week"), "2027-01-04T00:00", "2027-W01");
    check_bucket(WINDOW("week"), "2024-12-30T00:00", "2025-W01");
    check_bucket(WINDOW("week"), "2025-12-28T12:00", "2025-W52");
    check_bucket(WINDOW("week"), "2025-12-29T12:00", "2026-W01");
    check_bucket(WINDOW("week"), "2021-01-01T12:00", "2020-W53");
    check_bucket(WINDOW("week"), "2023-01-01T12:00", "2022-W52");
    check_bucket(WINDOW("week"), "2026-07-15T12:00", "2026-W29");
}

static void test_default_windows(void **state)
{
    (void)state;
    check_bucket(ALL(""), "2027-01-01T09:00", "2027-01-01");
    check_bucket(ALL(", 'dedupeWindow': null"), "2027-01-01T09:00", "2027-01-01");
    check_bucket("{'cron': '0 9 * * *', 'audience': {'type': 'birthday_today'}}",
                 "2027-01-01T09:00", "2027");
    check_bucket("{'cron': '0 9 * * *', 'audience': {'type': 'birthday_in_days',"
                 " 'params': {'daysBefore': 7}}}",
                 "2027-01-01T09:00", "2027-01-01");
    check_bucket("{'cron': '0 9 * * *', 'dedupeWindow': 'month',"
                 " 'audience': {'type': 'birthday_today'}}",
                 "2027-01-01T09:00", "2027-01");
}

static void check_birthday(const char *audience, const char *time, unsigned month,
                           unsigned day)
{
    struct wf_schedule schedule;
    struct wf_minute birthday;
    json_t *config =
        json_pack("{s:s, s:o}", "cron", "0 9 * * *", "audience", json_of(audience));
    struct bw_error err = { 0 };

    assert_non_null(config);
    if (wf_schedule_read(&schedule, config, &err) != BW_OK)
        fail_msg("%s: %s", audience, err.text);
    assert_true(schedule.birthdays);
    birthday = wf_schedule_birthday(&schedule, seconds_of(time));
    assert_int_equal(birthday.month, month);
    assert_int_equal(birthday.day, day);
    json_decref(config);
}

/* WF-161: UTC dates; 29 February is a day of its own. */
static void test_birthdays(void **state)
{
    (void)state;
    check_birthday("{'type': 'birthday_today'}", "2027-01-01T23:59", 1, 1);
    check_birthday("{'type': 'birthday_in_days', 'params': {'daysBefore': 7}}",
                   "2026-12-28T09:00", 1, 4);
    check_birthday("{'type': 'birthday_in_days', 'params': {'daysBefore': 365}}",
                   "2027-03-01T09:00", 2, 29);
    check_birthday("{'type': 'birthday_in_days', 'params': {'daysBefore': 1}}",
                   "2027-02-28T09:00", 3, 1);
    check_birthday("{'type': 'birthday_in_days', 'params': {'daysBefore': 1}}",
                   "2028-02-28T09:00", 2, 29);
    check_birthday("{'type': 'birthday_after_days', 'params': {'daysAfter': 3}}",
                   "2027-01-02T09:00", 12, 30);
    check_birthday("{'type': 'birthday_after_days', 'params': {'daysAfter': 3.0}}",
                   "2027-01-02T09:00", 12, 30);
}

static void test_config(void **state)
{
    struct wf_schedule schedule;
    struct bw_error err;
    json_t *config;

    (void)state;
    assert_int_equal(read_text(&schedule, &config, ALL(""), &err), BW_OK);
    assert_string_equal(schedule.timezone, "UTC");
    assert_false(schedule.birthdays);
    json_decref(config);
    assert_int_equal(
        read_text(&schedule, &config, ALL(", 'timezone': 'Asia/Tokyo'"), &err), BW_OK);
    assert_string_equal(schedule.timezone, "Asia/Tokyo");
    json_decref(config);
}

static void test_config_refused(void **state)
{
    static const char *const configs[] = {
        "{}",
        "{'cron': 5, 'audience': {'type': 'all_active_users'}}",
        "{'cron': '* * * * 7', 'audience': {'type': 'all_active_users'}}",
        "{'cron': '* * * * *'}",
        "{'cron': '* * * * *', 'audience': 'all_active_users'}",
        "{'cron': '* * * * *', 'audience': {'type': 'everybody'}}",
        "{'cron': '* * * * *', 'audience': {'type': 'birthday_in_days'}}",
        "{'cron': '* * * * *', 'audience': {'type': 'birthday_in_days',"
        " 'params': {'daysAfter': 1}}}",
        "{'cron': '* * * * *', 'audience': {'type': 'birthday_in_days',"
        " 'params': {'daysBefore': 0}}}",
        "{'cron': '* * * * *', 'audience': {'type': 'birthday_in_days',"
        " 'params': {'daysBefore': 366}}}",
        "{'cron': '* * * * *', 'audience': {'type': 'birthday_after_days',"
        " 'params': {'daysAfter': -1}}}",
        "{'cron': '* * * * *', 'audience': {'type': 'birthday_after_days',"
        " 'params': {'daysAfter': 1.5}}}",
        "{'cron': '* * * * *', 'audience': {'type': 'birthday_after_days',"
        " 'params': {'daysAfter': 1e300}}}",
        "{'cron': '* * * * *', 'audience': {'type': 'birthday_after_days',"
        " 'params': {'daysAfter': '1'}}}",
        WINDOW("hour"),
        ALL(", 'dedupeWindow': 5"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(configs); i++) {
        struct wf_schedule schedule;
        struct bw_error err;
        json_t *config;

        if (read_text(&schedule, &config, configs[i], &err) != BW_EINVAL)
            fail_msg("%s is taken", configs[i]);
        json_decref(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statement),      cmocka_unit_test(test_fields),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_days),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_weeks),          cmocka_unit_test(test_default_windows),
        cmocka_unit_test(test_birthdays),      cmocka_unit_test(test_config),
        cmocka_unit_test(test_config_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
