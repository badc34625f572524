/* Handlers that add children, wait for them and ask about their job. Answers for
 * lib/jobs/requests.c, lib/jobs/job_ask.c, lib/queue/flow.c, flow_read.c, add_bulk.c. */
#include <stdio.h>

#include "integration/proxy.h"
#include "integration/worker_rig.h"

#define CALL_MS PATIENCE_MS

#define completed_count(rig) rig_int(rig, "ZCARD bull:" QUEUE ":completed")

/* --- one answer of a callback, seen from the test */

struct answer {
    atomic_int count;
    bool yes; /* with what follows, written before `count` grows */
    int code;
    char text[4096];
};

static void note(struct answer *answer, bool yes, const char *text,
                 const struct bw_error *err)
{
    answer->yes = yes;
    answer->code = err != NULL ? err->code : BW_OK;
    (void)snprintf(answer->text, sizeof answer->text, "%s", text != NULL ? text : "");
    atomic_fetch_add(&answer->count, 1);
}

static void on_flag(bool yes, const struct bw_error *err, void *arg)
{
    note(arg, yes, err != NULL ? err->text : NULL, err);
}

static void on_json(const char *json, size_t len, const struct bw_error *err, void *arg)
{
    assert_true((json == NULL) == (err != NULL));
    assert_true(json == NULL || strlen(json) == len);
    note(arg, json != NULL, json, err);
}

static void on_id(const char *id, const struct bw_error *err, void *arg)
{
    note(arg, id != NULL, id, err);
}

static void on_ids(const char *const *ids, size_t count, const struct bw_error *err,
                   void *arg)
{
    char text[1024] = "";

    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                       i > 0 ? " " : "", ids[i] != NULL ? ids[i] : "-");
    note(arg, err == NULL, text, err);
}

/* Waits for the one answer. */
static void wait_answer(struct answer *answer)
{
    rig_wait(PATIENCE_MS, atomic_load(&answer->count) > 0);
    assert_int_equal(atomic_load(&answer->count), 1);
    atomic_store(&answer->count, 0);
}

/* --- jobs that the test holds */

struct held {
    struct rig *rig;
    struct rig_keeper keeper;
};

static struct held *hold(struct rig *rig, struct bw_queue_options options)
{
    struct held *held = calloc(1, sizeof *held);

    assert_non_null(held);
    held->rig = rig;
    rig_keeper_init(&held->keeper);
    rig_run(rig, &options, &rig_keep, &held->keeper);
    return held;
}

static struct bw_job *next_job(struct held *held)
{
    rig_wait(PATIENCE_MS, rig_keeper_count(&held->keeper) > 0);
    return rig_keeper_take(&held->keeper);
}

static void let_go(struct held *held)
{
    (void)rig_stop(held->rig, 1000); /* the test has looked at what counts */
    rig_keeper_fini(&held->keeper);
    free(held);
}

static void add_child(struct bw_job *parent, const char *more)
{
    struct answer answer = { 0 };
    struct bw_error err;
    char opts[512];
    struct bw_add add = { .prefix = bw_job_prefix(parent),
                          .queue = bw_job_queue(parent),
                          .name = "child",
                          .opts = opts };

    (void)snprintf(opts, sizeof opts, "{\"parent\":{\"id\":\"%s\",\"queue\":\"%s\"}%s}",
                   bw_job_id(parent), bw_job_queue_key(parent), more);
    add.opts_len = strlen(opts);
    assert_int_equal(
        bw_queue_add(bw_job_redis(parent), &add, NULL, CALL_MS, on_id, &answer, &err),
        BW_OK);
    wait_answer(&answer);
    assert_int_equal(answer.code, BW_OK);
}

/* --- waiting for children, BMQ-143 */

static void waits_for_children(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options(QUEUE, 1));
    struct answer answer = { 0 };
    struct bw_job *parent, *child;

    rig_add(rig, QUEUE, 1, NULL);
    parent = next_job(held);
    add_child(parent, "");
    assert_int_equal(bw_job_move_to_waiting_children(parent, NULL, on_flag, &answer),
                     BW_OK);
    wait_answer(&answer);
    assert_true(answer.yes);
    assert_int_equal(answer.code, BW_OK);
    rig_expect(rig, "1", "ZRANGE bull:" QUEUE ":waiting-children 0 -1");

    child = next_job(held); /* its slot is free: concurrency is 1 */
    assert_string_equal(bw_job_name(child), "child");
    bw_job_complete(child, "{\"n\":1}", 7);

    parent = next_job(held);
    assert_string_equal(bw_job_id(parent), "1");
    assert_int_equal(bw_job_attempts_started(parent), 2);
    assert_int_equal(bw_job_attempts_made(parent), 0);
    assert_int_equal(bw_job_children_values(parent, on_json, &answer), BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text, "{\"bull:" QUEUE ":2\":{\"n\":1}}");
    assert_int_equal(bw_job_move_to_waiting_children(parent, NULL, on_flag, &answer),
                     BW_OK);
    wait_answer(&answer);
    assert_false(answer.yes); /* nothing to wait for: it goes on */
    assert_int_equal(answer.code, BW_OK);
    bw_job_complete(parent, "2", 1);
    rig_wait(PATIENCE_MS, completed_count(rig) == 2);
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 atm");
    assert_int_equal(rig_stats(rig, QUEUE).locks_lost, 0);
    let_go(held);
}

static void waits_for_one_child(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options(QUEUE, 1));
    struct answer answer = { 0 };
    struct bw_job *parent;

    rig_add(rig, QUEUE, 1, NULL);
    parent = next_job(held);
    add_child(parent, ",\"jobId\":\"c\"");
    assert_int_equal(
        bw_job_move_to_waiting_children(parent, "bull:" QUEUE ":else", on_flag, &answer),
        BW_OK);
    wait_answer(&answer);
    assert_false(answer.yes);
    assert_int_equal(
        bw_job_move_to_waiting_children(parent, "bull:" QUEUE ":c", on_flag, &answer),
        BW_OK);
    wait_answer(&answer);
    assert_true(answer.yes);
    bw_job_complete(next_job(held), "1", 1);
    bw_job_complete(next_job(held), "2", 1);
    rig_wait(PATIENCE_MS, completed_count(rig) == 2);
    let_go(held);
}

/* Refused: the job is the handler's again. */
static void refused_by_a_failed_child(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options(QUEUE, 1));
    struct bw_job_failure failure = { .message = "a child failed" };
    struct answer answer = { 0 };
    struct bw_job *job;

    rig_add(rig, QUEUE, 1, NULL);
    job = next_job(held);
    (void)rig_int(rig, "ZADD bull:" QUEUE ":1:unsuccessful 1 bull:" QUEUE ":x");
    assert_int_equal(bw_job_move_to_waiting_children(job, NULL, on_flag, &answer), BW_OK);
    wait_answer(&answer);
    assert_false(answer.yes);
    assert_int_equal(answer.code, BW_EJOB_FAILED_CHILD);
    assert_true(bw_job_lock_held(job));
    bw_job_fail(job, &failure);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 1);
    let_go(held);
}

/* BMQ-174: passed on, the refusal is final, whatever is left of the attempts. */
static void refusal_passed_on(void **state)
{
    static const char words[] =
        "Cannot complete job 1 because it has at least one failed "
        "child. moveToWaitingChildren";
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options(QUEUE, 1));
    struct answer answer = { 0 };
    struct bw_job *job;

    rig_add(rig, QUEUE, 1, "{\"attempts\":3}");
    job = next_job(held);
    (void)rig_int(rig, "ZADD bull:" QUEUE ":1:unsuccessful 1 bull:" QUEUE ":x");
    assert_int_equal(bw_job_move_to_waiting_children(job, NULL, on_flag, &answer), BW_OK);
    wait_answer(&answer);
    assert_int_equal(answer.code, BW_EJOB_FAILED_CHILD);
    assert_string_equal(answer.text, words);
    bw_job_fail(job, &(struct bw_job_failure){ .message = words });
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":failed") == 1);
    rig_expect(rig, words, "HGET bull:" QUEUE ":1 failedReason");
    rig_expect(rig, "1", "HGET bull:" QUEUE ":1 atm");
    let_go(held);
}

static void refused_without_the_lock(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options(QUEUE, 1));
    struct answer answer = { 0 };
    struct bw_job *job;

    rig_add(rig, QUEUE, 1, NULL);
    job = next_job(held);
    add_child(job, "");
    rig_expect(rig, "OK", "SET bull:" QUEUE ":1:lock another");
    assert_int_equal(bw_job_move_to_waiting_children(job, NULL, on_flag, &answer), BW_OK);
    wait_answer(&answer);
    assert_int_equal(answer.code, BW_EJOB_LOCKED);
    assert_int_equal(rig_int(rig, "DEL bull:" QUEUE ":1:lock"), 1);
    assert_int_equal(bw_job_move_to_waiting_children(job, NULL, on_flag, &answer), BW_OK);
    wait_answer(&answer);
    assert_int_equal(answer.code, BW_EJOB_NO_LOCK);
    bw_job_complete(job, NULL, 0); /* refused as well */
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight <= 1);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":waiting-children"), 0);
    let_go(held);
}

/* The reply vanishes with its link. `done_meanwhile`: all children are done before the
 * call is repeated, so it would find nothing to wait for; but the job has moved. */
static void vanished_reply(struct rig *rig, bool done_meanwhile)
{
    struct proxy *proxy = proxy_start(rig->server.port);
    struct bw_queue_options options = rig_options(QUEUE, 1);
    struct answer answer = { 0 };
    struct held *held;
    struct bw_job *job;

    options.skip_stalled_check = true;
    rig->redis.port = proxy_port(proxy);
    rig_add(rig, QUEUE, 1, NULL);
    held = hold(rig, options);
    job = next_job(held);
    add_child(job, ",\"delay\":3600000");
    proxy_swallow(proxy);
    assert_int_equal(bw_job_move_to_waiting_children(job, NULL, on_flag, &answer), BW_OK);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:" QUEUE ":waiting-children") == 1);
    assert_int_equal(atomic_load(&answer.count), 0);
    if (done_meanwhile)
        assert_int_equal(rig_int(rig, "DEL bull:" QUEUE ":1:dependencies"), 1);
    proxy_cut(proxy);
    wait_answer(&answer);
    assert_true(answer.yes);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    assert_int_equal(rig_stats(rig, QUEUE).locks_lost, 0);
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":waiting-children"), 1);
    let_go(held);
    proxy_stop(&proxy);
}

static void vanished_reply_is_asked_again(void **state)
{
    vanished_reply(*state, false);
}

static void vanished_reply_of_a_moved_job(void **state)
{
    vanished_reply(*state, true);
}

/* A call that never arrived is made when the connection is back. */
static void not_connected(void **state)
{
    struct rig *rig = *state;
    struct proxy *proxy = proxy_start(rig->server.port);
    struct answer answer = { 0 };
    struct held *held;
    struct bw_job *job;

    rig->redis.port = proxy_port(proxy);
    rig_add(rig, QUEUE, 1, NULL);
    held = hold(rig, rig_options(QUEUE, 1));
    job = next_job(held);
    add_child(job, ",\"delay\":3600000");
    proxy_cut(proxy);
    rig_wait(PATIENCE_MS, !bw_redis_is_ready(bw_job_redis(job)) ||
                              rig_worker_stats(rig).reconnects > 0);
    assert_int_equal(bw_job_move_to_waiting_children(job, NULL, on_flag, &answer), BW_OK);
    wait_answer(&answer);
    assert_true(answer.yes);
    let_go(held);
    proxy_stop(&proxy);
}

/* Nobody waits in vain when the worker ends while Redis says nothing. */
static void called_back_at_the_end(void **state)
{
    struct rig *rig = *state;
    struct proxy *proxy = proxy_start(rig->server.port);
    struct answer moved = { 0 }, extended = { 0 }, read = { 0 };
    struct bw_error err;
    struct held *held;
    struct bw_job *first, *second;

    rig->redis.port = proxy_port(proxy);
    rig_add(rig, QUEUE, 2, NULL);
    held = hold(rig, rig_options(QUEUE, 2));
    first = next_job(held);
    second = next_job(held);
    proxy_swallow(proxy);
    assert_int_equal(bw_job_move_to_waiting_children(first, NULL, on_flag, &moved),
                     BW_OK);
    assert_int_equal(bw_job_extend_lock(second, 1000, on_flag, &extended), BW_OK);
    assert_int_equal(bw_job_state(second, on_json, &read), BW_OK);
    bw_worker_drain(rig->worker, 0);
    (void)bw_worker_wait(rig->worker, &err);
    assert_int_equal(atomic_load(&moved.count), 1);
    assert_int_equal(atomic_load(&extended.count), 1);
    assert_int_equal(atomic_load(&read.count), 1);
    assert_false(moved.yes || extended.yes || read.yes);
    assert_int_not_equal(moved.code, BW_OK);
    assert_int_not_equal(extended.code, BW_OK);
    assert_int_not_equal(read.code, BW_OK);
    assert_int_equal(bw_job_move_to_waiting_children(first, NULL, on_flag, &moved),
                     BW_ECLOSED);
    assert_int_equal(bw_job_extend_lock(second, 1000, on_flag, &extended), BW_ECLOSED);
    assert_int_equal(bw_job_state(second, on_json, &read), BW_ECLOSED);
    bw_job_complete(first, NULL, 0); /* harmless */
    bw_job_complete(second, NULL, 0);
    bw_worker_destroy(&rig->worker);
    proxy_stop(&proxy);
    rig_keeper_fini(&held->keeper);
    free(held);
}

/* --- the lock, BMQ-105 */

static void extends_the_lock(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = rig_options(QUEUE, 1);
    struct answer answer = { 0 };
    struct held *held;
    struct bw_job *job;

    options.lock_duration = 10000;
    options.skip_lock_renewal = true;
    options.skip_stalled_check = true;
    held = hold(rig, options);
    rig_add(rig, QUEUE, 1, NULL);
    job = next_job(held);
    assert_int_equal(bw_job_extend_lock(job, 0, on_flag, &answer), BW_EINVAL);
    assert_int_equal(bw_job_extend_lock(job, 60000, on_flag, &answer), BW_OK);
    wait_answer(&answer);
    assert_true(answer.yes);
    assert_in_range(rig_int(rig, "PTTL bull:" QUEUE ":1:lock"), 50000, 60000);
    assert_int_equal(bw_job_extend_lock(job, 1, on_flag, &answer), BW_OK);
    wait_answer(&answer);
    rig_wait(PATIENCE_MS, !bw_job_lock_held(job)); /* known without asking */
    rig_wait(PATIENCE_MS, rig_int(rig, "EXISTS bull:" QUEUE ":1:lock") == 0);
    assert_int_equal(bw_job_extend_lock(job, 1000, on_flag, &answer), BW_OK);
    wait_answer(&answer);
    assert_false(answer.yes);
    assert_int_equal(answer.code, BW_OK);
    bw_job_complete(job, NULL, 0);
    rig_wait(PATIENCE_MS, rig_stats(rig, QUEUE).in_flight == 0);
    let_go(held);
}

/* --- the program has moved it itself */

static void moved_by_the_program(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options(QUEUE, 1));
    struct bw_job *job;

    rig_add(rig, QUEUE, 2, NULL);
    job = next_job(held);
    (void)rig_int(rig, "ZADD bull:" QUEUE ":delayed 8601600000000000 1");
    (void)rig_int(rig, "LREM bull:" QUEUE ":active 1 1");
    (void)rig_int(rig, "DEL bull:" QUEUE ":1:lock");
    bw_job_moved(job);
    job = next_job(held); /* in its slot */
    assert_string_equal(bw_job_id(job), "2");
    bw_job_complete(job, NULL, 0);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    rig_expect(rig, NULL, "HGET bull:" QUEUE ":1 finishedOn");
    rig_expect(rig, NULL, "HGET bull:" QUEUE ":1 atm");
    assert_int_equal(rig_int(rig, "ZCARD bull:" QUEUE ":delayed"), 1);
    let_go(held);
}

/* --- trees */

static void adds_a_flow(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options(QUEUE, 1));
    struct answer answer = { 0 };
    struct bw_error err;
    struct bw_job *job;
    struct bw_flow_node leaves[] = {
        { .add = { .queue = QUEUE,
                   .name = "leaf1",
                   .data = "\"\\u00e9/\"",
                   .data_len = 9 } },
        { .add = { .queue = QUEUE, .name = "leaf2" } },
    };
    struct bw_flow_node root = { .add = { .queue = "other",
                                          .name = "root",
                                          .opts = "{\"jobId\":\"R\"}",
                                          .opts_len = 13 },
                                 .children = leaves,
                                 .child_count = 2 };

    rig_add(rig, QUEUE, 1, NULL);
    job = next_job(held);
    assert_int_equal(
        bw_flow_add(bw_job_redis(job), &root, NULL, CALL_MS, on_ids, &answer, &err),
        BW_OK);
    wait_answer(&answer);
    assert_int_equal(answer.code, BW_OK);
    assert_memory_equal(answer.text, "R ", 2);
    assert_int_equal(strlen(answer.text), 2 + 36 + 1 + 36);
    assert_int_equal(rig_int(rig, "SCARD bull:other:R:dependencies"), 2);
    rig_expect(rig, "R", "ZRANGE bull:other:waiting-children 0 -1");
    assert_int_equal(bw_flow_dependency_counts(bw_job_redis(job), NULL, "other", "R",
                                               CALL_MS, on_json, &answer),
                     BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text,
                        "{\"processed\":0,\"unprocessed\":2,\"ignored\":0,\"failed\":0}");
    bw_job_complete(job, NULL, 0);
    job = next_job(held);
    assert_string_equal(bw_job_name(job), "leaf1");
    assert_string_equal(bw_job_data(job, NULL), "\"\\u00e9/\"");
    bw_job_complete(job, "\"text\"", 6);
    job = next_job(held);
    bw_job_complete(job, NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "LLEN bull:other:wait") == 1);
    let_go(held);
}

static void refused_flows(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options(QUEUE, 1));
    struct answer answer = { 0 };
    struct bw_error err;
    struct bw_job *job;
    struct bw_flow_node leaf = { .add = { .queue = QUEUE, .name = "leaf" } };
    struct bw_flow_node root = { .add = { .queue = QUEUE, .name = "root" },
                                 .children = &leaf,
                                 .child_count = 1 };
    const char *const refused[] = { "{\"priority\":1.5}",
                                    "{\"deduplication\":{\"id\":\"d\"}}", "{", "[]",
                                    "{\"jobId\":\"7\"}" };

    rig_add(rig, QUEUE, 1, NULL);
    job = next_job(held);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        leaf.add.opts = refused[i];
        leaf.add.opts_len = strlen(refused[i]);
        assert_int_equal(
            bw_flow_add(bw_job_redis(job), &root, NULL, CALL_MS, on_ids, &answer, &err),
            BW_EINVAL);
        assert_non_null(strstr(err.text, "node 1 (leaf)"));
    }
    leaf.add.opts = NULL;
    leaf.add.queue = "a:b"; /* BMQ-002 */
    assert_int_equal(
        bw_flow_add(bw_job_redis(job), &root, NULL, CALL_MS, on_ids, &answer, &err),
        BW_EINVAL);
    leaf.add.queue = QUEUE;
    root.add.opts = "{\"parent\":{\"id\":\"none\",\"queue\":\"bull:q\"}}";
    root.add.opts_len = strlen(root.add.opts);
    assert_int_equal(
        bw_flow_add(bw_job_redis(job), &root, NULL, CALL_MS, on_ids, &answer, &err),
        BW_OK);
    wait_answer(&answer);
    assert_int_equal(answer.code, BW_EJOB_PARENT_MISSING); /* BMQ-023 */
    bw_job_complete(job, NULL, 0);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    rig_expect(rig, "1", "GET bull:" QUEUE ":id");
    let_go(held);
}

/* BMQ-034 */
static void adds_in_bulk(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options("other", 1));
    struct bw_redis *redis;
    struct answer answer = { 0 };
    struct bw_error err;
    struct bw_add adds[251];
    struct bw_job *job;

    rig_add(rig, "other", 1, NULL);
    job = next_job(held);
    redis = bw_job_redis(job);
    for (int i = 0; i < 251; i++)
        adds[i] = (struct bw_add){ .queue = i < 250 ? QUEUE : "third", .name = "n" };
    adds[3].opts = "{\"parent\":{\"id\":\"none\",\"queue\":\"bull:q\"}}";
    adds[3].opts_len = strlen(adds[3].opts);
    assert_int_equal(
        bw_queue_add_bulk(redis, adds, 251, NULL, CALL_MS, on_ids, &answer, &err), BW_OK);
    wait_answer(&answer);
    assert_int_equal(answer.code, BW_EJOB_PARENT_MISSING);
    assert_memory_equal(answer.text, "1 2 3 - 4 5 ", 12);
    assert_int_equal(rig_int(rig, "LLEN bull:" QUEUE ":wait"), 249);
    assert_int_equal(rig_int(rig, "LLEN bull:third:wait"), 1);
    rig_expect(rig, "249\n248", "LRANGE bull:" QUEUE ":wait 0 1");
    adds[2].opts = "{\"backoff\":{\"jitter\":7}}";
    adds[2].opts_len = strlen(adds[2].opts);
    assert_int_equal(
        bw_queue_add_bulk(redis, adds, 251, NULL, CALL_MS, on_ids, &answer, &err),
        BW_EINVAL);
    assert_non_null(strstr(err.text, "job 2"));
    assert_int_equal(
        bw_queue_add_bulk(redis, adds, 0, NULL, CALL_MS, on_ids, &answer, &err),
        BW_EINVAL);
    bw_job_complete(job, NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:other:completed") == 1);
    let_go(held);
}

static void gets_a_flow(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options("other", 1));
    struct answer answer = { 0 };
    struct bw_error err;
    struct bw_job *job;
    struct bw_flow_node leaf = { .add = { .queue = QUEUE,
                                          .name = "l",
                                          .opts = "{\"jobId\":\"l\"}",
                                          .opts_len = 13 } };
    struct bw_flow_node mids[] = {
        { .add = { .queue = QUEUE,
                   .name = "m",
                   .opts = "{\"jobId\":\"m\"}",
                   .opts_len = 13 },
          .children = &leaf,
          .child_count = 1 },
    };
    struct bw_flow_node root = { .add = { .queue = QUEUE,
                                          .name = "r",
                                          .opts = "{\"jobId\":\"r\"}",
                                          .opts_len = 13 },
                                 .children = mids,
                                 .child_count = 1 };
    struct bw_flow_query query = { .queue = QUEUE, .id = "r" };

    rig_add(rig, "other", 1, NULL);
    job = next_job(held);
    assert_int_equal(
        bw_flow_add(bw_job_redis(job), &root, NULL, CALL_MS, on_ids, &answer, &err),
        BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text, "r m l");
    (void)rig_int(rig, "HSET bull:" QUEUE ":r timestamp 7 failedReason %s", "no \"way\"");
    (void)rig_int(rig, "HSET bull:" QUEUE ":m:processed bull:" QUEUE ":gone 1 bull:" QUEUE
                       ":m 2");
    (void)rig_int(rig,
                  "HDEL bull:" QUEUE ":m name data opts delay priority parent parentKey");
    (void)rig_int(rig,
                  "HDEL bull:" QUEUE ":l name data opts delay priority parent parentKey");
    (void)rig_int(rig, "HSET bull:" QUEUE ":m timestamp 8");
    (void)rig_int(rig, "HSET bull:" QUEUE ":l timestamp 9");
    assert_int_equal(bw_flow_get(bw_job_redis(job), &query, CALL_MS, on_json, &answer),
                     BW_OK);
    wait_answer(&answer);
    assert_string_equal(
        answer.text,
        "{\"key\":\"bull:q:r\",\"job\":{\"name\":\"r\",\"data\":{},\"opts\":{\"jobId\":"
        "\"r\","
        "\"attempts\":0},\"timestamp\":7,\"delay\":0,\"priority\":0,"
        "\"failedReason\":\"no \\\"way\\\"\"},\"children\":["
        "{\"key\":\"bull:q:m\",\"job\":{\"timestamp\":8},\"children\":["
        "{\"key\":\"bull:q:l\",\"job\":{\"timestamp\":9},\"children\":[]}]}]}");
    query.depth = 1;
    assert_int_equal(bw_flow_get(bw_job_redis(job), &query, CALL_MS, on_json, &answer),
                     BW_OK);
    wait_answer(&answer);
    assert_null(strstr(answer.text, "bull:q:m"));
    query.id = "none";
    assert_int_equal(bw_flow_get(bw_job_redis(job), &query, CALL_MS, on_json, &answer),
                     BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text, "null");
    bw_job_complete(job, NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:other:completed") == 1);
    let_go(held);
}

/* What is in the hashes comes as it is, or as text. lib/spec/bullmq.md §8.7 */
static void reads_children(void **state)
{
    struct rig *rig = *state;
    struct held *held = hold(rig, rig_options(QUEUE, 1));
    struct answer answer = { 0 };
    struct bw_job *job;

    rig_add(rig, QUEUE, 1, NULL);
    job = next_job(held);
    assert_int_equal(bw_job_children_values(job, on_json, &answer), BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text, "{}");
    (void)rig_int(rig, "HSET bull:" QUEUE ":1:processed k %s",
                  "{\"a\": 9007199254740993}");
    (void)rig_int(rig, "HSET bull:" QUEUE ":1:failed f %s", "say \"no\"\xff");
    (void)rig_int(rig, "SADD bull:" QUEUE ":1:dependencies d");
    (void)rig_int(rig, "ZADD bull:" QUEUE ":1:unsuccessful 1 u");
    assert_int_equal(bw_job_children_values(job, on_json, &answer), BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text, "{\"k\":{\"a\": 9007199254740993}}");
    assert_int_equal(bw_job_ignored_failures(job, on_json, &answer), BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text, "{\"f\":\"say \\\"no\\\"\xef\xbf\xbd\"}");
    assert_int_equal(bw_job_dependency_counts(job, on_json, &answer), BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text,
                        "{\"processed\":1,\"unprocessed\":1,\"ignored\":1,\"failed\":1}");
    assert_int_equal(bw_flow_dependencies(bw_job_redis(job), NULL, QUEUE, "1", CALL_MS,
                                          on_json, &answer),
                     BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text, "{\"processed\":{\"k\":{\"a\": 9007199254740993}},"
                                     "\"unprocessed\":[\"d\"],"
                                     "\"ignored\":{\"f\":\"say \\\"no\\\"\xef\xbf\xbd\"},"
                                     "\"failed\":[\"u\"]}");
    (void)rig_int(rig, "HSET bull:" QUEUE ":1:processed k oops");
    assert_int_equal(bw_job_children_values(job, on_json, &answer), BW_OK);
    wait_answer(&answer);
    assert_string_equal(answer.text, "{\"k\":\"oops\"}");
    assert_int_equal(bw_job_state(job, on_json, &answer), BW_OK); /* BMQ-124 */
    wait_answer(&answer);
    assert_string_equal(answer.text, "\"active\"");
    (void)rig_int(rig, "DEL bull:" QUEUE ":1:dependencies bull:" QUEUE ":1:unsuccessful");
    bw_job_complete(job, NULL, 0);
    rig_wait(PATIENCE_MS, completed_count(rig) == 1);
    let_go(held);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(waits_for_children),
        TEST(waits_for_one_child),
        TEST(refused_by_a_failed_child),
        TEST(refusal_passed_on),
        TEST(refused_without_the_lock),
        TEST(vanished_reply_is_asked_again),
        TEST(vanished_reply_of_a_moved_job),
        TEST(not_connected),
        TEST(called_back_at_the_end),
        TEST(extends_the_lock),
        TEST(moved_by_the_program),
        TEST(adds_a_flow),
        TEST(refused_flows),
        TEST(adds_in_bulk),
        TEST(gets_a_flow),
        TEST(reads_children),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
