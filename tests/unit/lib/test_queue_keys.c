/* Keys and connection names. Answers for lib/queue/keys.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "queue/keys.h"

/* BMQ-001 */
static void test_keys(void **state)
{
    struct bw_keys keys;

    (void)state;
    assert_int_equal(bw_keys_init(&keys, NULL, "q", NULL), BW_OK);
    assert_string_equal(keys.text[BW_KEY_BASE], "bull:q:");
    assert_int_equal(keys.len[BW_KEY_BASE], 7);
    assert_string_equal(keys.text[BW_KEY_WAITING_CHILDREN], "bull:q:waiting-children");
    assert_string_equal(keys.text[BW_KEY_METRICS_FAILED], "bull:q:metrics:failed");
    bw_keys_fini(&keys);
    bw_keys_fini(&keys);
    assert_int_equal(bw_keys_init(&keys, "{a:b}", "\xc3\xa4 x", NULL), BW_OK);
    assert_string_equal(keys.text[BW_KEY_MARKER], "{a:b}:\xc3\xa4 x:marker");
    bw_keys_fini(&keys);
}

/* BMQ-002 */
static void test_refused(void **state)
{
    struct bw_keys keys;
    struct bw_error err;

    (void)state;
    assert_int_equal(bw_keys_init(&keys, NULL, "", &err), BW_EINVAL);
    assert_int_equal(bw_keys_init(&keys, NULL, NULL, &err), BW_EINVAL);
    assert_int_equal(bw_keys_init(&keys, NULL, "a:b", &err), BW_EINVAL);
    bw_keys_fini(&keys);
}

static void test_without_memory(void **state)
{
    struct bw_keys keys;

    (void)state;
    for (size_t nth = 0; nth < BW_KEY_COUNT; nth++) {
        bw_alloc_fail_at(nth);
        assert_int_equal(bw_keys_init(&keys, NULL, "q", NULL), BW_ENOMEM);
        bw_alloc_fail_never();
        assert_null(keys.text[0]);
    }
}

static void want_name(const char *prefix, const char *queue, const char *worker,
                      const char *expected)
{
    char *name = bw_keys_client_name(prefix, queue, worker);

    assert_string_equal(name, expected);
    free(name);
}

/* BMQ-161; padding of each length */
static void test_client_name(void **state)
{
    (void)state;
    want_name(NULL, "q", NULL, "bull:cQ==");
    want_name(NULL, "qu", NULL, "bull:cXU=");
    want_name("p", "que", "w1", "p:cXVl:w:w1");
    want_name("p", "\xff\xfe?", "a b\n\xc3\xa4", "p://4/:w:a_b___");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_client_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
