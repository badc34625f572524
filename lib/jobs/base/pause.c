#include "jobs/base/pause.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { FIRST_MS = 100, TELL_AGAIN_MS = 60000 };

int64_t bw_pause_begin(struct bw_pause *pause, struct bw_mono now, int64_t longest_ms)
{
    int64_t ms = FIRST_MS;

    BW_ASSERT(longest_ms > 0);
    for (unsigned i = 0; i < pause->refusals && ms < longest_ms; i++)
        ms *= 2;
    if (ms > longest_ms)
        ms = longest_ms;
    pause->refusals++;
    pause->until = bw_mono_add_ms(now, ms);
    return ms;
}

bool bw_news_is(struct bw_news *news, struct bw_mono now, const char *text)
{
    if (news->told.ns != 0 &&
        bw_mono_before(now, bw_mono_add_ms(news->told, TELL_AGAIN_MS)) &&
        strncmp(news->text, text, sizeof news->text - 1) == 0)
        return false;
    (void)snprintf(news->text, sizeof news->text, "%s", text);
    news->told = now;
    return true;
}
