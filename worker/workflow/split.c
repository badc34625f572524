#include "workflow/split.h"

#include <string.h>

#include "workflow/text.h"

#define MAX_UNITS 4096

size_t wf_split_message(const char *text)
{
    struct wf_text all = wf_text_of(text);
    size_t at = 0, units = 0, line = 0, word = 0;

    while (at < all.len) {
        size_t next = at;
        uint32_t code = wf_text_next(all, &next);

        units += code > 0xffff ? 2 : 1;
        if (units > MAX_UNITS)
            break;
        if (units > MAX_UNITS / 2) {
            if (code == '\n')
                line = next;
            else if (code == ' ')
                word = next;
        }
        at = next;
    }
    if (at == all.len)
        return at;
    if (line > 0)
        return line;
    return word > 0 ? word : at;
}
