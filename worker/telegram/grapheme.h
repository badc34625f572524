/* What a reader takes for one character: a letter with its accents, a flag, a family of
 * emoji. Pure; any thread. */
#ifndef WORKER_TELEGRAM_GRAPHEME_H
#define WORKER_TELEGRAM_GRAPHEME_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/error.h>

/* Sets starts[i] for every byte of `text` with which such a character begins; the others
 * must be false. Of malformed UTF-8 every byte is one. BW_OK or BW_ENOMEM. */
BW_MUSTCHECK int tg_graphemes(const char *text, size_t len, bool *starts);

#endif
