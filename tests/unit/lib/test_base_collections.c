/* Answers for lib/base/list.h, map.c, arena.c, mailbox.c and rand.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bulwark/error.h>
#include <bulwark/time.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "base/map.h"
#include "base/rand.h"

/* --- list */

struct item {
    int number;
    struct bw_list node;
};

static int shift_number(struct bw_list *list)
{
    struct bw_list *node = bw_list_shift(list);

    return node != NULL ? BW_LIST_OF(node, struct item, node)->number : -1;
}

static void test_list(void **state)
{
    struct bw_list a = BW_LIST_INIT(a), b = BW_LIST_INIT(b);
    struct item items[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        items[i].number = i;
        bw_list_init(&items[i].node);
        bw_list_append(i < 2 ? &a : &b, &items[i].node);
    }
    bw_list_splice(&a, &b);
    assert_true(bw_list_is_empty(&b));
    bw_list_splice(&a, &b);
    bw_list_remove(&items[1].node);
    bw_list_remove(&items[1].node); /* in no list: harmless */
    assert_int_equal(shift_number(&a), 0);
    assert_int_equal(shift_number(&a), 2);
    assert_int_equal(shift_number(&a), 3);
    assert_int_equal(shift_number(&a), -1);
    bw_list_append(&b, &items[3].node);
    assert_int_equal(shift_number(&b), 3);
}

/* --- map */

static void test_map_basics(void **state)
{
    struct bw_map map = BW_MAP_INIT;
    int one = 1, two = 2;
    void *old = &one;

    (void)state;
    assert_null(bw_map_get(&map, "a", 1));
    assert_null(bw_map_remove(&map, "a", 1));
    assert_int_equal(bw_map_put(&map, "a", 1, &one, &old), BW_OK);
    assert_null(old);
    assert_int_equal(bw_map_put(&map, "a", 1, &two, &old), BW_OK);
    assert_ptr_equal(old, &one);
    assert_int_equal(bw_map_put(&map, "", 0, &one, NULL), BW_OK);
    assert_int_equal(bw_map_put(&map, "a\0b", 3, &one, NULL), BW_OK);
    assert_int_equal(map.count, 3);
    assert_ptr_equal(bw_map_get(&map, "a", 1), &two);
    assert_ptr_equal(bw_map_get(&map, "", 0), &one);
    assert_ptr_equal(bw_map_get(&map, "a\0b", 3), &one);
    assert_ptr_equal(bw_map_remove(&map, "a", 1), &two);
    assert_null(bw_map_get(&map, "a", 1));
    assert_null(bw_map_remove(&map, "a", 1));
    bw_map_fini(&map);
    bw_map_fini(&map);
    assert_null(bw_map_get(&map, "", 0));
}

#define KEYS 3000

static size_t key_of(char *out, size_t cap, unsigned i)
{
    return (size_t)snprintf(out, cap, "key:%u", i);
}

/* Against a plain array, with removals that leave gaps in the runs of the table. */
static void test_map_against_an_array(void **state)
{
    static int numbers[KEYS];
    static bool present[KEYS];
    struct bw_map map = BW_MAP_INIT;
    struct bw_rand rand;
    size_t count = 0, seen = 0, at = 0;
    char key[32];

    (void)state;
    bw_rand_init(&rand, 7);
    for (int step = 0; step < 40000; step++) {
        unsigned i = (unsigned)(bw_rand_next(&rand) % KEYS);
        size_t len = key_of(key, sizeof key, i);

        assert_ptr_equal(bw_map_get(&map, key, len), present[i] ? &numbers[i] : NULL);
        if (bw_rand_next(&rand) % 2 == 0) {
            assert_int_equal(bw_map_put(&map, key, len, &numbers[i], NULL), BW_OK);
            count += !present[i];
            present[i] = true;
        } else {
            assert_ptr_equal(bw_map_remove(&map, key, len),
                             present[i] ? &numbers[i] : NULL);
            count -= present[i];
            present[i] = false;
        }
        assert_int_equal(map.count, count);
    }
    for (int *value; (value = bw_map_next(&map, &at, NULL, NULL)) != NULL; seen++)
        assert_true(present[value - numbers]);
    assert_int_equal(seen, count);
    bw_map_fini(&map);
}

static int fill_map(struct bw_map *map)
{
    static int value;
    char key[32];

    for (unsigned i = 0; i < 40; i++) {
        int rc = bw_map_put(map, key, key_of(key, sizeof key, i), &value, NULL);

        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

static void test_map_each_allocation_fails_once(void **state)
{
    struct bw_map map = BW_MAP_INIT;
    size_t nth = 0;
    int rc;

    (void)state;
    do {
        char key[32];
        size_t count;

        bw_map_fini(&map);
        bw_alloc_fail_at(nth++);
        rc = fill_map(&map);
        bw_alloc_fail_never();
        count = map.count;
        for (unsigned i = 0; i < count; i++)
            assert_non_null(bw_map_get(&map, key, key_of(key, sizeof key, i)));
    } while (rc == BW_ENOMEM);
    assert_int_equal(rc, BW_OK);
    assert_true(nth > 40);
    bw_map_fini(&map);
}

/* --- arena */

static void test_arena(void **state)
{
    struct bw_arena arena = { 0 };
    char *pieces[200];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 200; i++) {
            pieces[i] = bw_arena_alloc(&arena, i);
            assert_non_null(pieces[i]);
            assert_int_equal((uintptr_t)pieces[i] % sizeof(void *), 0);
            memset(pieces[i], (int)i, i);
        }
        for (size_t i = 1; i < 200; i++)
            assert_int_equal((unsigned char)pieces[i][i - 1], i);
        bw_arena_reset(&arena);
    }
    assert_non_null(bw_arena_alloc(&arena, 2000000)); /* too large to be kept */
    bw_arena_reset(&arena);
    assert_null(arena.chunks);
    bw_arena_fini(&arena);
    bw_arena_fini(&arena);
}

static void test_arena_limits(void **state)
{
    struct bw_arena arena = { .limit = 1024 };

    (void)state;
    assert_null(bw_arena_alloc(&arena, SIZE_MAX));
    assert_null(bw_arena_alloc(&arena, SIZE_MAX - 8));
    assert_null(bw_arena_alloc(&arena, 1025));
    assert_non_null(bw_arena_alloc(&arena, 1024));
    assert_null(bw_arena_alloc(&arena, 1));
    bw_arena_reset(&arena);
    assert_non_null(bw_arena_alloc(&arena, 1));
    bw_arena_fini(&arena);
    bw_alloc_fail_at(0);
    assert_null(bw_arena_alloc(&arena, 1));
    bw_alloc_fail_never();
    assert_int_equal(arena.used, 0);
}

/* --- mailbox */

#define SENDERS 4
#define LETTERS 5000

struct letter {
    int sender, number;
    struct bw_mail mail;
};

struct sender {
    int id;
    struct bw_mailbox *box;
    struct letter letters[LETTERS];
    size_t wakes;
    pthread_t thread;
};

static void *send_letters(void *arg)
{
    struct sender *sender = arg;

    for (int i = 0; i < LETTERS; i++) {
        sender->letters[i] = (struct letter){ .sender = sender->id, .number = i };
        sender->wakes += bw_mailbox_push(sender->box, &sender->letters[i].mail);
    }
    return NULL;
}

/* Each sender's letters come in its order, none is lost, and a wake-up belongs to each
 * taking that brought something. */
static void test_mailbox_threads(void **state)
{
    struct sender *senders = calloc(SENDERS, sizeof *senders);
    int expected[SENDERS] = { 0 };
    struct bw_mailbox box;
    size_t got = 0, takes = 0, wakes = 0;

    (void)state;
    bw_mailbox_init(&box);
    for (int i = 0; i < SENDERS; i++) {
        senders[i].id = i;
        senders[i].box = &box;
        assert_int_equal(
            pthread_create(&senders[i].thread, NULL, send_letters, &senders[i]), 0);
    }
    while (got < (size_t)SENDERS * LETTERS) {
        struct bw_mail *mail = bw_mailbox_take_all(&box);

        takes += mail != NULL;
        for (; mail != NULL; mail = mail->next, got++) {
            struct letter *letter = BW_LIST_OF(mail, struct letter, mail);

            assert_int_equal(letter->number, expected[letter->sender]++);
        }
    }
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
        wakes += senders[i].wakes;
    }
    assert_int_equal(wakes, takes);
    assert_null(bw_mailbox_take_all(&box));
    bw_mailbox_fini(&box);
    free(senders);
}

/* --- random numbers and clocks */

static void test_rand(void **state)
{
    struct bw_rand a, b;
    double sum = 0;

    (void)state;
    bw_rand_init(&a, 42);
    bw_rand_init(&b, 42);
    for (int i = 0; i < 10000; i++) {
        double unit = bw_rand_unit(&a);

        assert_true(unit >= 0 && unit < 1);
        assert_true(unit == bw_rand_unit(&b));
        sum += unit;
    }
    assert_true(sum > 4800 && sum < 5200);
    bw_rand_init(&b, 43);
    assert_int_not_equal(bw_rand_next(&a), bw_rand_next(&b));
    assert_int_equal(bw_rand_process_seed(), bw_rand_process_seed());
}

static void test_uuid(void **state)
{
    char first[BW_UUID_LEN + 1], second[BW_UUID_LEN + 1];
    struct bw_error err;

    (void)state;
    assert_int_equal(bw_rand_uuid(first, &err), BW_OK);
    assert_int_equal(bw_rand_uuid(second, &err), BW_OK);
    assert_int_equal(strlen(first), BW_UUID_LEN);
    assert_string_not_equal(first, second);
    for (size_t i = 0; i < BW_UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        assert_true(dash ? first[i] == '-'
                         : strchr("0123456789abcdef", first[i]) != NULL);
    }
    assert_int_equal(first[14], '4');
    assert_non_null(strchr("89ab", first[19]));
}

static struct bw_mono fixed_mono(void *arg)
{
    return (struct bw_mono){ *(int64_t *)arg };
}

static struct bw_wall fixed_wall(void *arg)
{
    return (struct bw_wall){ *(int64_t *)arg + 1 };
}

static void test_clocks(void **state)
{
    int64_t number = 5;
    struct bw_clock clock = { fixed_mono, fixed_wall, &number };
    struct bw_mono before = bw_mono_now(NULL), after;

    (void)state;
    assert_int_equal(bw_mono_now(&clock).ns, 5);
    assert_int_equal(bw_wall_now(&clock).ms, 6);
    after = bw_mono_now(NULL);
    assert_false(bw_mono_before(after, before));
    assert_true(bw_wall_now(NULL).ms > 1600000000000);
    assert_int_equal(bw_mono_ms_until(before, bw_mono_add_ms(before, 20)), 20);
    assert_int_equal(bw_mono_ms_until(before, (struct bw_mono){ before.ns + 1 }), 1);
    assert_int_equal(bw_mono_ms_until(bw_mono_add_ms(before, 20), before), -20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_map_basics),
        cmocka_unit_test(test_map_against_an_array),
        cmocka_unit_test(test_map_each_allocation_fails_once),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arena_limits),
        cmocka_unit_test(test_mailbox_threads),
        cmocka_unit_test(test_rand),
        cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
