/* Answers for worker/pg/sqlstate.c, prepared.c and batch.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pg/batch.h"
#include "pg/prepared.h"
#include "pg/sqlstate.h"

static void sqlstates_are_told_apart(void **state)
{
    static const struct {
        const char *sqlstate;
        enum pg_error_kind kind;
    } rows[] = {
        { NULL, PG_ERROR_TRANSIENT },    { "", PG_ERROR_TRANSIENT },
        { "08006", PG_ERROR_TRANSIENT }, { "40001", PG_ERROR_TRANSIENT },
        { "40P01", PG_ERROR_TRANSIENT }, { "53300", PG_ERROR_TRANSIENT },
        { "53100", PG_ERROR_TRANSIENT }, { "55P03", PG_ERROR_TRANSIENT },
        { "57P01", PG_ERROR_TRANSIENT }, { "57P02", PG_ERROR_TRANSIENT },
        { "57P03", PG_ERROR_TRANSIENT }, { "58030", PG_ERROR_TRANSIENT },
        { "57014", PG_ERROR_CANCELLED }, { "26000", PG_ERROR_UNPREPARED },
        { "0A000", PG_ERROR_STALE },     { "25006", PG_ERROR_STALE },
        { "23505", PG_ERROR_PERMANENT }, { "42P01", PG_ERROR_PERMANENT },
        { "42601", PG_ERROR_PERMANENT }, { "22P02", PG_ERROR_PERMANENT },
        { "40002", PG_ERROR_PERMANENT }, { "P0001", PG_ERROR_PERMANENT },
        { "XX000", PG_ERROR_PERMANENT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(pg_error_kind(rows[i].sqlstate), rows[i].kind);
}

static void messages_are_one_line_without_values(void **state)
{
    char text[64];

    (void)state;
    pg_error_text(text, sizeof text, "q", "23505", "unique \"ix\"\nviolated\n");
    assert_string_equal(text, "q: unique \"ix\" violated");
    pg_error_text(text, sizeof text, "q", "22P02", "bad integer: \"a \"b\" c\"");
    assert_string_equal(text, "q: bad integer: \"…\"");
    pg_error_text(text, sizeof text, NULL, "22003", "value \"99\" is out of range");
    assert_string_equal(text, "value \"…\" is out of range");
    pg_error_text(text, sizeof text, NULL, "22P02", "a lone \" quote");
    assert_string_equal(text, "a lone \" quote");
    pg_error_text(text, 8, "name", NULL, "too long for eight");
    assert_string_equal(text, "name: t");
}

static void the_prepared_set_holds_what_was_added(void **state)
{
    static struct pg_statement statements[300];
    struct pg_prepared set = { 0 };

    (void)state;
    assert_false(pg_prepared_has(&set, &statements[0]));
    pg_prepared_remove(&set, &statements[0]);
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(pg_prepared_add(&set, &statements[i]), BW_OK);
        assert_int_equal(pg_prepared_add(&set, &statements[i]), BW_OK);
    }
    assert_int_equal(set.count, 300);
    for (size_t i = 0; i < 300; i += 3)
        pg_prepared_remove(&set, &statements[i]);
    assert_int_equal(set.count, 200);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(pg_prepared_has(&set, &statements[i]), i % 3 != 0);
    pg_prepared_fini(&set);
    assert_false(pg_prepared_has(&set, &statements[1]));
}

static const struct pg_statement two = { "two", "select $1, $2", 2 };
static const struct pg_statement none = { "none", "select 1", 0 };

static void a_batch_copies_its_parameters(void **state)
{
    char value[] = "first";
    const char *params[] = { value, NULL };
    struct pg_batch *batch;

    (void)state;
    assert_int_equal(pg_batch_create(&batch), BW_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(
            pg_batch_add(batch, i % 2 == 0 ? &two : &none, params, i % 2 == 0 ? 2 : 0),
            i);
    value[0] = 'x';
    assert_int_equal(pg_batch_count(batch), 50);
    assert_string_equal(pg_batch_param(batch, &batch->entries[48], 0), "first");
    assert_null(pg_batch_param(batch, &batch->entries[48], 1));
    assert_int_equal(pg_batch_rows(batch, 0), 0);
    assert_int_equal(pg_batch_affected(batch, 99), 0);
    assert_null(pg_batch_value(batch, 0, 0, 0));
    assert_int_equal(pg_batch_add(batch, &two, params, 1), BW_EINVAL);
    pg_batch_clear(batch);
    assert_int_equal(pg_batch_count(batch), 0);
    assert_int_equal(pg_batch_add(batch, &two, params, 2), 0);
    assert_string_equal(pg_batch_param(batch, &batch->entries[0], 0), "xirst");
    pg_batch_destroy(&batch);
    assert_null(batch);
    pg_batch_destroy(&batch);
}

static void a_queue_keeps_the_order(void **state)
{
    struct pg_batch batches[4] = { 0 };
    struct pg_queue queue = { 0 };
    struct pg_queue other = { 0 };

    (void)state;
    assert_null(pg_queue_take(&queue));
    pg_queue_add_first(&queue, &batches[1]);
    pg_queue_add_first(&queue, &batches[0]);
    pg_queue_add(&other, &batches[2]);
    pg_queue_add(&other, &batches[3]);
    pg_queue_move(&queue, &other);
    pg_queue_move(&queue, &other);
    assert_int_equal(queue.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(pg_queue_take(&queue), &batches[i]);
    assert_null(pg_queue_take(&queue));
    pg_queue_move(&other, &queue);
    assert_int_equal(other.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlstates_are_told_apart),
        cmocka_unit_test(messages_are_one_line_without_values),
        cmocka_unit_test(the_prepared_set_holds_what_was_added),
        cmocka_unit_test(a_batch_copies_its_parameters),
        cmocka_unit_test(a_queue_keeps_the_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
