/* Telegram's way to measure text: UTF-16 units. Pure; any thread.
 *
 * Malformed UTF-8 counts one unit a byte, so that nothing is ever longer than it is
 * measured. */
#ifndef WORKER_TELEGRAM_TEXT_H
#define WORKER_TELEGRAM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TG_TEXT_MAX    4096 /* units of a message */
#define TG_CAPTION_MAX 1024 /* units of a caption */

size_t tg_text_units(const char *text, size_t len);
static inline bool tg_caption_fits(const char *text, size_t len)
{
    return tg_text_units(text, len) <= TG_CAPTION_MAX;
}

struct tg_part {
    size_t len; /* bytes of this part, from the start of the text */
    size_t
        next; /* where the following part starts; the text's length when there is none */
};

/* The first part of a text, at most `limit` units long (≥ 2), cut at the end of a line,
 * else of a word, where that leaves at least half of the limit, else between two
 * characters (§5.2.1, WF-098). White space around a cut is dropped. Text left without
 * anything but white space has no further part. A text within the limit is one part,
 * unchanged. */
struct tg_part tg_text_part(const char *text, size_t len, size_t limit);

#endif
