/* Answers for lib/base/error.c, lib/base/log.c and lib/codec/num.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bulwark/error.h>
#include <bulwark/log.h>

#include "codec/num.h"

/* --- errors */

static void test_error_set_and_prefix(void **state)
{
    struct bw_error err;

    (void)state;
    assert_int_equal(bw_error_set(&err, BW_EINVAL, "bad %s", "port"), BW_EINVAL);
    assert_int_equal(err.code, BW_EINVAL);
    assert_string_equal(err.text, "bad port");
    assert_int_equal(bw_error_prefix(&err, "job %d", 7), BW_EINVAL);
    assert_string_equal(err.text, "job 7: bad port");
    bw_error_clear(&err);
    assert_int_equal(err.code, BW_OK);
    assert_string_equal(err.text, "");
}

static void test_error_without_a_place(void **state)
{
    (void)state;
    assert_int_equal(bw_error_set(NULL, BW_EIO, "x"), BW_EIO);
    assert_int_equal(bw_error_prefix(NULL, "x"), BW_ESYSTEM);
    assert_int_equal(bw_error_errno(NULL, ENOENT, "x"), BW_ESYSTEM);
    bw_error_clear(NULL);
}

static void test_error_is_cut_at_the_limit(void **state)
{
    char text[2 * BW_ERROR_TEXT_MAX];
    struct bw_error err;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(bw_error_set(&err, BW_EIO, "%s", text), BW_EIO);
    assert_int_equal(strlen(err.text), BW_ERROR_TEXT_MAX - 1);
    assert_int_equal(bw_error_prefix(&err, "short"), BW_EIO);
    assert_int_equal(strlen(err.text), BW_ERROR_TEXT_MAX - 1);
    assert_memory_equal(err.text, "short: xxx", 10);
    assert_int_equal(bw_error_prefix(&err, "%s", text), BW_EIO);
    assert_int_equal(strlen(err.text), BW_ERROR_TEXT_MAX - 1);
}

static void test_error_errno(void **state)
{
    struct bw_error err;

    (void)state;
    assert_int_equal(bw_error_errno(&err, ENOENT, "open %s", "f"), BW_ESYSTEM);
    assert_string_equal(err.text, "open f: No such file or directory");
}

static void test_code_names(void **state)
{
    (void)state;
    assert_string_equal(bw_code_name(BW_OK), "OK");
    assert_string_equal(bw_code_name(BW_EREDIS), "EREDIS");
    assert_string_equal(bw_code_name(BW_EJOB_NO_SLOT), "EJOB_NO_SLOT");
    assert_string_equal(bw_code_name(-99), "UNKNOWN");
    assert_string_equal(bw_code_name(1), "UNKNOWN");
    for (int code = BW_EJOB_NO_SLOT; code <= BW_EJOB_MISSING; code++)
        assert_string_not_equal(bw_code_name(code), "UNKNOWN");
    for (int code = BW_ESYSTEM; code <= BW_OK; code++)
        assert_string_not_equal(bw_code_name(code), "UNKNOWN");
}

/* --- logs */

struct line {
    int count;
    enum bw_log_level level;
    char message[64];
    struct bw_log_field fields[64];
    size_t field_count;
};

static void keep_line(void *arg, enum bw_log_level level, const char *message,
                      const struct bw_log_field *fields, size_t count)
{
    struct line *line = arg;

    line->count++;
    line->level = level;
    (void)strncpy(line->message, message, sizeof line->message - 1);
    memcpy(line->fields, fields, count * sizeof *fields);
    line->field_count = count;
}

static void test_log_fields_outermost_first(void **state)
{
    struct line line = { 0 };
    struct bw_log_sink sink = { BW_LOG_INFO, keep_line, &line };
    struct bw_log root, queue, job;

    (void)state;
    bw_log_init(&root, &sink);
    bw_log_child(&queue, &root, "queue", "emails");
    bw_log_child(&job, &queue, "job", "7");
    bw_log(&job, BW_LOG_WARNING, "slow", bw_num("ms", 12), bw_text("why", NULL));
    assert_int_equal(line.count, 1);
    assert_int_equal(line.level, BW_LOG_WARNING);
    assert_string_equal(line.message, "slow");
    assert_int_equal(line.field_count, 4);
    assert_string_equal(line.fields[0].key, "queue");
    assert_string_equal(line.fields[0].text, "emails");
    assert_string_equal(line.fields[1].text, "7");
    assert_null(line.fields[2].text);
    assert_int_equal(line.fields[2].number, 12);
    assert_string_equal(line.fields[3].text, "");
    bw_log(&root, BW_LOG_ERROR, "bare");
    assert_int_equal(line.field_count, 0);
}

static int evaluated;

static int64_t evaluate(void)
{
    evaluated++;
    return 1;
}

static void test_log_below_the_level_costs_nothing(void **state)
{
    struct line line = { 0 };
    struct bw_log_sink sink = { BW_LOG_WARNING, keep_line, &line };
    struct bw_log log, silent = { 0 }, child;

    (void)state;
    bw_log_init(&log, &sink);
    bw_log(&log, BW_LOG_INFO, "no", bw_num("n", evaluate()));
    bw_log(&silent, BW_LOG_ERROR, "no", bw_num("n", evaluate()));
    bw_log_child(&child, NULL, "k", "v");
    bw_log(&child, BW_LOG_ERROR, "no", bw_num("n", evaluate()));
    bw_log_write(NULL, BW_LOG_ERROR, NULL, "no");
    assert_int_equal(line.count, 0);
    assert_int_equal(evaluated, 0);
    bw_log(&log, BW_LOG_ERROR, "yes", bw_num("n", evaluate()));
    assert_int_equal(line.count, 1);
    assert_int_equal(evaluated, 1);
}

static void test_log_too_many_fields_lose_the_last(void **state)
{
    struct line line = { 0 };
    struct bw_log_sink sink = { BW_LOG_DEBUG, keep_line, &line };
    struct bw_log log;
    struct bw_log_field fields[41];

    (void)state;
    bw_log_init(&log, &sink);
    for (size_t i = 0; i < 40; i++)
        fields[i] = bw_num("n", (int64_t)i);
    fields[40] = (struct bw_log_field){ 0 };
    bw_log_write(&log, BW_LOG_DEBUG, fields, "many");
    assert_int_equal(line.count, 1);
    assert_int_equal(line.field_count, 24);
    assert_int_equal(line.fields[23].number, 23);
}

/* --- numbers */

static void test_num_parse(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t number;
    } cases[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "7", true, 7 },
        { "0012", true, 12 },
        { "-15", true, -15 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "+1", false, 0 },
        { "--1", false, 0 },
        { " 1", false, 0 },
        { "1 ", false, 0 },
        { "1.5", false, 0 },
        { "1e3", false, 0 },
        { "0x10", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t number = 77;
        bool ok = bw_num_parse(cases[i].text, strlen(cases[i].text), INT64_MIN, INT64_MAX,
                               &number);

        if (ok != cases[i].ok || (ok && number != cases[i].number))
            fail_msg("\"%s\" gave %d, %lld", cases[i].text, ok, (long long)number);
        if (!ok)
            assert_int_equal(number, 77);
    }
}

static void test_num_parse_range_and_length(void **state)
{
    int64_t number = 0;

    (void)state;
    assert_true(bw_num_parse("65535", 5, 1, 65535, &number));
    assert_false(bw_num_parse("65536", 5, 1, 65535, &number));
    assert_false(bw_num_parse("0", 1, 1, 65535, &number));
    assert_true(bw_num_parse("123456", 3, 0, 1000, &number));
    assert_int_equal(number, 123);
    assert_false(bw_num_parse("1\0", 2, 0, 9, &number));
}

static void test_num_format(void **state)
{
    static const struct {
        int64_t number;
        const char *text;
    } cases[] = { { 0, "0" },
                  { 9, "9" },
                  { 10, "10" },
                  { -1, "-1" },
                  { INT64_MAX, "9223372036854775807" },
                  { INT64_MIN, "-9223372036854775808" } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[BW_NUM_LEN_MAX];
        size_t len = bw_num_format(text, cases[i].number);

        assert_int_equal(len, strlen(cases[i].text));
        assert_memory_equal(text, cases[i].text, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_set_and_prefix),
        cmocka_unit_test(test_error_without_a_place),
        cmocka_unit_test(test_error_is_cut_at_the_limit),
        cmocka_unit_test(test_error_errno),
        cmocka_unit_test(test_code_names),
        cmocka_unit_test(test_log_fields_outermost_first),
        cmocka_unit_test(test_log_below_the_level_costs_nothing),
        cmocka_unit_test(test_log_too_many_fields_lose_the_last),
        cmocka_unit_test(test_num_parse),
        cmocka_unit_test(test_num_parse_range_and_length),
        cmocka_unit_test(test_num_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
