#include "telegram/text.h"

#include <string.h>

/* The bytes of the character at `text` (1 for a malformed byte) and its UTF-16 units. */
static size_t character(const char *text, size_t len, size_t *units)
{
    unsigned char first = (unsigned char)text[0];
    size_t bytes = first < 0x80                    ? 1
                   : first >= 0xc2 && first < 0xe0 ? 2
                   : first >= 0xe0 && first < 0xf0 ? 3
                   : first >= 0xf0 && first < 0xf5 ? 4
                                                   : 1;

    *units = 1;
    if (bytes > len)
        return 1;
    for (size_t i = 1; i < bytes; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 1;
    *units = bytes == 4 ? 2 : 1;
    return bytes;
}

size_t tg_text_units(const char *text, size_t len)
{
    size_t total = 0;

    for (size_t i = 0; i < len;) {
        size_t units;

        i += character(text + i, len - i, &units);
        total += units;
    }
    return total;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Where a prefix of the text is cut best. */
struct cuts {
    size_t all;  /* bytes of the longest prefix within the limit */
    size_t line; /* bytes before the last line's end in it, if beyond half of the limit */
    size_t word;
};

static struct cuts find_cuts(const char *text, size_t len, size_t limit)
{
    struct cuts cuts = { 0 };
    size_t used = 0;

    while (cuts.all < len) {
        size_t units;
        size_t bytes = character(text + cuts.all, len - cuts.all, &units);

        if (used >= limit / 2 && text[cuts.all] == '\n')
            cuts.line = cuts.all;
        if (used >= limit / 2 && is_space(text[cuts.all]))
            cuts.word = cuts.all;
        if (used + units > limit)
            break;
        used += units;
        cuts.all += bytes;
    }
    return cuts;
}

struct tg_part tg_text_part(const char *text, size_t len, size_t limit)
{
    struct cuts cuts = find_cuts(text, len, limit);
    struct tg_part part = { cuts.all, cuts.all };

    if (cuts.all == len)
        return part;
    if (cuts.line > 0)
        part.len = cuts.line;
    else if (cuts.word > 0)
        part.len = cuts.word;
    part.next = part.len;
    while (part.next < len && is_space(text[part.next]))
        part.next++;
    while (part.len > 0 && is_space(text[part.len - 1]))
        part.len--;
    if (part.len == 0) /* nothing but white space in front: it belongs to what follows */
        part.len = cuts.all, part.next = cuts.all;
    return part;
}
