/* Answers for lib/base/buf.c and lib/base/alloc.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>

#include "base/alloc.h"

static void test_empty(void **state)
{
    struct bw_buf buf = BW_BUF_INIT;
    char *text;

    (void)state;
    assert_string_equal(bw_buf_text(&buf), "");
    bw_buf_clear(&buf);
    bw_buf_consume(&buf, 5);
    bw_buf_fini(&buf);
    bw_buf_fini(&buf);
    text = bw_buf_take(&buf);
    assert_string_equal(text, "");
    free(text);
}

static void test_appends(void **state)
{
    struct bw_buf buf = BW_BUF_INIT;

    (void)state;
    assert_int_equal(bw_buf_add(&buf, "ab\0c", 4), BW_OK);
    assert_int_equal(bw_buf_add(&buf, NULL, 0), BW_OK);
    assert_int_equal(bw_buf_add_str(&buf, "def"), BW_OK);
    assert_int_equal(bw_buf_add_char(&buf, 'g'), BW_OK);
    assert_int_equal(bw_buf_addf(&buf, "-%d-%s", 42, "x"), BW_OK);
    assert_int_equal(buf.len, 13);
    assert_memory_equal(buf.data, "ab\0cdefg-42-x", 14);
    bw_buf_fini(&buf);
    assert_null(buf.data);
}

static void test_grows_byte_by_byte(void **state)
{
    struct bw_buf buf = BW_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        assert_int_equal(bw_buf_add_char(&buf, (char)('a' + i % 26)), BW_OK);
        assert_int_equal(buf.data[buf.len], '\0');
    }
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
    bw_buf_fini(&buf);
}

static void test_format_longer_than_capacity(void **state)
{
    struct bw_buf buf = BW_BUF_INIT;
    char long_text[1000];

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    assert_int_equal(bw_buf_addf(&buf, "<%s>", long_text), BW_OK);
    assert_int_equal(buf.len, 1001);
    assert_int_equal(buf.data[1000], '>');
    bw_buf_fini(&buf);
}

static void test_consume(void **state)
{
    struct bw_buf buf = BW_BUF_INIT;

    (void)state;
    assert_int_equal(bw_buf_add_str(&buf, "abcdef"), BW_OK);
    bw_buf_consume(&buf, 0);
    assert_string_equal(bw_buf_text(&buf), "abcdef");
    bw_buf_consume(&buf, 2);
    assert_string_equal(bw_buf_text(&buf), "cdef");
    bw_buf_consume(&buf, 4);
    assert_string_equal(bw_buf_text(&buf), "");
    assert_int_equal(bw_buf_add_str(&buf, "gh"), BW_OK);
    bw_buf_consume(&buf, 99);
    assert_int_equal(buf.len, 0);
    bw_buf_fini(&buf);
}

static void test_take_leaves_it_empty(void **state)
{
    struct bw_buf buf = BW_BUF_INIT;
    char *text;

    (void)state;
    assert_int_equal(bw_buf_add_str(&buf, "mine"), BW_OK);
    text = bw_buf_take(&buf);
    assert_string_equal(text, "mine");
    assert_null(buf.data);
    assert_int_equal(buf.len, 0);
    assert_int_equal(bw_buf_add_str(&buf, "new"), BW_OK);
    assert_string_equal(text, "mine");
    free(text);
    bw_buf_fini(&buf);
}

static void test_no_length_wraps(void **state)
{
    struct bw_buf buf = BW_BUF_INIT;

    (void)state;
    assert_int_equal(bw_buf_add_str(&buf, "abc"), BW_OK);
    assert_int_equal(bw_buf_reserve(&buf, SIZE_MAX), BW_ENOMEM);
    assert_int_equal(bw_buf_reserve(&buf, SIZE_MAX - 3), BW_ENOMEM);
    assert_int_equal(bw_buf_reserve(&buf, SIZE_MAX - 4), BW_ENOMEM);
    assert_string_equal(bw_buf_text(&buf), "abc");
    bw_buf_fini(&buf);
}

static int fill(struct bw_buf *buf)
{
    int rc = bw_buf_add_str(buf, "first");

    if (rc == BW_OK)
        rc = bw_buf_reserve(buf, 200);
    if (rc == BW_OK)
        rc = bw_buf_addf(buf, "%0500d", 7);
    return rc;
}

static void test_each_allocation_fails_once(void **state)
{
    struct bw_buf buf = BW_BUF_INIT;
    size_t failures = 0;

    (void)state;
    for (size_t nth = 0;; nth++) {
        size_t before;
        int rc;

        bw_buf_fini(&buf);
        bw_alloc_fail_at(nth);
        rc = fill(&buf);
        bw_alloc_fail_never();
        if (rc == BW_OK)
            break;
        assert_int_equal(rc, BW_ENOMEM);
        before = buf.len;
        assert_true(before == 0 || before == 5);
        assert_string_equal(bw_buf_text(&buf), before == 0 ? "" : "first");
        failures++;
    }
    assert_int_equal(failures, 3);
    assert_int_equal(buf.len, 505);
    bw_alloc_fail_at(0);
    bw_buf_fini(&buf);
    assert_null(bw_buf_take(&buf));
    bw_alloc_fail_never();
}

static void test_alloc_seam(void **state)
{
    char *text;

    (void)state;
    bw_alloc_fail_at(1);
    text = bw_strdup("one");
    assert_non_null(text);
    assert_null(bw_alloc(1));
    free(text);
    text = bw_calloc(0, 8);
    assert_non_null(text);
    free(text);
    text = bw_memdup(NULL, 0);
    assert_string_equal(text, "");
    free(text);
    bw_alloc_fail_at(0);
    assert_null(bw_calloc(1, 1));
    bw_alloc_fail_at(0);
    assert_null(bw_memdup("x", 1));
    bw_alloc_fail_never();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_grows_byte_by_byte),
        cmocka_unit_test(test_format_longer_than_capacity),
        cmocka_unit_test(test_consume),
        cmocka_unit_test(test_take_leaves_it_empty),
        cmocka_unit_test(test_no_length_wraps),
        cmocka_unit_test(test_each_allocation_fails_once),
        cmocka_unit_test(test_alloc_seam),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
