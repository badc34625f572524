/* Answers for worker/telegram/markup.c, markup_tokens.c, markup_html.c, markup_markdown.c
 * and grapheme.c (worker/workflow/spec/workflow.md §5.2.1, §9.3, WF-098, WF-171). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/markup_check.h"

#define FAMILY "\U0001F468\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466"

static const struct {
    enum tg_mode mode;
    const char *text;
    size_t units;
} measured[] = {
    { TG_MODE_PLAIN, "", 0 },
    { TG_MODE_PLAIN, "Привет 😀", 9 },
    { TG_MODE_PLAIN, "<b>x</b>", 8 },
    { TG_MODE_HTML, "<b>x</b>", 1 },
    { TG_MODE_HTML, "&lt;&gt;&amp;&quot;&#128512;&#x41", 7 },
    { TG_MODE_HTML, "&nbsp;", 6 }, /* not one of Telegram's */
    { TG_MODE_HTML, "a < b", 5 },  /* broken: counts raw */
    { TG_MODE_HTML, "<a href='x'>ab</a><pre><code class=\"language-c\">c</code></pre>",
      3 },
    { TG_MODE_HTML, "<span>x</span>", 14 },
    { TG_MODE_HTML, "<span class=\"tg-spoiler\">x</span>", 1 },
    { TG_MODE_HTML, "<blockquote expandable>x</blockquote>", 1 },
    { TG_MODE_HTML, "<tg-emoji emoji-id=\"1\">👍</tg-emoji>", 2 },
    { TG_MODE_HTML, "<b><i>x</b></i>", 15 },
    { TG_MODE_HTML, "<br>", 4 },
    { TG_MODE_MARKDOWN, "*b* _i_ `c` [l](u) ```\npre```", 11 },
    { TG_MODE_MARKDOWN, "a_b", 3 },
    { TG_MODE_MARKDOWN, "a\\_b", 3 },
    { TG_MODE_MARKDOWN_V2, "*b _i __u___ ~s~ ||h||*", 9 },
    { TG_MODE_MARKDOWN_V2, "*b _i __u_**__ ~s~ ||h||*", 25 },
    { TG_MODE_MARKDOWN_V2, "__u _i_**__ \\.\\! `a.b`", 10 },
    { TG_MODE_MARKDOWN_V2, "a.b", 3 },
    { TG_MODE_MARKDOWN_V2, "[l](http://x/\\)) ![e](tg://emoji?id=1)", 3 },
    { TG_MODE_MARKDOWN_V2, ">a\n>b\nc", 5 },
    { TG_MODE_MARKDOWN_V2, "**>a\n>b||\nc", 5 },
};

static void units_are_counted_after_parsing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof measured / sizeof measured[0]; i++) {
        size_t units;

        print_message("%s\n", measured[i].text);
        assert_int_equal(tg_markup_units(measured[i].mode, measured[i].text, &units),
                         BW_OK);
        assert_int_equal(units, measured[i].units);
    }
}

static const struct {
    enum tg_mode mode;
    const char *text, *parts; /* joined by '|'; limit 16 */
} cuts[] = {
    { TG_MODE_PLAIN, "0123456789abcdef", "0123456789abcdef" },
    { TG_MODE_PLAIN, "0123456789abcdefg", "0123456789abcdef|g" },
    { TG_MODE_PLAIN, "line one here\nline two", "line one here\n|line two" },
    { TG_MODE_PLAIN, "one two three four", "one two three |four" },
    { TG_MODE_PLAIN, "one 0123456789abcde", "one |0123456789abcde" },
    { TG_MODE_PLAIN, "one 0123456789abcdefgh", "one 0123456789ab|cdefgh" },
    { TG_MODE_PLAIN, "0123456789abcde   \n ", "0123456789abcde " },
    { TG_MODE_PLAIN, "                    x", "   x" },
    { TG_MODE_PLAIN, "aaaaaaaaaaaaaaa" FAMILY "b", "aaaaaaaaaaaaaaa|" FAMILY "b" },
    { TG_MODE_PLAIN, "aaaaaaaaaaaaaaa🇷🇺🇺🇦", "aaaaaaaaaaaaaaa|🇷🇺🇺🇦" },
    { TG_MODE_PLAIN, "aaaaaaaaaaaaaaae\u0301e\u0301", "aaaaaaaaaaaaaaa|e\u0301e\u0301" },
    { TG_MODE_HTML, "<b>one two three four</b>", "<b>one two three </b>|<b>four</b>" },
    { TG_MODE_HTML, "<b>one two <i>three four five</i></b> six",
      "<b>one two <i>three </i></b>|<b><i>four five</i></b> six" },
    { TG_MODE_HTML, "<a href=\"u\">0123456789abcdefg</a>",
      "<a href=\"u\">0123456789abcdef</a>|<a href=\"u\">g</a>" },
    { TG_MODE_HTML, "0123456789abcde&amp;&lt;", "0123456789abcde&amp;|&lt;" },
    { TG_MODE_HTML, "<b>one two three</b> <i>four</i>",
      "<b>one two three</b> |<i>four</i>" },
    { TG_MODE_HTML, "<b>one two three <i>four</b>", "<b>one two three|<i>four</b>" },
    { TG_MODE_MARKDOWN, "*one two three four*", "*one two three *|*four*" },
    { TG_MODE_MARKDOWN, "[one two three four](u)", "[one two three ](u)|[four](u)" },
    { TG_MODE_MARKDOWN, "```c\nint one_two = 1;\nx```",
      "```c\nint one_two = 1;```|```c\nx```" },
    { TG_MODE_MARKDOWN, "```\n0123456789abcd``e```",
      "```\n0123456789abcd```|```\n``e```" },
    { TG_MODE_MARKDOWN_V2, "*one _two three four_*", "*one _two three _*|*_four_*" },
    { TG_MODE_MARKDOWN_V2, "__one _two three four_**__",
      "__one _two three _**__|___four_**__" },
    { TG_MODE_MARKDOWN_V2, "_one __two three four___",
      "_one __two three ___|_**__four___" },
    { TG_MODE_MARKDOWN_V2, ">one two\n>three four\nfive", ">one two|>three four\nfive" },
    { TG_MODE_MARKDOWN_V2, "**>one two\n>three four||", "**>one two|||>three four||" },
    { TG_MODE_MARKDOWN_V2, "[one two three four](u\\))",
      "[one two three ](u\\))|[four](u\\))" },
    { TG_MODE_MARKDOWN_V2, "`0123456789abcde\\`f`", "`0123456789abcde\\``|`f`" },
};

static void a_text_is_cut_where_it_reads_best(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct tg_parts parts;
        char joined[256] = "";
        const char *wrong = markup_check(cuts[i].mode, cuts[i].text, 16);

        assert_int_equal(tg_markup_split(&parts, cuts[i].mode, cuts[i].text, 16), BW_OK);
        for (size_t j = 0; j < parts.count; j++) {
            strcat(joined, j > 0 ? "|" : "");
            strcat(joined, parts.texts[j]);
        }
        tg_parts_fini(&parts);
        if (wrong != NULL)
            fail_msg("%s: %s (%s)", cuts[i].text, wrong, joined);
        assert_string_equal(joined, cuts[i].parts);
    }
}

static char *repeated(const char *before, const char *piece, size_t count,
                      const char *after)
{
    size_t len = strlen(piece);
    char *text = malloc(strlen(before) + len * count + strlen(after) + 1);

    assert_non_null(text);
    strcpy(text, before);
    for (size_t i = 0; i < count; i++)
        memcpy(text + strlen(before) + i * len, piece, len);
    strcpy(text + strlen(before) + count * len, after);
    return text;
}

static void each_part_is_what_telegram_takes(void **state)
{
    static const struct {
        enum tg_mode mode;
        const char *before, *piece, *after;
        size_t count, parts;
    } rows[] = {
        { TG_MODE_HTML, "<b>", "<i>word</i> ", "</b>", 500, 1 },
        { TG_MODE_HTML, "", "&lt;&gt;&amp;", "", 400, 1 },
        { TG_MODE_HTML, "", "<a href=\"https://x.example/?a=1&amp;b=2\">item</a>\n", "",
          900, 2 },
        { TG_MODE_HTML, "<pre>", "line of code\n", "</pre>", 380, 2 },
        { TG_MODE_HTML, "", FAMILY, "", 400, 2 },
        { TG_MODE_PLAIN, "", "x", "", 5000, 2 }, /* WF-098 */
        { TG_MODE_HTML, "", "e\u0301\u0302\u0303", "", 3000, 3 },
        { TG_MODE_HTML, "e", "\u0301", "", 9000, 3 }, /* one character, too long */
        { TG_MODE_MARKDOWN_V2, "*", "_a_ ", "*", 3000, 2 },
        { TG_MODE_MARKDOWN_V2, "", ">line of a quote\n", "", 600, 3 },
        { TG_MODE_MARKDOWN, "", "[item](https://x.example/a_b) ", "", 900, 2 },
        { TG_MODE_HTML, "<b>", "broken & < ", "", 500, 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text =
            repeated(rows[i].before, rows[i].piece, rows[i].count, rows[i].after);
        const char *wrong = markup_check(rows[i].mode, text, TG_TEXT_MAX);
        struct tg_parts parts;

        if (wrong != NULL)
            fail_msg("%s: %s", rows[i].piece, wrong);
        assert_int_equal(tg_markup_split(&parts, rows[i].mode, text, TG_TEXT_MAX), BW_OK);
        assert_int_equal(parts.count, rows[i].parts);
        tg_parts_fini(&parts);
        free(text);
    }
}

/* Any mixture of marks, words and characters of all kinds. */
static void random_texts_keep_what_they_show(void **state)
{
    static const char *const pieces[] = {
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<u>",
        "</u>",
        "<a href=\"x\">",
        "</a>",
        "<pre>",
        "</pre>",
        "&lt;",
        "&amp;",
        "&#128512;",
        "*",
        "_",
        "__",
        "||",
        "~",
        "`",
        "```",
        "```c\n",
        "[",
        "](u)",
        "![",
        "\n>",
        "\n**>",
        "||\n",
        "\\_",
        "\\",
        ">",
        "\n",
        " ",
        "word ",
        "Слово",
        FAMILY,
        "🇷🇺",
        "e\u0301",
        "👍🏽",
        "  ",
        "x",
        "longer words of it ",
        "<span class=\"tg-spoiler\">",
        "</span>",
        "<blockquote expandable>",
        "</blockquote>",
    };
    uint32_t random = 20260101;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[1024] = "";
        enum tg_mode mode = (enum tg_mode)(round % 4);
        const char *wrong;

        random = random * 1103515245 + 12345;
        for (unsigned left = (random >> 16) % 24 + 2; left > 0; left--) {
            random = random * 1103515245 + 12345;
            strcat(text, pieces[(random >> 16) % (sizeof pieces / sizeof pieces[0])]);
        }
        wrong = markup_check(mode, text, 16);
        if (wrong != NULL)
            fail_msg("mode %d: %s\n%s", (int)mode, wrong, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_counted_after_parsing),
        cmocka_unit_test(a_text_is_cut_where_it_reads_best),
        cmocka_unit_test(each_part_is_what_telegram_takes),
        cmocka_unit_test(random_texts_keep_what_they_show),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
