#include "base/nearest.h"

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

/* How many letters are wrong, missing, too many or in the other's place, of two words of
 * at most WORD_MAX bytes. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][WORD_MAX + 1];

    for (unsigned j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];
        const unsigned *before = rows[(i + 1) % 3];

        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            row[j] = min3(above[j] + 1, row[j - 1] + 1,
                          above[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1));
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]) && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
    }
    return rows[a_len % 3][b_len];
}

const char *wk_nearest(const char *word,
                       const char *(*name_at)(const void *arg, size_t index),
                       const void *arg)
{
    /* farther away it would be a riddle, not a hint */
    return wk_nearest_within(word, (unsigned)(strlen(word) / 2 + 1), name_at, arg);
}

const char *wk_nearest_within(const char *word, unsigned most,
                              const char *(*name_at)(const void *arg, size_t index),
                              const void *arg)
{
    size_t len = strlen(word);
    unsigned best_distance = most + 1;
    const char *best = NULL;

    if (len > WORD_MAX)
        return NULL;
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
