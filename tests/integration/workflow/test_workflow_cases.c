/* Workflows as data: each file of cases/ and bots/ is a workflow, what comes in, and what
 * must be seen: calls of the Bot API, rows, keys and results. cases/README.md has the
 * format. worker/workflow/spec/workflow.md §13, §14. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "integration/workflow/wf_rig.h"

static struct wf_rig rig;
static struct bw_mono up_since;

static int open_rig(void **state)
{
    (void)state;
    wf_rig_open(&rig);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    wf_rig_close(&rig);
    return 0;
}

/* A case that failed leaves its worker running. */
static int close_worker(void **state)
{
    (void)state;
    wf_rig_down(&rig);
    return 0;
}

/* --- comparing: "*" stands for any value; everything else must be equal */

static bool same(const json_t *expected, const json_t *actual)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_string(expected) && strcmp(json_string_value(expected), "*") == 0)
        return actual != NULL;
    if (json_is_object(expected) && json_is_object(actual)) {
        if (json_object_size(expected) != json_object_size(actual))
            return false;
        json_object_foreach((json_t *)(uintptr_t)expected, key, member)
        {
            if (!same(member, json_object_get(actual, key)))
                return false;
        }
        return true;
    }
    if (json_is_array(expected) && json_is_array(actual)) {
        if (json_array_size(expected) != json_array_size(actual))
            return false;
        json_array_foreach((json_t *)(uintptr_t)expected, i, member)
        {
            if (!same(member, json_array_get(actual, i)))
                return false;
        }
        return true;
    }
    return json_equal((json_t *)(uintptr_t)expected, (json_t *)(uintptr_t)actual) != 0;
}

static void check(const char *where, const json_t *expected, const json_t *actual)
{
    char *want, *got;

    if (same(expected, actual))
        return;
    want = json_dumps(expected, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    got = json_dumps(actual, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    /* by itself: cmocka's own lines end after a kilobyte */
    (void)fprintf(stderr, "%s\n  expected %s\n  got      %s\n", where, want, got);
    free(want);
    free(got);
    fail_msg("%s", where);
}

/* --- one step */

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* [[method, params], …] of the calls after number `since`; `*last` is the newest. The
 * answer to a callback query comes first: it is sent beside the run, so its place is by
 * chance. */
static json_t *calls_since(unsigned since, unsigned count, unsigned *last)
{
    json_t *all = bot_api_calls(&rig.bot, since + count), *out = json_array(), *call;
    size_t i, at = 0;

    json_array_foreach(all, i, call)
    {
        unsigned n = (unsigned)json_integer_value(json_object_get(call, "n"));

        if (n <= since)
            continue;
        *last = n > *last ? n : *last;
        json_array_insert_new(
            out, strcmp(text_of(call, "method"), "answerCallbackQuery") == 0 ? 0 : at++,
            json_pack("[s, O]", text_of(call, "method"),
                      json_object_get(call, "params")));
        at += strcmp(text_of(call, "method"), "answerCallbackQuery") == 0 ? 1 : 0;
    }
    json_decref(all);
    return out;
}

static void check_rows(const json_t *rows)
{
    const char *sql;
    json_t *expected;

    json_object_foreach((json_t *)(uintptr_t)rows, sql, expected)
    {
        char *text = wf_rig_text(&rig, sql);
        json_t *actual = json_string(text);

        check(sql, expected, actual);
        json_decref(actual);
        free(text);
    }
}

#define ONE_OF                                                                           \
    "EVAL %s 0 %s %s", "return redis.call(ARGV[1], \
redis.call('keys', ARGV[2])[1] or 'none')"

/* "GET workflow:…": text or null. A key with a * is the one that looks so; a number is
 * the most that is left to live. */
static void check_keys(const struct redis_server *server, const json_t *keys)
{
    const char *command;
    json_t *expected;

    json_object_foreach((json_t *)(uintptr_t)keys, command, expected)
    {
        char word[16], key[256];
        char *text;
        json_t *actual;

        assert_int_equal(sscanf(command, "%15s %255[^\n]", word, key), 2);
        text = strchr(key, '*') != NULL ? redis_server_text(server, ONE_OF, word, key)
                                        : redis_server_text(server, "%s %s", word, key);
        actual = text != NULL ? json_string(text) : json_null();
        if (json_is_integer(expected) && (text == NULL || atoll(text) < 1 ||
                                          atoll(text) > json_integer_value(expected)))
            fail_msg("%s: %s", command, text);
        if (!json_is_integer(expected))
            check(command, expected, actual);
        json_decref(actual);
        free(text);
    }
}

static void run_sql(const json_t *list)
{
    json_t *sql;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, sql)
        wf_rig_sql(&rig, json_string_value(sql));
}

static void run_redis(const json_t *list)
{
    json_t *command;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, command)
    {
        char word[16], key[256], value[256];

        if (sscanf(json_string_value(command), "%15s %255s %255s", word, key, value) == 3)
            free(redis_server_text(&rig.keys, "%s %s %s", word, key, value));
        else
            free(redis_server_text(&rig.keys, "%s %s", word, key));
    }
}

static void set_rules(const json_t *rules)
{
    json_t *rule;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)rules, i, rule)
    {
        char *text = json_dumps(rule, JSON_COMPACT);

        bot_api_rule(&rig.bot, text);
        free(text);
    }
}

/* The nodes that ran, as the log has them: "t1 c1:true m_yes", "q1!" for one that failed.
 */
static void check_trace(const char *where, const json_t *expected, const char *log_before)
{
    char sql[512], *text;
    json_t *actual;

    if (expected == NULL)
        return;
    (void)snprintf(
        sql, sizeof(sql),
        "select coalesce(string_agg(node_id || coalesce(':' || branch_key, '')"
        " || case level when 'error' then '!' else '' end, ' ' order by id), '')"
        " from workflow_logs where level in ('info', 'error') and id > %s",
        log_before);
    text = wf_rig_text(&rig, sql);
    actual = json_string(text);
    check(where, expected, actual);
    json_decref(actual);
    free(text);
}

/* Sends of the bot in any one second (§10.4). */
static void check_pace(const json_t *limit)
{
    json_t *stats, *bots, *bot;

    if (limit == NULL)
        return;
    stats = bot_api_control(&rig.bot, "stats", NULL);
    bots = json_object_get(json_object_get(stats, "maxPerSecond"), "bot");
    bot = json_object_get(bots, "111");
    assert_true(json_integer_value(json_object_get(bot, "max")) > 0);
    assert_true(json_integer_value(json_object_get(bot, "max")) <=
                json_integer_value(limit));
    json_decref(stats);
}

static char *run_job(const json_t *step)
{
    const json_t *job = json_object_get(step, "job");
    char *id, *result, *opts = NULL;

    if (job == NULL)
        return wf_rig_update(&rig, json_object_get(step, "update"));
    if (json_object_get(job, "opts") != NULL)
        opts = json_dumps(json_object_get(job, "opts"), JSON_COMPACT);
    if (text_of(job, "text") != NULL)
        id = wf_rig_add_text(&rig, text_of(job, "name"), text_of(job, "text"), opts);
    else
        id = wf_rig_add(&rig, text_of(job, "name"), json_object_get(job, "data"), opts);
    result = wf_rig_wait(&rig, id, 60000);
    free(id);
    free(opts);
    return result;
}

/* A job of the connections' first quarter of a second takes a round trip more: it may
 * have been run by somebody before (worker/workflow/steps/warm.c). Trips are counted
 * behind that. */
static void outlast_the_beginning(void)
{
    int64_t left = bw_mono_ms_until(bw_mono_now(NULL), bw_mono_add_ms(up_since, 400));

    if (left > 0)
        (void)nanosleep(&(struct timespec){ .tv_nsec = left * 1000000 }, NULL);
}

static void run_step(const char *file, size_t number, const json_t *step, unsigned *seen)
{
    const json_t *calls = json_object_get(step, "calls");
    uint64_t trips = wf_rig_figure(&rig, "workflow_db_round_trips");
    uint64_t statements = wf_rig_figure(&rig, "workflow_db_statements");
    const json_t *limit = json_object_get(step, "maxTrips");
    const json_t *statement_limit = json_object_get(step, "maxStatements");
    char where[160], *result, *log_before;
    json_t *actual;

    (void)snprintf(where, sizeof(where), "%s, step %zu", file, number + 1);
    if (limit != NULL)
        outlast_the_beginning();
    run_sql(json_object_get(step, "sql"));
    run_redis(json_object_get(step, "redis"));
    set_rules(json_object_get(step, "rules"));
    log_before = wf_rig_text(&rig, "select coalesce(max(id), 0) from workflow_logs");
    result = run_job(step);
    trips = wf_rig_figure(&rig, "workflow_db_round_trips") - trips;
    statements = wf_rig_figure(&rig, "workflow_db_statements") - statements;
    if (json_object_get(step, "result") != NULL) {
        actual = json_string(result);
        check(where, json_object_get(step, "result"), actual);
        json_decref(actual);
    }
    check_trace(where, json_object_get(step, "trace"), log_before);
    actual = calls_since(*seen, (unsigned)json_array_size(calls), seen);
    if (calls != NULL)
        check(where, calls, actual);
    json_decref(actual);
    if (limit != NULL && trips > (uint64_t)json_integer_value(limit))
        fail_msg("%s: %llu round trips", where, (unsigned long long)trips);
    if (statement_limit != NULL &&
        statements > (uint64_t)json_integer_value(statement_limit))
        fail_msg("%s: %llu statements", where, (unsigned long long)statements);
    check_rows(json_object_get(step, "rows"));
    check_keys(&rig.keys, json_object_get(step, "keys"));
    check_keys(&rig.redis, json_object_get(step, "queueKeys"));
    check_pace(json_object_get(step, "maxPerSecond"));
    free(log_before);
    free(result);
}

/* --- one case */

static void load_workflows(const json_t *all)
{
    const json_t *workflows = json_object_get(all, "workflows");
    const char *id;
    json_t *workflow;

    if (json_object_get(all, "workflow") != NULL)
        wf_rig_workflow(&rig, "W1", json_object_get(all, "workflow"));
    json_object_foreach((json_t *)(uintptr_t)workflows, id, workflow)
        wf_rig_workflow(&rig, id, workflow);
}

/* Requests of nodes go to the stand-in too: its address is the project's {bot_api}. */
static void name_stand_in(void)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql),
                   "insert into project_variables (id, project_id, key, value, "
                   "updated_at) values ('bot_api', 'P', 'bot_api', '%s', now())",
                   rig.bot.url);
    wf_rig_sql(&rig, sql);
}

static void run_case(void **state)
{
    const char *file = *state;
    char path[512];
    json_error_t error;
    json_t *all, *step;
    unsigned seen = 0;
    size_t i;

    (void)snprintf(path, sizeof(path), "%s/%s", WORKFLOW_CASES, file);
    all = json_load_file(path, 0, &error);
    if (all == NULL)
        fail_msg("%s:%d: %s", file, error.line, error.text);
    wf_rig_clean(&rig);
    load_workflows(all);
    name_stand_in();
    run_sql(json_object_get(all, "sql"));
    wf_rig_up(&rig, json_incref(json_object_get(all, "config")));
    up_since = bw_mono_now(NULL);
    json_array_foreach(json_object_get(all, "steps"), i, step)
        run_step(file, i, step, &seen);
    json_decref(all);
}

static int by_name(const void *a, const void *b)
{
    const struct CMUnitTest *one = a, *other = b;

    return strcmp(one->name, other->name);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[256];
    size_t count = 0;
    DIR *dir = opendir(WORKFLOW_CASES);
    struct dirent *entry;
    int failed;

    if (dir == NULL) {
        perror(WORKFLOW_CASES);
        return 1;
    }
    while ((entry = readdir(dir)) != NULL && count < sizeof(tests) / sizeof(tests[0])) {
        size_t len = strlen(entry->d_name);

        if (len < 5 || strcmp(entry->d_name + len - 5, ".json") != 0 ||
            (argc > 1 && strstr(entry->d_name, argv[1]) == NULL))
            continue;
        tests[count].name = strdup(entry->d_name);
        tests[count].test_func = run_case;
        tests[count].setup_func = NULL;
        tests[count].teardown_func = close_worker;
        tests[count].initial_state = (void *)(uintptr_t)tests[count].name;
        count++;
    }
    (void)closedir(dir); /* it was only read */
    qsort(tests, count, sizeof(tests[0]), by_name);
    if (count == 0)
        return 1;
    failed = _cmocka_run_group_tests("workflow cases", tests, count, open_rig, close_rig);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)tests[i].name);
    return failed;
}
