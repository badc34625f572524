/* An option in its place, what a worker starts with, and what it refuses. */
#include <bulwark/queue_options.h>

#include <string.h>

void bw_queue_options_init(struct bw_queue_options *options)
{
    static const struct bw_keep all = { .count = -1, .age = -1, .limit = -1 };

    *options = (struct bw_queue_options){ .remove_on_complete = all,
                                          .remove_on_fail = all,
#define X(type, member, name, def, least, most, help) .member = (def),
                                          BW_QUEUE_OPTIONS(X) BW_QUEUE_OPEN_OPTIONS(X)
#undef X
    };
}

static int check_ranges(const struct bw_queue_options *options, struct bw_error *err)
{
    const struct {
        const char *name;
        int64_t value, def, least, most;
    } ranges[] = {
#define X(type, member, name, def, least, most, help)                                    \
    { name, (int64_t)options->member, def, least, most },
        BW_QUEUE_OPTIONS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].value != ranges[i].def &&
            (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most))
            return bw_error_set(err, BW_EINVAL, "%s: %lld is not in %lld…%lld",
                                ranges[i].name, (long long)ranges[i].value,
                                (long long)ranges[i].least, (long long)ranges[i].most);
    }
    return BW_OK;
}

/* A step must be there: a path of dots leads nowhere. */
static int check_group_key(const struct bw_queue_options *options, struct bw_error *err)
{
    const char *key = options->group_key;

    if (key != NULL && key[strspn(key, "| .+\t")] == '\0')
        return bw_error_set(err, BW_EINVAL, "groupKey: no path into the job's data");
    return BW_OK;
}

/* A limit is so many jobs in a window: one without the other says nothing. */
static int check_window(const char *name, int64_t max, int64_t duration,
                        struct bw_error *err)
{
    if (max > 0 && duration == 0)
        return bw_error_set(err, BW_EINVAL, "%s.duration: 0 is no window for %lld jobs",
                            name, (long long)max);
    return BW_OK;
}

/* For the tick that looks, and for an answer that takes its time. */
#define DEAF_SLACK_MS 1500

/* Each is good alone, but they contradict each other. */
static int check_together(const struct bw_queue_options *options, struct bw_error *err)
{
    if (!options->skip_lock_renewal && options->lock_renew_time != BW_LOCK_RENEW_HALF &&
        options->lock_renew_time >= options->lock_duration)
        return bw_error_set(err, BW_EINVAL,
                            "lockRenewTime: %lld is not below lockDuration, %lld: every "
                            "lock would run out before it is renewed",
                            (long long)options->lock_renew_time,
                            (long long)options->lock_duration);
    /* An idle queue is fetched from once in drainDelay: that is no deafness. */
    if (options->deaf_timeout > 0 &&
        options->deaf_timeout < options->drain_delay + DEAF_SLACK_MS)
        return bw_error_set(err, BW_EINVAL,
                            "deafTimeout: %lld is not above drainDelay, %lld: an idle "
                            "queue would count as deaf",
                            (long long)options->deaf_timeout,
                            (long long)options->drain_delay);
    return BW_OK;
}

int bw_queue_options_check(const struct bw_queue_options *options, struct bw_error *err)
{
    int result = check_ranges(options, err);

    if (result == BW_OK)
        result =
            check_window("limiter", options->limiter_max, options->limiter_duration, err);
    if (result == BW_OK)
        result = check_window("groupRate", options->group_rate_max,
                              options->group_rate_duration, err);
    if (result == BW_OK)
        result = check_group_key(options, err);
    if (result == BW_OK)
        result = check_together(options, err);
    return result;
}
