/* lua/add.lua, pause.lua, resume.lua and the producer's options. Answers for
 * lib/queue/calls_add.c, add_options.c, lua/includes/{store,dedup,enqueue}.lua. */
#include "integration/script_rig.h"

/* --- the four paths, §3.3 */

/* Appendix D.1, first dump; BMQ-006, 008, 009, 018…020, 033 */
static void test_standard(void **state)
{
    struct rig *r = *state;

    assert_string_equal(
        rig_add(r, "mail", "{\"to\":\"x\"}", "{\"attempts\":2,\"backoff\":1000}"), "1");
    rig_want(r, "HGETALL @meta", "opts.maxLenEvents 10000");
    rig_want(r, "GET @id", "1");
    rig_want(r, "HMGET @1 name data timestamp delay priority",
             "mail {\"to\":\"x\"} 1785000000000 0 0");
    rig_want(r, "HGET @1 opts",
             "{\"attempts\":2,\"backoff\":{\"type\":\"fixed\",\"delay\":1000}}");
    rig_want(r, "HLEN @1", "6");
    rig_want(r, "LRANGE @wait 0 -1", "1");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "0 0");
    rig_want_events(r, "q", "added jobId 1 name mail | waiting jobId 1");
}

/* BMQ-018: new at the head, LIFO at the tail, where jobs are taken */
static void test_order(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, NULL);
    rig_add(r, "n", NULL, NULL);
    rig_add(r, "n", NULL, "{\"lifo\":true}");
    rig_want(r, "LRANGE @wait 0 -1", "2 1 3");
    rig_want(r, "HGET @1 data", "{}");
}

/* BMQ-024 */
static void test_prioritized(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", "null", "{\"priority\":5}");
    rig_add(r, "n", "null", "{\"priority\":2,\"lifo\":true}");
    rig_want(r, "ZRANGE @prioritized 0 -1 WITHSCORES", "2 8589934594 1 21474836481");
    rig_want(r, "GET @pc", "2");
    rig_want(r, "HGET @1 priority", "5");
    rig_want_events(r, "q",
                    "added jobId 1 name n | waiting jobId 1 | "
                    "added jobId 2 name n | waiting jobId 2");
}

/* BMQ-025…028, lib/spec/bullmq.md §3.3 examples */
static void test_delayed(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < 3; i++)
        rig_add(r, "n", NULL, "{\"delay\":1000,\"priority\":3}");
    rig_add(r, "n", NULL, "{\"delay\":500,\"timestamp\":1785000000001}");
    rig_want(
        r, "ZRANGE @delayed 0 -1 WITHSCORES",
        "4 7311360002052096 1 7311360004096000 2 7311360004096001 3 7311360004096002");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "1 1785000000501");
    rig_want(r, "EXISTS @wait @prioritized @pc", "0");
    (void)rig_do(r, "XTRIM @events MAXLEN 2");
    rig_want_events(r, "q", "added jobId 4 name n | delayed jobId 4 delay 1785000000501");
}

/* A negative delay is stored and means nothing. §3.1 */
static void test_negative_delay(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, "{\"delay\":-5}");
    rig_want(r, "HGET @1 delay", "-5");
    rig_want(r, "LRANGE @wait 0 -1", "1");
}

/* The parent path, which flows take: of a job with children. §3.3 */
static void test_parent_path(void **state)
{
    struct rig *r = *state;
    struct bw_wall now = { r->now };
    struct bw_add add = { .queue = "q", .name = "p" };
    struct bw_add_place place = { .has_children = true };
    struct bw_add_options options;

    assert_int_equal(bw_add_options_parse_node(&options, &add, now, &place, NULL), BW_OK);
    bw_add_build(&r->cmd, &r->keys, now, &add, &options);
    bw_add_options_fini(&options);
    assert_string_equal(bw_reply_text(rig_send(r), NULL), "1");
    rig_want(r, "ZRANGE @waiting-children 0 -1 WITHSCORES", "1 1785000000000");
    rig_want(r, "EXISTS @marker @wait", "0");
    rig_want_events(r, "q", "added jobId 1 name p | waiting-children jobId 1");
}

/* --- blocked queues */

/* BMQ-021, 029 */
static void test_no_marker_while_blocked(void **state)
{
    struct rig *r = *state;

    (void)rig_do(r, "HSET @meta paused 1");
    rig_add(r, "n", NULL, NULL);
    rig_add(r, "n", NULL, "{\"priority\":1}");
    rig_want(r, "EXISTS @marker", "0");
    rig_add(r, "n", NULL, "{\"delay\":7}");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "1 1785000000007");
    (void)rig_do(r, "DEL @meta @marker");
    (void)rig_do(r, "HSET @meta concurrency 1");
    (void)rig_do(r, "LPUSH @active x");
    rig_add(r, "n", NULL, NULL);
    rig_want(r, "EXISTS @marker", "0");
}

/* Appendix A.3: a queue shared with 5.x gets its jobs into `paused` while paused. BMQ-168
 */
static void test_paused_layouts(void **state)
{
    struct rig *r = *state;

    (void)rig_do(r, "HSET @meta paused 1 version bullmq:6.7.0");
    rig_add(r, "n", NULL, NULL);
    rig_want(r, "LRANGE @wait 0 -1", "1");
    (void)rig_do(r, "HSET @meta version bullmq:5.81.3");
    rig_add(r, "n", NULL, NULL);
    rig_want(r, "LRANGE @paused 0 -1", "2");
    (void)rig_do(r, "HSET @meta version bullmq:6.7.0");
    rig_add(r, "n", NULL, NULL);
    rig_want(r, "LRANGE @paused 0 -1", "3 2");
    (void)rig_do(r, "HDEL @meta paused");
    rig_add(r, "n", NULL, NULL);
    rig_want(r, "LRANGE @wait 0 -1", "4 1");
}

/* BMQ-125…127 */
static void test_pause_and_resume(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, NULL);
    rig_want_events(r, "q", "added jobId 1 name n | waiting jobId 1");
    bw_pause_build(&r->cmd, &r->keys);
    assert_int_equal(bw_reply_integer(rig_send(r)), 0);
    rig_want(r, "HGET @meta paused", "1");
    rig_want(r, "EXISTS @marker", "0");
    rig_want(r, "LRANGE @wait 0 -1", "1");
    rig_want_events(r, "q", "paused");
    rig_want(r, "LPUSH @paused a b c", "3");
    bw_resume_build(&r->cmd, &r->keys, true);
    assert_int_equal(bw_reply_integer(rig_send(r)), 0);
    rig_want(r, "LRANGE @wait 0 -1", "1 c b a");
    rig_want(r, "EXISTS @paused", "0");
    rig_want(r, "HEXISTS @meta paused", "0");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "0 0");
    rig_want_events(r, "q", "resumed");
}

/* More than one merge: the remainder is told and the order survives. */
static void test_resume_in_pieces(void **state)
{
    struct rig *r = *state;

    (void)rig_do(r, "LPUSH @wait w");
    for (int i = 0; i < 8; i++) {
        (void)rig_do(
            r,
            "EVAL 'for i = 1, 1000 do redis.call(\"LPUSH\", KEYS[1], ARGV[1] * 1000 + i) "
            "end return 1' 1 @paused %d",
            i);
    }
    bw_resume_build(&r->cmd, &r->keys, true);
    assert_int_equal(bw_reply_integer(rig_send(r)), 1000);
    bw_resume_build(&r->cmd, &r->keys, false);
    assert_int_equal(bw_reply_integer(rig_send(r)), 0);
    rig_want(r, "LRANGE @wait 0 1", "w 8000");
    rig_want(r, "LRANGE @wait -2 -1", "2 1");
    rig_want(r, "LLEN @wait", "8001");
    rig_want_events(r, "q", "resumed");
}

/* Nothing to run: the marker of the delayed jobs comes back. §7.3 */
static void test_resume_with_delayed(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, "{\"delay\":9}");
    (void)rig_do(r, "DEL @marker");
    bw_resume_build(&r->cmd, &r->keys, true);
    (void)rig_send(r);
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "1 1785000000009");
}

/* --- ids and parents */

/* BMQ-022, 030 */
static void test_duplicate_id(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", "{\"a\":1}", "{\"jobId\":\"x\"}");
    assert_string_equal(rig_add(r, "m", "{\"a\":2}", "{\"jobId\":\"x\"}"), "x");
    rig_want(r, "GET @id", "2");
    rig_want(r, "HMGET @x name data", "n {\"a\":1}");
    rig_want(r, "LRANGE @wait 0 -1", "x");
    rig_want_events(r, "q",
                    "added jobId x name n | waiting jobId x | duplicated jobId x");
}

#define CHILD(id)                                                                        \
    "{\"jobId\":\"" id "\",\"parent\":{\"id\":\"p\",\"queue\":\"bull:par\"}}"

/* BMQ-023; a child is linked. §3.2 */
static void test_child(void **state)
{
    struct rig *r = *state;

    assert_string_equal(rig_add(r, "n", NULL, CHILD("c")), "-5");
    rig_want(r, "EXISTS @id @meta @events", "0");
    (void)rig_do(r, "HSET bull:par:p name p");
    assert_string_equal(rig_add(r, "n", NULL, CHILD("c")), "c");
    rig_want(r, "SMEMBERS bull:par:p:dependencies", "bull:q:c");
    rig_want(r, "HMGET @c parentKey parent",
             "bull:par:p {\"id\":\"p\",\"queueKey\":\"bull:par\"}");
}

/* BMQ-031, 032, and an orphan is relinked. §3.5 */
static void test_duplicate_child(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, "{\"jobId\":\"c\"}");
    (void)rig_do(r, "HSET bull:par:p name p");
    assert_string_equal(rig_add(r, "n", NULL, CHILD("c")), "c");
    rig_want(r, "SMEMBERS bull:par:p:dependencies", "bull:q:c");
    rig_want(r, "HGET @c parentKey", "bull:par:p");

    (void)rig_do(r, "HSET @c parentKey bull:par:other");
    (void)rig_do(r, "HSET bull:par:other name o");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    assert_string_equal(rig_add(r, "n", NULL, CHILD("c")), "-7");
    rig_want_events(r, "q", "");
    (void)rig_do(r, "DEL bull:par:other");
    assert_string_equal(rig_add(r, "n", NULL, CHILD("c")), "c");
    rig_want(r, "HGET @c parentKey", "bull:par:p");
}

static void test_duplicate_completed_child(void **state)
{
    struct rig *r = *state;

    (void)rig_do(r, "HSET @c name n returnvalue 7");
    (void)rig_do(r, "ZADD @completed 1 c");
    (void)rig_do(r, "HSET bull:par:p name p priority 0");
    (void)rig_do(r, "ZADD bull:par:waiting-children 1 p");
    assert_string_equal(rig_add(r, "n", NULL, CHILD("c")), "c");
    rig_want(r, "HGETALL bull:par:p:processed", "bull:q:c 7");
    rig_want(r, "LRANGE bull:par:wait 0 -1", "p");
    rig_want_events(r, "par", "waiting jobId p prev waiting-children");
    rig_want_events(r, "q", "duplicated jobId c");
}

/* --- deduplication, §3.6 */

#define DEDUP(extra)         "{\"deduplication\":{\"id\":\"d\"" extra "}}"
#define DEDUP_DELAYED(extra) "{\"delay\":1000,\"deduplication\":{\"id\":\"d\"" extra "}}"

static void forget_events(struct rig *r)
{
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
}

/* BMQ-035, 036 */
static void test_dedup(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, DEDUP(""));
    rig_want(r, "GET @de:d", "1");
    rig_want(r, "PTTL @de:d", "-1");
    rig_want(r, "HGET @1 deid", "d");
    rig_want(r, "HGET @1 opts", "{\"de\":{\"id\":\"d\"},\"attempts\":0}");
    forget_events(r);
    assert_string_equal(rig_add(r, "n", NULL, DEDUP("")), "1");
    rig_want(r, "EXISTS @2", "0");
    rig_want(r, "GET @id", "2");
    rig_want_events(r, "q", "deduplicated jobId 1 deduplicationId d deduplicatedJobId 2");
}

static void want_ttl(struct rig *r, int64_t low, int64_t high)
{
    int64_t ttl = bw_reply_integer(rig_do(r, "PTTL @de:d"));

    assert_in_range((uint64_t)ttl, (uint64_t)low, (uint64_t)high);
}

/* BMQ-037, 039 */
static void test_dedup_ttl(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, DEDUP(",\"ttl\":60000"));
    want_ttl(r, 50000, 60000);
    (void)rig_do(r, "PEXPIRE @de:d 20000");
    rig_add(r, "n", NULL, DEDUP(",\"ttl\":60000"));
    want_ttl(r, 10000, 20000);
    assert_string_equal(rig_add(r, "n", NULL, DEDUP(",\"ttl\":60000,\"extend\":true")),
                        "1");
    want_ttl(r, 50000, 60000);
}

/* BMQ-040, 041 */
static void test_dedup_replace(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, DEDUP_DELAYED(",\"ttl\":60000,\"replace\":true"));
    (void)rig_do(r, "PEXPIRE @de:d 20000");
    forget_events(r);
    assert_string_equal(
        rig_add(r, "n", NULL, DEDUP_DELAYED(",\"ttl\":60000,\"replace\":true")), "2");
    rig_want(r, "GET @de:d", "2");
    want_ttl(r, 10000, 20000);
    rig_want(r, "EXISTS @1", "0");
    rig_want(r, "ZRANGE @delayed 0 -1", "2");
    rig_want_events(r, "q",
                    "removed jobId 1 prev delayed | "
                    "deduplicated jobId 2 deduplicationId d deduplicatedJobId 1 | "
                    "added jobId 2 name n | delayed jobId 2 delay 1785000001000");
    rig_add(r, "n", NULL,
            DEDUP_DELAYED(",\"ttl\":60000,\"replace\":true,\"extend\":true"));
    want_ttl(r, 50000, 60000);
}

/* BMQ-042 */
static void test_dedup_replace_waiting(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, DEDUP(",\"replace\":true"));
    forget_events(r);
    assert_string_equal(rig_add(r, "n", NULL, DEDUP(",\"replace\":true")), "1");
    rig_want_events(r, "q", "");
}

/* BMQ-043…045, with the finish that adds the parked job. §5.3 step 9 */
static void test_dedup_keep_last(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, DEDUP(",\"ttl\":60000,\"keepLastIfActive\":true"));
    rig_want(r, "PTTL @de:d", "-1");
    rig_fetch(r, 1, "1");
    forget_events(r);
    rig_add(r, "second", "2", DEDUP(",\"keepLastIfActive\":true"));
    assert_string_equal(
        rig_add(
            r, "third", "3",
            "{\"lifo\":true,\"deduplication\":{\"id\":\"d\",\"keepLastIfActive\":true}}"),
        "1");
    rig_want(r, "HMGET @dn:d name data jid", "third 3 3");
    rig_want_events(r, "q",
                    "deduplicated jobId 1 deduplicationId d deduplicatedJobId 2 | "
                    "deduplicated jobId 1 deduplicationId d deduplicatedJobId 3");
    r->now += 5;
    rig_settle_one(r, completed("1", "t0", "null"), 0);
    rig_want(r, "GET @de:d", "3");
    rig_want(r, "EXISTS @dn:d", "0");
    rig_want(r, "HMGET @3 name data timestamp deid", "third 3 1785000000005 d");
    rig_want(r, "LRANGE @wait 0 -1", "3");
    rig_want(r, "GET @id", "4");
    rig_want_events(r, "q",
                    "added jobId 3 name third | waiting jobId 3 | "
                    "completed jobId 1 returnvalue null prev active");
}

/* BMQ-047 */
static void test_dedup_stale(void **state)
{
    struct rig *r = *state;

    (void)rig_do(r, "SET @de:d gone");
    assert_string_equal(rig_add(r, "n", NULL, DEDUP("")), "1");
    rig_want(r, "GET @de:d", "1");
}

/* BMQ-048 */
static void test_dedup_reschedule(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, DEDUP_DELAYED(",\"reschedule\":true"));
    forget_events(r);
    r->now += 50;
    assert_string_equal(rig_add(r, "n", NULL,
                                "{\"delay\":2000,\"deduplication\":{\"id\":\"d\","
                                "\"reschedule\":true}}"),
                        "1");
    rig_want(r, "HGET @1 delay", "2000");
    rig_want(r, "ZRANGE @delayed 0 -1 WITHSCORES", "1 7311360008396800");
    rig_want_events(r, "q",
                    "deduplicated jobId 1 deduplicationId d deduplicatedJobId 2 | "
                    "delayed jobId 1 delay 1785000002050");
}

/* As 5.x: `debounced` comes before, nothing is taken over or rescheduled. BMQ-049 */
static void test_dedup_as_5(void **state)
{
    struct rig *r = *state;
    struct bw_wall now = { r->now };
    static const char opts[] =
        "{\"delay\":9,\"deduplication\":{\"id\":\"d\",\"reschedule\":true}}";
    struct bw_add add = {
        .queue = "q", .name = "n", .opts = opts, .opts_len = sizeof opts - 1, .line = 5
    };

    for (int i = 0; i < 3; i++) {
        struct bw_add_options options;

        if (i == 2) /* the owner is gone, and its key stays */
            rig_want(r, "DEL @1", "1");
        assert_int_equal(bw_add_options_parse(&options, &add, now, NULL), BW_OK);
        bw_add_build(&r->cmd, &r->keys, now, &add, &options);
        bw_add_options_fini(&options);
        assert_string_equal(bw_reply_text(rig_send(r), NULL), "1");
    }
    rig_want_events(r, "q",
                    "added jobId 1 name n | delayed jobId 1 delay 1785000000009 | "
                    "debounced jobId 1 debounceId d | "
                    "deduplicated jobId 1 deduplicationId d deduplicatedJobId 2 | "
                    "debounced jobId 1 debounceId d | "
                    "deduplicated jobId 1 deduplicationId d deduplicatedJobId 3");
}

/* BMQ-037, 038: what the end of the owner does to the key */
static void test_dedup_release(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, DEDUP(""));
    rig_fetch(r, 1, "1");
    rig_settle_one(r, retried("1", "t0", "no"), 0);
    rig_want(r, "GET @de:d", "1");
    rig_fetch(r, 1, "1");
    rig_settle_one(r, failed("1", "t0", "no", 0), 0);
    rig_want(r, "EXISTS @de:d", "0");

    rig_add(r, "n", NULL, DEDUP(",\"ttl\":60000"));
    rig_fetch(r, 1, "2");
    rig_settle_one(r, completed("2", "t0", "1"), 0);
    rig_want(r, "GET @de:d", "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_standard),
        RIG_TEST(test_order),
        RIG_TEST(test_prioritized),
        RIG_TEST(test_delayed),
        RIG_TEST(test_negative_delay),
        RIG_TEST(test_parent_path),
        RIG_TEST(test_no_marker_while_blocked),
        RIG_TEST(test_paused_layouts),
        RIG_TEST(test_pause_and_resume),
        RIG_TEST(test_resume_in_pieces),
        RIG_TEST(test_resume_with_delayed),
        RIG_TEST(test_duplicate_id),
        RIG_TEST(test_child),
        RIG_TEST(test_duplicate_child),
        RIG_TEST(test_duplicate_completed_child),
        RIG_TEST(test_dedup),
        RIG_TEST(test_dedup_ttl),
        RIG_TEST(test_dedup_replace),
        RIG_TEST(test_dedup_replace_waiting),
        RIG_TEST(test_dedup_keep_last),
        RIG_TEST(test_dedup_stale),
        RIG_TEST(test_dedup_reschedule),
        RIG_TEST(test_dedup_as_5),
        RIG_TEST(test_dedup_release),
    };

    return cmocka_run_group_tests(tests, rig_open, rig_close);
}
