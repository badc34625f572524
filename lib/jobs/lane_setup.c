#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "run/reactor.h"
#include "jobs/renew.h"
#include "jobs/stalled.h"
#include "jobs/stop.h"

void bw_queue_options_init(struct bw_queue_options *options)
{
    *options = (struct bw_queue_options){
        .concurrency = 1,
        .lock_duration = 30000,
        .lock_renew_time = BW_LOCK_RENEW_HALF,
        .stalled_interval = 30000,
        .max_stalled_count = 1,
        .max_started_attempts = -1,
        .drain_delay = 5000,
        .maximum_rate_limit_delay = 30000,
        .run_retry_delay = 15000,
        .group_concurrency = 1,
        .remove_on_complete = { .count = -1, .age = -1, .limit = -1 },
        .remove_on_fail = { .count = -1, .age = -1, .limit = -1 },
    };
}

/* A thousand hours: more is a mistake, and keeps sums of times far from overflow. */
#define MOST_MS 3600000000

static int check_ranges(const struct bw_queue_options *options, struct bw_error *err)
{
    const struct {
        const char *name;
        int64_t value, least, most;
    } ranges[] = {
        { "concurrency", options->concurrency, 1, 1000000 },
        { "lockDuration", options->lock_duration, 1, MOST_MS },
        { "stalledInterval", options->stalled_interval, 1, MOST_MS },
        { "maxStalledCount", options->max_stalled_count, 0, INT32_MAX },
        { "drainDelay", options->drain_delay, 1, MOST_MS },
        { "pauseLayout", options->pause_layout, options->pause_layout != 0 ? 5 : 0, 6 },
        { "limiter.max", options->limiter_max, 0, INT64_MAX },
        { "limiter.duration", options->limiter_duration, options->limiter_max > 0 ? 1 : 0,
          INT64_MAX },
        { "maximumRateLimitDelay", options->maximum_rate_limit_delay, 1, MOST_MS },
        { "deafTimeout", options->deaf_timeout, 0, MOST_MS },
        { "timeout", options->timeout, 0, MOST_MS },
        { "groupConcurrency", options->group_concurrency, 1, 1000000 },
        { "groupRate.max", options->group_rate_max, 0, INT64_MAX },
        { "groupRate.duration", options->group_rate_duration,
          options->group_rate_max > 0 ? 1 : 0, MOST_MS },
        { "runRetryDelay", options->run_retry_delay, 1, MOST_MS },
        { "metrics.maxDataPoints", options->metrics_max_data_points, 0, INT32_MAX },
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most)
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
        result = check_group_key(options, err);
    if (result == BW_OK)
        result = check_together(options, err);
    return result;
}

static int copy_text(char **to, const char *from)
{
    if (from == NULL)
        return BW_OK;
    *to = bw_strdup(from);
    return *to != NULL ? BW_OK : BW_ENOMEM;
}

static char *qualified_name(const char *prefix, const char *name)
{
    struct bw_buf text = BW_BUF_INIT;

    if (bw_buf_addf(&text, "%s:%s", prefix, name) != BW_OK)
        return NULL;
    return bw_buf_take(&text);
}

static int copy_options(struct bw_lane *lane, const struct bw_queue_options *options)
{
    struct bw_queue_options *own = &lane->options;

    *own = *options;
    if (copy_text(&lane->name, options->name) != BW_OK ||
        copy_text(&lane->prefix, options->prefix != NULL ? options->prefix : "bull") !=
            BW_OK ||
        copy_text(&lane->worker_name, options->worker_name) != BW_OK ||
        copy_text(&lane->group_key, options->group_key) != BW_OK)
        return BW_ENOMEM;
    own->name = lane->name;
    own->prefix = lane->prefix;
    own->worker_name = lane->worker_name;
    own->group_key = lane->group_key;
    lane->groups = (struct bw_groups){
        .key = own->group_key,
        .concurrency = own->group_concurrency,
        .rate_max = own->group_rate_max,
        .rate_duration = own->group_rate_duration,
        .strict = own->group_strict,
    };
    lane->groups_left = true;
    if (own->lock_renew_time == BW_LOCK_RENEW_HALF)
        own->lock_renew_time = own->lock_duration / 2;
    lane->qualified_name = qualified_name(lane->prefix, lane->name);
    if (lane->qualified_name == NULL)
        return BW_ENOMEM;
    lane->client_name = bw_keys_client_name(lane->prefix, lane->name, lane->worker_name);
    return lane->client_name != NULL ? BW_OK : BW_ENOMEM;
}

/* Two calls of half the slots each keep Redis busy with one while we see to the other. */
static unsigned batch_for(unsigned concurrency)
{
    unsigned half = (concurrency + 1) / 2;

    return half < BW_SETTLE_BATCH ? half : BW_SETTLE_BATCH;
}

static int create_calls(struct bw_lane *lane)
{
    lane->batch = batch_for(lane->options.concurrency);
    for (unsigned i = 0; i < BW_SETTLE_CALLS; i++) {
        lane->calls[i].lane = lane;
        lane->calls[i].jobs = bw_calloc(lane->batch, sizeof *lane->calls[i].jobs);
        if (lane->calls[i].jobs == NULL)
            return BW_ENOMEM;
    }
    return BW_OK;
}

static void on_timer(void *arg)
{
    bw_lane_touch(arg);
}

static int create_timers(struct bw_lane *lane)
{
    struct bw_loop *loop = lane->reactor->loop;

    if (bw_timer_create(&lane->timer, loop, on_timer, lane) != BW_OK ||
        bw_timer_create(&lane->renew_timer, loop, bw_renew_tick, lane) != BW_OK ||
        bw_timer_create(&lane->stalled_timer, loop, bw_stalled_tick, lane) != BW_OK ||
        bw_timer_create(&lane->stop_timer, loop, bw_stop_tick, lane) != BW_OK)
        return BW_ENOMEM;
    return BW_OK;
}

int bw_lane_create(struct bw_lane **lanep, struct bw_reactor *reactor,
                   const struct bw_queue_options *options,
                   const struct bw_handler *handler, void *arg, struct bw_error *err)
{
    struct bw_lane *lane;
    int result = bw_queue_options_check(options, err);

    if (result != BW_OK)
        return result;
    result = bw_batch_check(handler, err);
    if (result != BW_OK)
        return result;
    lane = bw_calloc(1, sizeof *lane);
    if (lane == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    bw_list_init(&lane->jobs);
    bw_list_init(&lane->given_up);
    bw_list_init(&lane->handbacks);
    lane->reactor = reactor;
    lane->handler = *handler;
    atomic_store(&lane->held, handler->held);
    lane->handler_arg = arg;
    (void)snprintf(lane->token_prefix, sizeof lane->token_prefix,
                   "%s:", reactor->uuid); /* 37 bytes */
    result = bw_keys_init(&lane->keys, options->prefix, options->name, err);
    if (result != BW_OK)
        goto fail;
    if (copy_options(lane, options) != BW_OK || create_calls(lane) != BW_OK ||
        create_timers(lane) != BW_OK || bw_batch_prepare(lane) != BW_OK) {
        result = bw_error_set(err, BW_ENOMEM, "out of memory");
        goto fail;
    }
    bw_log_child(&lane->log, &reactor->log, "queue", lane->name);
    *lanep = lane;
    return BW_OK;
fail:
    bw_lane_destroy(&lane);
    return result;
}

static void destroy_jobs(struct bw_list *list)
{
    struct bw_list *node;

    while ((node = bw_list_shift(list)) != NULL) {
        struct bw_job *job = BW_LIST_OF(node, struct bw_job, node);

        bw_job_destroy(&job);
    }
}

void bw_lane_destroy(struct bw_lane **lanep)
{
    struct bw_lane *lane = *lanep;

    if (lane == NULL)
        return;
    *lanep = NULL;
    destroy_jobs(&lane->jobs);
    destroy_jobs(&lane->given_up);
    bw_timer_destroy(&lane->timer);
    bw_timer_destroy(&lane->renew_timer);
    bw_timer_destroy(&lane->stalled_timer);
    bw_timer_destroy(&lane->stop_timer);
    bw_batch_fini(lane);
    for (unsigned i = 0; i < BW_SETTLE_CALLS; i++)
        free(lane->calls[i].jobs);
    bw_keys_fini(&lane->keys);
    free(lane->name);
    free(lane->prefix);
    free(lane->worker_name);
    free(lane->group_key);
    free(lane->client_name);
    free(lane->qualified_name);
    free(lane);
}
