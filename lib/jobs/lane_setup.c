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
