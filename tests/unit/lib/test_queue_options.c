/* A job's options as state transitions read them, and backoff. Answers for
 * lib/queue/options.c and backoff.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "queue/options.h"

static struct bw_job_opts parse(const char *json)
{
    struct bw_job_opts opts;

    assert_int_equal(bw_job_opts_parse(&opts, json, json != NULL ? strlen(json) : 0),
                     BW_OK);
    return opts;
}

static void want_defaults(const char *json)
{
    struct bw_job_opts opts = parse(json);

    assert_int_equal(opts.attempts, 0);
    assert_int_equal(opts.backoff, BW_BACKOFF_NONE);
    assert_false(opts.lifo);
    assert_int_equal(opts.stack_trace_limit, -1);
    assert_int_equal(opts.keep_logs, 0);
    assert_false(opts.remove_on_complete.set);
    assert_false(opts.remove_on_fail.set);
}

/* Appendix C, BMQ-012 */
static void test_lenient(void **state)
{
    static const char *const texts[] = {
        NULL,
        "",
        "{}",
        "{\"attempts\":0}",
        "[]",
        "null",
        "{",
        "{\"attempts\":\"3\",\"backoff\":true,\"lifo\":0,\"stackTraceLimit\":\"x\","
        "\"kl\":[],"
        "\"removeOnComplete\":null,\"removeOnFail\":\"no\"}",
        "{\"attempts\":-1}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        want_defaults(texts[i]);
}

static void test_values(void **state)
{
    struct bw_job_opts opts =
        parse("{\"jobId\":\"a\\/b\",\"attempts\":5,\"lifo\":true,\"stackTraceLimit\":0,"
              "\"kl\":7,\"timestamp\":99999999999999999999,"
              "\"backoff\":{\"jitter\":0.5,\"type\":\"exponential\",\"delay\":1.5e3}}");

    (void)state;
    assert_int_equal(opts.attempts, 5);
    assert_true(opts.lifo);
    assert_int_equal(opts.stack_trace_limit, 0);
    assert_int_equal(opts.keep_logs, 7);
    assert_int_equal(opts.backoff, BW_BACKOFF_EXPONENTIAL);
    assert_true(opts.backoff_delay == 1500 && opts.backoff_jitter == 0.5);
    opts = parse("{\"attempts\":1e30}");
    assert_int_equal(opts.attempts, INT32_MAX);
}

static void want_keep(const char *json, int64_t count, int64_t age, int64_t limit)
{
    struct bw_job_opts opts = parse(json);

    assert_true(opts.remove_on_complete.set);
    assert_int_equal(opts.remove_on_complete.count, count);
    assert_int_equal(opts.remove_on_complete.age, age);
    assert_int_equal(opts.remove_on_complete.limit, limit);
    assert_false(opts.remove_on_fail.set);
}

/* lib/spec/bullmq.md §5.5 */
static void test_keep(void **state)
{
    (void)state;
    want_keep("{\"removeOnComplete\":true}", 0, -1, -1);
    want_keep("{\"removeOnComplete\":false}", -1, -1, -1);
    want_keep("{\"removeOnComplete\":0}", 0, -1, -1);
    want_keep("{\"removeOnComplete\":12}", 12, -1, -1);
    want_keep("{\"removeOnComplete\":{\"age\":60}}", -1, 60, -1);
    want_keep("{\"removeOnComplete\":{\"age\":60,\"count\":3,\"limit\":2}}", 3, 60, 2);
}

/* --- backoff, §5.2 */

static void test_backoff(void **state)
{
    struct bw_job_opts opts = parse("{}");

    (void)state;
    assert_int_equal(bw_backoff_delay(&opts, 3, 0.5), 0);
    opts = parse("{\"backoff\":1000}");
    assert_int_equal(bw_backoff_delay(&opts, 3, 0.5), 1000);
    opts = parse("{\"backoff\":{\"type\":\"fixed\"}}");
    assert_int_equal(bw_backoff_delay(&opts, 0, 0.5), 0);
    opts = parse("{\"backoff\":{\"type\":\"mine\",\"delay\":5}}");
    assert_int_equal(bw_backoff_delay(&opts, 0, 0.5), BW_BACKOFF_UNKNOWN); /* BMQ-093 */
    opts = parse("{\"backoff\":{\"delay\":5}}");
    assert_int_equal(bw_backoff_delay(&opts, 0, 0.5), BW_BACKOFF_UNKNOWN);
}

/* BMQ-090 */
static void test_exponential(void **state)
{
    struct bw_job_opts opts =
        parse("{\"backoff\":{\"type\":\"exponential\",\"delay\":100}}");

    (void)state;
    assert_int_equal(bw_backoff_delay(&opts, 0, 0), 100);
    assert_int_equal(bw_backoff_delay(&opts, 1, 0), 200);
    assert_int_equal(bw_backoff_delay(&opts, 4, 0), 1600);
    assert_int_equal(bw_backoff_delay(&opts, 4000, 0), 9000000000000000);
    opts.backoff_delay = 0.5;
    assert_int_equal(bw_backoff_delay(&opts, 0, 0), 1); /* halves round up */
}

/* BMQ-091 */
static void test_jitter(void **state)
{
    struct bw_job_opts opts =
        parse("{\"backoff\":{\"type\":\"fixed\",\"delay\":1000,\"jitter\":0.5}}");

    (void)state;
    assert_int_equal(bw_backoff_delay(&opts, 0, 0), 500);
    assert_int_equal(bw_backoff_delay(&opts, 0, 0.25), 625);
    assert_int_equal(bw_backoff_delay(&opts, 0, 0.9999), 999);
    opts.backoff = BW_BACKOFF_EXPONENTIAL;
    assert_int_equal(bw_backoff_delay(&opts, 1, 0.25), 1250);
    opts.backoff_jitter = 1;
    assert_int_equal(bw_backoff_delay(&opts, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lenient),     cmocka_unit_test(test_values),
        cmocka_unit_test(test_keep),        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_exponential), cmocka_unit_test(test_jitter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
