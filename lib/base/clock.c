#include <bulwark/time.h>

#include <stddef.h>
#include <time.h>

static struct timespec read_clock(clockid_t id)
{
    struct timespec now = { 0, 0 };

    (void)clock_gettime(id, &now); /* cannot fail for these two clocks */
    return now;
}

struct bw_mono bw_mono_now(const struct bw_clock *clock)
{
    struct timespec now;

    if (clock != NULL)
        return clock->mono(clock->arg);
    now = read_clock(CLOCK_MONOTONIC);
    return (struct bw_mono){ (int64_t)now.tv_sec * 1000000000 + now.tv_nsec };
}

struct bw_wall bw_wall_now(const struct bw_clock *clock)
{
    struct timespec now;

    if (clock != NULL)
        return clock->wall(clock->arg);
    now = read_clock(CLOCK_REALTIME);
    return (struct bw_wall){ (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 };
}
