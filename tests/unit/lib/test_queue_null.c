/* What is left out of a call, though it is needed, is refused: nothing crashes, and no
 * callback is called. Answers for the first lines of lib/queue's public functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bulwark/bulwark.h>

#define SECOND 1000

/* Never looked at: each call is refused before. */
static char somewhere;
#define REDIS ((struct bw_redis *)(void *)&somewhere)

static void on_reply(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    (void)reply;
    (void)err;
    (void)arg;
    fail();
}

static void on_number(int64_t number, const struct bw_error *err, void *arg)
{
    (void)number;
    on_reply(NULL, err, arg);
}

static void on_json(const char *json, size_t len, const struct bw_error *err, void *arg)
{
    (void)json;
    (void)len;
    on_reply(NULL, err, arg);
}

static void on_id(const char *id, const struct bw_error *err, void *arg)
{
    (void)id;
    on_reply(NULL, err, arg);
}

static void on_ids(const char *const *ids, size_t count, const struct bw_error *err,
                   void *arg)
{
    (void)ids;
    (void)count;
    on_reply(NULL, err, arg);
}

#define refused(call) assert_int_equal(call, BW_EINVAL)

static void test_admin(void **state)
{
    const struct bw_queue_at at = { .redis = REDIS, .queue = "q", .timeout_ms = SECOND };
    const struct bw_queue_at nowhere = { .queue = "q", .timeout_ms = SECOND };
    const struct bw_queue_at unnamed = { .redis = REDIS, .timeout_ms = SECOND };
    const struct bw_queue_at *const wrong[] = { NULL, &nowhere, &unnamed };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refused(bw_admin_remove(wrong[i], "1", false, on_number, NULL));
        refused(bw_admin_drain(wrong[i], false, on_number, NULL));
        refused(bw_admin_clean(wrong[i], "wait", 0, 0, on_json, NULL));
        refused(bw_admin_obliterate(wrong[i], 0, false, on_number, NULL));
        refused(bw_admin_retry_jobs(wrong[i], "failed", 0, 0, on_number, NULL));
        refused(bw_admin_promote_jobs(wrong[i], 0, on_number, NULL));
        refused(bw_admin_counts(wrong[i], NULL, on_json, NULL));
        refused(bw_admin_job_ids(wrong[i], "wait", 0, -1, false, on_json, NULL));
        refused(bw_admin_counts_per_priority(wrong[i], NULL, 0, on_json, NULL));
        refused(bw_admin_limit_ttl(wrong[i], -1, on_number, NULL));
        refused(bw_admin_metrics(wrong[i], "failed", 0, -1, on_json, NULL));
        refused(bw_admin_prometheus(wrong[i], NULL, on_json, NULL));
        refused(bw_admin_set_concurrency(wrong[i], 1, on_number, NULL));
        refused(bw_admin_set_rate_limit(wrong[i], 1, 1, on_number, NULL));
    }
    refused(bw_admin_remove(&at, NULL, false, on_number, NULL));
    refused(bw_admin_remove_children(&at, NULL, on_number, NULL));
    refused(bw_admin_change_delay(&at, NULL, 1, on_number, NULL));
    refused(bw_admin_change_priority(&at, NULL, 1, false, on_number, NULL));
    refused(bw_admin_promote(&at, NULL, on_number, NULL));
    refused(bw_admin_reprocess(&at, NULL, "failed", false, false, on_number, NULL));
    refused(bw_admin_reprocess(&at, "1", NULL, false, false, on_number, NULL));
    refused(bw_admin_clean(&at, NULL, 0, 0, on_json, NULL));
    refused(bw_admin_retry_jobs(&at, NULL, 0, 0, on_number, NULL));
    refused(bw_admin_job_ids(&at, NULL, 0, -1, false, on_json, NULL));
    refused(bw_admin_counts_per_priority(&at, NULL, 2, on_json, NULL));
    refused(bw_admin_metrics(&at, NULL, 0, -1, on_json, NULL));
    refused(bw_admin_drain(&at, false, NULL, NULL));
    refused(bw_admin_counts(&at, NULL, NULL, NULL));
}

static void test_producer(void **state)
{
    const struct bw_add add = { .queue = "q", .name = "n" };
    const struct bw_add unnamed = { .queue = "q" };
    const struct bw_add nowhere = { .name = "n" };
    const struct bw_flow_node childless = { .add = add, .child_count = 2 };
    const struct bw_flow_node flow = { .add = add };
    struct bw_error err;

    (void)state;
    refused(bw_queue_add(NULL, &add, NULL, SECOND, on_id, NULL, &err));
    refused(bw_queue_add(REDIS, NULL, NULL, SECOND, on_id, NULL, &err));
    refused(bw_queue_add(REDIS, &add, NULL, SECOND, NULL, NULL, &err));
    refused(bw_queue_add(REDIS, &nowhere, NULL, SECOND, on_id, NULL, NULL));
    refused(bw_queue_add(REDIS, &unnamed, NULL, SECOND, on_id, NULL, &err));
    assert_string_equal(err.text, "name: must be given");
    refused(bw_queue_add_bulk(REDIS, NULL, 1, NULL, SECOND, on_ids, NULL, &err));
    refused(bw_queue_add_bulk(NULL, &add, 1, NULL, SECOND, on_ids, NULL, &err));
    refused(bw_queue_add_bulk(REDIS, &add, 1, NULL, SECOND, NULL, NULL, &err));
    refused(bw_queue_add_bulk(REDIS, &unnamed, 1, NULL, SECOND, on_ids, NULL, &err));
    refused(bw_queue_pause(REDIS, NULL, NULL, SECOND, on_reply, NULL));
    refused(bw_queue_pause(NULL, NULL, "q", SECOND, on_reply, NULL));
    refused(bw_queue_pause(REDIS, NULL, "q", SECOND, NULL, NULL));
    refused(bw_queue_resume(REDIS, NULL, NULL, SECOND, on_reply, NULL));
    refused(bw_queue_resume(NULL, NULL, "q", SECOND, on_reply, NULL));
    refused(bw_queue_resume(REDIS, NULL, "q", SECOND, NULL, NULL));
    refused(bw_flow_add(REDIS, NULL, NULL, SECOND, on_ids, NULL, &err));
    refused(bw_flow_add(NULL, &flow, NULL, SECOND, on_ids, NULL, &err));
    refused(bw_flow_add(REDIS, &flow, NULL, SECOND, NULL, NULL, &err));
    refused(bw_flow_add(REDIS, &childless, NULL, SECOND, on_ids, NULL, &err));
    assert_string_equal(err.text, "flow: children: NULL");
}

static void test_reading(void **state)
{
    const struct bw_flow_query query = { .queue = "q", .id = "1" },
                               idless = { .queue = "q" };

    (void)state;
    refused(bw_flow_children_values(REDIS, NULL, "q", NULL, SECOND, on_json, NULL));
    refused(bw_flow_children_values(REDIS, NULL, "q", "1", SECOND, NULL, NULL));
    refused(bw_flow_children_values(NULL, NULL, "q", "1", SECOND, on_json, NULL));
    refused(bw_flow_ignored_failures(REDIS, NULL, "q", NULL, SECOND, on_json, NULL));
    refused(bw_flow_dependency_counts(REDIS, NULL, NULL, "1", SECOND, on_json, NULL));
    refused(bw_flow_dependencies(REDIS, NULL, "q", NULL, SECOND, on_json, NULL));
    refused(bw_flow_state(REDIS, NULL, "q", NULL, SECOND, on_json, NULL));
    refused(bw_flow_get(REDIS, NULL, SECOND, on_json, NULL));
    refused(bw_flow_get(REDIS, &idless, SECOND, on_json, NULL));
    refused(bw_flow_get(REDIS, &query, SECOND, NULL, NULL));
    refused(bw_flow_get(NULL, &query, SECOND, on_json, NULL));
}

static void test_schedulers(void **state)
{
    const struct bw_scheduler scheduler = { .queue = "q", .id = "s", .every = 1000 };
    const struct bw_scheduler idless = { .queue = "q", .every = 1000 };
    const struct bw_scheduler nowhere = { .id = "s", .every = 1000 };
    struct bw_error err;

    (void)state;
    refused(bw_scheduler_upsert(REDIS, NULL, NULL, SECOND, on_id, NULL, &err));
    refused(bw_scheduler_upsert(NULL, &scheduler, NULL, SECOND, on_id, NULL, &err));
    refused(bw_scheduler_upsert(REDIS, &scheduler, NULL, SECOND, NULL, NULL, &err));
    refused(bw_scheduler_upsert(REDIS, &idless, NULL, SECOND, on_id, NULL, &err));
    refused(bw_scheduler_upsert(REDIS, &nowhere, NULL, SECOND, on_id, NULL, &err));
    refused(bw_scheduler_remove(REDIS, NULL, "q", NULL, SECOND, on_reply, NULL));
    refused(bw_scheduler_remove(NULL, NULL, "q", "s", SECOND, on_reply, NULL));
    refused(bw_scheduler_get(REDIS, NULL, "q", NULL, SECOND, on_json, NULL));
    refused(bw_scheduler_get(REDIS, NULL, "q", "s", SECOND, NULL, NULL));
    refused(bw_scheduler_list(REDIS, NULL, NULL, 0, -1, false, SECOND, on_json, NULL));
    refused(bw_scheduler_count(REDIS, NULL, NULL, SECOND, on_reply, NULL));
    refused(bw_scheduler_count(NULL, NULL, "q", SECOND, on_reply, NULL));
}

/* A poison pill for every worker. */
static void test_not_json(void **state)
{
    static const struct {
        const char *data, *error;
    } cases[] = {
        { "{\"a\":1", "data: not JSON, byte 7" }, { "", "data: not JSON, byte 1" },
        { "{'a':1}", "data: not JSON, byte 2" },  { "nope", "data: not JSON, byte 1" },
        { "{} {}", "data: not JSON, byte 4" },    { "[1,]", "data: not JSON, byte 4" },
    };
    struct bw_add adds[2] = { { .queue = "q", .name = "n" },
                              { .queue = "q", .name = "n" } };
    struct bw_scheduler scheduler = { .queue = "q", .id = "s", .every = 1000 };
    struct bw_flow_node flow = { .children = &(struct bw_flow_node){ .add = adds[0] },
                                 .child_count = 1 };
    struct bw_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        adds[1].data = scheduler.data = cases[i].data;
        adds[1].data_len = scheduler.data_len = strlen(cases[i].data);
        refused(bw_queue_add(REDIS, &adds[1], NULL, SECOND, on_id, NULL, &err));
        assert_string_equal(err.text, cases[i].error);
        refused(bw_queue_add_bulk(REDIS, adds, 2, NULL, SECOND, on_ids, NULL, &err));
        assert_non_null(strstr(err.text, cases[i].error));
        refused(bw_scheduler_upsert(REDIS, &scheduler, NULL, SECOND, on_id, NULL, &err));
        flow.add = adds[1];
        refused(bw_flow_add(REDIS, &flow, NULL, SECOND, on_ids, NULL, &err));
        assert_non_null(strstr(err.text, cases[i].error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_admin),    cmocka_unit_test(test_producer),
        cmocka_unit_test(test_reading),  cmocka_unit_test(test_schedulers),
        cmocka_unit_test(test_not_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
