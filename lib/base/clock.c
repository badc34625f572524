#include <bulwark/time.h>

#include <stddef.h>
#include <time.h>

#include <bulwark/thread.h>

static struct timespec read_clock(clockid_t id)
{
    struct timespec at;

    bw_thread_check(clock_gettime(id, &at), "clock_gettime");
    return at;
}

struct bw_mono bw_mono_now(const struct bw_clock *clock)
{
    struct timespec at;

    if (clock != NULL)
        return clock->mono(clock->arg);
    at = read_clock(CLOCK_MONOTONIC);
    return (struct bw_mono){ (int64_t)at.tv_sec * 1000000000 + at.tv_nsec };
}

struct bw_wall bw_wall_now(const struct bw_clock *clock)
{
    struct timespec at;

    if (clock != NULL)
        return clock->wall(clock->arg);
    at = read_clock(CLOCK_REALTIME);
    return (struct bw_wall){ (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000 };
}
