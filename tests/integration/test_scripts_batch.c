/* A batch leaves behind what its items leave one after the other. Answers for
 * lua/settle.lua.
 *
 * The same jobs are ended twice, from the same state: in calls of one item each and in
 * one call. All keys must then be equal, lists, sorted sets and events in their order. */
#include "integration/script_rig.h"

#include <stdio.h>

enum { JOBS_MAX = 12, ROUNDS = 300 };

/* One round's plan; texts that the items borrow live here. */
struct plan {
    unsigned seed;
    int jobs, waiting;
    unsigned take;
    bool with_delays, with_keep;
    char ids[JOBS_MAX][16], tokens[JOBS_MAX][24];
    struct bw_settle_item items[JOBS_MAX];
    size_t count;
};

static unsigned draw(struct plan *plan, unsigned below)
{
    plan->seed = plan->seed * 1103515245u + 12345u;
    return (plan->seed >> 16) % below;
}

/* --- the state that both runs start from */

static void add_job(struct rig *r, struct plan *plan)
{
    char opts[512] = "{}";
    static const char *const flags[] = { "", ",\"failParentOnFailure\":true",
                                         ",\"continueParentOnFailure\":true",
                                         ",\"ignoreDependencyOnFailure\":true",
                                         ",\"removeDependencyOnFailure\":true" };

    switch (draw(plan, 6)) {
    case 0:
        (void)snprintf(opts, sizeof(opts), "{\"priority\":%u}", 1 + draw(plan, 3));
        break;
    case 1:
        (void)snprintf(opts, sizeof(opts), "{\"deduplication\":{\"id\":\"d%u\"}}",
                       draw(plan, 2));
        break;
    case 2:
        (void)snprintf(
            opts, sizeof(opts), "{\"parent\":{\"id\":\"p%u\",\"queue\":\"bull:%s\"}%s}",
            draw(plan, 2), draw(plan, 2) == 0 ? "q" : "par", flags[draw(plan, 5)]);
        break;
    default:
        break;
    }
    rig_add(r, "n", NULL, opts);
}

static void prepare(struct rig *r, struct plan *plan)
{
    struct bw_take take = rig_take((unsigned)plan->jobs);

    rig_want(r, "FLUSHALL", "OK");
    for (int i = 0; i < 2; i++) {
        static const char *const queues[] = { "q", "par" };

        for (size_t q = 0; q < 2; q++) {
            (void)rig_do(r, "HSET bull:%s:p%d name p delay %u priority %u", queues[q], i,
                         draw(plan, 3) == 0 ? 700 : 0, draw(plan, 2));
            (void)rig_do(r, "ZADD bull:%s:waiting-children 1 p%d", queues[q], i);
        }
    }
    for (int i = 0; i < 4; i++) {
        (void)rig_do(r, "HSET @o%d name o", i);
        (void)rig_do(r, "ZADD @completed %d o%d", i, i);
    }
    for (int i = 0; i < plan->jobs; i++)
        add_job(r, plan);
    rig_settle(r, NULL, 0, &take);
    if (draw(plan, 3) == 0)
        (void)rig_do(r, "HSET @meta concurrency %d", plan->jobs + 1);
    for (int i = 0; i < plan->waiting; i++)
        add_job(r, plan);
    (void)rig_do(r, "DEL @marker");
}

/* --- the items */

static struct bw_settle_item draw_item(struct plan *plan, const char *id,
                                       const char *token)
{
    struct bw_settle_item item;

    switch (draw(plan, plan->with_delays ? 8 : 6)) {
    case 0:
        item = failed(id, token, "no", draw(plan, 3));
        break;
    case 1:
        item = retried(id, token, "again");
        item.lifo = draw(plan, 2) == 0;
        break;
    case 2:
        item = put_back(id, token);
        break;
    case 6:
    case 7:
        item = delayed(id, token, draw(plan, 3) * 10, draw(plan, 2) == 0);
        break;
    default:
        item = completed(id, token, "{\"ok\":true}");
        break;
    }
    if (plan->with_keep && item.kind == BW_SETTLE_COMPLETED)
        item.keep = (struct bw_keep){ true, 3, -1, -1 };
    return item;
}

/* One in eight is none of ours: a wrong token, an unknown id, the same job again. */
static void spoil(struct plan *plan, size_t i)
{
    switch (draw(plan, 24)) {
    case 0:
        (void)strcpy(plan->tokens[i], "wrong");
        break;
    case 1:
        (void)strcpy(plan->ids[i], "unknown");
        break;
    case 2:
        /* Retention may have removed the job by then, which shows one by one only. */
        if (i > 0 && !plan->with_keep) {
            (void)strcpy(plan->ids[i], plan->ids[i - 1]);
            (void)strcpy(plan->tokens[i], plan->tokens[i - 1]);
        }
        break;
    default:
        break;
    }
}

static void draw_items(struct rig *r, struct plan *plan)
{
    size_t taken;
    bool oldest_first = draw(plan, 3) != 0;

    const struct bw_reply *active = rig_do(r, "LRANGE @active 0 -1");

    taken = bw_reply_count(active);
    plan->count = 0;
    for (size_t i = 0; i < taken; i++) {
        /* In the order they were taken, or from the newest on; with gaps. */
        size_t at = oldest_first ? taken - 1 - i : i;

        if (draw(plan, 5) == 0)
            continue;
        (void)snprintf(plan->ids[plan->count], sizeof(plan->ids[0]), "%s",
                       bw_reply_text(bw_reply_at(active, at), NULL));
        plan->count++;
    }
    for (size_t i = 0; i < plan->count; i++) {
        const struct bw_reply *lock = rig_do(r, "GET @%s:lock", plan->ids[i]);

        (void)snprintf(plan->tokens[i], sizeof(plan->tokens[0]), "%s",
                       bw_reply_text(lock, NULL));
    }
    for (size_t i = 0; i < plan->count; i++)
        spoil(plan, i);
    for (size_t i = 0; i < plan->count; i++)
        plan->items[i] = draw_item(plan, plan->ids[i], plan->tokens[i]);
}

/* --- the two runs */

static void append_codes(struct rig *r, struct bw_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bw_buf_addf(out, "%d ", bw_settle_code(&r->settled, i, NULL)),
                         BW_OK);
}

static char *finish_run(struct rig *r, struct bw_buf *out)
{
    char *dump = rig_dump(r);

    assert_int_equal(bw_buf_add_str(out, "\n"), BW_OK);
    assert_int_equal(bw_buf_add_str(out, dump), BW_OK);
    free(dump);
    return bw_buf_take(out);
}

static char *run_one_by_one(struct rig *r, struct plan *plan)
{
    struct bw_buf out = BW_BUF_INIT;

    for (size_t i = 0; i < plan->count; i++) {
        struct bw_take take = rig_take(1);
        bool last = i + 1 == plan->count && plan->take > 0;

        take.first_token = 100;
        rig_settle(r, &plan->items[i], 1, last ? &take : NULL);
        append_codes(r, &out, 1);
    }
    for (unsigned i = plan->count > 0 ? 1 : 0; i < plan->take; i++) {
        struct bw_take take = rig_take(1);

        take.first_token = 100 + i;
        rig_settle(r, NULL, 0, &take);
    }
    return finish_run(r, &out);
}

static char *run_at_once(struct rig *r, struct plan *plan)
{
    struct bw_take take = rig_take(plan->take);
    struct bw_buf out = BW_BUF_INIT;

    take.first_token = 100;
    rig_settle(r, plan->items, plan->count, &take);
    append_codes(r, &out, plan->count);
    return finish_run(r, &out);
}

static void compare_round(struct rig *r, unsigned seed)
{
    struct plan plan = { .seed = seed };
    char *dumps[2];

    plan.jobs = 1 + (int)draw(&plan, JOBS_MAX);
    plan.waiting = (int)draw(&plan, 6);
    /* A delayed job that gets another in exchange leaves the marker alone
     * (lib/spec/bullmq.md §5.7): which of several does is a matter of order, so rounds
     * with delays take nothing. */
    plan.with_delays = draw(&plan, 2) == 0;
    plan.take = plan.with_delays ? 0 : draw(&plan, 5);
    plan.with_keep = draw(&plan, 3) == 0;
    unsigned start = plan.seed;

    for (int batch = 0; batch < 2; batch++) {
        plan.seed = start;
        r->now = NOW;
        prepare(r, &plan);
        draw_items(r, &plan);
        r->now = NOW + 50;
        dumps[batch] = batch ? run_at_once(r, &plan) : run_one_by_one(r, &plan);
    }
    if (strcmp(dumps[0], dumps[1]) != 0) {
        for (size_t i = 0; i < plan.count; i++)
            (void)fprintf(stderr, "%s %s kind %d\n", plan.ids[i], plan.tokens[i],
                          plan.items[i].kind);
        (void)fprintf(stderr, "--- one by one\n%s\n--- at once\n%s", dumps[0], dumps[1]);
        fail_msg("seed %u", seed);
    }
    free(dumps[0]);
    free(dumps[1]);
}

static void test_batch_equals_sequence(void **state)
{
    for (unsigned seed = 1; seed <= ROUNDS; seed++)
        compare_round(*state, seed);
}

/* More items than the script checks at a time, and more jobs than it takes at a time. */
static void test_large_batch(void **state)
{
    enum { COUNT = 1200 };
    struct rig *r = *state;
    struct bw_settle_item *items = calloc(COUNT, sizeof(*items));
    char(*texts)[2][16] = calloc(COUNT, sizeof(*texts));
    struct bw_take take = rig_take(COUNT);

    assert_true(items != NULL && texts != NULL);
    (void)rig_do(
        r, "EVAL 'for i = 1, 2400 do redis.call(\"HSET\", KEYS[1] .. i, \"name\", \"n\") "
           "redis.call(\"LPUSH\", KEYS[1] .. \"wait\", i) end return 1' 1 @");
    rig_settle(r, NULL, 0, &take);
    assert_int_equal(r->settled.job_count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(texts[i][0], sizeof(texts[i][0]), "%zu", i + 1);
        (void)snprintf(texts[i][1], sizeof(texts[i][1]), i == 700 ? "wrong%zu" : "t%zu",
                       i);
        items[i] = completed(texts[i][0], texts[i][1], "1");
    }
    take.first_token = COUNT;
    rig_settle(r, items, COUNT, &take);
    assert_int_equal(r->settled.job_count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(bw_settle_code(&r->settled, i, NULL),
                         i == 700 ? BW_EJOB_LOCKED : BW_OK);
    rig_want(r, "ZCARD @completed", "1199");
    rig_want(r, "LRANGE @active -2 -1", "1201 701");
    rig_want(r, "LLEN @active", "1201");
    rig_want(r, "GET @2400:lock", "t2399");
    free(items);
    free(texts);
}

/* --- an unexpected reply is refused, not believed */

static void test_decode(void **state)
{
    struct bw_reply numbers[8] = { 0 }, one[1] = { 0 };
    struct bw_reply reply = { .kind = BW_REPLY_ARRAY };
    struct bw_settle_reply settled;
    struct bw_error err;

    (void)state;
    assert_int_equal(bw_settle_decode(&settled, NULL, 0, &err), BW_EPROTO);
    reply.elements.list = numbers;
    reply.elements.count = 8;
    for (size_t i = 0; i < 8; i++)
        numbers[i].kind = BW_REPLY_INTEGER;
    assert_int_equal(bw_settle_decode(&settled, &reply, 0, &err), BW_EPROTO);
    numbers[0].kind = numbers[1].kind = BW_REPLY_ARRAY;
    numbers[0].elements.list = numbers[1].elements.list = one;
    assert_int_equal(bw_settle_decode(&settled, &reply, 0, &err), BW_OK);
    assert_int_equal(bw_settle_decode(&settled, &reply, 1, &err), BW_EPROTO);
    reply.elements.count = 7;
    assert_int_equal(bw_settle_decode(&settled, &reply, 0, &err), BW_EPROTO);
    assert_int_equal(bw_script_code(-12), BW_EPROTO);
    assert_int_equal(bw_script_code(-11), BW_EJOB_NO_SLOT);
    assert_int_equal(bw_script_code(3), BW_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_batch_equals_sequence),
        RIG_TEST(test_large_batch),
        RIG_TEST(test_decode),
    };

    return cmocka_run_group_tests(tests, rig_open, rig_close);
}
