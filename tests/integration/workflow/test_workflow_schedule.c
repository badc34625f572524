/* The scan that starts scheduled runs, on real servers and a clock of the test's own.
 * worker/workflow/spec/workflow.md §11.2, §11.3; WF-159, WF-160, WF-161. What a crash
 * leaves behind is in test_workflow_crash.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "integration/workflow/wf_rig.h"

#define QUEUE     "bull:" WF_RIG_QUEUE
#define NEW_YEAR  INT64_C(1798794010000) /* 2027-01-01T09:00:10Z, a Friday */
#define MINUTE_MS 60000
#define WAIT_MS   30000
#define EVERYBODY "{\"type\":\"all_active_users\"}"

static struct wf_rig rig, twin;
static atomic_int_fast64_t wall_ms;

static struct bw_mono mono(void *arg)
{
    (void)arg;
    return bw_mono_now(NULL);
}

static struct bw_wall wall(void *arg)
{
    (void)arg;
    return (struct bw_wall){ atomic_load(&wall_ms) };
}

static const struct bw_clock test_clock = { .mono = mono, .wall = wall };

static int open_rig(void **state)
{
    (void)state;
    wf_rig_open(&rig);
    rig.clock = &test_clock;
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    wf_rig_close(&rig);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    wf_rig_clean(&rig);
    atomic_store(&wall_ms, NEW_YEAR);
    return 0;
}

static int down(void **state)
{
    (void)state;
    wf_rig_twin_down(&twin);
    wf_rig_down(&rig);
    return 0;
}

/* --- building */

/* A trigger and a message. `rest`: further members of the trigger's config. */
static void install(const char *id, const char *cron, const char *audience,
                    const char *rest)
{
    char text[1024];
    json_t *workflow;

    (void)snprintf(text, sizeof(text),
                   "{\"nodes\":[{\"id\":\"t\",\"type\":\"trigger.schedule\",\"data\":{"
                   "\"config\":{\"cron\":\"%s\",\"audience\":%s%s}}},{\"id\":\"m\","
                   "\"type\":\"message\",\"data\":{\"config\":{\"text\":\"Hello\"}}}],"
                   "\"connections\":[{\"source\":\"t\",\"target\":\"m\"}],"
                   "\"entryNodeId\":\"t\"}",
                   cron, audience, rest);
    workflow = json_loads(text, 0, NULL);
    assert_non_null(workflow);
    wf_rig_workflow(&rig, id, workflow);
    json_decref(workflow);
}

static void add_users(unsigned count, const char *birth_date)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql),
                   "insert into users (id, project_id, telegram_id, birth_date, "
                   "is_active, updated_at) select 'u' || i, 'P', 1000 + i, %s, true, "
                   "now() from generate_series(1, %u) i",
                   birth_date, count);
    wf_rig_sql(&rig, sql);
}

static json_t *config_on(void)
{
    return json_pack("{s:b, s:i}", "schedule.scan", 1, "lock.ttl_ms", 5000);
}

/* `working`: the jobs run too; else they stay where the scan put them. */
static void up(bool working)
{
    rig.held = !working;
    wf_rig_up(&rig, config_on());
}

/* --- looking */

static bool pause_until(struct bw_mono deadline)
{
    (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    return bw_mono_before(bw_mono_now(NULL), deadline);
}

static uint64_t scans(void)
{
    uint64_t count = wf_rig_figure(&rig, "workflow_schedule_scans");

    return twin.handler != NULL ? count + wf_rig_figure(&twin, "workflow_schedule_scans")
                                : count;
}

static void wait_for_scans(uint64_t count)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), WAIT_MS);

    while (scans() < count) {
        if (!pause_until(deadline))
            fail_msg("%llu minutes were scanned, not %llu", (unsigned long long)scans(),
                     (unsigned long long)count);
    }
}

static void expect_rows(const char *sql, const char *text)
{
    char *got = wf_rig_text(&rig, sql);

    assert_string_equal(got, text);
    free(got);
}

static void wait_for_rows(const char *sql, const char *text)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), WAIT_MS);
    char *got = wf_rig_text(&rig, sql);

    while (strcmp(got, text) != 0) {
        if (!pause_until(deadline))
            fail_msg("%s: %s, not %s", sql, got, text);
        free(got);
        got = wf_rig_text(&rig, sql);
    }
    free(got);
}

static int64_t waiting_jobs(void)
{
    return redis_server_integer(&rig.redis, "ZCARD " QUEUE ":prioritized");
}

/* --- which triggers are due, and what becomes of them */

/* WF-159, WF-160, §1.2, §1.3: from the trigger to the message. */
static void test_from_trigger_to_message(void **state)
{
    char *id, *job, *text;
    json_t *value;

    (void)state;
    add_users(1, "null");
    install("W1", "0 12 * * 1-5", EVERYBODY,
            ",\"timezone\":\"Europe/Moscow\",\"dedupeWindow\":\"week\"");
    up(true);
    wait_for_rows("select status from scheduled_workflow_runs", "COMPLETED");
    expect_rows(
        "select project_id || ' ' || workflow_id || ' ' || workflow_version_id || "
        "' ' || user_id || ' ' || bucket || ' ' || attempts from "
        "scheduled_workflow_runs",
        "P W1 v-W1 u1 2026-W53 1");
    id = wf_rig_text(&rig, "select id from scheduled_workflow_runs");
    assert_true(asprintf(&job, "scheduled-%s", id) > 0);
    text = wf_rig_wait(&rig, job, WAIT_MS);
    assert_string_equal(text, "{\"success\":true}");
    free(text);

    text = redis_server_text(&rig.redis, "HGET " QUEUE ":%s data", job);
    value = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "type",
                      "scheduled_workflow_execution", "ledgerRunId", id, "projectId", "P",
                      "workflowId", "W1", "workflowVersionId", "v-W1", "userId", "u1",
                      "timestamp", NEW_YEAR);
    free(id);
    id = json_dumps(value, JSON_COMPACT);
    assert_string_equal(text, id);
    json_decref(value);
    free(text);
    free(id);

    text = redis_server_text(&rig.redis, "HGET " QUEUE ":%s opts", job);
    value = json_loads(text, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(value, "priority")), 1);
    assert_int_equal(json_integer_value(json_object_get(value, "attempts")), 3);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(value, "backoff"), "delay")),
        5000);
    json_decref(value);
    free(text);
    free(job);
    json_decref(bot_api_calls(&rig.bot, 1));
}

/* §11.2: not due, not active, not a trigger, not to be understood: skipped, and the
 * others are served. */
static void test_others_are_skipped(void **state)
{
    (void)state;
    add_users(2, "null");
    install("off-time", "0 9 * * *", EVERYBODY, ",\"timezone\":\"Europe/Moscow\"");
    install("off-day", "* * * * 0", EVERYBODY, "");
    install("bad-zone", "* * * * *", EVERYBODY, ",\"timezone\":\"Mars/Base\"");
    install("no-iana-zone", "* * * * *", EVERYBODY, ",\"timezone\":\"UTC+0\"");
    install("bad-cron", "* * * * 7", EVERYBODY, "");
    install("bad-audience", "* * * * *", "{\"type\":\"birthday_in_days\"}", "");
    install("inactive", "* * * * *", EVERYBODY, "");
    install("old", "* * * * *", EVERYBODY, "");
    install("not-entry", "* * * * *", EVERYBODY, "");
    install("right", "0 9 1 1 FRI", EVERYBODY, "");
    wf_rig_sql(&rig, "update workflows set is_active = false where id = 'inactive';"
                     "update workflow_versions set is_active = false where workflow_id = "
                     "'old'; update workflow_versions set entry_node_id = 'm' where "
                     "workflow_id = 'not-entry'; update users set is_active = false "
                     "where id = 'u2'");
    up(false);
    wait_for_scans(1);
    expect_rows("select string_agg(workflow_id || ' ' || user_id || ' ' || bucket, ',')"
                " from scheduled_workflow_runs",
                "right u1 2027-01-01");
    assert_int_equal(waiting_jobs(), 1);
}

/* WF-161: by UTC date, in pages of 1000. */
static void test_birthday_pages(void **state)
{
    (void)state;
    add_users(2500, "'1990-01-08'");
    wf_rig_sql(&rig,
               "update users set birth_date = '1990-01-07' where id = 'u1';"
               "update users set birth_date = null where id = 'u2';"
               "update users set is_active = false where id = 'u3';"
               "update users set birth_date = '2001-01-08' where id = 'u4';"
               "insert into projects (id, name, webhook_secret, updated_at)"
               " values ('Q', 'Other', 'hook-Q', now());"
               "insert into users (id, project_id, birth_date, is_active, updated_at)"
               " values ('other', 'Q', '1990-01-08', true, now())");
    /* it is the 2nd in Tokyo's day, but dates are UTC's */
    atomic_store(&wall_ms, NEW_YEAR + INT64_C(12) * 60 * MINUTE_MS);
    install("W1", "0 6 2 1 *",
            "{\"type\":\"birthday_in_days\",\"params\":{\"daysBefore\":7}}",
            ",\"timezone\":\"Asia/Tokyo\"");
    up(false);
    wait_for_scans(1);
    expect_rows("select count(*) || ' ' || count(distinct user_id) || ' ' || min(bucket)"
                " from scheduled_workflow_runs where status = 'QUEUED' and user_id not "
                "in ('u1', 'u2', 'u3', 'other')",
                "2497 2497 2027-01-01");
    expect_rows("select count(*) from scheduled_workflow_runs", "2497");
    assert_int_equal(waiting_jobs(), 2497);
}

/* More versions than are read at once, each with its trigger. */
static void test_version_pages(void **state)
{
    (void)state;
    add_users(1, "null");
    install("W", "* * * * *", EVERYBODY, "");
    wf_rig_sql(&rig,
               "insert into workflows (id, project_id, name, is_active, updated_at)"
               " select 'W' || i, 'P', 'W', true, now() from generate_series(1, 120) i;"
               "insert into workflow_versions (id, workflow_id, version, nodes, "
               "entry_node_id, is_active) select 'v-W' || i, 'W' || i, 1, v.nodes, 't', "
               "true from generate_series(1, 120) i, workflow_versions v where v.id = "
               "'v-W'");
    up(false);
    wait_for_scans(1);
    expect_rows("select count(distinct workflow_id) from scheduled_workflow_runs", "121");
    assert_int_equal(waiting_jobs(), 121);
}

/* --- once */

/* §11.3: within the window a customer is served once; what could not be added is. */
static void test_windows(void **state)
{
    (void)state;
    add_users(3, "'1990-01-01'");
    install("W1", "* * * * *", "{\"type\":\"birthday_today\"}", "");
    wf_rig_sql(&rig,
               "insert into scheduled_workflow_runs (id, project_id, workflow_id, "
               "workflow_version_id, user_id, bucket, status, attempts, last_error, "
               "updated_at) values "
               "('l1', 'P', 'W1', 'v-W1', 'u1', '2027', 'FAILED', 0, 'no queue', now()),"
               "('l2', 'P', 'W1', 'v-W1', 'u2', '2027', 'FAILED', 3, 'broken', now())");
    up(false);
    wait_for_scans(1);
    atomic_fetch_add(&wall_ms, MINUTE_MS);
    wait_for_scans(2);
    expect_rows("select string_agg(user_id || ' ' || status || ' ' || coalesce("
                "last_error, '-'), ',' order by user_id) from scheduled_workflow_runs",
                "u1 QUEUED -,u2 FAILED broken,u3 QUEUED -");
    assert_int_equal(waiting_jobs(), 2);
    assert_int_equal(redis_server_integer(&rig.redis, "EXISTS " QUEUE ":scheduled-l1"),
                     1);
}

#define MINUTES 4

/* Each minute's rows and jobs, whoever scanned it. */
static void expect_minutes(int64_t minutes)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), WAIT_MS);
    char text[64];

    (void)snprintf(text, sizeof(text), "%d %d", (int)(3 * minutes), (int)minutes);
    wait_for_rows("select count(*) || ' ' || count(distinct bucket) from "
                  "scheduled_workflow_runs where status = 'QUEUED'",
                  text);
    while (waiting_jobs() != 3 * minutes) {
        if (!pause_until(deadline))
            fail_msg("%d jobs, not %d", (int)waiting_jobs(), (int)(3 * minutes));
    }
}

static void two_up(void)
{
    add_users(3, "null");
    install("W1", "* * * * *", EVERYBODY, ",\"dedupeWindow\":\"none\"");
    up(false);
    wf_rig_twin(&rig, &twin, config_on());
}

/* Two replicas: each minute is scanned once, by one of them. */
static void test_two_scanners(void **state)
{
    (void)state;
    two_up();
    for (uint64_t minute = 1; minute <= MINUTES; minute++) {
        wait_for_scans(minute);
        assert_int_equal(scans(), minute);
        expect_minutes((int64_t)minute);
        if (minute < MINUTES)
            atomic_fetch_add(&wall_ms, MINUTE_MS);
    }
}

/* Nothing keeps them apart: both scan, and the ledger's unique key decides. */
static void test_two_scanners_unlocked(void **state)
{
    (void)state;
    redis_server_halt(&rig.keys);
    two_up();
    for (uint64_t minute = 1; minute <= MINUTES; minute++) {
        wait_for_scans(2 * minute);
        expect_minutes((int64_t)minute);
        if (minute < MINUTES)
            atomic_fetch_add(&wall_ms, MINUTE_MS);
    }
    redis_server_restart(&rig.keys);
}

/* Minutes in which nobody was there are made up for, each under its own label. */
static void test_catches_up(void **state)
{
    (void)state;
    add_users(3, "null");
    install("W1", "* * * * *", EVERYBODY, ",\"dedupeWindow\":\"none\"");
    up(false);
    wait_for_scans(1);
    wf_rig_down(&rig);
    atomic_fetch_add(&wall_ms, (MINUTES - 1) * MINUTE_MS);
    up(false);
    wait_for_scans(MINUTES - 1);
    expect_minutes(MINUTES);
    assert_int_equal(scans(), MINUTES - 1);
    wf_rig_down(&rig);
    atomic_fetch_add(&wall_ms, (int64_t)24 * 60 * MINUTE_MS); /* not for so many */
    up(false);
    wait_for_scans(16);
    expect_minutes(MINUTES + 16);
}

/* --- what goes wrong */

/* §11.3: the row says that its job could not be added; once it can be, it is, once. */
static void test_queue_away(void **state)
{
    (void)state;
    add_users(3, "null");
    install("W1", "* * * * *", EVERYBODY, "");
    up(true);
    wait_for_scans(1);
    wait_for_rows("select count(*) from scheduled_workflow_runs where status = "
                  "'COMPLETED'",
                  "3");
    redis_server_halt(&rig.redis);
    wf_rig_sql(&rig, "delete from scheduled_workflow_runs");
    atomic_fetch_add(&wall_ms, MINUTE_MS);
    wait_for_rows("select count(*) from scheduled_workflow_runs where status = 'FAILED' "
                  "and attempts = 0 and last_error is not null",
                  "3");
    redis_server_restart(&rig.redis);
    wait_for_rows("select count(*) from scheduled_workflow_runs where status = "
                  "'COMPLETED' and attempts = 1 and last_error is null",
                  "3");
    json_decref(bot_api_calls(&rig.bot, 6));
    expect_rows("select count(*) from workflow_executions", "6");
}

/* The minute is scanned when the database is back. */
static void test_database_away(void **state)
{
    (void)state;
    add_users(3, "null");
    install("W1", "* * * * *", EVERYBODY, ",\"dedupeWindow\":\"none\"");
    up(false);
    wait_for_scans(1);
    pg_server_halt(&rig.pg);
    atomic_fetch_add(&wall_ms, MINUTE_MS);
    pg_server_launch(&rig.pg);
    pg_server_wait(&rig.pg);
    wait_for_scans(2);
    expect_minutes(2);
}

/* A scan that waits for the database does not keep the worker from ending. */
static void test_ends_at_once(void **state)
{
    struct bw_mono deadline, begin;

    (void)state;
    add_users(1, "null");
    install("W1", "* * * * *", EVERYBODY, "");
    up(false);
    wait_for_scans(1);
    pg_server_pause(&rig.pg);
    atomic_fetch_add(&wall_ms, MINUTE_MS);
    deadline = bw_mono_add_ms(bw_mono_now(NULL), WAIT_MS);
    for (bool begun = false; !begun;) {
        char *text = redis_server_text(&rig.keys, "GET schedule:scan:%s", WF_RIG_QUEUE);

        begun = text != NULL && strncmp(text, "begun ", 6) == 0;
        free(text);
        if (!begun && !pause_until(deadline))
            fail_msg("the minute was not begun");
    }
    begin = bw_mono_now(NULL);
    wf_rig_down(&rig);
    assert_true(bw_mono_ms_until(begin, bw_mono_now(NULL)) < 5000);
    pg_server_cont(&rig.pg);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, clean, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_from_trigger_to_message),
        TEST(test_others_are_skipped),
        TEST(test_birthday_pages),
        TEST(test_version_pages),
        TEST(test_windows),
        TEST(test_two_scanners),
        TEST(test_two_scanners_unlocked),
        TEST(test_catches_up),
        TEST(test_queue_away),
        TEST(test_database_away),
        TEST(test_ends_at_once),
    };

    return cmocka_run_group_tests(tests, open_rig, close_rig);
}
