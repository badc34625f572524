/* What goes wrong around a workflow, and what happens twice or at once.
 * worker/workflow/spec/workflow.md §1.4, §3.7, §3.9, §10.5, §10.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bulwark/thread.h>

#include "integration/workflow/wf_rig.h"

#define HEAVY "heavy_workflow_execution"
#define RETRY "{\"attempts\":5,\"backoff\":{\"type\":\"fixed\",\"delay\":300}}"

static struct wf_rig rig, twin;

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

static int clean(void **state)
{
    (void)state;
    wf_rig_clean(&rig);
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

static json_t *node(const char *id, const char *type, json_t *config)
{
    return json_pack("{s:s, s:s, s:{s:s, s:{s:o}}}", "id", id, "type", type, "data",
                     "label", id, "config", type, config);
}

static json_t *start_node(const char *id, const char *command)
{
    return node(id, "trigger.command", json_pack("{s:s}", "command", command));
}

static json_t *message(const char *id, const char *text)
{
    return node(id, "message", json_pack("{s:s}", "text", text));
}

/* Nodes in a row: each has an edge to the next. Takes them; ends with NULL. */
static void install(json_t *first, ...)
{
    json_t *nodes = json_array(), *edges = json_array(), *item = first, *workflow;
    const char *before = NULL;
    va_list args;

    va_start(args, first);
    for (; item != NULL; item = va_arg(args, json_t *)) {
        const char *id = json_string_value(json_object_get(item, "id"));

        if (before != NULL)
            json_array_append_new(
                edges, json_pack("{s:s, s:s}", "source", before, "target", id));
        json_array_append_new(nodes, item);
        before = id;
    }
    va_end(args);
    workflow = json_pack("{s:o, s:o, s:O}", "nodes", nodes, "connections", edges,
                         "entryNodeId", json_object_get(json_array_get(nodes, 0), "id"));
    wf_rig_workflow(&rig, "W1", workflow);
    json_decref(workflow);
}

static json_t *text_update(int update_id, int chat, const char *text)
{
    return json_pack("{s:i, s:{s:i, s:{s:i, s:s, s:s}, s:{s:i, s:s}, s:s}}", "update_id",
                     update_id, "message", "message_id", 1, "from", "id", chat,
                     "first_name", "Ann", "username", "ann", "chat", "id", chat, "type",
                     "private", "text", text);
}

/* Adds it; new: the job's id. */
static char *add(struct wf_rig *to, json_t *update, const char *opts)
{
    json_t *data = wf_rig_data(update);
    char *id = wf_rig_add(to, HEAVY, data, opts);

    json_decref(data);
    json_decref(update);
    return id;
}

static void expect(const char *id, const char *result, int64_t timeout_ms)
{
    char *got = wf_rig_wait(&rig, id, timeout_ms);

    assert_string_equal(got, result);
    free(got);
}

static void run(json_t *update, const char *result)
{
    char *id = add(&rig, update, NULL);

    expect(id, result, 60000);
    free(id);
}

static void expect_rows(const char *sql, const char *text)
{
    char *got = wf_rig_text(&rig, sql);

    assert_string_equal(got, text);
    free(got);
}

/* Texts of all messages so far, joined by commas. */
static void expect_sent(const char *texts)
{
    json_t *calls = bot_api_calls(&rig.bot, 0), *call;
    char all[1024] = "";
    size_t i;

    json_array_foreach(calls, i, call)
    {
        const char *text =
            json_string_value(json_object_get(json_object_get(call, "params"), "text"));

        if (text == NULL)
            continue;
        if (*all != '\0')
            strcat(all, ",");
        strncat(all, text, sizeof(all) - strlen(all) - 2);
    }
    assert_string_equal(all, texts);
    json_decref(calls);
}

static void pause_ms(long ms)
{
    (void)nanosleep(
        &(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void wait_for_attempts(const char *id, int64_t at_least)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), 60000);

    while (bw_mono_before(bw_mono_now(NULL), deadline)) {
        char *made =
            redis_server_text(&rig.redis, "HGET bull:" WF_RIG_QUEUE ":%s atm", id);
        bool enough = made != NULL && strtoll(made, NULL, 10) >= at_least;

        free(made);
        if (enough)
            return;
        pause_ms(10);
    }
    fail_msg("job %s made no attempt", id);
}

static void wait_for_figure(const char *name, uint64_t at_least)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), 60000);

    while (bw_mono_before(bw_mono_now(NULL), deadline)) {
        if (wf_rig_figure(&rig, name) >= at_least)
            return;
        pause_ms(10);
    }
    fail_msg("%s stays below %llu", name, (unsigned long long)at_least);
}

/* What the handler has decided is a moment later in Redis. */
static void expect_gone(const struct redis_server *server, const char *command,
                        const char *key)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), 20000);

    while (redis_server_integer(server, command, key) != 0) {
        if (!bw_mono_before(bw_mono_now(NULL), deadline))
            fail_msg("%s is still there", key);
        pause_ms(5);
    }
}

static void expect_no_field(const char *id, const char *field)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "HEXISTS bull:" WF_RIG_QUEUE ":%s %%s",
                   id); /* fits */
    expect_gone(&rig.redis, command, field);
}

static void expect_field(const char *id, const char *field, const char *value)
{
    char *text =
        redis_server_text(&rig.redis, "HGET bull:" WF_RIG_QUEUE ":%s %s", id, field);

    assert_string_equal(text, value);
    free(text);
}

/* --- PostgreSQL away */

/* WF-015: the job waits without an attempt, and succeeds once. */
static void test_database_away(void **state)
{
    char *id;

    (void)state;
    install(start_node("t", "/start"), message("m", "Hi"), NULL);
    wf_rig_up(&rig, json_pack("{s:i}", "database.timeout_ms", 500));
    pg_server_halt(&rig.pg);
    id = add(&rig, text_update(1, 42, "/start"), NULL);
    wait_for_figure("workflow_handed_back", 1);
    wait_for_figure("workflow_held", 1);
    expect_no_field(id, "ats");
    expect_no_field(id, "atm");
    pg_server_launch(&rig.pg);
    pg_server_wait(&rig.pg);
    expect(id, "true", 60000);
    expect_field(id, "ats", "1");
    free(id);
    expect_sent("Hi");
    expect_rows("select status from workflow_executions", "completed");
}

/* --- Redis of the caches away */

/* WF-154, §10.6: the memory of the process stands in; nothing fails. */
static void test_cache_away(void **state)
{
    (void)state;
    install(
        start_node("t", "/start"), message("m1", "One"),
        node("q", "message", json_pack("{s:s, s:b}", "text", "Name?", "waitForInput", 1)),
        message("m2", "Hello {{telegram.message.text}}"), NULL);
    redis_server_halt(&rig.keys);
    wf_rig_up(&rig, NULL);
    run(text_update(1, 42, "/start"), "true");
    run(text_update(2, 42, "Bob"), "true");
    run(text_update(2, 42, "Bob"), "true"); /* the same update: remembered here too */
    expect_sent("One,Name?,Hello Bob");
    expect_rows("select status || ' ' || step_count || ' ' || (wait_payload - 'jobs')"
                " from workflow_executions",
                "completed 4 {}");
    expect_rows("select string_agg(step::text, ',' order by step) from workflow_logs",
                "1,2,3,4");
    assert_true(wf_rig_figure(&rig, "workflow_redis_away") > 0);
    redis_server_restart(&rig.keys);
}

/* §10.6: it is used again when it is back, without a restart. */
static void test_cache_returns(void **state)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), 60000);
    bool back = false;

    (void)state;
    install(start_node("t", "/start"), message("m", "Hi"), NULL);
    wf_rig_up(&rig, NULL);
    run(text_update(1, 42, "/start"), "true");
    redis_server_halt(&rig.keys);
    run(text_update(2, 42, "/start"), "true");
    redis_server_restart(&rig.keys);
    free(redis_server_text(&rig.keys, "FLUSHALL"));
    for (int update = 3; !back && bw_mono_before(bw_mono_now(NULL), deadline); update++) {
        run(text_update(update, 42, "/start"), "true");
        back = redis_server_integer(&rig.keys, "EXISTS workflow:session:P:42:42") == 1;
    }
    assert_true(back);
}

/* A Redis that hangs costs its 200 ms once, not once a command. */
static void test_cache_hangs(void **state)
{
    struct bw_mono begin;

    (void)state;
    install(start_node("t", "/start"), message("m", "Hi"), NULL);
    wf_rig_up(&rig, NULL);
    run(text_update(1, 42, "/start"), "true");
    redis_server_pause(&rig.keys);
    begin = bw_mono_now(NULL);
    run(text_update(2, 42, "/start"), "true");
    redis_server_cont(&rig.keys);
    assert_true(bw_mono_ms_until(begin, bw_mono_now(NULL)) < 4000);
    expect_sent("Hi,Hi");
}

/* §3.9.2, last sentence: without Redis the row is the checkpoint. The second message
 * fails for good the first time; the attempt after it does not send the first again. */
static void test_row_checkpoint(void **state)
{
    char *id;

    (void)state;
    install(start_node("t", "/start"), message("m1", "One"), message("m2", "Two"), NULL);
    bot_api_rule(&rig.bot,
                 "{\"match\":{\"text\":\"Two\"},\"count\":4,\"action\":\"status\","
                 "\"status\":502}");
    redis_server_halt(&rig.keys);
    wf_rig_up(&rig, NULL);
    id = add(&rig, text_update(1, 42, "/start"), RETRY);
    expect(id, "true", 60000);
    free(id);
    expect_sent("One,Two,Two,Two,Two,Two");
    expect_rows("select status || ' ' || step_count from workflow_executions",
                "completed 3");
    /* a 502 does not say whether the message went out: that it is sent again is said */
    expect_rows(
        "select string_agg(step || ':' || node_id || ':' || level, ',' order by id)"
        " from workflow_logs",
        "1:t:info,2:m1:info,3:m2:warn,3:m2:info");
    redis_server_restart(&rig.keys);
}

/* --- twice */

/* WF-016: two jobs with one update, at once. */
static void test_same_update_twice(void **state)
{
    char *one, *other;

    (void)state;
    install(start_node("t", "/start"), message("m", "Hi"), NULL);
    wf_rig_up(&rig, NULL);
    one = add(&rig, text_update(7, 42, "/start"), NULL);
    other = add(&rig, text_update(7, 42, "/start"), NULL);
    expect(one, "true", 60000);
    expect(other, "true", 60000);
    free(one);
    free(other);
    expect_sent("Hi");
    expect_rows("select count(*) from workflow_executions", "1");
}

/* WF-078: a job that comes again after its end returns what it returned. */
static void test_done_job_again(void **state)
{
    static const char opts[] = "{\"jobId\":\"J1\"}";
    char *id;

    (void)state;
    install(start_node("t", "/start"), message("m", "Hi"), NULL);
    wf_rig_up(&rig, NULL);
    id = add(&rig, text_update(1, 42, "/start"), opts);
    expect(id, "true", 60000);
    free(id);
    free(redis_server_text(&rig.redis, "DEL bull:" WF_RIG_QUEUE ":J1"));
    free(redis_server_text(&rig.redis, "ZREM bull:" WF_RIG_QUEUE ":completed J1"));
    id = add(&rig, text_update(1, 42, "/start"), opts);
    expect(id, "true", 60000);
    free(id);
    expect_sent("Hi");
    expect_rows("select count(*) from workflow_executions", "1");
}

/* WF-162: an id that was used before. What an earlier job has left, done or not, and of
 * whatever chat, reaches this one in nothing. */
static void test_id_comes_again(void **state)
{
    static const char *const left[] = {
        "\"done\":true,\"result\":false,\"atm\":0",
        "\"next\":\"m2\",\"seq\":9,\"executionId\":\"e77\",\"sessionId\":\"77_77_1\""
    };
    char opts[64], value[256];

    (void)state;
    install(start_node("t", "/start"), message("m1", "One"), message("m2", "Two"), NULL);
    wf_rig_up(&rig, NULL);
    for (int i = 0; i < 2; i++) {
        char *id;

        (void)snprintf(opts, sizeof(opts), "{\"jobId\":\"again-%d\"}", i);
        (void)snprintf(value, sizeof(value),
                       "{\"job\":{\"timestamp\":1,\"projectId\":\"P\",\"updateId\":"
                       "\"%d\"},%s}",
                       i + 1, left[i]);
        free(redis_server_text(
            &rig.keys, "SET workflow:job:bull:" WF_RIG_QUEUE ":again-%d %s", i, value));
        id = add(&rig, text_update(i + 1, 42 + i, "/start"), opts);
        expect(id, "true", 60000);
        free(id);
    }
    expect_sent("One,Two,One,Two");
    expect_rows("select count(*) || ' ' || min(status) from workflow_executions",
                "2 completed");
}

/* WF-076: the second send fails on and on; the attempt after it goes on there. */
static void test_retry_goes_on(void **state)
{
    char *id;

    (void)state;
    install(start_node("t", "/start"), message("m1", "One"), message("m2", "Two"),
            message("m3", "Three"), NULL);
    bot_api_rule(&rig.bot,
                 "{\"match\":{\"text\":\"Two\"},\"count\":4,\"action\":\"status\","
                 "\"status\":502}");
    wf_rig_up(&rig, NULL);
    id = add(&rig, text_update(1, 42, "/start"), RETRY);
    expect(id, "true", 60000);
    free(id);
    expect_sent("One,Two,Two,Two,Two,Two,Three");
    expect_rows("select status || ' ' || step_count from workflow_executions",
                "completed 4");
    expect_rows(
        "select string_agg(step || ':' || node_id || ':' || level, ',' order by id)"
        " from workflow_logs",
        "1:t:info,2:m1:info,3:m2:warn,3:m2:info,4:m3:info");
}

/* §1.4: on the last attempt a transient failure leaves the execution `failed`, and the
 * job fails. */
static void test_last_attempt(void **state)
{
    char *id;

    (void)state;
    install(start_node("t", "/start"), message("m", "Hi"), NULL);
    bot_api_rule(&rig.bot, "{\"action\":\"status\",\"status\":502}");
    wf_rig_up(&rig, NULL);
    id = add(&rig, text_update(1, 42, "/start"), NULL);
    expect(id, "failed: Telegram: Bad Gateway", 60000);
    free(id);
    expect_rows("select status || ' ' || error from workflow_executions",
                "failed Telegram: Bad Gateway");
}

/* WF-142: a long pause is not waited for: the job fails and comes back no sooner, to the
 * same node. */
static void test_long_pause(void **state)
{
    struct bw_mono begin = bw_mono_now(NULL);
    char *id;

    (void)state;
    install(start_node("t", "/start"), message("m1", "One"), message("m2", "Two"), NULL);
    bot_api_rule(&rig.bot,
                 "{\"match\":{\"text\":\"Two\"},\"count\":1,\"action\":\"limit\","
                 "\"retry_after\":6}");
    wf_rig_up(&rig, NULL);
    id = add(&rig, text_update(1, 42, "/start"), RETRY);
    wait_for_attempts(id, 1);
    expect(id, "true", 60000);
    free(id);
    assert_true(bw_mono_ms_until(begin, bw_mono_now(NULL)) >= 6000);
    expect_sent("One,Two,Two");
}

/* --- at once */

static void add_number(char **ids, int number)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "n%d", number);
    ids[number] = add(&rig, text_update(number + 1, 42, text), NULL);
}

static bool all_are_active(int64_t count)
{
    return redis_server_integer(&rig.redis, "LLEN bull:" WF_RIG_QUEUE ":active") == count;
}

/* §3.1 step 4: updates of one chat run one after the other, and those that have gathered
 * behind one that runs in their order, however they came. */
static void test_chat_order(void **state)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), 60000);
    char *ids[8];

    (void)state;
    install(start_node("t", "/start"), node("v", "trigger.message", json_object()),
            message("m", "{{telegram.message.text}}"), NULL);
    bot_api_rule(&rig.bot, "{\"match\":{\"text\":\"n0\"},\"action\":\"pass\","
                           "\"delay\":3000}");
    wf_rig_up(&rig, NULL);
    add_number(ids, 0);
    json_decref(bot_api_calls(&rig.bot, 1));
    for (int i = 7; i > 0; i--)
        add_number(ids, i);
    while (!all_are_active(8) && bw_mono_before(bw_mono_now(NULL), deadline))
        pause_ms(5);
    for (int i = 0; i < 8; i++) {
        expect(ids[i], "true", 60000);
        free(ids[i]);
    }
    expect_sent("n0,n1,n2,n3,n4,n5,n6,n7");
}

/* WF-047: two replicas, no lock to keep them apart: exactly one resumes the wait. */
static void test_two_resume(void **state)
{
    char *one, *other;

    (void)state;
    install(
        start_node("t", "/start"),
        node("q", "message", json_pack("{s:s, s:b}", "text", "Name?", "waitForInput", 1)),
        message("m", "Hello {{telegram.message.text}}"), NULL);
    wf_rig_up(&rig, NULL);
    run(text_update(1, 42, "/start"), "true");
    redis_server_halt(&rig.keys);
    wf_rig_twin(&rig, &twin, NULL);
    one = add(&rig, text_update(2, 42, "A"), NULL);
    other = add(&rig, text_update(3, 42, "B"), NULL);
    expect(one, "true", 60000);
    expect(other, "true", 60000);
    free(one);
    free(other);
    expect_rows("select count(*) from workflow_logs where node_id = 'm'", "1");
    expect_rows("select string_agg(status, ',' order by status) from workflow_executions",
                "completed,waiting");
    redis_server_restart(&rig.keys);
}

static void install_spend(void)
{
    install(start_node("t", "/start"),
            node("s", "action.database_query",
                 json_pack("{s:s, s:{s:s, s:i}, s:s}", "query", "spend_bonus",
                           "parameters", "userId", "u1", "amount", 80, "assignTo", "r")),
            message("m", "Left {{r.remaining}}"), NULL);
    wf_rig_sql(&rig,
               "insert into users (id, project_id, updated_at) values ('u1', 'P', now());"
               "insert into bonuses (id, user_id, amount) values ('b1', 'u1', 100)");
}

static void spend_twice(void)
{
    char *one = add(&rig, text_update(1, 42, "/start"), NULL);
    char *other = add(&rig, text_update(2, 43, "/start"), NULL);
    char *a = wf_rig_wait(&rig, one, 60000), *b = wf_rig_wait(&rig, other, 60000);

    assert_true(strcmp(a, b) != 0);
    free(a);
    free(b);
    free(one);
    free(other);
    expect_sent("Left 20");
    expect_rows("select string_agg(amount::text, ',') from bonuses", "20.00");
    expect_rows("select count(*) from transactions", "1");
    expect_rows("select error from workflow_executions where status = 'failed'",
                "Insufficient bonus balance. Available: 20, Required: 80");
}

/* WF-132, from two chats at once. */
static void test_spend_race(void **state)
{
    (void)state;
    install_spend();
    wf_rig_up(&rig, NULL);
    spend_twice();
    expect_gone(&rig.keys, "EXISTS %s", "lock:user:u1:spend");
}

/* WF-132 with two replicas and no Redis lock: the row's lock decides (§10.5). */
static void test_spend_race_unlocked(void **state)
{
    (void)state;
    install_spend();
    redis_server_halt(&rig.keys);
    wf_rig_up(&rig, NULL);
    wf_rig_twin(&rig, &twin, NULL);
    spend_twice();
    redis_server_restart(&rig.keys);
}

/* WF-133: the lock is there while bonuses are spent, and gone afterwards. */
static void test_lock_while_spending(void **state)
{
    int64_t left = 0;
    char *id;

    (void)state;
    install_spend();
    wf_rig_sql(&rig, "create function wait_a_moment() returns trigger language plpgsql as"
                     " 'begin perform pg_sleep(0.7); return new; end';"
                     "create trigger slow before insert on transactions for each row"
                     " execute function wait_a_moment()");
    wf_rig_up(&rig, NULL);
    id = add(&rig, text_update(1, 42, "/start"), NULL);
    for (int i = 0; i < 10000 && left <= 0; i++, pause_ms(2))
        left = redis_server_integer(&rig.keys, "PTTL lock:user:u1:spend");
    assert_in_range(left, 1, 10000);
    expect(id, "true", 60000);
    free(id);
    expect_gone(&rig.keys, "EXISTS %s", "lock:user:u1:spend");
    wf_rig_sql(&rig, "drop function wait_a_moment() cascade");
}

/* WF-133: another's lock is waited for, and never deleted; too long, and the job fails
 * for a retry. */
static void test_foreign_lock(void **state)
{
    char *id, *token;

    (void)state;
    install_spend();
    wf_rig_up(&rig, json_pack("{s:i}", "lock.spend_wait_ms", 200));
    free(redis_server_text(&rig.keys, "SET lock:user:u1:spend foreign"));
    id = add(&rig, text_update(1, 42, "/start"), NULL);
    expect(id, "failed: Could not acquire lock for spending bonuses", 60000);
    free(id);
    token = redis_server_text(&rig.keys, "GET lock:user:u1:spend");
    assert_string_equal(token, "foreign");
    free(token);
    expect_rows("select amount from bonuses", "100.00");
}

static void install_metadata(void)
{
    static const char workflow[] =
        "{'nodes': [{'id': 't1', 'type': 'trigger.command', 'data': {'config':"
        " {'command': '/a'}}}, {'id': 'a', 'type': 'action.database_query', 'data':"
        " {'config': {'query': 'update_user_metadata', 'parameters': {'userId': 'u1',"
        " 'metadata': {'a': 1}}}}}, {'id': 't2', 'type': 'trigger.command', 'data':"
        " {'config': {'command': '/b'}}}, {'id': 'b', 'type': 'action.database_query',"
        " 'data': {'config': {'query': 'update_user_metadata', 'parameters': {'userId':"
        " 'u1', 'metadata': {'b': 2}}}}}], 'connections': [{'source': 't1', 'target':"
        " 'a'}, {'source': 't2', 'target': 'b'}], 'entryNodeId': 't1'}";
    char *text = strdup(workflow);
    json_t *all;

    for (char *at = text; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    all = json_loads(text, 0, NULL);
    assert_non_null(all);
    wf_rig_workflow(&rig, "W1", all);
    json_decref(all);
    free(text);
}

/* WF-139: two write different keys at once, and both are there. */
static void test_metadata_at_once(void **state)
{
    (void)state;
    install_metadata();
    wf_rig_sql(
        &rig, "insert into users (id, project_id, updated_at) values ('u1', 'P', now())");
    wf_rig_up(&rig, NULL);
    for (int round = 0; round < 10; round++) {
        char *one, *other;

        wf_rig_sql(&rig, "update users set metadata = '{\"kept\": 3}'");
        one = add(&rig, text_update(10 + 2 * round, 42, "/a"), NULL);
        other = add(&rig, text_update(11 + 2 * round, 43, "/b"), NULL);
        expect(one, "true", 60000);
        expect(other, "true", 60000);
        free(one);
        free(other);
        expect_rows("select metadata::text from users",
                    "{\"a\": 1, \"b\": 2, \"kept\": 3}");
    }
}

/* --- what the log says */

struct lines {
    struct bw_mutex mutex; /* guards the rest */
    FILE *out;
    char *text;
    size_t size;
};

static void keep_line(void *arg, enum bw_log_level level, const char *text,
                      const struct bw_log_field *fields, size_t count)
{
    struct lines *lines = arg;

    (void)level;
    bw_mutex_lock(&lines->mutex);
    (void)fprintf(lines->out, "%s", text);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text != NULL)
            (void)fprintf(lines->out, " %s=%s", fields[i].key, fields[i].text);
    }
    (void)fputc('\n', lines->out);
    bw_mutex_unlock(&lines->mutex);
}

/* A framework's context, which holds the bot's token. */
static json_t *leaking_job(const char *type, int update_id)
{
    json_t *update = text_update(update_id, 42, "/start");

    return json_pack("{s:s, s:s, s:{s:o, s:{s:s}}}", "type", type, "projectId", "P",
                     "context", "update", update, "api", "token", "111:LEAKED");
}

static void add_leaking(const char *type, int update_id, const char *result)
{
    json_t *data = leaking_job(type, update_id);
    char *id = wf_rig_add(&rig, type, data, NULL);

    if (result != NULL)
        expect(id, result, 60000);
    else
        free(wf_rig_wait(&rig, id, 60000));
    free(id);
    json_decref(data);
}

/* WF-009: the token of a job's context is in no line of the log and in no row, also when
 * the job cannot be done. */
static void test_token_is_not_logged(void **state)
{
    struct lines lines = { .text = NULL };
    struct bw_log_sink sink = { .write = keep_line,
                                .arg = &lines,
                                .level = BW_LOG_DEBUG };

    (void)state;
    bw_mutex_init(&lines.mutex);
    lines.out = open_memstream(&lines.text, &lines.size);
    assert_non_null(lines.out);
    install(start_node("t", "/start"), message("m", "Hi"), NULL);
    rig.sink = &sink;
    wf_rig_up(&rig, NULL);
    add_leaking(HEAVY, 1, "true");
    wf_rig_sql(&rig, "update bot_settings set is_active = false");
    free(redis_server_text(&rig.keys, "FLUSHALL"));
    add_leaking(HEAVY, 2, NULL);
    add_leaking("no_such_type", 3, NULL);
    wf_rig_down(&rig);
    rig.sink = NULL;
    assert_int_equal(fclose(lines.out), 0);
    assert_true(lines.size > 0);
    if (strstr(lines.text, "LEAKED") != NULL)
        fail_msg("%s", lines.text);
    free(lines.text);
    bw_mutex_fini(&lines.mutex);
    expect_rows("select count(*) from workflow_executions e left join workflow_logs l"
                " on l.execution_id = e.id where e::text || coalesce(l::text, '')"
                " like '%LEAKED%'",
                "0");
}

/* §10.5: a chat that another worker has is waited for. */
static void test_foreign_chat(void **state)
{
    char *id;

    (void)state;
    install(start_node("t", "/start"), message("m", "Hi"), NULL);
    wf_rig_up(&rig, json_pack("{s:i}", "lock.chat_wait_ms", 100));
    free(redis_server_text(&rig.keys, "SET lock:chat:P:42 foreign PX 3000"));
    id = add(&rig, text_update(1, 42, "/start"), NULL);
    pause_ms(500); /* not a wait for a thread: the lock must hold it back this long */
    expect_sent("");
    expect(id, "true", 60000);
    free(id);
    expect_sent("Hi");
    expect_gone(&rig.keys, "EXISTS %s", "lock:chat:P:42");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, clean, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_database_away),       TEST(test_cache_away),
        TEST(test_cache_returns),       TEST(test_cache_hangs),
        TEST(test_row_checkpoint),      TEST(test_same_update_twice),
        TEST(test_done_job_again),      TEST(test_id_comes_again),
        TEST(test_retry_goes_on),       TEST(test_last_attempt),
        TEST(test_long_pause),          TEST(test_chat_order),
        TEST(test_two_resume),          TEST(test_spend_race),
        TEST(test_spend_race_unlocked), TEST(test_foreign_lock),
        TEST(test_foreign_chat),        TEST(test_lock_while_spending),
        TEST(test_metadata_at_once),    TEST(test_token_is_not_logged),
    };

    return cmocka_run_group_tests(tests, open_rig, close_rig);
}
