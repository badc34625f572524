#include "jobs/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "jobs/lane_setup.h"

void bw_lanes_init(struct bw_lanes *lanes, struct bw_loop *loop,
                   const struct bw_clock *clock, const struct bw_log *log)
{
    lanes->clock = clock;
    lanes->log = *log;
    bw_rand_init(&lanes->rand, bw_rand_process_seed());
    bw_caller_init(&lanes->caller, loop);
    bw_letterbox_init(&lanes->letters, loop);
    bw_effects_init(&lanes->effects, &lanes->caller);
    bw_requests_init(&lanes->requests, &lanes->caller, &lanes->letters);
    bw_mutex_init(&lanes->cancel_mutex);
}

void bw_lanes_fini(struct bw_lanes *lanes)
{
    for (size_t i = 0; i < lanes->count; i++)
        bw_lane_destroy(&lanes->lane[i]);
    free(lanes->lane);
    bw_effects_fini(&lanes->effects);
    bw_requests_fini(&lanes->requests);
    bw_job_memory_fini(&lanes->memory);
    bw_letterbox_fini(&lanes->letters);
    bw_mutex_fini(&lanes->cancel_mutex);
    bw_caller_fini(&lanes->caller);
}

int bw_lanes_add(struct bw_lanes *lanes, struct bw_lane *lane, struct bw_error *err)
{
    struct bw_lane **list;

    for (size_t i = 0; i < lanes->count; i++) {
        if (strcmp(lanes->lane[i]->keys.text[BW_KEY_BASE],
                   lane->keys.text[BW_KEY_BASE]) == 0)
            return bw_error_set(err, BW_EINVAL, "the worker has queue %s already",
                                lane->name);
    }
    list = bw_realloc(lanes->lane, (lanes->count + 1) * sizeof *list);
    if (list == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    lanes->lane = list;
    list[lanes->count++] = lane;
    return BW_OK;
}

static int by_marker(const void *a, const void *b)
{
    struct bw_lane *const *left = a, *const *right = b;

    return strcmp((*left)->keys.text[BW_KEY_MARKER], (*right)->keys.text[BW_KEY_MARKER]);
}

void bw_lanes_sort(struct bw_lanes *lanes)
{
    if (lanes->count > 0)
        qsort(lanes->lane, lanes->count, sizeof *lanes->lane, by_marker);
    for (size_t i = 0; i < lanes->count; i++)
        lanes->lane[i]->index = i;
}

static int by_key(const void *key, const void *element)
{
    struct bw_lane *const *lane = element;

    return strcmp(key, (*lane)->keys.text[BW_KEY_MARKER]);
}

struct bw_lane *bw_lanes_find(const struct bw_lanes *lanes, const char *marker_key)
{
    struct bw_lane **found =
        bsearch(marker_key, lanes->lane, lanes->count, sizeof *lanes->lane, by_key);

    BW_ASSERT(found == NULL || (*found)->index == (size_t)(found - lanes->lane));
    return found != NULL ? *found : NULL;
}
