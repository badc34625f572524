/* A text with markup: in each mode and at two limits its parts show what the whole shows.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "support/markup_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    json_t *valid;

    if (text == NULL)
        return 0;
    valid = json_string(text); /* texts come from JSON */
    for (int mode = TG_MODE_PLAIN; valid != NULL && mode <= TG_MODE_MARKDOWN_V2; mode++) {
        for (size_t limit = 16; limit <= 64; limit += 48) {
            const char *wrong = markup_check((enum tg_mode)mode, text, limit);

            if (wrong == NULL)
                continue;
            (void)fprintf(stderr, "mode %d, limit %zu: %s\n", mode, limit, wrong);
            abort();
        }
    }
    json_decref(valid);
    free(text);
    return 0;
}
