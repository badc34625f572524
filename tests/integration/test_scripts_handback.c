/* lua/hand_back.lua, and delays that count neither attempt nor start. BMQ-170 */
#include "integration/script_rig.h"

#include <stdio.h>

enum { MOST = 16 };

/* Adds a job for each of these opts (NULL ends them) and fetches all: tokens t0, t1 … */
static void fetch_all(struct rig *r, const char *const *opts)
{
    unsigned count = 0;
    struct bw_take take;

    for (; opts[count] != NULL; count++)
        rig_add(r, "n", NULL, opts[count]);
    take = rig_take(count);
    rig_settle(r, NULL, 0, &take);
    assert_int_equal(r->settled.job_count, count);
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    (void)rig_do(r, "DEL @marker");
}

/* `ids` as "1 2 3": the job with the i-th id has token t<i - 1>. Wants these codes. */
static void hand_back(struct rig *r, const char *ids, bool unstarted, const char *codes)
{
    struct bw_settle_item items[MOST];
    char id[MOST][16], token[MOST][16], got[128] = "";
    const struct bw_reply *reply;
    size_t count = 0, len = 0;
    int number, used;

    while (sscanf(ids, "%d%n", &number, &used) == 1) {
        ids += used;
        (void)snprintf(id[count], sizeof id[0], "%d", number);
        (void)snprintf(token[count], sizeof token[0], "t%d", number - 1);
        items[count] = (struct bw_settle_item){ .kind = BW_SETTLE_HAND_BACK,
                                                .id = text_of(id[count]),
                                                .token = text_of(token[count]),
                                                .unstarted = unstarted };
        count++;
    }
    bw_hand_back_build(&r->cmd, &r->keys, 0, items, count);
    reply = rig_send(r);
    for (size_t i = 0; i < bw_reply_count(reply); i++)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%d", i > 0 ? " " : "",
                                (int)bw_reply_integer(bw_reply_at(reply, i)));
    assert_string_equal(got, codes);
}

static const char *const three[] = { "{}", "{}", "{}", NULL };

/* BMQ-170 */
static void test_goes_back(void **state)
{
    struct rig *r = *state;

    fetch_all(r, three);
    rig_add(r, "later", NULL, NULL);
    (void)rig_do(r, "DEL @marker");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    (void)rig_do(r, "SADD @stalled 1 2 3");
    hand_back(r, "1 2 3", true, "0 0 0");
    rig_want(r, "LRANGE @wait 0 -1", "4 3 2 1");
    rig_want(r, "EXISTS @active @stalled @1:lock @2:lock @3:lock", "0");
    rig_want(r, "HMGET @1 ats atm", "- -");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "0 0");
    rig_want_events(r, "q",
                    "waiting jobId 1 prev active | waiting jobId 2 prev active | "
                    "waiting jobId 3 prev active");
    rig_fetch(r, 4, "1 2 3 4");
    rig_want(r, "HGET @1 ats", "1");
}

/* In several calls the last of them come first. */
static void test_parts_keep_the_order(void **state)
{
    struct rig *r = *state;

    fetch_all(r, three);
    hand_back(r, "3", true, "0");
    hand_back(r, "1 2", true, "0 0");
    rig_fetch(r, 3, "1 2 3");
}

/* A start that counts stays counted; one of several is taken back. */
static void test_starts(void **state)
{
    struct rig *r = *state;

    fetch_all(r, three);
    hand_back(r, "2", false, "0");
    rig_want(r, "HGET @2 ats", "1");
    (void)rig_do(r, "HSET @3 ats 4");
    hand_back(r, "3", true, "0");
    rig_want(r, "HGET @3 ats", "3");
}

/* lib/spec/bullmq.md §7.3: nobody is called while the queue is paused, or full. */
static void test_no_marker_while_blocked(void **state)
{
    struct rig *r = *state;

    fetch_all(r, three);
    (void)rig_do(r, "HSET @meta paused 1");
    hand_back(r, "1", true, "0");
    rig_want(r, "EXISTS @marker", "0");
    (void)rig_do(r, "HDEL @meta paused");
    (void)rig_do(r, "HSET @meta concurrency 1");
    hand_back(r, "2", true, "0");
    rig_want(r, "EXISTS @marker", "0");
    hand_back(r, "3", true, "0");
    rig_want(r, "EXISTS @marker", "1");
    rig_want(r, "LRANGE @wait 0 -1", "1 2 3");
}

/* While a queue that 5.x clients share is paused: A.3 */
static void test_paused_list(void **state)
{
    struct rig *r = *state;

    fetch_all(r, three);
    (void)rig_do(r, "HSET @meta paused 1 version bullmq:5.81.3");
    hand_back(r, "1 2", true, "0 0");
    rig_want(r, "LRANGE @paused 0 -1", "2 1");
}

static const char *const prioritized[] = { "{\"priority\":2}", "{\"priority\":1}",
                                           "{\"priority\":2}", "{\"priority\":2}",
                                           "{\"priority\":3}", NULL };

/* Distinct scores before those that wait, whatever the numbers of `pc`. */
static void test_prioritized(void **state)
{
    struct rig *r = *state;
    struct bw_take take = rig_take(5);

    for (int i = 0; i < 5; i++)
        rig_add(r, "n", NULL, prioritized[i]);
    rig_add(r, "n", NULL, "{\"priority\":2}");
    rig_add(r, "n", NULL, "{\"priority\":2}");
    take.count = 3;
    rig_settle(r, NULL, 0, &take);
    assert_string_equal(rig_taken(r), "2 1 3");
    (void)rig_do(r, "DEL @marker");
    (void)rig_do(r, "SET @1:lock t0");
    (void)rig_do(r, "SET @2:lock t1");
    hand_back(r, "2 1 3", true, "0 0 0");
    rig_want(r, "ZRANGE @prioritized 0 -1", "2 1 3 4 6 7 5");
    rig_want(r, "ZSCORE @prioritized 1", "8589934594");
    rig_want(r, "ZSCORE @prioritized 3", "8589934595");
    rig_want(r, "ZRANGE @marker 0 -1", "0");
    rig_want(r, "HGET @3 ats", "-");
}

/* The queue was found empty meanwhile, which drops the counter: what is added later has
 * low numbers, or comes after. */
static void test_prioritized_counter_gone(void **state)
{
    static const char *const twos[] = { "{\"priority\":2}", "{\"priority\":2}",
                                        "{\"priority\":2}", NULL };
    struct rig *r = *state;

    fetch_all(r, twos);
    rig_fetch(r, 1, "");
    rig_want(r, "EXISTS @pc", "0");
    hand_back(r, "2 3", true, "0 0");
    rig_add(r, "n", NULL, "{\"priority\":2}");
    rig_want(r, "ZRANGE @prioritized 0 -1", "2 3 4");
    hand_back(r, "1", true, "0");
    rig_want(r, "ZRANGE @prioritized 0 -1", "1 2 3 4");
}

static void test_prioritized_no_room(void **state)
{
    static const char *const twos[] = { "{\"priority\":2}", "{\"priority\":2}",
                                        "{\"priority\":2}", NULL };
    struct rig *r = *state;

    fetch_all(r, twos);
    rig_add(r, "n", NULL, "{\"priority\":1}");
    rig_add(r, "n", NULL, "{\"priority\":2}");
    (void)rig_do(r, "ZADD @prioritized 8589934592 5"); /* put back by §5.8 */
    hand_back(r, "3", true, "0");
    hand_back(r, "1 2", true, "0 0");
    rig_want(r, "ZRANGE @prioritized 0 -1", "4 1 2 3 5");
}

/* Each is refused for itself. */
static void test_refused(void **state)
{
    static const char *const five[] = { "{}", "{}", "{}", "{}", "{}", NULL };
    struct rig *r = *state;

    fetch_all(r, five);
    (void)rig_do(r, "DEL @1 @2:lock");
    (void)rig_do(r, "SET @3:lock other");
    (void)rig_do(r, "LREM @active 0 4");
    hand_back(r, "1 2 3 4 5", true, "-1 -2 -6 0 0");
    rig_want(r, "LRANGE @wait 0 -1", "5");
    rig_want(r, "LRANGE @active 0 -1", "3 2 1");
    rig_want(r, "EXISTS @4:lock", "0");
    rig_want(r, "GET @3:lock", "other");
    rig_want_events(r, "q", "waiting jobId 5 prev active");
    hand_back(r, "5", true, "-2"); /* twice changes nothing */
    rig_want(r, "LRANGE @wait 0 -1", "5");
}

/* BMQ-171: where it cannot be put, it stays where it is, and the others go back. */
static void test_nowhere_to_go(void **state)
{
    struct rig *r = *state;
    const char *why = NULL;
    struct bw_settle_item item = { .kind = BW_SETTLE_HAND_BACK,
                                   .id = text_of("1"),
                                   .token = text_of("t0"),
                                   .unstarted = true };

    fetch_all(r, three);
    (void)rig_do(r, "SET @wait text");
    bw_hand_back_build(&r->cmd, &r->keys, 0, &item, 1);
    assert_int_equal(bw_item_code(bw_reply_at(rig_send(r), 0), &why), BW_EREDIS);
    assert_non_null(strstr(why, "WRONGTYPE"));
    rig_want(r, "LRANGE @active 0 -1", "3 2 1");
    rig_want(r, "GET @1:lock", "t0");
    rig_want(r, "HGET @1 ats", "1");
}

/* WF-170: until a time, and neither attempt nor start count. */
static void test_put_off(void **state)
{
    struct rig *r = *state;
    struct bw_settle_item item = { .kind = BW_SETTLE_DELAY,
                                   .id = text_of("1"),
                                   .token = text_of("t0"),
                                   .unstarted = true,
                                   .until_ms = NOW + 700 };

    fetch_all(r, three);
    rig_settle_one(r, item, 0);
    rig_want(r, "HMGET @1 atm ats delay", "- - 700");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "1 1785000000700");
    item.id = text_of("2");
    item.token = text_of("t1");
    item.unstarted = false;
    r->now += 300;
    rig_settle_one(r, item, 0);
    rig_want(r, "HMGET @2 atm ats delay", "- 1 400");
    rig_want(r, "ZRANGEBYSCORE @delayed 7311360002867200 7311360002871295", "1 2");
    item.id = text_of("3");
    item.token = text_of("t2");
    r->now += 1000;
    rig_settle_one(r, item, 0);
    rig_want(r, "HGET @3 delay", "0");
    rig_fetch(r, 3, "1 2 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_goes_back),
        RIG_TEST(test_parts_keep_the_order),
        RIG_TEST(test_starts),
        RIG_TEST(test_no_marker_while_blocked),
        RIG_TEST(test_paused_list),
        RIG_TEST(test_prioritized),
        RIG_TEST(test_prioritized_counter_gone),
        RIG_TEST(test_prioritized_no_room),
        RIG_TEST(test_refused),
        RIG_TEST(test_nowhere_to_go),
        RIG_TEST(test_put_off),
    };

    return cmocka_run_group_tests(tests, rig_open, rig_close);
}
