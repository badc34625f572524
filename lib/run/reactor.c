#include "run/reactor.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "redis/client.h"
#include "run/drain.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "run/watch.h"

/* The reactor whose thread this is. */
static _Thread_local const struct bw_reactor *current;

bool bw_reactor_is_current(const struct bw_reactor *reactor)
{
    return current == reactor;
}

void bw_reactor_send(struct bw_reactor *reactor, struct bw_letter *letter)
{
    if (bw_letterbox_put(&reactor->letters, letter))
        bw_loop_wake(reactor->loop);
}

/* --- calls */

bool bw_reactor_can_call(const struct bw_reactor *reactor)
{
    return reactor->links.recovered && bw_conn_is_ready(reactor->links.command);
}

struct bw_cmd *bw_reactor_cmd(struct bw_reactor *reactor)
{
    bw_cmd_clear(&reactor->cmd);
    return &reactor->cmd;
}

int bw_reactor_call(struct bw_reactor *reactor, const struct bw_cmd *cmd, bw_redis_cb *cb,
                    void *arg)
{
    if (!bw_reactor_can_call(reactor))
        return BW_ECLOSED;
    atomic_fetch_add_explicit(&reactor->script_calls, 1, memory_order_relaxed);
    return bw_conn_send(reactor->links.command, cmd, BW_CALL_TIMEOUT_MS, cb, arg);
}

static void on_told(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_lane *lane = arg;

    (void)reply;
    if (err != NULL)
        bw_log(&lane->log, BW_LOG_WARNING, "a call failed", bw_text("error", err->text));
}

void bw_reactor_tell(struct bw_reactor *reactor, const struct bw_cmd *cmd,
                     struct bw_lane *lane)
{
    int result = bw_reactor_call(reactor, cmd, on_told, lane);

    if (result != BW_OK)
        bw_log(&lane->log, BW_LOG_WARNING, "a call could not be sent",
               bw_text("error", bw_code_name(result)));
}

/* --- the turn */

void bw_reactor_run_later(struct bw_reactor *reactor, struct bw_job *job)
{
    struct bw_task *task = &job->task;

    task->next = NULL;
    if (reactor->tasks_tail != NULL)
        reactor->tasks_tail->next = task;
    else
        reactor->tasks_head = task;
    reactor->tasks_tail = task;
    reactor->task_count++;
}

static void hand_out_jobs(struct bw_reactor *reactor)
{
    if (reactor->tasks_head == NULL)
        return;
    /* Refused only after the worker's end, when no reactor runs. */
    (void)bw_processors_post(reactor->processors, reactor->tasks_head,
                             reactor->tasks_tail, reactor->task_count);
    reactor->tasks_head = reactor->tasks_tail = NULL;
    reactor->task_count = 0;
}

static void turn_queues(struct bw_reactor *reactor)
{
    while (reactor->touched != NULL) {
        struct bw_lane *lane = reactor->touched;

        reactor->touched = lane->next_touched;
        lane->touched = false;
        bw_lane_turn(lane);
    }
}

static void publish(struct bw_reactor *reactor)
{
    const struct bw_links *links = &reactor->links;
    bool connected = bw_reactor_can_call(reactor) && bw_conn_is_ready(links->blocking);
    uint64_t reconnects =
        bw_conn_reconnects(links->command) + bw_conn_reconnects(links->blocking);

    atomic_store_explicit(&reactor->command_heard_ns,
                          bw_conn_last_heard(links->command).ns, memory_order_relaxed);
    atomic_store_explicit(&reactor->blocking_heard_ns,
                          bw_conn_last_heard(links->blocking).ns, memory_order_relaxed);
    if (connected && !atomic_load_explicit(&reactor->connected_now, memory_order_relaxed))
        atomic_store_explicit(&reactor->connected_at_ms, bw_loop_wall(reactor->loop).ms,
                              memory_order_relaxed);
    atomic_store_explicit(&reactor->connected_now, connected, memory_order_relaxed);
    atomic_store_explicit(&reactor->reconnects, reconnects, memory_order_relaxed);
    atomic_store_explicit(&reactor->last_turn_ms, bw_loop_wall(reactor->loop).ms,
                          memory_order_relaxed);
}

static void on_turn(void *arg)
{
    struct bw_reactor *reactor = arg;

    for (size_t i = 0; i < reactor->lane_count; i++)
        bw_batch_turn(reactor->lanes[i]);
    hand_out_jobs(reactor);
    bw_effects_flush(reactor);
    bw_requests_flush(reactor);
    turn_queues(reactor);
    bw_markers_turn(reactor);
    bw_drain_turn(reactor);
    publish(reactor);
}

static void quiet_changed(struct bw_reactor *reactor)
{
    for (size_t i = 0; i < reactor->lane_count; i++) {
        struct bw_lane *lane = reactor->lanes[i];
        bool quiet = atomic_load(&lane->quiet);

        if (quiet != lane->told_quiet)
            bw_lane_tell(lane, quiet ? BW_EVENT_PAUSED : BW_EVENT_RESUMED,
                         (struct bw_text){ NULL, 0 });
        lane->told_quiet = quiet;
        bw_lane_wake(lane);
    }
}

static void on_wake(void *arg)
{
    struct bw_reactor *reactor = arg;

    bw_letterbox_read(&reactor->letters, true);
    if (atomic_exchange(&reactor->quiet_changed, false))
        quiet_changed(reactor);
    bw_drain_wake(reactor);
}

/* --- life */

int bw_reactor_create(struct bw_reactor **reactorp,
                      const struct bw_worker_options *options, const struct bw_log *log,
                      struct bw_error *err)
{
    struct bw_reactor *reactor = bw_calloc(1, sizeof *reactor);
    int result;

    if (reactor == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    reactor->clock = options->clock;
    bw_letterbox_init(&reactor->letters);
    bw_effects_init(&reactor->effects);
    bw_requests_init(&reactor->requests);
    bw_mutex_init(&reactor->cancel_mutex);
    atomic_init(&reactor->drain_at_ns, INT64_MAX);
    bw_rand_init(&reactor->rand, bw_rand_process_seed());
    result = bw_rand_uuid(reactor->uuid, err);
    bw_log_child(&reactor->log, log, "worker", reactor->uuid);
    if (result == BW_OK)
        result = bw_redis_options_dup(&reactor->redis, options->redis, err);
    if (result == BW_OK)
        result = bw_loop_create(&reactor->loop, options->clock, err);
    if (result == BW_OK)
        result = bw_redis_create_lent(&reactor->commands, reactor->loop, err);
    if (result != BW_OK) {
        bw_reactor_destroy(&reactor);
        return result;
    }
    *reactorp = reactor;
    return BW_OK;
}

int bw_reactor_add_queue(struct bw_reactor *reactor, struct bw_lane *lane,
                         struct bw_error *err)
{
    struct bw_lane **lanes;

    for (size_t i = 0; i < reactor->lane_count; i++) {
        if (strcmp(reactor->lanes[i]->keys.text[BW_KEY_BASE],
                   lane->keys.text[BW_KEY_BASE]) == 0)
            return bw_error_set(err, BW_EINVAL, "the worker has queue %s already",
                                lane->name);
    }
    lanes = bw_realloc(reactor->lanes, (reactor->lane_count + 1) * sizeof *lanes);
    if (lanes == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    reactor->lanes = lanes;
    lanes[reactor->lane_count++] = lane;
    return BW_OK;
}

int bw_reactor_add_client(struct bw_reactor *reactor,
                          const struct bw_redis_options *options,
                          struct bw_redis **redisp, struct bw_error *err)
{
    struct bw_redis **clients = bw_realloc(
        reactor->clients, (reactor->client_count + 1) * sizeof *reactor->clients);
    int result;

    if (clients == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    reactor->clients = clients;
    result = bw_redis_create(redisp, reactor->loop,
                             options != NULL ? options : &reactor->redis, options == NULL,
                             &reactor->log, err);
    if (result == BW_OK)
        clients[reactor->client_count++] = *redisp;
    return result;
}

static int by_marker(const void *a, const void *b)
{
    struct bw_lane *const *left = a, *const *right = b;

    return strcmp((*left)->keys.text[BW_KEY_MARKER], (*right)->keys.text[BW_KEY_MARKER]);
}

int bw_reactor_prepare(struct bw_reactor *reactor, struct bw_error *err)
{
    int result;

    /* Without a queue the worker serves the program's own connections only. */
    if (reactor->lane_count > 0)
        qsort(reactor->lanes, reactor->lane_count, sizeof *reactor->lanes, by_marker);
    for (size_t i = 0; i < reactor->lane_count; i++)
        reactor->lanes[i]->index = i;
    result = bw_markers_prepare(reactor, err);
    if (result == BW_OK)
        result = bw_drain_prepare(reactor, err);
    if (result == BW_OK)
        result = bw_watch_prepare(reactor, err);
    if (result == BW_OK)
        result = bw_links_prepare(reactor, err);
    if (result != BW_OK)
        return result;
    bw_loop_on_turn(reactor->loop, on_turn, reactor);
    bw_loop_on_wake(reactor->loop, on_wake, reactor);
    return BW_OK;
}

void bw_reactor_run(struct bw_reactor *reactor)
{
    current = reactor;
    bw_links_open(reactor);
    for (size_t i = 0; i < reactor->client_count; i++)
        bw_redis_open(reactor->clients[i]);
    bw_watch_start(reactor);
    bw_loop_wake(reactor->loop); /* a drain may have been asked for before */
    bw_loop_run(reactor->loop);
    hand_out_jobs(reactor);
    bw_links_close(reactor);
    for (size_t i = 0; i < reactor->client_count; i++)
        bw_redis_close(reactor->clients[i]);
    bw_redis_close(reactor->commands);
    bw_requests_close(reactor);
    atomic_store(&reactor->connected_now, false);
    current = NULL;
}

void bw_reactor_destroy(struct bw_reactor **reactorp)
{
    struct bw_reactor *reactor = *reactorp;

    if (reactor == NULL)
        return;
    *reactorp = NULL;
    for (size_t i = 0; i < reactor->client_count; i++)
        bw_redis_destroy(&reactor->clients[i]);
    free(reactor->clients);
    bw_redis_destroy(&reactor->commands);
    bw_letterbox_read(&reactor->letters, false);
    bw_effects_fini(reactor);
    bw_requests_fini(&reactor->requests);
    bw_links_close(reactor);
    for (size_t i = 0; i < reactor->lane_count; i++)
        bw_lane_destroy(&reactor->lanes[i]);
    free(reactor->lanes);
    bw_job_free_kept(reactor);
    bw_markers_fini(reactor);
    bw_drain_fini(reactor);
    bw_watch_fini(reactor);
    bw_loop_destroy(&reactor->loop);
    bw_redis_options_fini(&reactor->redis);
    bw_cmd_fini(&reactor->cmd);
    bw_letterbox_fini(&reactor->letters);
    bw_mutex_fini(&reactor->cancel_mutex);
    free(reactor);
}
