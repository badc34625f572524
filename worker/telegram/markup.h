/* Texts as Telegram reads them: what is visible of a text with markup, and the text in
 * parts that Telegram takes. worker/workflow/spec/workflow.md §5.2.1, §9.3, WF-171. Pure;
 * any thread.
 *
 * Telegram's limits count what is left after parsing, in UTF-16 units. Markup that
 * Telegram would refuse is an author's mistake; such a text is sent without parse_mode in
 * the end (§9.4), so it counts raw. */
#ifndef WORKER_TELEGRAM_MARKUP_H
#define WORKER_TELEGRAM_MARKUP_H

#include <stddef.h>

#include <bulwark/error.h>

#define TG_TEXT_MAX    4096 /* units of a message */
#define TG_CAPTION_MAX 1024 /* units of a caption */

enum tg_mode { TG_MODE_PLAIN, TG_MODE_HTML, TG_MODE_MARKDOWN, TG_MODE_MARKDOWN_V2 };

/* By the name parse_mode has; TG_MODE_PLAIN for NULL and what is not known. */
enum tg_mode tg_mode_of(const char *name);

/* The visible units of a text. BW_OK or BW_ENOMEM. */
BW_MUSTCHECK int tg_markup_units(enum tg_mode mode, const char *text, size_t *units);

struct tg_parts { /* a zeroed struct is empty */
    char **texts;
    size_t count;
};

/* The text in parts of at most `limit` (≥ 16) visible units each, in the same markup: cut
 * behind a line, else behind a word, else between two characters as a reader sees them;
 * never in a tag or an entity. What is open at a cut is closed, and opened again. Nothing
 * visible is lost but white space that would be a part of its own. One part at least. On
 * failure (BW_ENOMEM) it is empty. */
BW_MUSTCHECK int tg_markup_split(struct tg_parts *parts, enum tg_mode mode,
                                 const char *text, size_t limit);
void tg_parts_fini(struct tg_parts *parts);

#endif
