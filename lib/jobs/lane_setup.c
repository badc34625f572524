#include "jobs/lane_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "jobs/batch.h"
#include "jobs/groups.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/lane_turn.h"
#include "jobs/lanes.h"
#include "jobs/ready.h"
#include "jobs/renew.h"
#include "jobs/settle.h"
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
    bw_groups_init(&lane->grouping, own);
    if (own->lock_renew_time == BW_LOCK_RENEW_HALF)
        own->lock_renew_time = own->lock_duration / 2;
    lane->qualified_name = qualified_name(lane->prefix, lane->name);
    if (lane->qualified_name == NULL)
        return BW_ENOMEM;
    lane->client_name = bw_keys_client_name(lane->prefix, lane->name, lane->worker_name);
    return lane->client_name != NULL ? BW_OK : BW_ENOMEM;
}

static int init_parts(struct bw_lane *lane)
{
    if (bw_settle_init(lane) != BW_OK || bw_turn_init(lane) != BW_OK ||
        bw_renew_init(lane) != BW_OK || bw_stalled_init(lane) != BW_OK ||
        bw_stop_init(lane) != BW_OK || bw_batch_init(lane) != BW_OK)
        return BW_ENOMEM;
    return BW_OK;
}

static void init_state(struct bw_lane *lane, struct bw_lanes *lanes)
{
    lane->magic = BW_LANE_MAGIC;
    lane->lanes = lanes;
    lane->caller = &lanes->caller;
    bw_list_init(&lane->jobs.all);
    bw_list_init(&lane->jobs.given_up);
    bw_ready_init(&lane->ready);
    (void)snprintf(lane->token_prefix, sizeof lane->token_prefix,
                   "%s:", lanes->uuid); /* 37 bytes */
}

int bw_lane_create(struct bw_lane **lanep, struct bw_lanes *lanes,
                   const struct bw_queue_options *options,
                   const struct bw_handler *handler, void *arg, struct bw_error *err)
{
    struct bw_lane *lane;
    int result = bw_queue_options_check(options, err);

    if (result == BW_OK)
        result = bw_batch_check(handler, err);
    if (result != BW_OK)
        return result;
    lane = bw_calloc(1, sizeof *lane);
    if (lane == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    init_state(lane, lanes);
    lane->handler = *handler;
    lane->handler_arg = arg;
    bw_steer_hold(&lane->steer, handler->held);
    result = bw_keys_init(&lane->keys, options->prefix, options->name, err);
    if (result == BW_OK &&
        (copy_options(lane, options) != BW_OK || init_parts(lane) != BW_OK))
        result = bw_error_set(err, BW_ENOMEM, "out of memory");
    if (result != BW_OK) {
        bw_lane_destroy(&lane);
        return result;
    }
    bw_log_child(&lane->log, &lanes->log, "queue", lane->name);
    *lanep = lane;
    return BW_OK;
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
    BW_ASSERT(lane->magic == BW_LANE_MAGIC);
    destroy_jobs(&lane->jobs.all);
    destroy_jobs(&lane->jobs.given_up);
    bw_turn_fini(lane);
    bw_renew_fini(lane);
    bw_stalled_fini(lane);
    bw_stop_fini(lane);
    bw_batch_fini(lane);
    bw_settle_fini(lane);
    bw_keys_fini(&lane->keys);
    free(lane->name);
    free(lane->prefix);
    free(lane->worker_name);
    free(lane->group_key);
    free(lane->client_name);
    free(lane->qualified_name);
    lane->magic = 0;
    free(lane);
}
