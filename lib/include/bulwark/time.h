/* Two clocks that do not mix: monotonic for deadlines, wall for what BullMQ stores.
 *
 * Time is injectable: whoever needs it takes a `const struct bw_clock *`; NULL means the
 * system's. Any thread. */
#ifndef BULWARK_TIME_H
#define BULWARK_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bw_mono { /* nanoseconds since an arbitrary start; never jumps */
    int64_t ns;
};

struct bw_wall { /* milliseconds since the epoch; what BullMQ calls "now" */
    int64_t ms;
};

struct bw_clock {
    struct bw_mono (*mono)(void *arg);
    struct bw_wall (*wall)(void *arg);
    void *arg;
};

BW_API struct bw_mono bw_mono_now(const struct bw_clock *clock);
BW_API struct bw_wall bw_wall_now(const struct bw_clock *clock);

static inline struct bw_mono bw_mono_add_ms(struct bw_mono at, int64_t ms)
{
    return (struct bw_mono){ at.ns + ms * 1000000 };
}

/* Milliseconds from `from` to `to`, rounded up; negative when `to` has passed. */
static inline int64_t bw_mono_ms_until(struct bw_mono from, struct bw_mono to)
{
    int64_t ns = to.ns - from.ns;

    return ns > 0 ? (ns + 999999) / 1000000 : ns / 1000000;
}

static inline bool bw_mono_before(struct bw_mono a, struct bw_mono b)
{
    return a.ns < b.ns;
}

#ifdef __cplusplus
}
#endif

#endif
