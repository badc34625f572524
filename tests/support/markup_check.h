/* What must hold of a text with markup and its parts (worker/telegram/markup.h), whatever
 * the text. */
#ifndef TESTS_SUPPORT_MARKUP_CHECK_H
#define TESTS_SUPPORT_MARKUP_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "telegram/markup.h"

/* Telegram's HTML read once more, another way: the visible text as UTF-8 (new), or NULL
 * when Telegram would refuse it. */
char *markup_read_html(const char *text);

/* NULL, or what is wrong (static): each part is markup if the whole is, none is longer
 * than the limit, together they show what the whole shows, each character with the same
 * marks around it, and none is cut in the middle of a character as readers see them.
 * Aborts when memory runs out. */
const char *markup_check(enum tg_mode mode, const char *text, size_t limit);

#endif
