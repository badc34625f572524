/* Parents and children at a child's end. §8.3, 8.4. Answers for lua/includes/parent.lua.
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
    };

    return cmocka_run_group_tests(tests, rig_open, rig_close);
}
