/* lua/settle.lua: ends of attempts. Answers for lua/settle.lua,
 * lua/includes/{ends,rare,remove,retention,metrics}.lua. */
#include "integration/script_rig.h"

/* Adds a job with `opts` and takes it; its token is t0. The events so far are forgotten.
 */
static void start(struct rig *r, const char *opts)
{
    rig_add(r, "n", NULL, opts);
    rig_fetch(r, 1, "1");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    (void)rig_do(r, "DEL @marker");
}

/* Settles one item and fetches up to one. */
static void settle_and_take(struct rig *r, struct bw_settle_item item)
{
    struct bw_take take = rig_take(1);

    take.first_token = 7;
    rig_settle(r, &item, 1, &take);
    assert_int_equal(bw_settle_code(&r->settled, 0, NULL), BW_OK);
}

/* --- completed */

/* BMQ-069, 070, 076 */
static void test_completed(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    (void)rig_do(r, "SADD @stalled 1");
    r->now += 20;
    rig_settle_one(r, completed("1", "t0", "{\"ok\":true}"), 0);
    rig_want(r, "HMGET @1 returnvalue finishedOn atm", "{\"ok\":true} 1785000000020 1");
    rig_want(r, "ZRANGE @completed 0 -1 WITHSCORES", "1 1785000000020");
    rig_want(r, "EXISTS @active @1:lock @stalled @marker", "0");
    rig_want_events(r, "q",
                    "completed jobId 1 returnvalue {\"ok\":true} prev active | drained");
}

/* BMQ-074 */
static void test_completed_takes_next(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    rig_add(r, "n", NULL, NULL);
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    settle_and_take(r, completed("1", "t0", "1"));
    assert_string_equal(rig_taken(r), "2");
    rig_want(r, "GET @2:lock", "t7");
    rig_want_events(
        r, "q",
        "completed jobId 1 returnvalue 1 prev active | active jobId 2 prev waiting");
}

/* BMQ-075, and 076: a tuple means no drained event */
static void test_completed_with_delayed_next(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    rig_add(r, "n", NULL, "{\"delay\":100}");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    settle_and_take(r, completed("1", "t0", "1"));
    assert_int_equal(r->settled.next_due_ms, NOW + 100);
    rig_want_events(r, "q", "completed jobId 1 returnvalue 1 prev active");
}

static void test_drained(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    settle_and_take(r, completed("1", "t0", "1"));
    rig_want_events(r, "q", "completed jobId 1 returnvalue 1 prev active | drained");
    rig_add(r, "n", NULL, NULL);
    rig_fetch(r, 1, "2");
    (void)rig_do(r, "HSET @meta paused 1");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    settle_and_take(r, completed("2", "t0", "1"));
    rig_want_events(r, "q", "completed jobId 2 returnvalue 1 prev active");
}

/* Not drained while others run. */
static void test_not_drained(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, NULL);
    rig_add(r, "n", NULL, NULL);
    rig_fetch(r, 2, "1 2");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    settle_and_take(r, completed("1", "t0", "1"));
    rig_want_events(r, "q", "completed jobId 1 returnvalue 1 prev active");
}

/* --- refusals */

/* BMQ-072; the quirk of -3: the lock is gone and the failure written (Appendix A.4, 7) */
static void test_refused(void **state)
{
    struct rig *r = *state;

    rig_settle_one(r, completed("9", "t0", "1"), -1);
    start(r, NULL);
    rig_settle_one(r, completed("1", "other", "1"), -6);
    (void)rig_do(r, "DEL @1:lock");
    rig_settle_one(r, completed("1", "t0", "1"), -2);
    (void)rig_do(r, "SET @1:lock t0");
    (void)rig_do(r, "LREM @active 0 1");
    rig_settle_one(r, failed("1", "t0", "no", 0), -3);
    rig_want(r, "HMGET @1 failedReason stacktrace atm", "no [\"trace\"] -");
    rig_want(r, "EXISTS @1:lock @failed @completed @events",
             "1"); /* the stream, emptied */
    rig_want(r, "XLEN @events", "0");
}

static void test_refused_kinds(void **state)
{
    struct rig *r = *state;
    struct bw_settle_item items[] = { retried("9", "t0", "x"),
                                      delayed("9", "t0", 5, true), put_back("9", "t0"),
                                      failed("9", "t0", "x", 0) };

    rig_settle(r, items, 4, NULL);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(bw_settle_code(&r->settled, i, NULL), BW_EJOB_MISSING);
    rig_want(r, "KEYS *", "");
}

/* BMQ-073: before the lock is touched */
static void test_children_pending(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    (void)rig_do(r, "SADD @1:dependencies bull:q:c");
    (void)rig_do(r, "ZADD @1:unsuccessful 1 bull:q:d");
    rig_settle_one(r, completed("1", "t0", "1"), -4);
    (void)rig_do(r, "DEL @1:dependencies");
    rig_settle_one(r, completed("1", "t0", "1"), -9);
    rig_want(r, "GET @1:lock", "t0");
    rig_settle_one(r, failed("1", "t0", "no", 0), 0);
}

/* Token "0" is no lock. lib/spec/bullmq.md §0 UNLOCK */
static void test_no_token(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    rig_settle_one(r, completed("1", "0", "1"), 0);
    rig_want(r, "GET @1:lock", "t0");
    rig_want(r, "ZCARD @completed", "1");
}

/* --- retention, §5.5 */

static struct bw_settle_item keeping(struct bw_settle_item item, int64_t count,
                                     int64_t age, int64_t limit)
{
    item.keep = (struct bw_keep){ true, count, age, limit };
    return item;
}

/* BMQ-077 */
static void test_keep_none(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    (void)rig_do(r, "RPUSH @1:logs a");
    rig_settle_one(r, keeping(completed("1", "t0", "1"), 0, -1, -1), 0);
    rig_want(r, "EXISTS @1 @1:logs @completed @1:lock", "0");
    rig_want_events(r, "q", "completed jobId 1 returnvalue 1 prev active | drained");
}

/* Old finished jobs o1 (newest) … o<count>, `step` ms apart. */
static void fill(struct rig *r, const char *set, int count, int64_t newest, int64_t step)
{
    for (int i = 1; i <= count; i++) {
        (void)rig_do(r, "HSET @o%d name n", i);
        (void)rig_do(r, "RPUSH @o%d:logs x", i);
        (void)rig_do(r, "ZADD @%s %lld o%d", set, (long long)(newest - (i - 1) * step),
                     i);
    }
}

/* BMQ-078, 079 */
static void test_keep_count(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    fill(r, "completed", 4, NOW - 1000, 10);
    rig_settle_one(r, keeping(completed("1", "t0", "1"), 3, -1, -1), 0);
    rig_want(r, "ZRANGE @completed 0 -1", "o2 o1 1");
    rig_want(r, "EXISTS @o1 @o2 @o3 @o3:logs @o4", "2");
    rig_add(r, "n", NULL, NULL);
    rig_fetch(r, 1, "2");
    rig_settle_one(r, keeping(completed("2", "t0", "1"), -1, -1, -1), 0);
    rig_want(r, "ZCARD @completed", "4");
}

/* BMQ-080 */
static void test_keep_age(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    fill(r, "failed", 5, NOW - 9000, 1000); /* -9 s … -13 s */
    rig_settle_one(r, keeping(failed("1", "t0", "x", 0), -1, 10, 2), 0);
    rig_want(r, "ZRANGE @failed 0 -1",
             "o5 o4 o1 1"); /* the newest two of those over 10 s */
    rig_want(r, "EXISTS @o2 @o3 @o2:logs", "0");
    rig_add(r, "n", NULL, NULL);
    rig_fetch(r, 1, "2");
    rig_settle_one(r, keeping(failed("2", "t0", "x", 0), 2, 10, -1), 0);
    rig_want(r, "ZRANGE @failed 0 -1", "1 2");
    rig_want(r, "EXISTS @o1 @o4 @o5", "0");
}

/* --- failed */

/* BMQ-084, 094, 099 */
static void test_failed(void **state)
{
    struct rig *r = *state;

    start(r, "{\"attempts\":1}");
    (void)rig_do(r, "HSET @1 defa x");
    rig_settle_one(r, failed("1", "t0", "boom", 1), 0);
    rig_want(r, "HMGET @1 failedReason stacktrace atm finishedOn defa returnvalue",
             "boom [\"trace\"] 1 1785000000000 - -");
    rig_want(r, "ZRANGE @failed 0 -1 WITHSCORES", "1 1785000000000");
    rig_want_events(r, "q",
                    "failed jobId 1 failedReason boom prev active | "
                    "retries-exhausted jobId 1 attemptsMade 1 | drained");
}

/* BMQ-095, and 086: without attempts it counts as exhausted */
static void test_failed_early(void **state)
{
    struct rig *r = *state;

    start(r, "{\"attempts\":3}");
    rig_settle_one(r, failed("1", "t0", "boom", 3), 0);
    rig_want_events(r, "q", "failed jobId 1 failedReason boom prev active | drained");
}

/* --- retries */

/* BMQ-087, 102 */
static void test_retry(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    rig_add(r, "n", NULL, NULL);
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    rig_settle_one(r, retried("1", "t0", "boom"), 0);
    rig_want(r, "LRANGE @wait 0 -1", "1 2");
    rig_want(r, "HMGET @1 atm failedReason stacktrace", "1 boom [\"trace\"]");
    rig_want(r, "ZRANGE @marker 0 -1", "0");
    rig_want(r, "EXISTS @1:lock @active", "0");
    rig_want_events(r, "q", "waiting jobId 1 prev active");

    struct bw_settle_item lifo = retried("2", "t0", "boom");

    rig_fetch(r, 1, "2");
    lifo.lifo = true;
    rig_settle_one(r, lifo, 0);
    rig_want(r, "LRANGE @wait 0 -1", "1 2");
    rig_fetch(r, 1, "2");
    rig_settle_one(r, completed("2", "t0", "1"), 0);
    rig_want(r, "HMGET @2 failedReason atm", "boom 2");
}

/* BMQ-088; due jobs are promoted first, §5.6 */
static void test_retry_prioritized(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, "{\"priority\":4}");
    rig_add(r, "n", NULL, "{\"delay\":1}");
    rig_fetch(r, 1, "1");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    r->now += 1;
    rig_settle_one(r, retried("1", "t0", "boom"), 0);
    rig_want(r, "ZRANGE @prioritized 0 -1 WITHSCORES", "1 17179869186");
    rig_want_events(r, "q", "waiting jobId 2 prev delayed | waiting jobId 1 prev active");
}

/* Appendix D.1, third and fourth dump; BMQ-089, 103 */
static void test_delayed_retry(void **state)
{
    struct rig *r = *state;
    struct bw_settle_item item = delayed("1", "t0", 1000, true);
    struct bw_take take = rig_take(1);

    start(r, "{\"attempts\":2,\"backoff\":1000}");
    r->now = NOW + 9;
    rig_settle(r, &item, 1, &take);
    assert_int_equal(r->settled.next_due_ms, NOW + 1009);
    rig_want(r, "HMGET @1 failedReason stacktrace atm delay", "boom [\"trace\"] 1 1000");
    rig_want(r, "ZRANGE @delayed 0 -1 WITHSCORES", "1 7311360004132864");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "1 1785000001009");
    rig_want(r, "EXISTS @active @1:lock", "0");
    rig_want_events(r, "q", "delayed jobId 1 delay 1785000001009");

    r->now = NOW + 1012;
    rig_fetch(r, 1, "1");
    r->now = NOW + 1020;
    rig_settle_one(r, completed("1", "t0", "{\"ok\":true}"), 0);
    rig_want(r, "HMGET @1 delay processedOn ats atm returnvalue finishedOn failedReason",
             "0 1785000001012 2 2 {\"ok\":true} 1785000001020 boom");
    rig_want_events(r, "q",
                    "waiting jobId 1 prev delayed | active jobId 1 prev waiting | "
                    "completed jobId 1 returnvalue {\"ok\":true} prev active | drained");
}

/* BMQ-103: a job in exchange leaves the marker alone */
static void test_delayed_retry_with_next(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    rig_add(r, "n", NULL, NULL);
    (void)rig_do(r, "DEL @marker");
    settle_and_take(r, delayed("1", "t0", 1000, true));
    assert_string_equal(rig_taken(r), "2");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "0 0");
}

/* BMQ-096 */
static void test_moved_to_delayed(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    rig_settle_one(r, delayed("1", "t0", 50, false), 0);
    rig_want(r, "HMGET @1 atm failedReason delay", "- - 50");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "1 1785000000050");
    r->now += 50;
    rig_fetch(r, 1, "1");
    rig_want(r, "HGET @1 ats", "2");
}

/* BMQ-097; Appendix A.4, 4 */
static void test_put_back(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    rig_add(r, "n", NULL, NULL);
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    rig_settle_one(r, put_back("1", "t0"), 0);
    rig_want(r, "LRANGE @wait 0 -1", "2 1");
    rig_want(r, "HGET @1 atm", "-");
    rig_want_events(r, "q", "waiting jobId 1 prev active");

    rig_add(r, "n", NULL, "{\"priority\":2}");
    rig_fetch(r, 3, "1 2 3");
    (void)rig_do(r, "DEL @marker");
    rig_settle_one(r, put_back("3", "t2"), 0);
    rig_want(r, "ZRANGE @prioritized 0 -1 WITHSCORES", "3 8589934592");
    rig_want(r, "EXISTS @marker", "0");
}

/* Not in `active`: no error and nothing is moved. §5.8 */
static void test_put_back_elsewhere(void **state)
{
    struct rig *r = *state;

    start(r, NULL);
    (void)rig_do(r, "LREM @active 0 1");
    rig_settle_one(r, put_back("1", "t0"), 0);
    rig_want(r, "EXISTS @wait @1:lock", "0");
}

/* --- metrics, §10.7 */

static void finish_with_metrics(struct rig *r, size_t count, int64_t points)
{
    struct bw_settle_item items[8];
    char ids[8][8], tokens[8][8];
    struct bw_take take = rig_take((unsigned)count);

    for (size_t i = 0; i < count; i++)
        rig_add(r, "n", NULL, NULL);
    rig_settle(r, NULL, 0, &take);
    for (size_t i = 0; i < count; i++) {
        struct bw_job_data job;

        assert_int_equal(bw_job_data_decode(&job, bw_reply_at(r->settled.jobs, i), NULL),
                         BW_OK);
        (void)strcpy(ids[i], job.id.data);
        (void)strcpy(tokens[i], job.token.data);
        items[i] = completed(ids[i], tokens[i], "1");
        bw_job_data_fini(&job);
    }
    bw_settle_build(&r->cmd, &r->keys, (struct bw_wall){ r->now }, items, count, NULL,
                    points);
    (void)rig_send(r);
}

/* BMQ-081, 082 */
static void test_metrics(void **state)
{
    struct rig *r = *state;

    finish_with_metrics(r, 3, 4);
    rig_want(r, "HMGET @metrics:completed count prevTS prevCount", "3 1785000000000 0");
    rig_want(r, "EXISTS @metrics:completed:data @metrics:failed", "0");
    r->now += 60000;
    finish_with_metrics(r, 2, 4);
    rig_want(r, "LRANGE @metrics:completed:data 0 -1", "3");
    rig_want(r, "HMGET @metrics:completed count prevTS prevCount", "5 1785000060000 3");
    r->now += 180000;
    finish_with_metrics(r, 1, 4);
    rig_want(r, "LRANGE @metrics:completed:data 0 -1", "0 0 2 3");
    r->now += 600000;
    finish_with_metrics(r, 1, 4);
    rig_want(r, "LRANGE @metrics:completed:data 0 -1", "0 0 0 1");
    r->now -= 120000; /* a clock set back counts but makes no points */
    finish_with_metrics(r, 1, 4);
    rig_want(r, "HGET @metrics:completed count", "8");
    rig_want(r, "LLEN @metrics:completed:data", "4");
}

/* Appendix A.3: the layout of a paused queue is found out, or told. BMQ-168 */
static void test_pause_layout(void **state)
{
    struct rig *r = *state;
    static const struct {
        int layout;
        const char *version, *wait, *paused;
    } cases[] = { { 0, "bullmq:6.7.0", "1", "" },
                  { 0, "bullmq:5.81.3", "", "1" },
                  { 5, "bullmq:6.7.0", "", "1" },
                  { 6, "bullmq:5.81.3", "1", "" },
                  { 6, "", "1", "" } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bw_settle_item item = retried("1", "t0", "boom");
        struct bw_take take = rig_take(0);

        rig_want(r, "FLUSHALL", "OK");
        rig_add(r, "n", NULL, NULL);
        rig_fetch(r, 1, "1");
        (void)rig_do(r, "HSET @meta paused 1 version '%s'", cases[i].version);
        take.pause_layout = cases[i].layout;
        rig_settle(r, &item, 1, &take);
        rig_want(r, "LRANGE @wait 0 -1", cases[i].wait);
        rig_want(r, "LRANGE @paused 0 -1", cases[i].paused);
    }
    (void)rig_do(r, "DEL @paused @wait");
    (void)rig_do(r, "LPUSH @active 1");
    (void)rig_do(r, "SADD @stalled 1");
    bw_check_stalled_build(&r->cmd, &r->keys, (struct bw_wall){ r->now }, 30000, 1, 5);
    assert_int_equal(bw_reply_count(rig_send(r)), 1);
    rig_want(r, "LRANGE @paused 0 -1", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_completed),
        RIG_TEST(test_completed_takes_next),
        RIG_TEST(test_completed_with_delayed_next),
        RIG_TEST(test_drained),
        RIG_TEST(test_not_drained),
        RIG_TEST(test_refused),
        RIG_TEST(test_refused_kinds),
        RIG_TEST(test_children_pending),
        RIG_TEST(test_no_token),
        RIG_TEST(test_keep_none),
        RIG_TEST(test_keep_count),
        RIG_TEST(test_keep_age),
        RIG_TEST(test_failed),
        RIG_TEST(test_failed_early),
        RIG_TEST(test_retry),
        RIG_TEST(test_retry_prioritized),
        RIG_TEST(test_delayed_retry),
        RIG_TEST(test_delayed_retry_with_next),
        RIG_TEST(test_moved_to_delayed),
        RIG_TEST(test_put_back),
        RIG_TEST(test_put_back_elsewhere),
        RIG_TEST(test_metrics),
        RIG_TEST(test_pause_layout),
    };

    return cmocka_run_group_tests(tests, rig_open, rig_close);
}
