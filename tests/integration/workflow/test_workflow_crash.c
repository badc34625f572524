/* kill -9 of the daemon amid workflows: what was sent is not sent again, what was paid is
 * paid once, what was claimed gets its job. worker/workflow/spec/workflow.md §3.9, §11.3,
 * WF-076, WF-077.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "integration/workflow/wf_rig.h"

#define HEAVY  "heavy_workflow_execution"
#define PEOPLE 60
#define KILLS  3

extern char **environ;

static struct wf_rig rig;
static pid_t daemon_pid;
static char config_file[] = "/tmp/bulwark-crash-XXXXXX";

/* --- the daemon */

static void write_config(void)
{
    json_t *config = json_pack(
        "{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:i, s:b, s:i}, s:[{s:s, s:s, s:i, s:i, "
        "s:i, "
        "s:i}]}",
        "redis", "url", rig.redis.url, "database", "url", rig.pg.url, "telegram",
        "apiUrl", rig.bot.url, "http", "listen", "off", "workflow", "ratelimit.bot",
        100000, "schedule.scan", 1, "lock.ttl_ms", 1000, "queues", "name", WF_RIG_QUEUE,
        "handler", "workflow", "concurrency", 8, "lockDuration", 1000, "stalledInterval",
        400, "maxStalledCount", KILLS + 1);
    int fd = mkstemp(config_file);

    assert_non_null(config);
    assert_true(fd >= 0);
    assert_int_equal(json_dumpfd(config, fd, 0), 0);
    assert_int_equal(close(fd), 0);
    json_decref(config);
}

static void start_daemon(void)
{
    char *const argv[] = { (char *)(uintptr_t)BULWARK_PROGRAM, (char *)(uintptr_t) "run",
                           (char *)(uintptr_t) "--config", config_file, NULL };
    posix_spawn_file_actions_t actions;

    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    if (getenv("BULWARK_TEST_LOG") == NULL)
        assert_int_equal(posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
                                                          "/dev/null", O_WRONLY, 0),
                         0);
    assert_int_equal(posix_spawn(&daemon_pid, argv[0], &actions, NULL, argv, environ), 0);
    assert_int_equal(posix_spawn_file_actions_destroy(&actions), 0);
}

static void end_daemon(int signal_number)
{
    if (daemon_pid == 0)
        return;
    (void)kill(daemon_pid, signal_number); /* it may have ended by itself */
    assert_int_equal(waitpid(daemon_pid, NULL, 0), daemon_pid);
    daemon_pid = 0;
}

static int open_rig(void **state)
{
    (void)state;
    wf_rig_open(&rig);
    write_config();
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    (void)unlink(config_file); /* only to leave nothing behind */
    wf_rig_close(&rig);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    wf_rig_clean(&rig);
    return 0;
}

static int down(void **state)
{
    (void)state;
    end_daemon(SIGTERM);
    wf_rig_down(&rig);
    return 0;
}

/* --- */

static json_t *load(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    assert_non_null(value);
    return value;
}

static void install(const char *text)
{
    json_t *workflow = load(text);

    wf_rig_workflow(&rig, "W1", workflow);
    json_decref(workflow);
}

static char *add_start(int update_id, int chat, const char *opts)
{
    json_t *update =
        json_pack("{s:i, s:{s:i, s:{s:i, s:s}, s:{s:i, s:s}, s:s}}", "update_id",
                  update_id, "message", "message_id", 1, "from", "id", chat, "first_name",
                  "Ann", "chat", "id", chat, "type", "private", "text", "/start");
    json_t *data = wf_rig_data(update);
    char *id = wf_rig_add(&rig, HEAVY, data, opts);

    json_decref(update);
    json_decref(data);
    return id;
}

static void expect_done(const char *id)
{
    char *result = wf_rig_wait(&rig, id, 60000);

    assert_string_equal(result, "true");
    free(result);
}

static unsigned sent_count(const char *text)
{
    json_t *calls = bot_api_calls(&rig.bot, 0), *call;
    unsigned count = 0;
    size_t i;

    json_array_foreach(calls, i, call)
    {
        const char *sent =
            json_string_value(json_object_get(json_object_get(call, "params"), "text"));

        count += sent != NULL && strcmp(sent, text) == 0;
    }
    json_decref(calls);
    return count;
}

/* WF-076: killed while the third of three messages is under way. */
static void test_three_sends(void **state)
{
    char *id;

    (void)state;
    install(
        "{\"nodes\":["
        "{\"id\":\"t\",\"type\":\"trigger.command\",\"data\":{\"config\":{\"command\":\"/"
        "start\"}}},"
        "{\"id\":\"a\",\"type\":\"message\",\"data\":{\"config\":{\"text\":\"One\"}}},"
        "{\"id\":\"b\",\"type\":\"message\",\"data\":{\"config\":{\"text\":\"Two\"}}},"
        "{\"id\":\"c\",\"type\":\"message\",\"data\":{\"config\":{\"text\":\"Three\"}}}],"
        "\"connections\":[{\"source\":\"t\",\"target\":\"a\"},{\"source\":\"a\","
        "\"target\":\"b\"},"
        "{\"source\":\"b\",\"target\":\"c\"}],\"entryNodeId\":\"t\"}");
    bot_api_rule(&rig.bot,
                 "{\"match\":{\"text\":\"Three\"},\"count\":1,\"action\":\"never\"}");
    wf_rig_up_idle(&rig);
    start_daemon();
    id = add_start(1, 42, NULL);
    json_decref(bot_api_calls(&rig.bot, 3));
    end_daemon(SIGKILL);
    start_daemon();
    expect_done(id);
    free(id);
    assert_int_equal(sent_count("One"), 1);
    assert_int_equal(sent_count("Two"), 1);
    assert_int_equal(sent_count("Three"),
                     2); /* the one that was under way, and its repetition */
    end_daemon(SIGTERM);
}

static int64_t finished_jobs(void)
{
    return redis_server_integer(&rig.redis, "ZCARD bull:" WF_RIG_QUEUE ":completed");
}

/* Kills the daemon once it has finished some more jobs. */
static void kill_amid_work(int64_t more)
{
    int64_t goal = finished_jobs() + more;
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), 30000);

    start_daemon();
    while (finished_jobs() < goal && bw_mono_before(bw_mono_now(NULL), deadline))
        (void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    end_daemon(SIGKILL);
}

static void expect_rows(const char *sql, const char *text)
{
    char *got = wf_rig_text(&rig, sql);

    assert_string_equal(got, text);
    free(got);
}

/* WF-077: each person is paid once, whenever the worker died. */
static void test_paid_once(void **state)
{
    char *ids[PEOPLE], sql[160];

    (void)state;
    install("{\"nodes\":["
            "{\"id\":\"t\",\"type\":\"trigger.command\",\"data\":{\"config\":{"
            "\"command\":\"/start\"}}},"
            "{\"id\":\"b\",\"type\":\"action.database_query\",\"data\":{\"config\":{"
            "\"query\":"
            "\"add_bonus\",\"parameters\":{\"userId\":\"{{userId}}\",\"amount\":5}}}},"
            "{\"id\":\"m\",\"type\":\"message\",\"data\":{\"config\":{\"text\":"
            "\"{user.balance}\"}}}],"
            "\"connections\":[{\"source\":\"t\",\"target\":\"b\"},{\"source\":\"b\","
            "\"target\":\"m\"}],"
            "\"entryNodeId\":\"t\"}");
    (void)snprintf(sql, sizeof(sql),
                   "insert into users (id, project_id, telegram_id, updated_at)"
                   " select 'u' || i, 'P', 1000 + i, now() from generate_series(1, %d) i",
                   PEOPLE);
    wf_rig_sql(&rig, sql);
    bot_api_rule(&rig.bot, "{\"action\":\"pass\",\"delay\":20}");
    wf_rig_up_idle(&rig);
    for (int i = 0; i < PEOPLE; i++)
        ids[i] = add_start(i + 1, 1001 + i, NULL);
    for (int i = 0; i < KILLS; i++)
        kill_amid_work(8);
    start_daemon();
    for (int i = 0; i < PEOPLE; i++) {
        expect_done(ids[i]);
        free(ids[i]);
    }
    end_daemon(SIGTERM);
    expect_rows("select count(*) || ' ' || count(distinct user_id) from bonuses",
                "60 60");
    expect_rows("select count(*) || ' ' || count(distinct user_id) from transactions",
                "60 60");
    expect_rows(
        "select count(*) from (select e.telegram_chat_id from workflow_executions e"
        " where e.status = 'completed' group by 1 having count(*) = 1) once",
        "60");
    /* one more a kill and slot at the very most: what was under way */
    assert_in_range(sent_count("5"), PEOPLE, PEOPLE + KILLS * 8);
}

/* --- scheduled runs */

#ifdef BULWARK_FAULT_POINTS

static void install_birthday(void)
{
    install(
        "{\"nodes\":["
        "{\"id\":\"t\",\"type\":\"trigger.schedule\",\"data\":{\"config\":{"
        "\"cron\":\"* * * * *\",\"dedupeWindow\":\"year\",\"audience\":{\"type\":"
        "\"all_active_users\"}}}},"
        "{\"id\":\"m\",\"type\":\"message\",\"data\":{\"config\":{\"text\":\"Hi\"}}}],"
        "\"connections\":[{\"source\":\"t\",\"target\":\"m\"}],\"entryNodeId\":\"t\"}");
    wf_rig_sql(&rig, "insert into users (id, project_id, telegram_id, is_active, "
                     "updated_at) select 'u' || i, 'P', 1000 + i, true, now() from "
                     "generate_series(1, 1200) i");
}

static void await_death(void)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), 60000);

    while (waitpid(daemon_pid, NULL, WNOHANG) == 0) {
        if (!bw_mono_before(bw_mono_now(NULL), deadline))
            fail_msg("the daemon does not come to its fault point");
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    }
    daemon_pid = 0;
}

/* Dies at the fault point between claiming a page of customers and adding their jobs;
 * another starts. §11.3 */
static void die_between_claim_and_job(const char *claims)
{
    wf_rig_up_idle(&rig);
    assert_int_equal(setenv("BULWARK_FAULT", claims, 1), 0);
    start_daemon();
    await_death();
    assert_int_equal(unsetenv("BULWARK_FAULT"), 0);
}

static void wait_for_rows(const char *sql, const char *text)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), 60000);
    char *got = wf_rig_text(&rig, sql);

    while (strcmp(got, text) != 0) {
        if (!bw_mono_before(bw_mono_now(NULL), deadline))
            fail_msg("%s: %s, not %s", sql, got, text);
        free(got);
        (void)nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
        got = wf_rig_text(&rig, sql);
    }
    free(got);
}

static int64_t scheduled_jobs(void)
{
    return redis_server_integer(&rig.redis, "ZCARD bull:" WF_RIG_QUEUE ":prioritized");
}

/* In the second page: the minute is scanned again, to its end. */
static void test_claimed_page(void **state)
{
    (void)state;
    install_birthday();
    die_between_claim_and_job("claimed:2");
    expect_rows("select count(*) from scheduled_workflow_runs", "1200");
    start_daemon();
    wait_for_rows("select count(*) from scheduled_workflow_runs where status = "
                  "'COMPLETED'",
                  "1200");
    expect_rows("select count(*) || ' ' || count(distinct session_id) from "
                "workflow_executions",
                "1200 1200");
    /* a slow machine lets a lock run out, and a message under way is sent again */
    assert_in_range(sent_count("Hi"), 1200, 1200 + 8);
    end_daemon(SIGTERM);
}

/* Nothing scans for the workflow any more: what was claimed is not forgotten. */
static void test_claimed_and_switched_off(void **state)
{
    (void)state;
    install_birthday();
    wf_rig_sql(&rig, "delete from users where id not in ('u1', 'u2', 'u3')");
    die_between_claim_and_job("claimed:1");
    expect_rows("select count(*) from scheduled_workflow_runs where status = 'QUEUED'",
                "3");
    assert_int_equal(scheduled_jobs(), 0);
    wf_rig_sql(&rig, "update workflows set is_active = false");
    start_daemon();
    wait_for_rows("select count(*) from scheduled_workflow_runs where status = "
                  "'COMPLETED'",
                  "3");
    assert_int_equal(sent_count("Hi"), 3);
    end_daemon(SIGTERM);
}

#endif

#define TEST(function) cmocka_unit_test_setup_teardown(function, clean, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_three_sends),
        TEST(test_paid_once),
#ifdef BULWARK_FAULT_POINTS
        TEST(test_claimed_page),
        TEST(test_claimed_and_switched_off),
#endif
    };

    return cmocka_run_group_tests(tests, open_rig, close_rig);
}
