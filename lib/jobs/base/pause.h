/* Pauses after a refusal, longer each time, and what is worth telling about it. Knows
 * nothing of who pauses. On the reactor. */
#ifndef BW_JOBS_BASE_PAUSE_H
#define BW_JOBS_BASE_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/time.h>

struct bw_pause {
    struct bw_mono until;
    /* In a row. */
    unsigned refusals;
};

/* Refused (again): the pause begins, `longest_ms` at most. How long it lasts. */
int64_t bw_pause_begin(struct bw_pause *pause, struct bw_mono now, int64_t longest_ms);

static inline bool bw_pause_holds(const struct bw_pause *pause, struct bw_mono now)
{
    return bw_mono_before(now, pause->until);
}

/* What was told last: the same is told again only after a while. */
struct bw_news {
    char text[128];
    struct bw_mono told;
};

/* Is it to be told? Then it counts as told. */
bool bw_news_is(struct bw_news *news, struct bw_mono now, const char *text);

#endif
