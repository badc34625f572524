/* Job schedulers, script by script, with the test's own clock. lib/spec/bullmq.md §9,
 * BMQ-148…158; answers for lua/upsert_scheduler.lua, next_iteration.lua,
 * remove_scheduler.lua, read_schedulers.lua, lib/queue/iteration.c and
 * calls_schedulers.c. */
#include "integration/script_rig.h"

#include <stdio.h>

#include "queue/calls_schedulers.h"

#define LEGACY_MD5 "dcff286ed0c3814ac86796ce15038f54"

static struct bw_scheduler every(int64_t ms)
{
    return (struct bw_scheduler){ .queue = "q", .id = "s", .every = ms };
}

static struct bw_scheduler pattern(const char *text)
{
    return (struct bw_scheduler){ .queue = "q", .id = "s", .pattern = text, .tz = "UTC" };
}

static struct bw_wall now_of(const struct rig *rig)
{
    return (struct bw_wall){ rig->now };
}

/* The reply as text: "<id> <delay>", or a code; "nothing" when there is nothing to do. */
static const char *upsert(struct rig *rig, const struct bw_scheduler *scheduler)
{
    struct bw_iteration iteration;
    struct bw_error err;
    const struct bw_reply *reply;
    bool due;

    if (bw_iteration_first(&iteration, &due, scheduler, now_of(rig), &err) != BW_OK)
        fail_msg("upsert: %s", err.text);
    if (!due)
        return "nothing";
    bw_cmd_clear(&rig->cmd);
    bw_upsert_scheduler_build(&rig->cmd, &rig->keys, now_of(rig), scheduler, &iteration);
    bw_iteration_fini(&iteration);
    reply = rig_send(rig);
    if (bw_reply_kind(reply) == BW_REPLY_ARRAY)
        (void)snprintf(rig->text, sizeof(rig->text), "%s %lld",
                       bw_reply_text(bw_reply_at(reply, 0), NULL),
                       (long long)bw_reply_integer(bw_reply_at(reply, 1)));
    else
        (void)snprintf(rig->text, sizeof(rig->text), "%lld",
                       (long long)bw_reply_integer(reply));
    return rig->text;
}

static void want_upsert(struct rig *rig, const struct bw_scheduler *scheduler,
                        const char *expected)
{
    assert_string_equal(upsert(rig, scheduler), expected);
}

/* What a worker does with a job it has taken; -9: the scheduler has come to its end. */
static int64_t plan(struct rig *rig, const char *id, bool strict)
{
    struct bw_job_data job = { .id = text_of(id) };
    struct bw_iteration iteration;
    const struct bw_reply *fields = rig_do(rig, "HMGET @%s name data opts rjk", id);
    struct bw_text *const texts[] = { &job.name, &job.data, &job.opts, &job.repeat_key };
    char *copies[4];
    int64_t result = -9;
    bool due;

    for (size_t i = 0; i < 4; i++) {
        const char *text = bw_reply_text(bw_reply_at(fields, i), NULL);

        copies[i] = strdup(text);
        *texts[i] = text_of(copies[i]);
    }
    assert_int_equal(bw_iteration_next(&iteration, &due, &job, now_of(rig), NULL), BW_OK);
    if (due) {
        bw_cmd_clear(&rig->cmd);
        bw_next_iteration_build(&rig->cmd, &rig->keys, now_of(rig), strict);
        bw_next_iteration_add(&rig->cmd, &job, &iteration);
        result = bw_reply_integer(bw_reply_at(rig_send(rig), 0));
    }
    bw_iteration_fini(&iteration);
    for (size_t i = 0; i < 4; i++)
        free(copies[i]);
    return result;
}

static bool opts_have(struct rig *rig, const char *id, const char *part)
{
    const char *opts = bw_reply_text(rig_do(rig, "HGET @%s opts", id), NULL);

    if (strstr(opts, part) == NULL)
        print_message("%s has no %s\n", opts, part);
    return strstr(opts, part) != NULL;
}

/* BMQ-148, D.3 */
static void test_every(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = every(10000);

    scheduler.name = "nm";
    scheduler.data = "{\"a\":1}";
    scheduler.data_len = 7;
    scheduler.opts = "{\"attempts\":2,\"backoff\":5,\"keepLogs\":3}";
    scheduler.opts_len = strlen(scheduler.opts);
    rig->now = NOW + 1636;
    want_upsert(rig, &scheduler, "repeat:s:1785000001636 0");
    rig_want(rig, "ZRANGE @repeat 0 -1 WITHSCORES", "s 1785000001636");
    rig_want(rig, "HMGET @repeat:s name every offset data ic pattern",
             "nm 10000 1636 {\"a\":1} 1 -");
    rig_want(rig, "HMGET @repeat:s:1785000001636 name data rjk timestamp delay priority",
             "nm {\"a\":1} s 1785000001636 0 0");
    rig_want(rig, "LRANGE @wait 0 -1", "repeat:s:1785000001636");
    rig_want_events(rig, "q",
                    "added jobId repeat:s:1785000001636 name nm | "
                    "waiting jobId repeat:s:1785000001636");
    assert_true(opts_have(rig, "repeat:s:1785000001636",
                          "\"repeat\":{\"count\":1,\"every\":10000}"));
    assert_true(opts_have(rig, "repeat:s:1785000001636", "\"backoff\":5"));
    assert_true(
        opts_have(rig, "repeat:s:1785000001636",
                  "\"jobId\":\"repeat:s:1785000001636\",\"repeatJobKey\":\"s\"}"));

    rig->now += 5;
    assert_int_equal(plan(rig, "repeat:s:1785000001636", false), BW_PLAN_DONE);
    rig_want(rig, "ZSCORE @repeat s", "1785000011636");
    rig_want(rig, "HGET @repeat:s ic", "2");
    rig_want(rig, "HMGET @repeat:s:1785000011636 data delay", "{\"a\":1} 9995");
    rig_want_events(rig, "q",
                    "added jobId repeat:s:1785000011636 name nm | "
                    "delayed jobId repeat:s:1785000011636 delay 1785000011636");
    assert_true(opts_have(rig, "repeat:s:1785000011636", "\"count\":2"));
    assert_true(opts_have(rig, "repeat:s:1785000011636",
                          "\"backoff\":{\"type\":\"fixed\",\"delay\":5}"));
    /* BMQ-152: a retry, a stalled run and a lost reply plan nothing. */
    assert_int_equal(plan(rig, "repeat:s:1785000001636", false), BW_PLAN_NOTHING);
    rig_want(rig, "HGET @repeat:s ic", "2");
    rig_want_events(rig, "q", "");
}

/* BMQ-149 */
static void test_offset_and_start(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = every(10000);

    scheduler.offset = 3000;
    rig->now = NOW + 4000;
    want_upsert(rig, &scheduler, "repeat:s:1785000013000 9000");
    rig_want(rig, "HGET @repeat:s offset", "3000");
    scheduler.id = "t";
    scheduler.offset = 0;
    scheduler.start_date = NOW + 25678;
    want_upsert(rig, &scheduler, "repeat:t:1785000025678 21678");
    rig_want(rig, "HMGET @repeat:t offset startDate", "5678 1785000025678");
}

/* BMQ-150 */
static void test_again(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = every(10000);

    scheduler.offset = 3000;
    want_upsert(rig, &scheduler, "repeat:s:1785000003000 3000");
    (void)rig_do(rig, "HSET @repeat:s ic 7");
    scheduler.name = "new";
    rig->now += 10;
    want_upsert(rig, &scheduler, "repeat:s:1785000003000 2990");
    rig_want(rig, "HMGET @repeat:s name ic offset", "new 7 3000");
    rig_want(rig, "HGET @repeat:s:1785000003000 name", "new");
    rig_want(rig, "ZCARD @delayed", "1");
    scheduler.every = 20000;
    scheduler.offset = 0;
    want_upsert(rig, &scheduler, "repeat:s:1785000000010 0");
    rig_want(rig, "HMGET @repeat:s ic offset", "7 3000");
    rig_want(rig, "EXISTS @repeat:s:1785000003000", "0");
    rig_want(rig, "LRANGE @wait 0 -1", "repeat:s:1785000000010");
}

/* A.4, 2: while paused the pending iteration is found all the same, unless strict. */
static void test_again_while_paused(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = every(10000);

    (void)upsert(rig, &scheduler);
    (void)rig_do(rig, "HSET @meta paused 1");
    rig->now += 10;
    want_upsert(rig, &scheduler, "repeat:s:1785000000000 0");
    rig_want(rig, "LRANGE @wait 0 -1", "repeat:s:1785000000000");
    scheduler.strict = true;
    want_upsert(rig, &scheduler, "repeat:s:1785000010000 9990");
    rig_want(rig, "LRANGE @wait 0 -1", "repeat:s:1785000000000");
    rig_want(rig, "ZCARD @delayed", "1");
}

/* BMQ-154 */
static void test_missed(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = every(10000);

    scheduler.offset = 3000;
    want_upsert(rig, &scheduler, "repeat:s:1785000003000 3000");
    rig->now = NOW + 57000;
    assert_int_equal(plan(rig, "repeat:s:1785000003000", false), BW_PLAN_DONE);
    rig_want(rig, "ZSCORE @repeat s", "1785000063000");
    rig_want(rig, "HGET @repeat:s:1785000063000 delay", "6000");
}

/* BMQ-153 */
static void test_ends(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = every(1000);

    scheduler.limit = 2;
    scheduler.end_date = NOW + 5000;
    (void)upsert(rig, &scheduler);
    assert_int_equal(plan(rig, "repeat:s:1785000000000", false), BW_PLAN_DONE);
    rig->now += 1000;
    assert_int_equal(plan(rig, "repeat:s:1785000001000", false), -9);
    rig_want(rig, "ZCARD @repeat", "1");
    scheduler.limit = 0;
    scheduler.id = "t";
    (void)upsert(rig, &scheduler);
    rig->now = NOW + 5001;
    assert_int_equal(plan(rig, "repeat:t:1785000001000", false), -9);
}

/* BMQ-155 */
static void test_pattern(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = pattern("0 0 1 1 *");

    want_upsert(rig, &scheduler, "repeat:s:1798761600000 13761600000");
    rig_want(rig, "HMGET @repeat:s pattern tz offset every", "0 0 1 1 * UTC 0 -");
    assert_true(opts_have(rig, "repeat:s:1798761600000", "\"prevMillis\":1798761600000"));
    rig->now = 1798761600000 - 3; /* a promoted iteration does not come twice */
    assert_int_equal(plan(rig, "repeat:s:1798761600000", false), BW_PLAN_DONE);
    rig_want(rig, "ZSCORE @repeat s", "1830297600000");
    scheduler.id = "t";
    scheduler.end_date = rig->now + 1000;
    scheduler.pattern = "0 0 2 1 *";
    want_upsert(rig, &scheduler, "nothing");
    scheduler.immediately = true;
    want_upsert(rig, &scheduler, "repeat:t:1798761599997 0");
}

/* BMQ-156 */
static void test_collisions(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = pattern("0 0 1 1 *");

    (void)rig_do(rig, "HSET @repeat:s:1798761600000 name other");
    want_upsert(rig, &scheduler, "-10");
    rig_want(rig, "EXISTS @repeat", "0");
    scheduler = every(1000);
    for (int i = 0; i < 32; i++)
        (void)rig_do(rig, "HSET @repeat:s:%lld name other", (long long)NOW + i * 1000);
    want_upsert(rig, &scheduler, "repeat:s:1785000032000 32000");
    (void)rig_do(rig, "DEL @repeat");
    want_upsert(rig, &scheduler, "-11");
}

/* BMQ-151: what is planned already is told of, not planned again. */
static void test_duplicated(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = every(1000);

    (void)upsert(rig, &scheduler);
    (void)rig_do(rig, "HSET @repeat:s:1785000001000 name other");
    rig_want_events(rig, "q",
                    "added jobId repeat:s:1785000000000 name s | "
                    "waiting jobId repeat:s:1785000000000");
    assert_int_equal(plan(rig, "repeat:s:1785000000000", false), BW_PLAN_NOTHING);
    rig_want_events(rig, "q", "duplicated jobId repeat:s:1785000001000");
    rig_want(rig, "HGET @repeat:s ic", "1");
}

/* BMQ-157 */
static void test_remove(void **state)
{
    struct rig *rig = *state;
    struct bw_scheduler scheduler = pattern("0 0 1 1 *");

    (void)upsert(rig, &scheduler);
    rig_want_events(rig, "q",
                    "added jobId repeat:s:1798761600000 name s | "
                    "delayed jobId repeat:s:1798761600000 delay 1798761600000");
    for (int i = 0; i < 2; i++) {
        bw_cmd_clear(&rig->cmd);
        bw_remove_scheduler_build(&rig->cmd, &rig->keys, "s");
        assert_int_equal(bw_reply_integer(rig_send(rig)), i);
    }
    rig_want_events(rig, "q", "removed jobId repeat:s:1798761600000 prev delayed");
    rig_want(rig, "EXISTS @repeat @repeat:s @delayed @repeat:s:1798761600000", "0");
    /* An iteration of a scheduler that is gone plans nothing. */
    scheduler = every(1000);
    (void)upsert(rig, &scheduler);
    bw_cmd_clear(&rig->cmd);
    bw_remove_scheduler_build(&rig->cmd, &rig->keys, "s");
    assert_int_equal(bw_reply_integer(rig_send(rig)), 0);
    rig_want(rig, "LRANGE @wait 0 -1", "repeat:s:1785000000000");
    assert_int_equal(plan(rig, "repeat:s:1785000000000", false), BW_PLAN_NOTHING);
}

/* BMQ-158 and the data hazard of §9.6 */
static void test_legacy_by_key(void **state)
{
    struct rig *rig = *state;

    for (int strict = 0; strict < 2; strict++) {
        (void)rig_do(rig, "FLUSHDB");
        (void)rig_do(rig, "ZADD @repeat 1785000000000 key");
        (void)rig_do(rig, "HSET @repeat:key name n every 1000");
        (void)rig_do(
            rig,
            "HSET @repeat:key:1785000000000 name n data {\"a\":1} rjk key opts "
            "{\"repeat\":{\"every\":1000,\"count\":4},\"prevMillis\":1785000000000}");
        assert_int_equal(plan(rig, "repeat:key:1785000000000", strict != 0),
                         BW_PLAN_DONE);
        rig_want(rig, "HMGET @repeat:key ic data", strict != 0 ? "1 -" : "1 {\"a\":1}");
        rig_want(rig, "HGET @repeat:key:1785000001000 data",
                 strict != 0 ? "{}" : "{\"a\":1}");
        assert_true(opts_have(rig, "repeat:key:1785000001000", "\"count\":5"));
    }
}

/* BMQ-159, and what 5.x does. */
static void test_legacy_shape(void **state)
{
    struct rig *rig = *state;

    (void)rig_do(rig, "ZADD @repeat 1785000000000 n::::1000");
    (void)rig_do(
        rig, "HSET @repeat:x:1785000000000 name n data {\"id\":7} rjk n::::1000 opts "
             "{\"repeat\":{\"every\":1000,\"count\":4},\"prevMillis\":1785000000000}");
    assert_int_equal(plan(rig, "repeat:x:1785000000000", true), BW_PLAN_NOT_CONTINUED);
    rig_want(rig, "ZSCORE @repeat n::::1000", "1785000000000");
    assert_int_equal(plan(rig, "repeat:x:1785000000000", false), BW_PLAN_DONE);
    rig_want(rig, "ZRANGE @repeat 0 -1 WITHSCORES", "n::::1000 1785000001000");
    rig_want(rig, "EXISTS @repeat:n::::1000", "0");
    /* md5("n" + "7" + md5("n::::1000")) */
    rig_want(rig, "HMGET @repeat:" LEGACY_MD5 ":1785000001000 data rjk delay",
             "{\"id\":7} n::::1000 1000");
    assert_int_equal(plan(rig, "repeat:x:1785000000000", false), BW_PLAN_NOTHING);
}

static void test_shapes(void **state)
{
    (void)state;
    assert_true(bw_is_legacy_repeat("name:id:::* * * * *"));
    assert_true(bw_is_legacy_repeat("name:id:1785000000000:Europe/Madrid:5000"));
    assert_true(bw_is_legacy_repeat("::::1"));
    assert_false(bw_is_legacy_repeat("name:id:x::5000"));
    assert_false(bw_is_legacy_repeat("name:id:::"));
    assert_false(bw_is_legacy_repeat("name:id:::daily"));
    assert_false(bw_is_legacy_repeat("a:b:1:c"));
    assert_false(bw_is_legacy_repeat("0cc175b9c0f1b6a831c399e269772661"));
}

static void test_refused(void **state)
{
    struct rig *rig = *state;
    const struct {
        struct bw_scheduler scheduler;
        const char *text;
    } cases[] = {
        { { .id = "s" }, "pattern, every: one of the two" },
        { { .id = "s", .every = 1, .pattern = "* * * * *" },
          "pattern, every: one of the two" },
        { { .id = "", .every = 1 }, "id: must not be empty" },
        { { .id = "s", .every = -1 }, "every: must be at least 1 ms" },
        { { .id = "s", .every = 1, .immediately = true, .start_date = 1 },
          "immediately: not together with a start" },
        { { .id = "s", .every = 1, .end_date = NOW }, "endDate: must be in the future" },
        { { .id = "\xff", .every = 1 }, "id: must be UTF-8" },
        { { .id = "s", .pattern = "61 * * * *", .tz = "UTC" },
          "pattern: minute, byte 1: the value is out of range" },
        { { .id = "s", .pattern = "* * * * *", .tz = "No/Where" },
          "tz: there is no zone \"No/Where\"" },
        { { .id = "s", .every = 1, .opts = "{\"priority\":0.5}", .opts_len = 16 },
          "priority: must be an integer" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bw_iteration iteration;
        struct bw_error err = { .code = BW_OK };
        bool due;

        assert_int_equal(
            bw_iteration_first(&iteration, &due, &cases[i].scheduler, now_of(rig), &err),
            BW_EINVAL);
        assert_string_equal(err.text, cases[i].text);
    }
}

/* A job's options are foreign: whatever they are, there is a next iteration or none. */
static void test_foreign_opts(void **state)
{
    struct rig *rig = *state;
    static const char *const opts[] = {
        "",
        "[]",
        "x",
        "{}",
        "{\"repeat\":3}",
        "{\"repeat\":{\"every\":-5}}",
        "{\"repeat\":{\"every\":1e300,\"count\":1e300}}"
    };

    (void)rig_do(rig, "ZADD @repeat 1785000000000 s");
    (void)rig_do(rig, "HSET @repeat:s:1785000000000 name n rjk s");
    for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
        (void)rig_do(rig, "HSET @repeat:s:1785000000000 opts '%s'", opts[i]);
        (void)plan(rig, "repeat:s:1785000000000", false); /* no crash, no error */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_every),         RIG_TEST(test_offset_and_start),
        RIG_TEST(test_again),         RIG_TEST(test_again_while_paused),
        RIG_TEST(test_missed),        RIG_TEST(test_ends),
        RIG_TEST(test_pattern),       RIG_TEST(test_collisions),
        RIG_TEST(test_duplicated),    RIG_TEST(test_remove),
        RIG_TEST(test_legacy_by_key), RIG_TEST(test_legacy_shape),
        RIG_TEST(test_shapes),        RIG_TEST(test_refused),
        RIG_TEST(test_foreign_opts),
    };

    return cmocka_run_group_tests(tests, rig_open, rig_close);
}
