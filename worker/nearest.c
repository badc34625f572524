#include "nearest.h"

#include <stdbool.h>
#include <string.h>

#define WORD_MAX 48

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

/* Letters are compared without case: a key in the wrong case is a misspelling, too. */
static bool same_letter(char a, char b)
{
    if (a >= 'A' && a <= 'Z')
        a = (char)(a - 'A' + 'a');
    if (b >= 'A' && b <= 'Z')
        b = (char)(b - 'A' + 'a');
    return a == b;
}

/* Levenshtein's distance of two words of at most WORD_MAX bytes. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned row[WORD_MAX + 1];

    for (unsigned j = 0; j <= b_len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            unsigned above = row[j];

            row[j] = min3(above + 1, row[j - 1] + 1,
                          diagonal + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1));
            diagonal = above;
        }
    }
    return row[b_len];
}

const char *wk_nearest(const char *word,
                       const char *(*name_at)(const void *arg, size_t index),
                       const void *arg)
{
    size_t len = strlen(word);
    const char *best = NULL;
    unsigned best_distance;

    if (len > WORD_MAX)
        return NULL;
    best_distance =
        (unsigned)(len / 2 + 2); /* farther away it would be a riddle, not a hint */
    for (size_t i = 0;; i++) {
        const char *name = name_at(arg, i);
        unsigned d;

        if (name == NULL)
            return best;
        if (strlen(name) > WORD_MAX)
            continue;
        d = distance(word, len, name, strlen(name));
        if (d < best_distance) {
            best_distance = d;
            best = name;
        }
    }
}
