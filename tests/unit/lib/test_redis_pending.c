/* Answers for lib/redis/cmd.c and lib/redis/pending.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "redis/conn.h"
#include "redis/pending.h"
#include "redis/script.h"

static const struct bw_script script = {
    .name = "test",
    .sha1 = "0123456789012345678901234567890123456789",
    .key_count = 1,
};

/* --- commands */

static void test_command_text(void **state)
{
    struct bw_cmd cmd = BW_CMD_INIT;

    (void)state;
    bw_cmd_str(&cmd, "SET");
    bw_cmd_arg(&cmd, "a\0b", 3);
    bw_cmd_int(&cmd, -12);
    bw_cmd_str(&cmd, NULL);
    assert_int_equal(cmd.count, 4);
    assert_int_equal(cmd.body.len, 9 + 9 + 9 + 6);
    assert_memory_equal(cmd.body.data,
                        "$3\r\nSET\r\n$3\r\na\0b\r\n$3\r\n-12\r\n$0\r\n\r\n",
                        cmd.body.len + 1);
    bw_cmd_clear(&cmd);
    assert_int_equal(cmd.count, 0);
    bw_cmd_script(&cmd, &script, 2);
    assert_ptr_equal(cmd.script, &script);
    assert_string_equal(cmd.body.data,
                        "$7\r\nEVALSHA\r\n$40\r\n0123456789012345678901234567890123456789"
                        "\r\n$1\r\n2\r\n");
    bw_cmd_clear(&cmd);
    assert_null(cmd.script);
    bw_cmd_fini(&cmd);
    bw_cmd_fini(&cmd);
}

static void test_command_remembers_a_failure(void **state)
{
    struct bw_cmd cmd = BW_CMD_INIT;

    (void)state;
    bw_alloc_fail_at(0);
    bw_cmd_str(&cmd, "GET");
    bw_alloc_fail_never();
    bw_cmd_str(&cmd, "key");
    assert_int_equal(cmd.failed, BW_ENOMEM);
    assert_int_equal(cmd.count, 0);
    bw_cmd_clear(&cmd);
    assert_int_equal(cmd.failed, BW_OK);
    bw_cmd_arg(&cmd, "", SIZE_MAX - 1);
    assert_int_equal(cmd.failed, BW_ENOMEM);
    bw_cmd_fini(&cmd);
}

/* --- the queue */

static int push(struct bw_pending *pending, int64_t number)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    int rc;

    bw_cmd_str(&cmd, "ECHO");
    bw_cmd_int(&cmd, number);
    if (number % 2 == 0)
        cmd.script = &script;
    rc = bw_pending_push(pending, &cmd, (struct bw_mono){ number }, NULL, NULL);
    bw_cmd_fini(&cmd);
    return rc;
}

static size_t text_of(char *out, size_t cap, int64_t number)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)number);

    return (size_t)snprintf(out, cap, "*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", len, digits);
}

/* Takes `len` bytes at most, as a socket would, and checks that they are the next of the
 * commands from *number on. */
static void expect_output(struct bw_pending *pending, size_t max, int64_t *number,
                          size_t *offset)
{
    size_t len;
    const char *data = bw_pending_output(pending, &len);

    len = len < max ? len : max;
    for (size_t i = 0; i < len; i++) {
        char text[64];
        size_t text_len = text_of(text, sizeof text, *number);

        assert_int_equal(data[i], text[*offset]);
        if (++*offset == text_len) {
            *offset = 0;
            ++*number;
        }
    }
    bw_pending_advance(pending, len);
}

static void test_queue_in_order(void **state)
{
    struct bw_pending pending = { 0 };
    int64_t pushed = 0, answered = 0, written = 0;
    size_t offset = 0;

    (void)state;
    assert_null(bw_pending_first(&pending));
    while (answered < 30000) {
        for (int i = 0; i < 7 && pushed < 30000; i++)
            assert_int_equal(push(&pending, pushed++), BW_OK);
        expect_output(&pending, 100 + (size_t)(pushed % 90), &written, &offset);
        while (answered + 3 < written || (pushed == 30000 && answered < written)) {
            const struct bw_pending_entry *first = bw_pending_first(&pending);

            assert_int_equal(first->deadline.ns, answered);
            assert_true(bw_pending_is_written(&pending, first));
            bw_pending_shift(&pending);
            answered++;
        }
    }
    assert_null(bw_pending_first(&pending));
    assert_int_equal(pending.bytes.len, 0);
    bw_pending_fini(&pending);
    bw_pending_fini(&pending);
}

static void test_queue_knows_what_was_written(void **state)
{
    struct bw_pending pending = { 0 };
    const struct bw_pending_entry *second;

    (void)state;
    assert_int_equal(push(&pending, 1), BW_OK);
    assert_int_equal(push(&pending, 3), BW_OK);
    assert_false(bw_pending_is_begun(&pending, bw_pending_first(&pending)));
    bw_pending_advance(&pending, bw_pending_first(&pending)->len);
    second = bw_pending_at(&pending, 1);
    assert_true(bw_pending_is_written(&pending, bw_pending_first(&pending)));
    assert_false(bw_pending_is_begun(&pending, second));
    bw_pending_advance(&pending, 1);
    assert_true(bw_pending_is_begun(&pending, second));
    assert_false(bw_pending_is_written(&pending, second));
    bw_pending_fini(&pending);
}

static void test_queue_repeats_once(void **state)
{
    struct bw_pending pending = { 0 };
    const struct bw_pending_entry *again;
    const char *data;
    size_t len, first_len;

    (void)state;
    assert_int_equal(push(&pending, 2), BW_OK);
    assert_int_equal(push(&pending, 5), BW_OK);
    first_len = bw_pending_first(&pending)->len;
    assert_ptr_equal(bw_pending_first(&pending)->script, &script);
    (void)bw_pending_output(&pending, &len);
    bw_pending_advance(&pending, len);
    assert_int_equal(bw_pending_repeat_first(&pending), BW_OK);
    assert_int_equal(pending.count, 3);
    again = bw_pending_at(&pending, 2);
    assert_null(again->script);
    assert_int_equal(again->deadline.ns, 2);
    data = bw_pending_output(&pending, &len);
    assert_int_equal(len, first_len);
    assert_memory_equal(data, "*2\r\n$4\r\nECHO\r\n$1\r\n2\r\n", len);
    bw_pending_fini(&pending);
}

static void test_queue_each_allocation_fails_once(void **state)
{
    struct bw_pending pending = { 0 };
    struct bw_cmd cmd = BW_CMD_INIT;
    size_t failures = 0;

    (void)state;
    bw_cmd_str(&cmd, "PING");
    for (int i = 0; i < 40;) {
        size_t len = pending.bytes.len;

        bw_alloc_fail_at(0);
        if (bw_pending_push(&pending, &cmd, (struct bw_mono){ i }, NULL, NULL) == BW_OK) {
            bw_alloc_fail_never();
            i++;
            continue;
        }
        bw_alloc_fail_never();
        failures++;
        assert_int_equal(pending.count, i);
        assert_int_equal(pending.bytes.len, len);
        assert_int_equal(
            bw_pending_push(&pending, &cmd, (struct bw_mono){ i }, NULL, NULL), BW_OK);
        i++;
    }
    assert_true(failures >= 3);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(bw_pending_at(&pending, i)->deadline.ns, i);
    bw_cmd_fini(&cmd);
    bw_pending_fini(&pending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_text),
        cmocka_unit_test(test_command_remembers_a_failure),
        cmocka_unit_test(test_queue_in_order),
        cmocka_unit_test(test_queue_knows_what_was_written),
        cmocka_unit_test(test_queue_repeats_once),
        cmocka_unit_test(test_queue_each_allocation_fails_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
