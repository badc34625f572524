/* Answers for lib/redis/reply.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <bulwark/buf.h>

#include "base/alloc.h"
#include "redis/reply.h"

static void print(struct bw_buf *out, const struct bw_reply *reply)
{
    size_t len;
    const char *text = bw_reply_text(reply, &len);
    int rc = BW_OK;

    switch (bw_reply_kind(reply)) {
    case BW_REPLY_NIL:
        rc = bw_buf_add_str(out, "nil");
        break;
    case BW_REPLY_INTEGER:
        rc = bw_buf_addf(out, "%lld", (long long)bw_reply_integer(reply));
        break;
    case BW_REPLY_STRING:
        rc = bw_buf_addf(out, "'%.*s'", (int)len, text);
        break;
    case BW_REPLY_ERROR:
        rc = bw_buf_addf(out, "E'%s'", text);
        break;
    case BW_REPLY_ARRAY:
        assert_int_equal(bw_buf_add_char(out, '['), BW_OK);
        for (size_t i = 0; i < bw_reply_count(reply); i++) {
            if (i > 0)
                assert_int_equal(bw_buf_add_char(out, ' '), BW_OK);
            print(out, bw_reply_at(reply, i));
        }
        rc = bw_buf_add_char(out, ']');
        break;
    }
    assert_int_equal(rc, BW_OK);
}

static int take_replies(struct bw_reader *reader, struct bw_buf *out,
                        struct bw_error *err)
{
    const struct bw_reply *reply;
    int rc;

    while ((rc = bw_reader_next(reader, &reply, err)) == BW_OK && reply != NULL) {
        print(out, reply);
        assert_int_equal(bw_buf_add_char(out, '\n'), BW_OK);
    }
    return rc;
}

/* Hands the bytes in by pieces of `step`, and prints all replies that come of them: one a
 * line; "!" and the error's code where it ends in one. */
static void read_all(const char *bytes, size_t len, size_t step, struct bw_buf *out)
{
    struct bw_reader *reader;
    struct bw_error err;
    int rc = BW_OK;

    bw_buf_clear(out);
    assert_int_equal(bw_reader_create(&reader, 0), BW_OK);
    for (size_t at = 0; at < len && rc == BW_OK; at += step) {
        size_t piece = len - at < step ? len - at : step;

        rc = bw_reader_feed(reader, bytes + at, piece, &err);
        if (rc == BW_OK)
            rc = take_replies(reader, out, &err);
    }
    if (rc != BW_OK)
        assert_int_equal(bw_buf_addf(out, "!%s", bw_code_name(rc)), BW_OK);
    bw_reader_destroy(&reader);
    bw_reader_destroy(&reader);
}

static void test_replies(void **state)
{
    static const struct {
        const char *bytes, *expected;
    } cases[] = {
        { "+OK\r\n", "'OK'\n" },
        { "-ERR no\r\n", "E'ERR no'\n" },
        { ":-12\r\n:7\r\n", "-12\n7\n" },
        { "$0\r\n\r\n$3\r\nabc\r\n", "''\n'abc'\n" },
        { "$-1\r\n*-1\r\n", "nil\nnil\n" },
        { "*0\r\n", "[]\n" },
        { "*3\r\n:1\r\n$1\r\nx\r\n*2\r\n$-1\r\n-ERR e\r\n", "[1 'x' [nil E'ERR e']]\n" },
        { "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:5\r\n", "[[[[[5]]]]]\n" },
        { "*2\r\n:1\r\n", "" },
        { "$10\r\nabc", "" },
        /* hostile */
        { "HTTP/1.1 400 Bad Request\r\n", "!EPROTO" },
        { "+fine\r\n\x16\x03\x01", "'fine'\n!EPROTO" },
        { ":12x\r\n", "!EPROTO" },
        { "$-2\r\n", "!EPROTO" },
        { "*-2\r\n", "!EPROTO" },
        { "$99999999999999999999\r\n", "!EPROTO" },
        { "*1048577\r\n", "!EPROTO" },
        { "*2147483647\r\n", "!EPROTO" },
        { "*99999999999999999999\r\n", "!EPROTO" },
        { "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "!EPROTO" },
        { "*1\r\n*1048577\r\n", "!EPROTO" },
    };
    struct bw_buf out = BW_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i].bytes);

        for (size_t step = 1; step <= len; step += len > 4 ? len / 4 : 1) {
            read_all(cases[i].bytes, len, step, &out);
            if (strcmp(bw_buf_text(&out), cases[i].expected) != 0)
                fail_msg("case %zu by %zu: %s", i, step, bw_buf_text(&out));
        }
    }
    bw_buf_fini(&out);
}

static void test_bytes_with_nul(void **state)
{
    struct bw_reader *reader;
    const struct bw_reply *reply;
    struct bw_error err;
    size_t len;

    (void)state;
    assert_int_equal(bw_reader_create(&reader, 0), BW_OK);
    assert_int_equal(bw_reader_feed(reader, "$5\r\na\0\r\nb\r\n", 11, &err), BW_OK);
    assert_int_equal(bw_reader_next(reader, &reply, &err), BW_OK);
    assert_memory_equal(bw_reply_text(reply, &len), "a\0\r\nb", 6);
    assert_int_equal(len, 5);
    bw_reader_destroy(&reader);
}

/* A reply stays whole while later bytes wait, and the memory of earlier ones is used
 * again. */
static void test_borrowed_until_the_next(void **state)
{
    struct bw_reader *reader;
    const struct bw_reply *reply;
    struct bw_error err;
    char bytes[64];

    (void)state;
    assert_int_equal(bw_reader_create(&reader, 4096), BW_OK);
    for (int i = 0; i < 1000; i++) {
        int len = snprintf(bytes, sizeof bytes, "*2\r\n:%d\r\n$4\r\n%04d\r\n", i, i);

        assert_int_equal(bw_reader_feed(reader, bytes, (size_t)len, &err), BW_OK);
        assert_int_equal(bw_reader_next(reader, &reply, &err), BW_OK);
        assert_int_equal(bw_reply_integer(bw_reply_at(reply, 0)), i);
        assert_int_equal(bw_reply_integer(bw_reply_at(reply, 1)), i);
        assert_null(bw_reply_at(reply, 2));
        assert_int_equal(bw_reader_next(reader, &reply, &err), BW_OK);
        assert_null(reply);
    }
    bw_reader_destroy(&reader);
}

static void test_a_reply_has_a_size_limit(void **state)
{
    struct bw_reader *reader;
    const struct bw_reply *reply;
    struct bw_error err;
    char bytes[512];

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(bw_reader_create(&reader, 1000), BW_OK);
    assert_int_equal(bw_reader_feed(reader, "$5000\r\n", 7, &err), BW_OK);
    assert_int_equal(bw_reader_next(reader, &reply, &err), BW_OK);
    assert_int_equal(bw_reader_feed(reader, bytes, 512, &err), BW_OK);
    assert_int_equal(bw_reader_next(reader, &reply, &err), BW_OK);
    assert_int_equal(bw_reader_feed(reader, bytes, 512, &err), BW_EPROTO);
    bw_reader_destroy(&reader);

    /* few bytes that ask for much memory */
    assert_int_equal(bw_reader_create(&reader, 1000), BW_OK);
    assert_int_equal(bw_reader_feed(reader, "*100\r\n", 6, &err), BW_OK);
    assert_int_equal(bw_reader_next(reader, &reply, &err), BW_EPROTO);
    assert_non_null(strstr(err.text, "memory"));
    bw_reader_destroy(&reader);
}

static void test_accessors_on_other_kinds(void **state)
{
    static const struct bw_reply number = { .kind = BW_REPLY_INTEGER, .integer = 9 };
    static const struct bw_reply text = { .kind = BW_REPLY_STRING, .text = { "12a", 3 } };
    size_t len = 7;

    (void)state;
    assert_int_equal(bw_reply_kind(NULL), BW_REPLY_NIL);
    assert_string_equal(bw_reply_text(NULL, &len), "");
    assert_int_equal(len, 0);
    assert_int_equal(bw_reply_integer(NULL), 0);
    assert_int_equal(bw_reply_count(NULL), 0);
    assert_null(bw_reply_at(NULL, 0));
    assert_string_equal(bw_reply_text(&number, NULL), "");
    assert_int_equal(bw_reply_count(&number), 0);
    assert_int_equal(bw_reply_integer(&text), 0);
    assert_null(bw_reply_at(&text, 0));
}

static void test_allocation_failures(void **state)
{
    struct bw_reader *reader = NULL;
    const struct bw_reply *reply;
    struct bw_error err;

    (void)state;
    bw_alloc_fail_at(0);
    assert_int_equal(bw_reader_create(&reader, 0), BW_ENOMEM);
    assert_null(reader);
    bw_alloc_fail_never();
    assert_int_equal(bw_reader_create(&reader, 0), BW_OK);
    assert_int_equal(bw_reader_feed(reader, "*1\r\n+x\r\n", 8, &err), BW_OK);
    bw_alloc_fail_at(0);
    assert_int_equal(bw_reader_next(reader, &reply, &err), BW_EPROTO);
    bw_alloc_fail_never();
    bw_reader_destroy(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_bytes_with_nul),
        cmocka_unit_test(test_borrowed_until_the_next),
        cmocka_unit_test(test_a_reply_has_a_size_limit),
        cmocka_unit_test(test_accessors_on_other_kinds),
        cmocka_unit_test(test_allocation_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
