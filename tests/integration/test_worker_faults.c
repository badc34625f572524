/* Whatever is killed or cut: nothing is lost, nothing is finished twice, and work goes on
 * within two seconds. Answers for
 * lib/run/links.c, adopt.c, recheck.c, watch.c. */
#include "base/alloc.h"
#include "integration/proxy.h"
#include "integration/worker_rig.h"

#define SYNCED                                                                           \
    ((const char *const[]){ "--appendonly", "yes", "--appendfsync", "always", NULL })

static int setup(void **state)
{
    return rig_setup_with(state, SYNCED);
}

#define completed_count(rig) rig_int(rig, "ZCARD bull:" QUEUE ":completed")

/* No job has two `completed` events. */
static void assert_once(struct rig *rig)
{
    static const char script[] =
        "local seen, twice = {}, 0 "
        "for _, e in ipairs(redis.call('XRANGE', KEYS[1] .. 'events', '-', '+')) do "
        "  if e[2][2] == 'completed' then "
        "    if seen[e[2][4]] then twice = twice + 1 end "
        "    seen[e[2][4]] = true "
        "  end "
        "end "
        "return twice";

    assert_int_equal(rig_int(rig, "EVAL %s 1 bull:" QUEUE ":", script), 0);
}

/* Each of `count` jobs completed, once: one attempt, one start beyond those that were put
 * back or stalled (none here), one event. */
static void assert_books(struct rig *rig, int64_t count)
{
    static const char script[] =
        "local odd = 0 "
        "for i = 1, tonumber(ARGV[1]) do "
        "  local v = redis.call('HMGET', KEYS[1] .. i, 'atm', 'returnvalue', 'stc') "
        "  if v[1] ~= '1' or not v[2] or v[3] then odd = odd + 1 end "
        "end "
        "return odd";
    assert_int_equal(completed_count(rig), count);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 0);
    assert_int_equal(
        rig_int(rig, "EVAL %s 1 bull:" QUEUE ": %lld", script, (long long)count), 0);
    assert_once(rig);
}

static void keep_events(struct rig *rig)
{
    assert_int_equal(rig_int(rig, "HSET bull:" QUEUE ":meta opts.maxLenEvents 1000000"),
                     1);
}

/* Runs each job for a moment, so that faults fall on all stages. */
static void short_work(struct bw_job *job, void *arg)
{
    (void)arg;
    rig_nap();
    bw_job_complete(job, "1", 1);
}

static const struct bw_handler worker = { .process = short_work };

static struct bw_queue_options flow_options(void)
{
    struct bw_queue_options options = rig_options(QUEUE, 50);

    /* No job may have to wait for a stalled check to be found. */
    options.skip_stalled_check = true;
    return options;
}

/* Both connections killed again and again amid work. */
static void killed_connections(struct rig *rig, const struct bw_handler *handler)
{
    struct bw_queue_options options = flow_options();
    int64_t count = 6000;

    keep_events(rig);
    rig->processors = 8;
    rig_run(rig, &options, handler, NULL);
    for (int i = 0; i < 60; i++) {
        rig_add(rig, QUEUE, 100, NULL);
        (void)rig_int(rig, "CLIENT KILL TYPE normal SKIPME yes");
    }
    rig_wait(60000, completed_count(rig) == count);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    assert_books(rig, count);
    assert_int_equal(rig_stats(rig, QUEUE).locks_lost, 0);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).completed == (uint64_t)count);
}

static void killed_connections_inline(void **state)
{
    killed_connections(*state, &rig_noop_inline);
}

static void killed_connections_threads(void **state)
{
    killed_connections(*state, &worker);
}

/* A lost reply does not make its jobs wait: the last of them is found
 * without a poll. */
static void lost_replies_are_found(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = flow_options();

    options.drain_delay = 60000; /* it is no poll that finds them */
    rig_run(rig, &options, &rig_noop_inline, NULL);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).last_fetch_ms > 0);
    for (int i = 1; i <= 30; i++) {
        /* In one transaction: Redis sends the marker and is rid of the connection, or has
         * taken the job and is rid of whoever asked. */
        rig_add(rig, QUEUE, 5, NULL);
        (void)rig_int(rig, "CLIENT KILL TYPE normal SKIPME yes");
        rig_wait(PATIENCE_MS, completed_count(rig) == i * 5);
    }
    assert_books(rig, 150);
}

/* --- replies that vanish; through a relay, so that it happens just then */

struct relayed {
    struct rig *rig;
    struct proxy *proxy;
    struct rig_keeper keeper;
};

static struct relayed *run_relayed(struct rig *rig, unsigned concurrency, unsigned kept,
                                   int64_t drain_delay)
{
    struct relayed *relayed = calloc(1, sizeof *relayed);
    struct bw_queue_options options = rig_options(QUEUE, concurrency);

    options.drain_delay = drain_delay;
    assert_non_null(relayed);
    relayed->rig = rig;
    relayed->proxy = proxy_start(rig->server.port);
    rig_keeper_init(&relayed->keeper);
    rig->redis.port = proxy_port(relayed->proxy);
    options.skip_stalled_check = true;
    rig_run(rig, &options, &rig_keep, &relayed->keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(&relayed->keeper) == kept);
    return relayed;
}

static void end_relayed(struct relayed *relayed)
{
    (void)rig_stop(relayed->rig, 1000); /* the test has looked at what counts */
    proxy_stop(&relayed->proxy);
    rig_keeper_fini(&relayed->keeper);
    free(relayed);
}

static void complete_kept(struct relayed *relayed, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        bw_job_complete(rig_keeper_take(&relayed->keeper), "1", 1);
}

/* Jobs ended and jobs taken by a call whose reply never comes: the ends count once, and
 * the jobs are found within a second of the reconnect. `cut` may leave the server's end
 * open. Two jobs, because two calls may be out: each end is sent for sure. */
static void vanished_reply(struct rig *rig, void (*cut)(struct proxy *proxy))
{
    struct relayed *relayed;

    rig_add(rig, QUEUE, 4, NULL);
    relayed = run_relayed(rig, 2, 2, 60000);
    proxy_swallow(relayed->proxy);
    complete_kept(relayed, 2);
    rig_wait(PATIENCE_MS, completed_count(rig) == 2);
    rig_wait(PATIENCE_MS, rig_int(rig, "LLEN bull:" QUEUE ":active") == 2);
    assert_int_equal(rig_keeper_count(&relayed->keeper), 0);
    assert_int_equal(rig_stats(rig, QUEUE).completed, 0);
    cut(relayed->proxy);
    rig_wait(PATIENCE_MS, rig_keeper_count(&relayed->keeper) == 2);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).completed == 2);
    complete_kept(relayed, 2);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).completed == 4);
    assert_int_equal(rig_stats(rig, QUEUE).locks_lost, 0);
    assert_books(rig, 4);
    end_relayed(relayed);
}

static void vanished_reply_of_a_cut_link(void **state)
{
    vanished_reply(*state, proxy_cut);
}

static void vanished_reply_of_a_half_open_link(void **state)
{
    vanished_reply(*state, proxy_forsake);
}

/* The same for an end that was a retry, and one whose job was removed at once. */
static void vanished_reply_of_other_ends(void **state)
{
    struct rig *rig = *state;
    struct bw_job_failure failure = { .message = "boom" };
    struct relayed *relayed;

    rig_add(rig, QUEUE, 1, "{\"attempts\":3,\"backoff\":60000}");
    rig_add(rig, QUEUE, 1, "{\"removeOnComplete\":true}");
    relayed = run_relayed(rig, 2, 2, 60000);
    proxy_swallow(relayed->proxy);
    for (int i = 0; i < 2; i++) {
        struct bw_job *job = rig_keeper_take(&relayed->keeper);

        if (strcmp(bw_job_id(job), "1") == 0)
            bw_job_fail(job, &failure);
        else
            bw_job_complete(job, "1", 1);
    }
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":delayed") == 1);
    rig_wait(PATIENCE_MS, rig_int(rig, "EXISTS bull:" QUEUE ":2") == 0);
    proxy_cut(relayed->proxy);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).retried == 1);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).completed == 1);
    assert_int_equal(rig_stats(rig, QUEUE).locks_lost, 0);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 atm");
    end_relayed(relayed);
}

/* A marker that goes to a half-open wait is not lost, and the old wait is killed. */
static void half_open_wait(void **state)
{
    struct rig *rig = *state;
    struct relayed *relayed;

    rig_add(rig, QUEUE, 1, NULL);
    relayed = run_relayed(rig, 2, 1, 60000);
    rig_wait(PATIENCE_MS,
             rig_count_clients(rig, "flags=b") == 1); /* it blocks: all is quiet */
    proxy_swallow(relayed->proxy);
    rig_add(rig, QUEUE, 1, NULL);
    rig_wait(PATIENCE_MS,
             rig_int(rig, "ZCARD bull:" QUEUE ":marker") == 0); /* the wait has it */
    assert_int_equal(rig_keeper_count(&relayed->keeper), 1);
    proxy_forsake(relayed->proxy);
    rig_wait(PATIENCE_MS, rig_keeper_count(&relayed->keeper) == 2);
    /* The two links of now, and nothing of before. (What lists the worker works at
     * nothing: Redis's keepalive finds it.) */
    rig_wait(PATIENCE_MS, rig_count_clients(rig, " name=bulwark:") == 2);
    complete_kept(relayed, 2);
    rig_wait(PATIENCE_MS, completed_count(rig) == 2);
    end_relayed(relayed);
}

/* Links that look alive and are dead, and nobody who says so: noticed, and repaired. */
static void deaf_links(void **state)
{
    struct rig *rig = *state;
    struct relayed *relayed = run_relayed(rig, 2, 0, 1000);

    rig_wait(PATIENCE_MS, rig_count_clients(rig, "cmd=bzpopmin") == 1);
    proxy_swallow(relayed->proxy);
    rig_add(rig, QUEUE, 2, NULL);
    /* 1 s of waiting, 1 s of grace, 2 s for the other link's answer, and the reconnect.
     */
    rig_wait(PATIENCE_MS, rig_keeper_count(&relayed->keeper) == 2);
    complete_kept(relayed, 2);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).completed == 2);
    assert_books(rig, 2);
    end_relayed(relayed);
}

static void stopped_for_a_while(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = flow_options();
    int64_t back;

    keep_events(rig);
    rig->processors = 8;
    rig_add(rig, QUEUE, 3000, NULL);
    rig_run(rig, &options, &worker, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) > 200);
    redis_server_pause(&rig->server);
    back = rig_wall_ms() + 5000;
    rig_wait(PATIENCE_MS, rig_wall_ms() >= back);
    redis_server_cont(&rig->server);
    back = completed_count(rig);
    rig_wait(PATIENCE_MS, completed_count(rig) > back);
    rig_wait(30000, completed_count(rig) == 3000);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    assert_books(rig, 3000);
}

static void killed_and_restarted(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = flow_options();
    int64_t back;

    keep_events(rig);
    rig->processors = 8;
    rig_add(rig, QUEUE, 3000, NULL);
    rig_run(rig, &options, &worker, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) > 200);
    redis_server_halt(&rig->server);
    back = rig_wall_ms() + 5000;
    rig_wait(PATIENCE_MS, rig_wall_ms() >= back);
    redis_server_restart(&rig->server);
    back = completed_count(rig);
    rig_wait(PATIENCE_MS, completed_count(rig) > back);
    rig_wait(30000, completed_count(rig) == 3000);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    assert_books(rig, 3000);
}

/* Memory runs out on the reactor, again and again, at every place it asks for some. */
static void short_of_memory(struct bw_job *job, void *arg)
{
    unsigned *turn = arg;

    bw_job_complete(job, "1", 1);
    if (*turn % 7 == 0)
        bw_alloc_fail_at(*turn / 7 % 97);
    ++*turn;
}

static void reactor_out_of_memory(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 10);
    struct bw_handler handler = { .process = short_of_memory, .inline_ = true };
    unsigned turn = 0;

    options.drain_delay = 500;
    options.run_retry_delay = 100;
    /* A job whose end finds no memory is left to it. */
    options.lock_duration = 500;
    options.stalled_interval = 300;
    options.max_stalled_count = 1000;
    keep_events(rig);
    rig_add(rig, QUEUE, 3000, NULL);
    rig_run(rig, &options, &handler, &turn);
    rig_wait(60000, completed_count(rig) == 3000);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":active"), 0);
    assert_once(rig);
}

/* The idle worker, too, comes back, and is woken by the next job. */
static void idle_through_a_restart(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = flow_options();

    options.drain_delay = 60000;
    rig_run(rig, &options, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).last_fetch_ms > 0);
    redis_server_halt(&rig->server);
    rig_wait(PATIENCE_MS, !rig_worker_stats(rig).connected);
    redis_server_restart(&rig->server);
    rig_add(rig, QUEUE, 1, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    rig_wait(PATIENCE_MS, rig_worker_stats(rig).connected);
    assert_true(rig_worker_stats(rig).reconnects > 0);
    rig_add(rig, QUEUE, 1, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 2);
}

/* Redis refuses our calls for a while: outcomes are kept, then recorded. */
static void refused_calls(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 10);
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);
    int64_t until;

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    options.run_retry_delay = 300;
    rig_add(rig, QUEUE, 10, NULL);
    rig_run(rig, &options, &rig_keep, keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 10);
    rig_expect(rig, "OK", "ACL SETUSER default -evalsha");
    while (rig_keeper_count(keeper) > 0)
        bw_job_complete(rig_keeper_take(keeper), "7", 1);
    until = rig_wall_ms() + 700;
    rig_wait(PATIENCE_MS, rig_wall_ms() > until);
    assert_int_equal(completed_count(rig), 0);
    rig_expect(rig, "OK", "ACL SETUSER default +evalsha");
    rig_wait(PATIENCE_MS, completed_count(rig) == 10);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    assert_books(rig, 10);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    rig_keeper_fini(keeper);
    free(keeper);
}

/* BMQ-171: a job that cannot be recorded holds up no other, and the worker lets it go:
 * the stalled check gives it to whoever can do better. */
static void poisoned_job(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 10);

    options.run_retry_delay = 300;
    options.lock_duration = 3000;
    options.stalled_interval = 500;
    rig_add(rig, QUEUE, 100, NULL);
    rig_expect(rig, "OK", "SET bull:" QUEUE ":7:dependencies wrong-type");
    rig_run(rig, &options, &rig_noop_inline, NULL);
    rig_wait(PATIENCE_MS, completed_count(rig) == 99);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    rig_expect(rig, "7", "LINDEX bull:" QUEUE ":active 0");
    assert_int_equal(rig_int(rig, "DEL bull:" QUEUE ":7:dependencies"), 1);
    rig_wait(PATIENCE_MS, completed_count(rig) == 100);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":7 stc");
    rig_expect(rig, "1", "HGET bull:" QUEUE ":7 atm");
    assert_once(rig);
}

/* The old ends of lost links are killed: a wait that nobody hears would swallow markers.
 */
static void half_open_wait_is_buried(void **state)
{
    struct rig *rig = *state;

    rig_run(rig, NULL, &rig_noop, NULL);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).last_fetch_ms > 0);
    for (int i = 1; i <= 5; i++) {
        (void)rig_int(rig, "CLIENT KILL TYPE normal SKIPME yes");
        rig_wait(PATIENCE_MS, rig_worker_stats(rig).connected);
        rig_wait(PATIENCE_MS, rig_count_clients(rig, "cmd=bzpopmin") == 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(killed_connections_inline),
        TEST(killed_connections_threads),
        TEST(lost_replies_are_found),
        TEST(vanished_reply_of_a_cut_link),
        TEST(vanished_reply_of_a_half_open_link),
        TEST(vanished_reply_of_other_ends),
        TEST(half_open_wait),
        TEST(deaf_links),
        TEST(stopped_for_a_while),
        TEST(killed_and_restarted),
        TEST(reactor_out_of_memory),
        TEST(idle_through_a_restart),
        TEST(refused_calls),
        TEST(poisoned_job),
        TEST(half_open_wait_is_buried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
