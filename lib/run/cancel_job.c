#include "run/cancel_job.h"

#include <stdlib.h>
#include <string.h>

#include <bulwark/thread.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/list.h"
#include "jobs/job.h"
#include "jobs/lanes.h"
#include "jobs/stop.h"

enum { PATIENCE_MS = 1000 };

struct request { /* shared by the asking thread and the reactor: the last one frees */
    struct bw_letter letter;
    struct bw_lanes *lanes;
    char *queue, *id, *reason;
    struct bw_mutex mutex; /* guards the rest */
    struct bw_cond answered;
    bool done;
    int result;
    unsigned users;
};

static void deliver(struct bw_letter *letter, bool open);

static void request_unref(struct request *request)
{
    bool last;

    bw_mutex_lock(&request->mutex);
    last = --request->users == 0;
    bw_mutex_unlock(&request->mutex);
    if (!last)
        return;
    bw_cond_fini(&request->answered);
    bw_mutex_fini(&request->mutex);
    free(request->queue);
    free(request->id);
    free(request->reason);
    free(request);
}

static struct request *request_create(struct bw_lanes *lanes, const char *queue,
                                      const char *id, const char *reason)
{
    struct request *request = bw_calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    bw_mutex_init(&request->mutex);
    bw_cond_init(&request->answered);
    request->users = 1;
    request->lanes = lanes;
    request->letter.deliver = deliver;
    request->queue = bw_strdup(queue);
    request->id = bw_strdup(id);
    request->reason = bw_strdup(reason != NULL ? reason : "on request");
    if (request->queue != NULL && request->id != NULL && request->reason != NULL)
        return request;
    request_unref(request);
    return NULL;
}

static int await_answer(struct request *request)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), PATIENCE_MS);
    bool in_time = true;
    int result;

    bw_mutex_lock(&request->mutex);
    while (!request->done && in_time)
        in_time = bw_cond_wait_until(&request->answered, &request->mutex, deadline);
    result = request->done ? request->result : BW_ETIMEDOUT;
    bw_mutex_unlock(&request->mutex);
    return result;
}

int bw_cancel_job(struct bw_lanes *lanes, const char *queue, const char *id,
                  const char *reason)
{
    struct request *request = request_create(lanes, queue, id, reason);
    int result;

    if (request == NULL)
        return BW_ENOMEM;
    request->users = 2; /* nobody else has seen it: no lock needed */
    bw_letterbox_send(&lanes->letters, &request->letter);
    result = await_answer(request);
    request_unref(request);
    return result;
}

/* --- on the reactor */

static struct bw_job *find_job(const struct request *request)
{
    const struct bw_lanes *lanes = request->lanes;
    const struct bw_text id = { request->id, strlen(request->id) };

    for (size_t i = 0; i < lanes->count; i++) {
        const struct bw_lane *lane = lanes->lane[i];
        struct bw_job *job =
            strcmp(lane->name, request->queue) == 0 ? bw_lane_find_held(lane, id) : NULL;

        if (job != NULL)
            return job;
    }
    return NULL;
}

static void deliver(struct bw_letter *letter, bool open)
{
    struct request *request = BW_LIST_OF(letter, struct request, letter);
    struct bw_job *job = open ? find_job(request) : NULL;
    int result = job != NULL ? bw_stop_cancel(job, request->reason) : BW_EINVAL;

    bw_mutex_lock(&request->mutex);
    BW_ASSERT(!request->done && request->users > 0);
    request->result = result;
    request->done = true;
    bw_cond_signal(&request->answered);
    bw_mutex_unlock(&request->mutex);
    request_unref(request);
}
