/* Answers for worker/telegram/text.c (§5.2.1, §9.3, WF-098). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "telegram/text.h"

static void units_are_those_of_utf16(void **state)
{
    static const struct {
        const char *text;
        size_t units;
    } rows[] = {
        { "", 0 },          { "abc", 3 },          { "Привет", 6 },   { "€", 1 },
        { "😀", 2 },         { "a😀b", 4 },          { "\x80", 1 },     { "\xc3", 1 },
        { "\xe2\x82", 2 },  { "\xf0\x9f\x98", 3 }, { "\xc0\x80", 2 }, { "\xff\xfe", 2 },
        { "\xe2(\xa1", 3 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(tg_text_units(rows[i].text, strlen(rows[i].text)),
                         rows[i].units);
}

/* The parts joined by '|'. */
static char *split(const char *text, size_t len, size_t limit)
{
    char *out = calloc(1, len * 2 + 2);
    size_t used = 0;

    assert_non_null(out);
    for (size_t at = 0;;) {
        struct tg_part part = tg_text_part(text + at, len - at, limit);

        assert_true(tg_text_units(text + at, part.len) <= limit);
        memcpy(out + used, text + at, part.len);
        used += part.len;
        assert_true(part.next > 0 || len == 0);
        at += part.next;
        if (at >= len)
            return out;
        out[used++] = '|';
    }
}

static void text_is_cut_where_it_reads_best(void **state)
{
    static const struct {
        const char *text;
        size_t limit;
        const char *parts;
    } rows[] = {
        { "", 10, "" },
        { "0123456789", 10, "0123456789" },
        { "01234567890", 10, "0123456789|0" },
        { "line one\nline two", 10, "line one|line two" },
        { "one two\nthree four", 12, "one two|three four" },
        { "0123456789\nnext", 10, "0123456789|next" },
        { "0123456789 next", 10, "0123456789|next" },
        { "aaaa bbbb cccc", 10, "aaaa bbbb|cccc" },
        { "a\nbbbbbbbbbbbbb", 10, "a\nbbbbbbbb|bbbbb" }, /* too little would be left */
        { "aaaaaa\nb ccccccc", 10, "aaaaaa|b ccccccc" },
        { "aaaaaa  \n  bbbbbb", 10, "aaaaaa|bbbbbb" },
        { "0123456789  \n ", 10, "0123456789" },
        { "😀😀😀😀😀😀", 5, "😀😀|😀😀|😀😀" },
        { "приветмир", 6, "привет|мир" },
        { "\xff\xff\xff", 2, "\xff\xff|\xff" },
        { "            x", 10, "          |  x" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *parts = split(rows[i].text, strlen(rows[i].text), rows[i].limit);

        assert_string_equal(parts, rows[i].parts);
        free(parts);
    }
}

/* WF-098 */
static void five_thousand_characters_are_two_messages(void **state)
{
    char text[5000];
    struct tg_part part;

    (void)state;
    memset(text, 'x', sizeof text);
    part = tg_text_part(text, sizeof text, TG_TEXT_MAX);
    assert_int_equal(part.len, 4096);
    assert_int_equal(part.next, 4096);
    part = tg_text_part(text + 4096, sizeof text - 4096, TG_TEXT_MAX);
    assert_int_equal(part.len, 904);
    assert_int_equal(part.next, 904);
}

static void a_caption_has_its_own_limit(void **state)
{
    char text[1025];

    (void)state;
    memset(text, 'x', sizeof text);
    assert_true(tg_caption_fits(text, 1024));
    assert_false(tg_caption_fits(text, 1025));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_those_of_utf16),
        cmocka_unit_test(text_is_cut_where_it_reads_best),
        cmocka_unit_test(five_thousand_characters_are_two_messages),
        cmocka_unit_test(a_caption_has_its_own_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
