/* Locks, stalled jobs, lost replies, and a job's small calls. Answers for
 * lua/{extend_locks,
 * check_stalled,adopt,return_marker,update_progress,update_data,add_log,drop_ghost}.lua
 * and lib/queue/calls_{locks,jobs}.c. */
#include "integration/script_rig.h"

#include <stdio.h>

static void start_many(struct rig *r, unsigned count)
{
    struct bw_take take = rig_take(count);

    for (unsigned i = 0; i < count; i++)
        rig_add(r, "n", NULL, NULL);
    rig_settle(r, NULL, 0, &take);
    assert_int_equal(r->settled.job_count, count);
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    (void)rig_do(r, "DEL @marker");
}

/* The reply of the command in r->cmd, an array of ids, is `expected` (in the order
 * given). */
static void want_ids(struct rig *r, const char *expected)
{
    const struct bw_reply *reply = rig_send(r);
    struct bw_buf text = BW_BUF_INIT;

    for (size_t i = 0; i < bw_reply_count(reply); i++) {
        assert_int_equal(bw_buf_addf(&text, "%s%s", i > 0 ? " " : "",
                                     bw_reply_text(bw_reply_at(reply, i), NULL)),
                         BW_OK);
    }
    assert_string_equal(bw_buf_text(&text), expected);
    bw_buf_fini(&text);
}

/* --- locks, lib/spec/bullmq.md §6.1 */

/* BMQ-105, 106 */
static void test_extend(void **state)
{
    struct rig *r = *state;
    struct bw_text ids[] = { text_of("1"), text_of("2"), text_of("3") };
    struct bw_text tokens[] = { text_of("t0"), text_of("wrong"), text_of("t2") };

    start_many(r, 3);
    (void)rig_do(r, "DEL @3:lock");
    (void)rig_do(r, "SADD @stalled 1 2 3");
    bw_extend_locks_build(&r->cmd, &r->keys, 90000, ids, tokens, 3);
    want_ids(r, "2 3");
    assert_in_range((uint64_t)bw_reply_integer(rig_do(r, "PTTL @1:lock")), 60000, 90000);
    assert_in_range((uint64_t)bw_reply_integer(rig_do(r, "PTTL @2:lock")), 10000, 30000);
    rig_want(r, "EXISTS @3:lock", "0");
    rig_want(r, "SISMEMBER @stalled 1", "0");
    rig_want(r, "SCARD @stalled", "2");
}

/* More locks than one batch holds. */
static void test_extend_many(void **state)
{
    enum { COUNT = 2500 };
    struct rig *r = *state;
    struct bw_text *ids = calloc(COUNT, sizeof(*ids)),
                   *tokens = calloc(COUNT, sizeof(*tokens));
    char(*names)[8] = calloc(COUNT, sizeof(*names));

    assert_true(ids != NULL && tokens != NULL && names != NULL);
    for (size_t i = 0; i < COUNT; i++) {
        (void)sprintf(names[i], "j%u", (unsigned)i);
        ids[i] = text_of(names[i]);
        tokens[i] = text_of("t");
        if (i % 1000 != 999)
            (void)rig_do(r, "SET @%s:lock t", names[i]);
    }
    bw_extend_locks_build(&r->cmd, &r->keys, 90000, ids, tokens, COUNT);
    want_ids(r, "j999 j1999");
    rig_want(r, "EXISTS @j2499:lock", "1");
    free(ids);
    free(tokens);
    free(names);
}

/* --- stalled jobs, §6.3 */

static void check_stalled(struct rig *r, const char *recovered)
{
    (void)rig_do(r, "DEL @stalled-check");
    bw_check_stalled_build(&r->cmd, &r->keys, (struct bw_wall){ r->now }, 30000, 1, 0);
    want_ids(r, recovered);
}

/* BMQ-107…109, 112 */
static void test_stalled(void **state)
{
    struct rig *r = *state;

    start_many(r, 2);
    check_stalled(r, "");
    rig_want(r, "GET @stalled-check", "1785000000000");
    assert_in_range((uint64_t)bw_reply_integer(rig_do(r, "PTTL @stalled-check")), 20000,
                    30000);
    rig_want(r, "SCARD @stalled", "2");
    (void)rig_do(r, "DEL @1:lock");
    bw_check_stalled_build(&r->cmd, &r->keys, (struct bw_wall){ r->now }, 30000, 1, 0);
    want_ids(r, ""); /* stalled-check exists */
    check_stalled(r, "1");
    rig_want(r, "LRANGE @wait 0 -1", "1");
    rig_want(r, "LRANGE @active 0 -1", "2");
    rig_want(r, "SMEMBERS @stalled", "2");
    rig_want(r, "HMGET @1 stc defa", "1 -");
    rig_want(r, "ZRANGE @marker 0 -1", "0");
    rig_want_events(r, "q", "waiting jobId 1 prev active | stalled jobId 1");
}

/* BMQ-110, 111; and Appendix A.4, 4: prioritized jobs go to `wait` too */
static void test_stalled_too_often(void **state)
{
    struct rig *r = *state;

    start_many(r, 2);
    (void)rig_do(r, "HSET @1 stc 1 priority 5");
    (void)rig_do(r, "HSET @2 stc 1 rjk s");
    (void)rig_do(r, "ZADD @repeat 1 s");
    (void)rig_do(r, "DEL @1:lock @2:lock");
    check_stalled(r, "");
    check_stalled(r, "1 2");
    rig_want(r, "HGET @1 defa", "job stalled more than allowable limit");
    rig_want(r, "HMGET @2 defa stc", "- 2");
    rig_want(r, "EXISTS @prioritized @active @stalled", "0");
    rig_want(r, "LLEN @wait", "2");
}

/* A job that moved on is left alone; so are a marker and a ghost, which are only dropped.
 */
static void test_stalled_exceptions(void **state)
{
    struct rig *r = *state;

    (void)rig_do(r, "SADD @stalled gone 0:0 ghost");
    (void)rig_do(r, "LPUSH @active 0:0 ghost");
    check_stalled(r, "");
    rig_want(r, "EXISTS @active @wait @ghost @gone", "0");
}

/* --- lost replies */

static void test_adopt(void **state)
{
    struct rig *r = *state;
    struct bw_text known[] = { text_of("2") };
    struct bw_job_data job;

    start_many(r, 3);
    (void)rig_do(r, "SET @3:lock other:1");
    (void)rig_do(r, "LPUSH @active ghost");
    (void)rig_do(r, "SET @ghost:lock t9");
    (void)rig_do(r, "SADD @stalled 1");
    bw_adopt_build(&r->cmd, &r->keys, (struct bw_wall){ r->now }, "t", 90000, known, 1);
    const struct bw_reply *reply = rig_send(r);

    assert_int_equal(bw_reply_count(reply), 1);
    assert_int_equal(bw_job_data_decode(&job, bw_reply_at(reply, 0), NULL), BW_OK);
    assert_string_equal(job.id.data, "1");
    assert_string_equal(job.token.data, "t0");
    assert_int_equal(job.attempts_started, 1);
    bw_job_data_fini(&job);
    assert_in_range((uint64_t)bw_reply_integer(rig_do(r, "PTTL @1:lock")), 60000, 90000);
    rig_want(r, "EXISTS @ghost:lock @ghost @stalled", "0");
    rig_want(r, "LRANGE @active 0 -1", "3 2 1");
    rig_want_events(r, "q", "");
}

static void return_marker(struct rig *r, const char *member, int result)
{
    bw_marker_return_build(&r->cmd, &r->keys, text_of(member));
    assert_int_equal(bw_reply_integer(rig_send(r)), result);
}

/* BullMQ leaves no marker where nothing is to be taken. */
static void test_return_marker_in_vain(void **state)
{
    struct rig *r = *state;

    return_marker(r, "0", 0);
    return_marker(r, "1", 0);
    rig_want(r, "KEYS *", "");
    (void)rig_do(r, "ZADD @delayed 7311360000001024 d");
    return_marker(r, "0", 0); /* the delayed job's own marker tells of it */
    rig_want(r, "EXISTS @marker", "0");
    (void)rig_do(r, "HSET @meta paused 1");
    (void)rig_do(r, "LPUSH @wait w");
    return_marker(r, "0", 0); /* the pause has deleted it, and resume sets it */
    return_marker(r, "1", 0);
    rig_want(r, "EXISTS @marker", "0");
}

static void test_return_marker(void **state)
{
    struct rig *r = *state;

    (void)rig_do(r, "ZADD @prioritized 4294967297 p");
    return_marker(r, "0", 1);
    return_marker(r, "0", 0);
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "0 0");
    (void)rig_do(r, "DEL @marker @prioritized");
    (void)rig_do(r, "LPUSH @wait w");
    /* what is due first now, whatever was when it was popped */
    (void)rig_do(r, "ZADD @delayed 7311360000001024 d 7311360000005120 e");
    return_marker(r, "0", 1);
    return_marker(r, "1", 1);
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "0 0 1 1785000000000.25");
}

/* --- a job's calls, §7.1 */

/* BMQ-114, 116 */
static void test_updates(void **state)
{
    struct rig *r = *state;

    bw_update_progress_build(&r->cmd, &r->keys, text_of("1"), text_of("50"));
    assert_int_equal(bw_reply_integer(rig_send(r)), -1);
    bw_update_data_build(&r->cmd, &r->keys, text_of("1"), text_of("50"));
    assert_int_equal(bw_reply_integer(rig_send(r)), -1);
    rig_want(r, "KEYS *", "");
    start_many(r, 1);
    bw_update_progress_build(&r->cmd, &r->keys, text_of("1"), text_of("{\"p\":5}"));
    assert_int_equal(bw_reply_integer(rig_send(r)), 0);
    bw_update_data_build(&r->cmd, &r->keys, text_of("1"), text_of("[1]"));
    assert_int_equal(bw_reply_integer(rig_send(r)), 0);
    rig_want(r, "HMGET @1 progress data", "{\"p\":5} [1]");
    rig_want_events(r, "q", "progress jobId 1 data {\"p\":5}");
}

static void add_log(struct rig *r, const char *row, int64_t keep, int64_t result)
{
    bw_add_log_build(&r->cmd, &r->keys, text_of("1"), text_of(row), keep);
    assert_int_equal(bw_reply_integer(rig_send(r)), result);
}

/* BMQ-115 */
static void test_logs(void **state)
{
    struct rig *r = *state;

    add_log(r, "a", 0, -1);
    start_many(r, 1);
    add_log(r, "a", 0, 1);
    add_log(r, "b", 0, 2);
    add_log(r, "c", 2, 2);
    rig_want(r, "LRANGE @1:logs 0 -1", "b c");
}

/* BMQ-065 */
static void test_drop_ghost(void **state)
{
    struct rig *r = *state;

    start_many(r, 1);
    bw_drop_ghost_build(&r->cmd, &r->keys, text_of("1"));
    assert_int_equal(bw_reply_integer(rig_send(r)), 0);
    rig_want(r, "LRANGE @active 0 -1", "1");
    (void)rig_do(r, "HDEL @1 name data opts timestamp delay priority");
    (void)rig_do(r, "SADD @stalled 1");
    bw_drop_ghost_build(&r->cmd, &r->keys, text_of("1"));
    assert_int_equal(bw_reply_integer(rig_send(r)), 1);
    rig_want(r, "EXISTS @1 @1:lock @active @stalled", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_extend),
        RIG_TEST(test_extend_many),
        RIG_TEST(test_stalled),
        RIG_TEST(test_stalled_too_often),
        RIG_TEST(test_stalled_exceptions),
        RIG_TEST(test_adopt),
        RIG_TEST(test_return_marker_in_vain),
        RIG_TEST(test_return_marker),
        RIG_TEST(test_updates),
        RIG_TEST(test_logs),
        RIG_TEST(test_drop_ghost),
    };

    return cmocka_run_group_tests(tests, rig_open, rig_close);
}
