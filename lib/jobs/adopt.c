#include "jobs/adopt.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "jobs/job.h"
#include "jobs/queue_loop.h"
#include "run/reactor.h"

static void on_adopted(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_queue_loop *queue = arg;
    size_t count;

    queue->adopting = false;
    bw_queue_touch(queue);
    if (err != NULL) {
        if (err->code == BW_EREDIS)
            bw_queue_refused(queue, "adopt", err);
        return; /* still wanted: done after the pause, or the reconnect */
    }
    queue->adopt_wanted = false;
    queue->refusals = 0;
    count = bw_reply_count(reply);
    if (count > 0)
        bw_log(&queue->log, BW_LOG_INFO, "jobs of a lost reply found",
               bw_num("jobs", (int64_t)count));
    for (size_t i = 0; i < count; i++)
        bw_queue_start_job(queue, bw_reply_at(reply, i), queue->adopt_sent,
                           queue->lost_token);
}

void bw_adopt_want(struct bw_queue_loop *queue, uint64_t first_token)
{
    if (!queue->adopt_wanted || first_token < queue->lost_token)
        queue->lost_token = first_token;
    queue->adopt_wanted = true;
}

static size_t list_known(const struct bw_queue_loop *queue, struct bw_text *known)
{
    size_t count = 0;

    for (const struct bw_job *job = NULL; (job = bw_queue_next_job(queue, job)) != NULL;)
        known[count++] = job->data.id;
    return count;
}

void bw_adopt_send(struct bw_queue_loop *queue)
{
    struct bw_reactor *reactor = queue->reactor;
    struct bw_cmd *cmd = bw_reactor_cmd(reactor);
    struct bw_text *known = bw_calloc(queue->job_count + 1, sizeof *known);
    struct bw_error err = { BW_ENOMEM, "out of memory" };
    int result = BW_ENOMEM;

    if (known != NULL) {
        bw_adopt_build(cmd, &queue->keys, bw_loop_wall(reactor->loop),
                       queue->token_prefix, queue->options.lock_duration, known,
                       list_known(queue, known));
        result = bw_reactor_call(reactor, cmd, on_adopted, queue);
        free(known);
    }
    queue->adopting = result == BW_OK;
    queue->adopt_sent = bw_reactor_now(reactor);
    if (result == BW_ENOMEM)
        bw_queue_refused(queue, "adopt", &err);
}
