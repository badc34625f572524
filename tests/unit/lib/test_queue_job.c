/* Jobs from replies, and stacktraces. Answers for lib/queue/job.c and stacktrace.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "queue/job.h"
#include "redis/reply.h"

/* --- decoding */

static struct bw_reply elements[32];

/* A reply of these texts, the last NULL. */
static struct bw_reply reply_of(const char *const *texts)
{
    size_t count = 0;

    for (; texts[count] != NULL; count++) {
        elements[count] =
            (struct bw_reply){ .kind = BW_REPLY_STRING,
                               .text = { texts[count], strlen(texts[count]) } };
    }
    return (struct bw_reply){ .kind = BW_REPLY_ARRAY, .elements = { elements, count } };
}

#define DECODE(job, ...) decode(job, (const char *const[]){ __VA_ARGS__, NULL })

static int decode(struct bw_job_data *job, const char *const *texts)
{
    struct bw_reply reply = reply_of(texts);
    struct bw_error err;

    return bw_job_data_decode(job, &reply, &err);
}

static void test_decode(void **state)
{
    struct bw_job_data job;

    (void)state;
    assert_int_equal(DECODE(&job, "name", "n\xc3\xa4", "data", "{}", "opts",
                            "{\"attempts\":3,\"x\":\"\\/\"}", "timestamp",
                            "1785000000000", "delay", "5", "priority", "2", "atm", "1",
                            "ats", "1", "unknown", "?", "processedOn", "1", ":id", "7",
                            ":token", "t:1", "processedOn", "2", "ats", "2"),
                     BW_OK);
    assert_string_equal(job.id.data, "7");
    assert_string_equal(job.token.data, "t:1");
    assert_string_equal(job.name.data, "n\xc3\xa4");
    assert_int_equal(job.timestamp, 1785000000000);
    assert_int_equal(job.delay, 5);
    assert_int_equal(job.priority, 2);
    assert_int_equal(job.processed_on, 2); /* the later value counts */
    assert_int_equal(job.attempts_started, 2);
    assert_int_equal(job.attempts_made, 1);
    assert_int_equal(job.parsed.attempts, 3);
    assert_null(job.parent.data);
    assert_null(job.stacktrace.data);
    bw_job_data_fini(&job);
    assert_null(job.block);
    bw_job_data_fini(&job);
}

/* lib/spec/bullmq.md §2.1: a pre-5 attemptsMade beats atm, a stc beats stalledCounter;
 * Appendix C: no number is 0. */
static void test_decode_old_and_odd(void **state)
{
    struct bw_job_data job;

    (void)state;
    assert_int_equal(DECODE(&job, ":id", "a", ":token", "t", "attemptsMade", "0", "atm",
                            "9", "stc", "0", "stalledCounter", "4", "priority", "high",
                            "ats", "-3"),
                     BW_OK);
    assert_int_equal(job.attempts_made, 0);
    assert_int_equal(job.stalled_count, 0);
    assert_int_equal(job.priority, 0);
    assert_int_equal(job.attempts_started, 0);
    assert_null(job.name.data); /* a ghost */
    bw_job_data_fini(&job);
}

static void test_decode_refused(void **state)
{
    struct bw_reply text = { .kind = BW_REPLY_STRING, .text = { "x", 1 } };
    struct bw_job_data job;
    struct bw_error err;

    (void)state;
    assert_int_equal(bw_job_data_decode(&job, NULL, &err), BW_EPROTO);
    assert_int_equal(bw_job_data_decode(&job, &text, &err), BW_EPROTO);
    assert_int_equal(DECODE(&job, ":id"), BW_EPROTO);
    assert_int_equal(DECODE(&job, ":id", "1"), BW_EPROTO);
    assert_int_equal(DECODE(&job, ":token", "1"), BW_EPROTO);
    bw_job_data_fini(&job);
}

static void test_decode_without_memory(void **state)
{
    struct bw_job_data job;

    (void)state;
    bw_alloc_fail_at(0);
    assert_int_equal(DECODE(&job, ":id", "1", ":token", "t"), BW_ENOMEM);
    bw_alloc_fail_never();
    bw_job_data_fini(&job);
}

/* --- stacktraces, §2.2, BMQ-084, BMQ-085 */

static void want_trace(const char *old, const char *entry, int64_t limit,
                       const char *expected)
{
    struct bw_text text = { old, old != NULL ? strlen(old) : 0 };
    struct bw_text added = { entry, entry != NULL ? strlen(entry) : 0 };
    struct bw_buf out = BW_BUF_INIT;

    assert_int_equal(
        bw_stacktrace_append(&out, &text, entry != NULL ? &added : NULL, limit), BW_OK);
    assert_string_equal(bw_buf_text(&out), expected);
    bw_buf_fini(&out);
}

static void test_stacktrace(void **state)
{
    (void)state;
    want_trace(NULL, "a", -1, "[\"a\"]");
    want_trace("[\"a\"]", "b", -1, "[\"a\",\"b\"]");
    want_trace("[\"a\"]", NULL, -1, "[\"a\"]");
    want_trace("[\"a\",\"b\"]", "c", 2, "[\"b\",\"c\"]");
    want_trace("[\"a\",\"b\"]", "c", 0, "[]");
    want_trace("[1", "b", -1, "[\"b\"]");
    want_trace("{}", "b", -1, "[\"b\"]");
    want_trace("", NULL, -1, "[]");
    want_trace(NULL, "Error: \"x\"\n\tat f (/a/b.js)\x01", -1,
               "[\"Error: \\\"x\\\"\\n\\tat f (/a/b.js)\\u0001\"]");
}

/* What is not UTF-8 does not stop a failure from being recorded. */
static void test_stacktrace_bytes(void **state)
{
    (void)state;
    want_trace(NULL, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", -1,
               "[\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"]");
    want_trace(NULL, "a\xff\xc3", -1, "[\"a\xef\xbf\xbd\xef\xbf\xbd\"]");
    want_trace(NULL, "\xed\xa0\x80", -1, "[\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]");
    want_trace(NULL, "\xc0\x80\xf5\x80", -1,
               "[\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_old_and_odd),
        cmocka_unit_test(test_decode_refused),
        cmocka_unit_test(test_decode_without_memory),
        cmocka_unit_test(test_stacktrace),
        cmocka_unit_test(test_stacktrace_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
