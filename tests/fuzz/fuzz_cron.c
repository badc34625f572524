/* A scheduler's pattern, as any producer may store it: "<zone>|<ms>|<pattern>". */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/cron.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[512];
    char *at, *pattern;
    struct bw_cron *cron;
    int64_t next;

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    at = strchr(text, '|');
    pattern = at != NULL ? strchr(at + 1, '|') : NULL;
    if (pattern == NULL)
        return 0;
    *at++ = '\0';
    *pattern++ = '\0';
    if (bw_cron_parse(&cron, pattern, text, NULL) != BW_OK)
        return 0;
    next = strtoll(at, NULL, 10);
    for (int i = 0; i < 8; i++) {
        int64_t after = next;

        if (bw_cron_next(cron, after, &next, NULL) != BW_OK)
            break;
        if (next <= after)
            abort();
    }
    bw_cron_destroy(&cron);
    return 0;
}
