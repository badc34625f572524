/* lua/settle.lua without items: taking jobs. Answers for
 * lua/includes/{take,job_reply,limiter,enqueue}.lua. */
#include "integration/script_rig.h"

static void add_many(struct rig *r, int count)
{
    for (int i = 0; i < count; i++)
        rig_add(r, "n", NULL, NULL);
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
}

/* Decodes the job at `index` of the last settle. */
static struct bw_job_data job_at(struct rig *r, size_t index)
{
    struct bw_job_data job;
    struct bw_error err;

    if (bw_job_data_decode(&job, bw_reply_at(r->settled.jobs, index), &err) != BW_OK)
        fail_msg("%s", err.text);
    return job;
}

/* Appendix D.1, second dump; BMQ-050, 053, 054, 055 */
static void test_one(void **state)
{
    struct rig *r = *state;
    struct bw_take take = rig_take(1);

    rig_add(r, "mail", "{\"to\":\"x\"}", "{\"attempts\":2,\"backoff\":1000}");
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    (void)rig_do(r, "DEL @marker");
    r->now += 5;
    take.worker_name = "w1";
    rig_settle(r, NULL, 0, &take);

    struct bw_job_data job = job_at(r, 0);

    assert_string_equal(job.id.data, "1");
    assert_string_equal(job.name.data, "mail");
    assert_string_equal(job.data.data, "{\"to\":\"x\"}");
    assert_string_equal(job.token.data, "t0");
    assert_int_equal(job.timestamp, NOW);
    assert_int_equal(job.processed_on, NOW + 5);
    assert_int_equal(job.attempts_started, 1);
    assert_int_equal(job.attempts_made, 0);
    assert_int_equal(job.parsed.attempts, 2);
    bw_job_data_fini(&job);
    rig_want(r, "HMGET @1 processedOn pb ats", "1785000000005 w1 1");
    rig_want(r, "HLEN @1", "9");
    rig_want(r, "GET @1:lock", "t0");
    assert_in_range((uint64_t)bw_reply_integer(rig_do(r, "PTTL @1:lock")), 20000, 30000);
    rig_want(r, "LRANGE @active 0 -1", "1");
    rig_want(r, "EXISTS @wait", "0");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "0 0");
    rig_want_events(r, "q", "active jobId 1 prev waiting");
}

/* The worker's name is not written when it has none; nothing is locked twice. BMQ-054 */
static void test_restarted(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, NULL);
    (void)rig_do(r, "HSET @1 ats 4 atm 3 stc 2 defa 'so it goes' progress 7");
    rig_fetch(r, 1, "1");
    struct bw_job_data job = job_at(r, 0);

    assert_int_equal(job.attempts_started, 5);
    assert_int_equal(job.attempts_made, 3);
    assert_int_equal(job.stalled_count, 2);
    assert_string_equal(job.deferred_failure.data, "so it goes");
    assert_string_equal(job.progress.data, "7");
    bw_job_data_fini(&job);
    rig_want(r, "HEXISTS @1 pb", "0");
    rig_want(r, "HGET @1 ats", "5");
}

/* Many at once come in the order of single fetches, each with its own token. */
static void test_many(void **state)
{
    struct rig *r = *state;
    struct bw_take take = rig_take(3);

    add_many(r, 5);
    take.first_token = 9007199254740000;
    rig_settle(r, NULL, 0, &take);
    assert_string_equal(rig_taken(r), "1 2 3");
    rig_want(r, "LRANGE @active 0 -1", "3 2 1");
    rig_want(r, "LRANGE @wait 0 -1", "5 4");
    rig_want(r, "MGET @1:lock @2:lock @3:lock",
             "t9007199254740000 t9007199254740001 t9007199254740002");
    rig_want_events(r, "q",
                    "active jobId 1 prev waiting | active jobId 2 prev waiting | "
                    "active jobId 3 prev waiting");
}

/* BMQ-051, 052, 063 */
static void test_wait_before_prioritized(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, "{\"priority\":2}");
    rig_add(r, "n", NULL, "{\"priority\":1}");
    rig_add(r, "n", NULL, "{\"priority\":1}");
    rig_add(r, "n", NULL, NULL);
    rig_fetch(r, 3, "4 2 3");
    rig_want(r, "LRANGE @active 0 -1", "3 2 4");
    rig_want(r, "GET @pc", "3");
    rig_fetch(r, 1, "1");
    rig_want(r, "GET @pc", "3");
    rig_fetch(r, 1, "");
    rig_want(r, "EXISTS @pc", "0");
}

/* BMQ-056, 058 */
static void test_promotion(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, "{\"delay\":10}");
    rig_add(r, "n", NULL, "{\"delay\":10,\"lifo\":true}");
    rig_add(r, "n", NULL, "{\"delay\":10,\"priority\":3}");
    rig_add(r, "n", NULL, "{\"delay\":11}");
    rig_add(r, "n", NULL, NULL);
    (void)rig_do(r, "XTRIM @events MAXLEN 0");
    r->now += 10;
    rig_fetch(r, 1, "5");
    rig_want(r, "LRANGE @wait 0 -1", "2 1");
    rig_want(r, "ZRANGE @prioritized 0 -1 WITHSCORES", "3 12884901889");
    rig_want(r, "ZRANGE @delayed 0 -1", "4");
    rig_want(r, "HGET @1 delay", "0");
    rig_want(r, "HGET @4 delay", "11");
    rig_want_events(r, "q",
                    "waiting jobId 1 prev delayed | waiting jobId 2 prev delayed | "
                    "waiting jobId 3 prev delayed | active jobId 5 prev waiting");
}

/* BMQ-057 */
static void test_promotion_limit(void **state)
{
    struct rig *r = *state;

    (void)rig_do(
        r, "EVAL 'for i = 1, 1500 do redis.call(\"HSET\", KEYS[1] .. i, \"name\", \"n\") "
           "redis.call(\"ZADD\", KEYS[1] .. \"delayed\", i, i) end return 1' 1 @");
    rig_fetch(r, 1, "1");
    rig_want(r, "ZCARD @delayed", "500");
    rig_want(r, "LLEN @wait", "999");
    rig_want(r, "LRANGE @wait 0 0", "1000");
}

/* An id in `delayed` without a job leaves no stub. */
static void test_promotion_of_ghost(void **state)
{
    struct rig *r = *state;

    (void)rig_do(r, "ZADD @delayed 1 ghost");
    rig_fetch(r, 1, "");
    rig_want(r, "EXISTS @ghost @delayed @wait @events", "0");
}

/* BMQ-059…061 */
static void test_nothing_to_take(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, "{\"delay\":5000}");
    rig_add(r, "n", NULL, "{\"delay\":10}");
    r->now += 9;
    rig_fetch(r, 4, "");
    assert_int_equal(r->settled.next_due_ms, NOW + 10);
    (void)rig_do(r, "HSET @meta paused 1");
    r->now += 1;
    rig_fetch(r, 4, "");
    assert_int_equal(r->settled.next_due_ms, 0);
    rig_want(r, "LRANGE @wait 0 -1", "2");
    (void)rig_do(r, "HDEL @meta paused");
    (void)rig_do(r, "HSET @meta concurrency 2");
    (void)rig_do(r, "LPUSH @active x y");
    rig_fetch(r, 4, "");
    rig_want(r, "HEXISTS @meta opts.maxLenEvents", "1");
}

/* BMQ-164: a batch stops at the global concurrency. */
static void test_global_concurrency(void **state)
{
    struct rig *r = *state;

    add_many(r, 5);
    (void)rig_do(r, "HSET @meta concurrency 3");
    (void)rig_do(r, "LPUSH @active x");
    rig_fetch(r, 5, "1 2");
    rig_want(r, "LLEN @active", "3");
}

static void fetch_limited(struct rig *r, unsigned count, int64_t max, int64_t duration)
{
    struct bw_take take = rig_take(count);

    take.limiter_max = max;
    take.limiter_duration = duration;
    rig_settle(r, NULL, 0, &take);
}

/* BMQ-062, 162: the window starts with its first job. */
static void test_limiter(void **state)
{
    struct rig *r = *state;

    add_many(r, 6);
    fetch_limited(r, 2, 3, 60000);
    assert_string_equal(rig_taken(r), "1 2");
    assert_int_equal(r->settled.limit_ttl_ms, 0);
    rig_want(r, "GET @limiter", "2");
    fetch_limited(r, 2, 3, 60000);
    assert_string_equal(rig_taken(r), "3");
    assert_in_range((uint64_t)r->settled.limit_ttl_ms, 50000, 60000);
    fetch_limited(r, 2, 3, 60000);
    assert_int_equal(r->settled.job_count, 0);
    rig_want(r, "GET @limiter", "3");
}

/* BMQ-163: the global max counts, the worker's own duration counts. */
static void test_global_limiter(void **state)
{
    struct rig *r = *state;

    add_many(r, 4);
    (void)rig_do(r, "HSET @meta max 1 duration 1000");
    fetch_limited(r, 3, 100, 50000);
    assert_string_equal(rig_taken(r), "1");
    assert_in_range((uint64_t)r->settled.limit_ttl_ms, 40000, 50000);
    (void)rig_do(r, "DEL @limiter");
    rig_fetch(r, 3, "2");
    assert_in_range((uint64_t)r->settled.limit_ttl_ms, 1, 1000);
}

/* lib/spec/bullmq.md §10.3: a manual limit stops only those who have one. */
static void test_manual_limit(void **state)
{
    struct rig *r = *state;

    add_many(r, 2);
    bw_rate_limit_build(&r->cmd, &r->keys, 60000);
    assert_string_equal(bw_reply_text(rig_send(r), NULL), "OK");
    rig_want(r, "GET @limiter", "9007199254740991");
    fetch_limited(r, 2, 100, 1000);
    assert_int_equal(r->settled.job_count, 0);
    assert_in_range((uint64_t)r->settled.limit_ttl_ms, 50000, 60000);
    rig_fetch(r, 1, "1");
}

/* BMQ-166; and promotion goes on while limited, BMQ-059 */
static void test_limiter_spares_deferred_failures(void **state)
{
    struct rig *r = *state;

    add_many(r, 2);
    (void)rig_do(r, "HSET @1 defa x");
    fetch_limited(r, 2, 1, 60000);
    assert_string_equal(rig_taken(r), "1 2");
    rig_want(r, "GET @limiter", "1");
    rig_add(r, "n", NULL, "{\"delay\":1}");
    r->now += 1;
    fetch_limited(r, 2, 1, 60000);
    rig_want(r, "LRANGE @wait 0 -1", "3");
}

/* Whoever promotes and cannot take tells the others: their wait ends. BMQ-056, 175 */
static void promoted_for_others(struct rig *r, const char *opts, const char *where)
{
    add_many(r, 1);
    fetch_limited(r, 1, 1, 60000);
    assert_string_equal(rig_taken(r), "1");
    rig_add(r, "n", NULL, opts);
    (void)rig_do(r, "DEL @marker");
    fetch_limited(r, 1, 1, 60000);
    rig_want(r, "EXISTS @marker", "0");
    r->now += 1;
    fetch_limited(r, 1, 1, 60000);
    assert_int_equal(r->settled.job_count, 0);
    rig_want(r, where, "2");
    rig_want(r, "ZRANGE @marker 0 -1 WITHSCORES", "0 0");
}

static void test_promotion_wakes_others(void **state)
{
    promoted_for_others(*state, "{\"delay\":1}", "LRANGE @wait 0 -1");
}

static void test_promotion_by_priority_wakes_others(void **state)
{
    promoted_for_others(*state, "{\"delay\":1,\"priority\":2}",
                        "ZRANGE @prioritized 0 -1");
}

/* A blocked queue has no marker: its end sets one. §0, BMQ-164 */
static void test_promotion_while_blocked_wakes_nobody(void **state)
{
    struct rig *r = *state;

    rig_add(r, "n", NULL, "{\"delay\":1}");
    (void)rig_do(r, "HSET @meta paused 1");
    (void)rig_do(r, "DEL @marker");
    r->now += 1;
    rig_fetch(r, 1, "");
    rig_want(r, "LRANGE @wait 0 -1", "1");
    rig_want(r, "EXISTS @marker", "0");
}

/* BMQ-064 */
static void test_old_markers(void **state)
{
    struct rig *r = *state;

    add_many(r, 2);
    (void)rig_do(r, "RPUSH @wait 0:0 0:1785");
    rig_fetch(r, 2, "1 2");
    rig_want(r, "EXISTS @wait", "0");
    rig_want(r, "LRANGE @active 0 -1", "2 1");
}

/* BMQ-065: ids without a hash, or with a stub, are dropped; with something else under
 * their key they stay, for someone to look at (BMQ-171). */
static void test_ghosts(void **state)
{
    struct rig *r = *state;

    add_many(r, 2);
    (void)rig_do(r, "RPUSH @wait gone");
    (void)rig_do(r, "HSET @stub processedOn 1 ats 1");
    (void)rig_do(r, "RPUSH @wait stub");
    (void)rig_do(r, "SET @text x");
    (void)rig_do(r, "RPUSH @wait text");
    rig_fetch(r, 2, "1 2");
    assert_int_equal(r->settled.ghosts, 2);
    assert_non_null(strstr(r->settled.trouble, "job text: WRONGTYPE"));
    rig_want(r, "LRANGE @active 0 -1", "2 1 text");
    rig_want(r, "EXISTS @gone @gone:lock @stub:lock @text:lock", "0");
    rig_want_events(r, "q", "active jobId 1 prev waiting | active jobId 2 prev waiting");
}

/* A late reader of an old writer's fields. §2.1 */
static void test_old_fields(void **state)
{
    struct rig *r = *state;

    add_many(r, 1);
    (void)rig_do(r, "HSET @1 attemptsMade 4 atm 1 stalledCounter 3 opts '[1' priority x");
    rig_fetch(r, 1, "1");
    struct bw_job_data job = job_at(r, 0);

    assert_int_equal(job.attempts_made, 4);
    assert_int_equal(job.stalled_count, 3);
    assert_int_equal(job.priority, 0);
    assert_int_equal(job.parsed.attempts, 0);
    assert_int_equal(job.parsed.stack_trace_limit, -1);
    bw_job_data_fini(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_one),
        RIG_TEST(test_restarted),
        RIG_TEST(test_many),
        RIG_TEST(test_wait_before_prioritized),
        RIG_TEST(test_promotion),
        RIG_TEST(test_promotion_limit),
        RIG_TEST(test_promotion_of_ghost),
        RIG_TEST(test_promotion_wakes_others),
        RIG_TEST(test_promotion_by_priority_wakes_others),
        RIG_TEST(test_promotion_while_blocked_wakes_nobody),
        RIG_TEST(test_nothing_to_take),
        RIG_TEST(test_global_concurrency),
        RIG_TEST(test_limiter),
        RIG_TEST(test_global_limiter),
        RIG_TEST(test_manual_limit),
        RIG_TEST(test_limiter_spares_deferred_failures),
        RIG_TEST(test_old_markers),
        RIG_TEST(test_ghosts),
        RIG_TEST(test_old_fields),
    };

    return cmocka_run_group_tests(tests, rig_open, rig_close);
}
