#include "jobs/stalled.h"

#include "jobs/groups.h"
#include "jobs/queue_loop.h"
#include "run/reactor.h"

static void on_checked(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct bw_queue_loop *queue = arg;

    if (err != NULL) { /* the next interval tries again */
        bw_log(&queue->log, BW_LOG_WARNING, "stalled check failed",
               bw_text("error", err->text));
        if (err->code == BW_EREDIS) /* a lost connection is told by itself */
            bw_queue_tell_error(queue, err->text);
        return;
    }
    for (size_t i = 0; i < bw_reply_count(reply); i++) {
        size_t len;
        const char *id = bw_reply_text(bw_reply_at(reply, i), &len);

        if (bw_reply_kind(bw_reply_at(reply, i)) == BW_REPLY_ERROR) {
            bw_log(&queue->log, BW_LOG_WARNING, "a stalled job cannot be put back",
                   bw_text("error", id));
            bw_queue_tell_error(queue, id);
            continue;
        }
        bw_count(&queue->counters.stalled);
        bw_log(&queue->log, BW_LOG_WARNING, "stalled job put back to wait",
               bw_text_len("job", id, len));
        bw_queue_tell(queue, BW_EVENT_STALLED, (struct bw_text){ id, len });
    }
    if (bw_reply_count(reply) > 0)
        bw_queue_wake(queue);
}

static void check(struct bw_queue_loop *queue)
{
    struct bw_reactor *reactor = queue->reactor;
    struct bw_cmd *cmd;

    if (!bw_reactor_can_call(reactor))
        return;
    cmd = bw_reactor_cmd(reactor);
    bw_check_stalled_build(
        cmd, &queue->keys, bw_loop_wall(reactor->loop), queue->options.stalled_interval,
        queue->options.max_stalled_count, (int)queue->options.pause_layout);
    /* Not connected, or out of memory: the next interval tries again. */
    if (bw_reactor_call(reactor, cmd, on_checked, queue) != BW_OK)
        bw_log(&queue->log, BW_LOG_WARNING, "stalled check could not be sent");
}

void bw_stalled_tick(void *arg)
{
    struct bw_queue_loop *queue = arg;

    bw_timer_start(queue->stalled_timer, queue->options.stalled_interval);
    if (queue->reactor->draining)
        return;
    if (!queue->options.skip_stalled_check)
        check(queue);
    bw_groups_check(queue);
}

void bw_stalled_start(struct bw_queue_loop *queue)
{
    bool wanted = !queue->options.skip_stalled_check || queue->groups.key != NULL;

    if (wanted && !bw_timer_is_running(queue->stalled_timer))
        bw_stalled_tick(queue);
}
