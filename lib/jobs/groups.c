#include "jobs/groups.h"

#include "jobs/job.h"
#include "jobs/queue_loop.h"
#include "run/reactor.h"

static void build(struct bw_cmd *cmd, const struct bw_queue_loop *queue,
                  const struct bw_text *ended, size_t count)
{
    bw_check_groups_build(cmd, &queue->keys, bw_loop_wall(queue->reactor->loop),
                          queue->options.stalled_interval,
                          (int)queue->options.pause_layout, &queue->groups, ended, count);
}

static void on_checked(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_queue_loop *queue = arg;

    queue->groups_asked = false;
    if (err != NULL) { /* the next interval tries again */
        bw_log(&queue->log, BW_LOG_WARNING, "check of groups failed",
               bw_text("error", err->text));
        return;
    }
    if (bw_reply_integer(reply) == BW_GROUPS_AT_ONCE)
        bw_groups_check(queue);
    else if (bw_reply_integer(reply) == BW_GROUPS_DONE && queue->groups.key == NULL)
        queue->groups_left = false;
}

void bw_groups_check(struct bw_queue_loop *queue)
{
    struct bw_reactor *reactor = queue->reactor;
    struct bw_cmd *cmd;

    if (!queue->groups_left || queue->groups_asked || !bw_reactor_can_call(reactor))
        return;
    cmd = bw_reactor_cmd(reactor);
    build(cmd, queue, NULL, 0);
    /* Not connected, or out of memory: the next interval tries again. */
    queue->groups_asked = bw_reactor_call(reactor, cmd, on_checked, queue) == BW_OK;
}

void bw_groups_left(struct bw_job *job)
{
    struct bw_queue_loop *queue = job->queue;
    struct bw_cmd *cmd;

    if (queue->groups.key == NULL)
        return;
    cmd = bw_reactor_cmd(queue->reactor);
    build(cmd, queue, &job->data.id, 1);
    /* When this is lost the next check notices. */
    bw_reactor_tell(queue->reactor, cmd, queue);
}
