/* A producer's options and ids. Answers for lib/queue/add_options.c and job_id.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "queue/add_options.h"

static const struct bw_wall now = { 1785000000000 };

static int parse(struct bw_add_options *options, const char *opts, struct bw_error *err)
{
    struct bw_add add = { .queue = "q",
                          .name = "n",
                          .data = "\"12345678\"",
                          .data_len = 10,
                          .opts = opts,
                          .opts_len = opts != NULL ? strlen(opts) : 0 };

    return bw_add_options_parse(options, &add, now, err);
}

static struct bw_add_options parsed(const char *opts)
{
    struct bw_add_options options;
    struct bw_error err;

    if (parse(&options, opts, &err) != BW_OK)
        fail_msg("%s", err.text);
    return options;
}

static void want_stored(const char *opts, const char *stored)
{
    struct bw_add_options options = parsed(opts);

    assert_string_equal(options.stored, stored);
    bw_add_options_fini(&options);
}

/* BMQ-008…011, lib/spec/bullmq.md §2.3 */
static void test_stored(void **state)
{
    (void)state;
    want_stored(NULL, "{\"attempts\":0}");
    want_stored("{\"attempts\":3,\"x\":null}", "{\"attempts\":3}");
    want_stored("{\"attempts\":1,\"backoff\":250}",
                "{\"attempts\":1,\"backoff\":{\"type\":\"fixed\",\"delay\":250}}");
    want_stored("{\"keepLogs\":5,\"failParentOnFailure\":true,\"attempts\":0,"
                "\"telemetry\":{\"metadata\":\"m\",\"omitContext\":true}}",
                "{\"kl\":5,\"fpof\":true,\"attempts\":0,\"tm\":\"m\",\"omc\":true}");
    want_stored("{\"attempts\":0,\"own\":{\"a\":[1,2.5]},\"repeatJobKey\":\"r\"}",
                "{\"attempts\":0,\"own\":{\"a\":[1,2.5]}}");
    want_stored("{\"attempts\":0,\"backoff\":{\"type\":\"fixed\",\"jitter\":0.1}}",
                "{\"attempts\":0,\"backoff\":{\"type\":\"fixed\",\"jitter\":0.1}}");
}

static void test_fields(void **state)
{
    struct bw_add_options options = parsed(
        "{\"delay\":7,\"priority\":3,\"lifo\":true,\"timestamp\":5,\"jobId\":\"j\"}");

    (void)state;
    assert_int_equal(options.delay, 7);
    assert_int_equal(options.priority, 3);
    assert_int_equal(options.timestamp, 5);
    assert_true(options.lifo);
    assert_string_equal(options.job_id, "j");
    assert_null(options.parent_key);
    bw_add_options_fini(&options);
    assert_null(options.stored);

    options = parsed("{\"delay\":\"7\",\"jobId\":\"\"}");
    assert_int_equal(options.delay, 0);
    assert_int_equal(options.timestamp, now.ms);
    assert_null(options.job_id);
    bw_add_options_fini(&options);
}

static void test_parent(void **state)
{
    struct bw_add_options options =
        parsed("{\"parent\":{\"id\":\"p\",\"queue\":\"bull:up\"},"
               "\"ignoreDependencyOnFailure\":true}");

    (void)state;
    assert_string_equal(options.parent_key, "bull:up:p");
    assert_string_equal(options.parent,
                        "{\"id\":\"p\",\"queueKey\":\"bull:up\",\"idof\":true}");
    bw_add_options_fini(&options);
}

static void test_deduplication(void **state)
{
    struct bw_add_options options = parsed(
        "{\"deduplication\":{\"id\":\"d\",\"ttl\":9,\"extend\":true,\"replace\":true,"
        "\"keepLastIfActive\":true,\"reschedule\":true}}");

    (void)state;
    assert_string_equal(options.dedup_id, "d");
    assert_string_equal(options.dedup_modes, "erks");
    assert_int_equal(options.dedup_ttl, 9);
    bw_add_options_fini(&options);
}

/* BMQ-013…017: refused, with the option's name. */
static void test_refused(void **state)
{
    static const struct {
        const char *opts, *names;
    } cases[] = {
        { "{", "options" },
        { "[]", "options" },
        { "{\"priority\":2097152}", "priority" },
        { "{\"priority\":1.5}", "priority" },
        { "{\"priority\":\"1\"}", "priority" },
        { "{\"backoff\":{\"type\":\"fixed\",\"jitter\":1.1}}", "backoff.jitter" },
        { "{\"backoff\":{\"type\":\"fixed\",\"jitter\":-0.1}}", "backoff.jitter" },
        { "{\"failParentOnFailure\":true,\"removeDependencyOnFailure\":true}",
          "removeDependencyOnFailure" },
        { "{\"deduplication\":{}}", "deduplication.id" },
        { "{\"deduplication\":{\"id\":\"\"}}", "deduplication.id" },
        { "{\"deduplication\":{\"id\":\"d\"},\"parent\":{\"id\":\"p\",\"queue\":\"b:q\"}"
          "}",
          "deduplication" },
        { "{\"debounce\":{\"id\":\"d\"}}", "debounce" },
        { "{\"sizeLimit\":9}", "sizeLimit" },
        { "{\"jobId\":\"12\"}", "jobId" },
        { "{\"jobId\":12}", "jobId" },
        { "{\"parent\":{\"id\":\"p\"}}", "parent" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bw_add_options options;
        struct bw_error err;

        assert_int_equal(parse(&options, cases[i].opts, &err), BW_EINVAL);
        assert_non_null(strstr(err.text, cases[i].names));
        assert_null(options.stored);
    }
}

static void test_allowed(void **state)
{
    (void)state;
    want_stored("{\"attempts\":0,\"sizeLimit\":10}", "{\"attempts\":0,\"sizeLimit\":10}");
    want_stored("{\"attempts\":0,\"priority\":2097151}",
                "{\"attempts\":0,\"priority\":2097151}");
    want_stored("{\"attempts\":0,\"failParentOnFailure\":true,"
                "\"removeDependencyOnFailure\":false}",
                "{\"attempts\":0,\"fpof\":true,\"rdof\":false}");
}

/* BMQ-003, 004 */
static void test_ids(void **state)
{
    static const char *const refused[] = {
        "0", "1", "123", "-5", "9007199254740993000", "a:b", "0:a", "0:a:b", "a:b:c:d"
    };
    static const char *const allowed[] = { "a",     "007",
                                           "1.5",   "0x1",
                                           "-",     "-0",
                                           "+1",    " 1",
                                           "a:b:c", "12345678901234567890",
                                           "1e5",   "1000000000000000000000000" };

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_int_equal(bw_job_id_check(refused[i], NULL), BW_EINVAL);
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        assert_int_equal(bw_job_id_check(allowed[i], NULL), BW_OK);
}

static void test_without_memory(void **state)
{
    static const char opts[] =
        "{\"jobId\":\"j\",\"parent\":{\"id\":\"p\",\"queue\":\"b:q\"}}";
    struct bw_add_options options;
    struct bw_error err;
    size_t nth = 0;

    (void)state;
    for (;; nth++) {
        bw_alloc_fail_at(nth);
        int rc = parse(&options, opts, &err);
        bw_alloc_fail_never();
        if (rc == BW_OK)
            break;
        assert_int_equal(rc, BW_ENOMEM);
        assert_null(options.stored);
    }
    assert_int_equal(nth,
                     2); /* the id and the parent's key; jansson allocates by itself */
    bw_add_options_fini(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored),  cmocka_unit_test(test_fields),
        cmocka_unit_test(test_parent),  cmocka_unit_test(test_deduplication),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_ids),     cmocka_unit_test(test_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
