/* Parents and children: added, waited for, and at a child's end. lib/spec/bullmq.md
 * §§8.1–8.4. Answers for lua/includes/parent.lua, add_flow.lua,
 * move_to_waiting_children.lua.
 */
#include "integration/script_rig.h"

#include <stdio.h>

/* A parent `p` in the queue "par" that waits for its children, and children c1 … c<count>
 * in "q", taken in this order with the tokens t0 …; each carries `flag` ("" or
 * ",\"fpof\":true"). */
static void plant(struct rig *r, const char *parent_fields, int count, const char *flag)
{
    char ids[64] = "";

    (void)rig_do(r, "HSET bull:par:p name p timestamp 1 %s", parent_fields);
    (void)rig_do(r, "ZADD bull:par:waiting-children 1 p");
    for (int i = 1; i <= count; i++) {
        char opts[256];

        (void)snprintf(
            opts, sizeof(opts),
            "{\"jobId\":\"c%d\",\"parent\":{\"id\":\"p\",\"queue\":\"bull:par\"}%s}", i,
            flag);
        rig_add(r, "c", NULL, opts);
        (void)snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%sc%d",
                       i > 1 ? " " : "", i);
    }
    rig_fetch(r, (unsigned)count, ids);
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
}

#define FPOF ",\"failParentOnFailure\":true"
#define CPOF ",\"continueParentOnFailure\":true"
#define IDOF ",\"ignoreDependencyOnFailure\":true"
#define RDOF ",\"removeDependencyOnFailure\":true"

/* BMQ-136, 137 */
static void test_last_child(void **state)
{
    struct rig *r = *state;

    plant(r, "delay 0 priority 0", 2, "");
    (void)rig_do(r, "LPUSH bull:par:wait other");
    rig_settle_one(r, completed("c1", "t0", "{\"a\":1}"), 0);
    rig_want(r, "ZCARD bull:par:waiting-children", "1");
    rig_settle_one(r, completed("c2", "t1", "2"), 0);
    rig_want(r, "HGETALL bull:par:p:processed", "bull:q:c1 {\"a\":1} bull:q:c2 2");
    rig_want(r, "LRANGE bull:par:wait 0 -1", "other p");
    rig_want(r, "ZRANGE bull:par:marker 0 -1", "0");
    rig_want(r, "EXISTS bull:par:p:dependencies bull:par:waiting-children", "0");
    rig_want_events(r, "par", "waiting jobId p prev waiting-children");
    rig_want_events(r, "q",
                    "completed jobId c1 returnvalue {\"a\":1} prev active | "
                    "completed jobId c2 returnvalue 2 prev active | drained");
}

/* BMQ-136: by its priority, by its delay */
static void test_parent_with_priority(void **state)
{
    struct rig *r = *state;

    plant(r, "delay 0 priority 2", 1, "");
    rig_settle_one(r, completed("c1", "t0", "1"), 0);
    rig_want(r, "ZRANGE bull:par:prioritized 0 -1 WITHSCORES", "p 8589934593");
}

static void test_parent_with_delay(void **state)
{
    struct rig *r = *state;

    plant(r, "delay 500 priority 2", 1, "");
    rig_settle_one(r, completed("c1", "t0", "1"), 0);
    rig_want(r, "ZRANGE bull:par:delayed 0 -1 WITHSCORES", "p 7311360002048000");
    rig_want(r, "ZRANGE bull:par:marker 0 -1 WITHSCORES", "1 1785000000500");
    rig_want_events(r, "par", "delayed jobId p delay 1785000000500");
}

/* Appendix D.2; BMQ-138 */
static void test_fail_parent(void **state)
{
    struct rig *r = *state;

    plant(r, "delay 0 priority 2", 2, FPOF);
    r->now += 26;
    rig_settle_one(r, failed("c1", "t0", "cf", 0), 0);
    rig_want(r, "HGET bull:par:p defa", "child bull:q:c1 failed");
    rig_want(r, "SMEMBERS bull:par:p:dependencies", "bull:q:c2");
    rig_want(r, "ZRANGE bull:par:p:unsuccessful 0 -1 WITHSCORES",
             "bull:q:c1 1785000000026");
    rig_want(r, "ZRANGE bull:par:prioritized 0 -1 WITHSCORES", "p 8589934593");
    rig_want(r, "ZRANGE bull:par:marker 0 -1", "0");
    rig_want(r, "ZRANGE @failed 0 -1", "c1");
    rig_want_events(r, "par", "waiting jobId p prev waiting-children");
    rig_want_events(r, "q",
                    "failed jobId c1 failedReason cf prev active | "
                    "retries-exhausted jobId c1 attemptsMade 1");
}

/* §8.4: a delayed parent wakes at once, an active one only learns of it, a failed one
 * stays. */
static void test_fail_parent_elsewhere(void **state)
{
    struct rig *r = *state;

    plant(r, "delay 900 priority 0", 3, FPOF);
    (void)rig_do(r, "DEL bull:par:waiting-children");
    (void)rig_do(r, "ZADD bull:par:delayed 1 p");
    rig_settle_one(r, failed("c1", "t0", "cf", 0), 0);
    rig_want(r, "HMGET bull:par:p delay defa", "0 child bull:q:c1 failed");
    rig_want(r, "LRANGE bull:par:wait 0 -1", "p");

    (void)rig_do(r, "RENAME bull:par:wait bull:par:active");
    rig_settle_one(r, failed("c2", "t1", "cf", 0), 0);
    rig_want(r, "HGET bull:par:p defa", "child bull:q:c2 failed");
    rig_want(r, "EXISTS bull:par:wait", "0");

    (void)rig_do(r, "DEL bull:par:active");
    (void)rig_do(r, "ZADD bull:par:failed 1 p");
    rig_settle_one(r, failed("c3", "t2", "cf", 0), 0);
    rig_want(r, "HGET bull:par:p defa", "child bull:q:c2 failed");
    rig_want(r, "ZCARD bull:par:p:unsuccessful", "3");
}

/* BMQ-139 */
static void test_continue_parent(void **state)
{
    struct rig *r = *state;

    plant(r, "delay 0 priority 0", 2, CPOF);
    rig_settle_one(r, failed("c1", "t0", "cf", 0), 0);
    rig_want(r, "HGETALL bull:par:p:failed", "bull:q:c1 cf");
    rig_want(r, "LRANGE bull:par:wait 0 -1", "p");
    rig_want(r, "SMEMBERS bull:par:p:dependencies", "bull:q:c2");
}

/* BMQ-140 */
static void test_ignore_and_remove(void **state)
{
    struct rig *r = *state;

    plant(r, "delay 0 priority 0", 2, IDOF);
    rig_settle_one(r, failed("c1", "t0", "cf", 0), 0);
    rig_want(r, "EXISTS bull:par:wait", "0");
    rig_settle_one(r, failed("c2", "t1", "cg", 0), 0);
    rig_want(r, "HGETALL bull:par:p:failed", "bull:q:c1 cf bull:q:c2 cg");
    rig_want(r, "LRANGE bull:par:wait 0 -1", "p");

    rig_want(r, "FLUSHALL", "OK");
    plant(r, "delay 0 priority 0", 1, RDOF);
    rig_settle_one(r, failed("c1", "t0", "cf", 0), 0);
    rig_want(r, "EXISTS bull:par:p:failed", "0");
    rig_want(r, "LRANGE bull:par:wait 0 -1", "p");
}

/* BMQ-141, 142 */
static void test_no_option(void **state)
{
    struct rig *r = *state;
    struct bw_settle_item item = failed("c2", "t1", "cf", 0);

    plant(r, "delay 0 priority 0", 2, "");
    rig_settle_one(r, failed("c1", "t0", "cf", 0), 0);
    rig_want(r, "SCARD bull:par:p:dependencies", "2");
    (void)rig_do(r, "SREM bull:par:p:dependencies bull:q:c1");
    item.keep = (struct bw_keep){ true, 0, -1, -1 };
    rig_settle_one(r, item, 0);
    rig_want(r, "LRANGE bull:par:wait 0 -1", "p");
    rig_want(r, "EXISTS @c2", "0");
    rig_want_events(r, "par", "waiting jobId p prev waiting-children");
}

/* Retention releases the parent of a child that was still waited for; for a single
 * finished job the order of events is the reference's: before its own. §§5.3, 5.5, 8.5 */
static void test_retention_releases(void **state)
{
    struct rig *r = *state;
    struct bw_settle_item item = failed("1", "t0", "x", 3);

    (void)rig_do(r, "HSET @p name p");
    (void)rig_do(r, "ZADD @waiting-children 1 p");
    (void)rig_do(r, "SADD @p:dependencies bull:q:old");
    (void)rig_do(r, "HSET @old name o parentKey bull:q:p");
    (void)rig_do(r, "ZADD @failed 1 old");
    rig_add(r, "n", NULL, NULL);
    assert_string_equal(r->text, "1");
    rig_fetch(r, 1, "1");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    item.keep = (struct bw_keep){ true, 1, -1, -1 };
    rig_settle_one(r, item, 0);
    rig_want(r, "LRANGE @wait 0 -1", "p");
    rig_want_events(r, "q",
                    "waiting jobId p prev waiting-children | "
                    "failed jobId 1 failedReason x prev active");
}

/* A parent whose hash is gone is not resurrected; its bookkeeping is as the reference's.
 */
static void test_parent_gone(void **state)
{
    struct rig *r = *state;

    plant(r, "delay 0", 1, "");
    (void)rig_do(r, "DEL bull:par:p bull:par:waiting-children");
    rig_settle_one(r, completed("c1", "t0", "1"), 0);
    rig_want(r, "EXISTS bull:par:p bull:par:wait", "0");
}

/* A `parent` that is no JSON falls back on parentKey. §5.3 step 10 */
static void test_unreadable_parent(void **state)
{
    struct rig *r = *state;

    plant(r, "delay 0 priority 0", 1, "");
    (void)rig_do(r, "HSET @c1 parent {");
    rig_settle_one(r, completed("c1", "t0", "1"), 0);
    rig_want(r, "LRANGE bull:par:wait 0 -1", "p");
}

/* --- trees, §8.1 */

/* Adds the tree `p` (queue "par") with children `c1`, `c2` (queue "q") as line `line`. */
static const char *add_tree(struct rig *r, int line)
{
    struct bw_wall now = { r->now };
    struct bw_flow_item items[3] = { 0 };
    struct bw_add adds[] = { { .queue = "par", .name = "p", .line = line },
                             { .queue = "q", .name = "c" },
                             { .queue = "q", .name = "c" } };
    static const struct bw_add_place places[] = {
        { .id = "p", .has_children = true },
        { .id = "c1", .parent_id = "p", .parent_queue = "bull:par" },
        { .id = "c2", .parent_id = "p", .parent_queue = "bull:par" },
    };

    for (int i = 0; i < 3; i++) {
        items[i].add = &adds[i];
        assert_int_equal(bw_keys_init(&items[i].keys, NULL, adds[i].queue, NULL), BW_OK);
        assert_int_equal(
            bw_add_options_parse_node(&items[i].options, &adds[i], now, &places[i], NULL),
            BW_OK);
    }
    bw_add_flow_build(&r->cmd, now, items, 3);
    for (int i = 0; i < 3; i++) {
        bw_keys_fini(&items[i].keys);
        bw_add_options_fini(&items[i].options);
    }
    const struct bw_reply *reply = rig_send(r);

    if (bw_reply_kind(reply) == BW_REPLY_INTEGER)
        (void)snprintf(r->text, sizeof r->text, "%lld",
                       (long long)bw_reply_integer(reply));
    else
        (void)snprintf(r->text, sizeof r->text, "%s", bw_reply_text(reply, NULL));
    return r->text;
}

/* BMQ-135: parents before children; the generated id is not among the options. */
static void test_tree(void **state)
{
    struct rig *r = *state;

    assert_string_equal(add_tree(r, 6), "p");
    rig_want(r, "ZRANGE bull:par:waiting-children 0 -1 WITHSCORES", "p 1785000000000");
    rig_want(r, "SCARD bull:par:p:dependencies", "2");
    rig_want(r, "LRANGE @wait 0 -1", "c2 c1");
    rig_want(r, "HGET bull:par:p opts", "{\"attempts\":0}");
    rig_want(r, "HMGET @c1 parentKey parent opts",
             "bull:par:p {\"id\":\"p\",\"queueKey\":\"bull:par\"} "
             "{\"attempts\":0,\"parent\":{\"id\":\"p\",\"queue\":\"bull:par\"}}");
    rig_want_events(r, "par", "added jobId p name p | waiting-children jobId p");
    rig_want_events(r, "q",
                    "added jobId c1 name c | waiting jobId c1 | "
                    "added jobId c2 name c | waiting jobId c2");
}

/* BMQ-147: children that are done already release their parent once, after the insertion;
 * in 5.x each that is the last so far does. */
static void test_tree_of_done_jobs(void **state)
{
    struct rig *r = *state;

    for (int line = 5; line <= 6; line++) {
        rig_want(r, "FLUSHALL", "OK");
        (void)rig_do(r, "HSET @c1 name c returnvalue 1");
        (void)rig_do(r, "ZADD @completed 1 c1");
        assert_string_equal(add_tree(r, line), "p");
        rig_want(r, "HGETALL bull:par:p:processed", "bull:q:c1 1");
        rig_want(r, "SMEMBERS bull:par:p:dependencies", "bull:q:c2");
        rig_want(r, "LRANGE bull:par:wait 0 -1", line == 5 ? "p" : "");
        rig_want(r, "ZCARD bull:par:waiting-children", line == 5 ? "0" : "1");
    }
    rig_want(r, "FLUSHALL", "OK");
    for (int i = 1; i <= 2; i++) {
        (void)rig_do(r, "HSET @c%d name c", i);
        (void)rig_do(r, "ZADD @completed 1 c%d", i);
    }
    assert_string_equal(add_tree(r, 6), "p");
    rig_want(r, "LRANGE bull:par:wait 0 -1", "p");
    rig_want_events(r, "par",
                    "added jobId p name p | waiting-children jobId p | "
                    "waiting jobId p prev waiting-children");
}

/* BMQ-032: a child of another living parent keeps the new one waiting. */
static void test_tree_of_anothers_job(void **state)
{
    struct rig *r = *state;

    (void)rig_do(r, "HSET bull:x:other name o");
    (void)rig_do(r, "HSET @c1 name c parentKey bull:x:other");
    (void)rig_do(r, "HSET @c2 name c");
    (void)rig_do(r, "ZADD @completed 1 c2");
    assert_string_equal(add_tree(r, 6), "p");
    rig_want(r, "HGET @c1 parentKey", "bull:x:other");
    rig_want(r, "HEXISTS bull:par:p flowAttachmentFailed", "0");
    rig_want(r, "ZRANGE bull:par:waiting-children 0 -1", "p");
    rig_want_events(r, "q", "duplicated jobId c2");
}

/* --- waiting for children, §8.2 */

static void want_move(struct rig *r, const char *token, const char *child, bool unsure,
                      int code)
{
    bw_move_to_waiting_children_build(&r->cmd, &r->keys, (struct bw_wall){ r->now },
                                      text_of("1"), text_of(token), text_of(child),
                                      unsure);
    assert_int_equal(bw_reply_integer(rig_send(r)), code);
}

/* BMQ-143 */
static void test_move_to_waiting_children(void **state)
{
    struct rig *r = *state;

    want_move(r, "t0", NULL, false, -1);
    rig_add(r, "p", NULL, NULL);
    rig_fetch(r, 1, "1");
    want_move(r, "t0", NULL, false, 1);
    want_move(r, "other", NULL, false, 1); /* before the lock */
    want_move(r, "other", NULL, true, -6); /* unless an earlier call may have moved it */
    (void)rig_do(r, "SADD @1:dependencies @c1");
    want_move(r, "t0", "bull:q:c2", false, 1);
    want_move(r, "other", NULL, false, -6);
    (void)rig_do(r, "ZADD @1:unsuccessful 1 @c0");
    want_move(r, "t0", NULL, false, -9);
    (void)rig_do(r, "DEL @1:unsuccessful");
    (void)rig_do(r, "SADD @stalled 1");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    want_move(r, "t0", "bull:q:c1", false, 0);
    rig_want(r, "ZRANGE @waiting-children 0 -1 WITHSCORES", "1 1785000000000");
    rig_want(r, "EXISTS @1:lock @active @stalled", "0");
    rig_want(r, "HEXISTS @1 atm", "0");
    rig_want_events(r, "q", "waiting-children jobId 1 prev active");
    want_move(r, "t0", NULL, false, -2);
    (void)rig_do(r, "SET @1:lock t0");
    want_move(r, "t0", NULL, false, -3);
    rig_want(r, "EXISTS @1:lock", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_last_child),
        RIG_TEST(test_parent_with_priority),
        RIG_TEST(test_parent_with_delay),
        RIG_TEST(test_fail_parent),
        RIG_TEST(test_fail_parent_elsewhere),
        RIG_TEST(test_continue_parent),
        RIG_TEST(test_ignore_and_remove),
        RIG_TEST(test_no_option),
        RIG_TEST(test_retention_releases),
        RIG_TEST(test_parent_gone),
        RIG_TEST(test_unreadable_parent),
        RIG_TEST(test_tree),
        RIG_TEST(test_tree_of_done_jobs),
        RIG_TEST(test_tree_of_anothers_job),
        RIG_TEST(test_move_to_waiting_children),
    };

    return cmocka_run_group_tests(tests, rig_open, rig_close);
}
