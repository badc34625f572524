#include "workflow/adapter.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "pg/pool.h"
#include "telegram/client.h"
#include "workflow/base/mem.h"

/* worker/workflow/spec/workflow.md §10.6 */
#define REDIS_TIMEOUT_MS 200

struct wf_adapter {
    struct wf_effects effects;
    struct bw_worker *worker;
    struct pg_pool *pg;
    struct bw_redis *redis;
    struct bw_redis *producer; /* of the queue; NULL: none */
    const char *prefix;
    struct tg_client *telegram;
    struct web_client *web;
    atomic_uint unawaited;
    struct pg_statement statements[WF_SQL_COUNT], plans[WF_SQL_COUNT];
};

/* --- PostgreSQL: a wf_batch is a pg_batch with the statements' table */

struct wf_batch {
    struct pg_batch *pg;
    const struct wf_adapter *adapter;
    wf_db_done *done;
    void *arg;
};

static struct wf_batch *batch_create(void *arg)
{
    struct wf_batch *batch = wf_alloc(sizeof(*batch));

    batch->adapter = arg;
    wf_check(pg_batch_create(&batch->pg));
    return batch;
}

static size_t batch_add(struct wf_batch *batch, enum wf_sql sql,
                        const char *const *params, size_t count)
{
    int index;

    BW_ASSERT(count == wf_store_statement(sql)->params);
    index = pg_batch_add(batch->pg, &batch->adapter->statements[sql], params, count);
    wf_check(index < 0 ? index : BW_OK);
    return (size_t)index;
}

static void batch_settled(struct pg_batch *pg, void *arg)
{
    struct wf_batch *batch = arg;

    batch->pg = pg;
    batch->done(batch, batch->arg);
}

static wf_call batch_submit(void *arg, struct wf_batch *batch, int64_t timeout_ms,
                            wf_db_done *done, void *done_arg)
{
    struct wf_adapter *adapter = arg;

    batch->done = done;
    batch->arg = done_arg;
    return pg_pool_submit(adapter->pg, batch->pg, timeout_ms, batch_settled, batch);
}

static enum wf_db_outcome batch_outcome(const struct wf_batch *batch)
{
    switch (pg_batch_outcome(batch->pg)) {
    case PG_OK:
        return WF_DB_OK;
    case PG_FAILED:
        return WF_DB_REFUSED;
    case PG_TIMED_OUT:
        return WF_DB_LATE;
    case PG_TRANSIENT:
        break;
    }
    return WF_DB_TRANSIENT;
}

static enum wf_sql batch_refused(const struct wf_batch *batch)
{
    const struct pg_statement *refused = pg_batch_refused(batch->pg);

    for (int i = 0; i < WF_SQL_COUNT; i++) {
        if (refused == &batch->adapter->statements[i] ||
            refused == &batch->adapter->plans[i])
            return (enum wf_sql)i;
    }
    return WF_SQL_COUNT;
}

static void batch_add_plan(struct wf_batch *batch, enum wf_sql sql)
{
    const struct pg_statement *plan = &batch->adapter->plans[sql];
    const char *nulls[WF_PARAMS_MAX] = { NULL };
    int index = pg_batch_add(batch->pg, plan, nulls, plan->params);

    wf_check(index < 0 ? index : BW_OK);
}

static bool db_reachable(void *arg)
{
    struct pg_stats stats;

    pg_pool_stats(((const struct wf_adapter *)arg)->pg, &stats);
    return stats.reachable;
}

static const char *batch_sqlstate(const struct wf_batch *batch)
{
    return pg_batch_sqlstate(batch->pg);
}

static const char *batch_message(const struct wf_batch *batch)
{
    return pg_batch_message(batch->pg);
}

static size_t batch_rows(const struct wf_batch *batch, size_t index)
{
    return pg_batch_rows(batch->pg, index);
}

static const char *batch_value(const struct wf_batch *batch, size_t index, size_t row,
                               size_t column)
{
    return pg_batch_value(batch->pg, index, row, column);
}

static void batch_destroy(struct wf_batch **batchp)
{
    struct wf_batch *batch = *batchp;

    if (batch == NULL)
        return;
    *batchp = NULL;
    pg_batch_destroy(&batch->pg);
    free(batch);
}

/* --- Redis */

struct redis_call {
    wf_redis_done *done;
    void *arg;
};

static void redis_answered(const struct bw_reply *reply, const struct bw_error *err,
                           void *arg)
{
    struct redis_call *call = arg;
    struct wf_reply flat = { .ok = err == NULL,
                             .away = err != NULL && err->code != BW_EREDIS };

    if (err == NULL) {
        flat.nil = bw_reply_kind(reply) == BW_REPLY_NIL;
        flat.text = bw_reply_text(reply, &flat.len);
        flat.number = bw_reply_integer(reply);
    }
    call->done(&flat, call->arg);
    free(call);
}

static bool redis_send(void *arg, const struct bw_redis_arg *args, size_t count,
                       wf_redis_done *done, void *done_arg)
{
    struct wf_adapter *adapter = arg;
    struct redis_call *call = wf_alloc(sizeof(*call));

    call->done = done;
    call->arg = done_arg;
    if (bw_redis_command(adapter->redis, args, count, REDIS_TIMEOUT_MS, redis_answered,
                         call) == BW_OK)
        return true;
    free(call);
    return false;
}

static int64_t redis_since(void *arg)
{
    const struct wf_adapter *adapter = arg;
    int64_t since = bw_redis_since(adapter->redis);
    struct bw_worker_stats stats;

    bw_worker_stats(adapter->worker, &stats);
    return stats.connected_at_ms > since ? stats.connected_at_ms : since;
}

/* --- Telegram */

struct telegram_call {
    struct wf_adapter *adapter;
    wf_telegram_done *done; /* NULL: nobody waits */
    void *arg;
};

static bool mentions(const char *description, const char *phrase)
{
    return description != NULL && strcasestr(description, phrase) != NULL;
}

static enum wf_send_outcome outcome_of(const struct tg_call *tg)
{
    switch (tg_call_outcome(tg)) {
    case TG_OK:
        return WF_SEND_OK;
    case TG_REFUSED:
        return WF_SEND_REFUSED;
    case TG_LIMITED:
    case TG_NOT_SENT:
    case TG_UNKNOWN:
    case TG_CANCELLED:
        break;
    }
    return WF_SEND_TRANSIENT;
}

static void telegram_answered(struct tg_call *tg, void *arg)
{
    struct telegram_call *call = arg;
    struct wf_sent sent = { .outcome = outcome_of(tg) };

    sent.status = tg_call_status(tg);
    sent.description = tg_call_description(tg);
    sent.retry_after_ms = tg_call_retry_after_ms(tg);
    sent.message_id =
        json_integer_value(json_object_get(tg_call_result(tg), "message_id"));
    sent.unknown = tg_call_outcome(tg) == TG_UNKNOWN ||
                   (tg_call_outcome(tg) == TG_CANCELLED && tg_call_sent(tg));
    sent.unclear = tg_call_unclear(tg);
    sent.moved_to = tg_call_moved_to(tg);
    sent.params = tg_call_params(tg);
    sent.result = tg_call_result(tg);
    sent.not_modified = mentions(sent.description, "message is not modified");
    sent.message_gone = mentions(sent.description, "message to delete not found");
    sent.blocked =
        sent.status == 403 && (mentions(sent.description, "bot was blocked") ||
                               mentions(sent.description, "user is deactivated"));
    if (call->done != NULL)
        call->done(&sent, call->arg);
    else
        atomic_fetch_sub_explicit(&call->adapter->unawaited, 1, memory_order_release);
    free(call);
    tg_call_destroy(&tg);
}

static wf_call telegram_send(void *arg, const char *token, const char *method,
                             json_t *params, bool once, wf_telegram_done *done,
                             void *done_arg)
{
    struct wf_adapter *adapter = arg;
    struct telegram_call *call = wf_alloc(sizeof(*call));
    struct tg_call *tg = tg_call_create(token, method, params);

    wf_check(tg != NULL ? BW_OK : BW_ENOMEM);
    if (once)
        tg_call_send_once(tg);
    call->adapter = adapter;
    call->done = done;
    call->arg = done_arg;
    if (done == NULL)
        atomic_fetch_add_explicit(&adapter->unawaited, 1, memory_order_relaxed);
    tg_client_submit(adapter->telegram, tg, telegram_answered, call);
    return (wf_call)(uintptr_t)tg;
}

static wf_call http_send(void *arg, const struct web_request *request, web_done *done,
                         void *done_arg)
{
    const struct wf_adapter *adapter = arg;
    struct web_call *call = NULL;

    wf_check(web_client_submit(adapter->web, request, done, done_arg, &call));
    return (wf_call)(uintptr_t)call;
}

static void cancel(void *arg, enum wf_call_kind kind, wf_call call)
{
    const struct wf_adapter *adapter = arg;

    switch (kind) {
    case WF_CALL_DB:
        if (pg_pool_cancel(adapter->pg, call) != BW_OK)
            break; /* no memory: its deadline stands */
        break;
    case WF_CALL_TELEGRAM:
        tg_client_cancel(adapter->telegram, (struct tg_call *)(uintptr_t)call);
        break;
    case WF_CALL_HTTP:
        web_client_cancel(adapter->web, (struct web_call *)(uintptr_t)call);
        break;
    case WF_CALL_NONE:
        break;
    }
}

/* --- the queue */

#define ADD_TIMEOUT_MS 10000

struct add_call {
    wf_added *done;
    void *arg;
};

static void job_added(const char *id, const struct bw_error *err, void *arg)
{
    struct add_call *call = arg;

    call->done(id != NULL, id != NULL ? NULL : err->text, call->arg);
    free(call);
}

static void add_job(void *arg, struct bw_job *job, const char *queue, const char *name,
                    const char *data, const char *opts, wf_added *done, void *done_arg)
{
    const struct wf_adapter *adapter = arg;
    struct bw_add add = { .prefix = bw_job_prefix(job),
                          .queue = queue,
                          .name = name,
                          .data = data,
                          .data_len = strlen(data),
                          .opts = opts,
                          .opts_len = strlen(opts) };
    struct add_call *call = wf_alloc(sizeof(*call));
    struct bw_error err = { 0 };

    call->done = done;
    call->arg = done_arg;
    if (bw_queue_add(bw_job_redis(job), &add, adapter->effects.clock, ADD_TIMEOUT_MS,
                     job_added, call, &err) == BW_OK)
        return;
    done(false, err.text, done_arg);
    free(call);
}

struct add_jobs_call {
    wf_jobs_added *done;
    void *arg;
};

static void jobs_added(const char *const *ids, size_t count, const struct bw_error *err,
                       void *arg)
{
    struct add_jobs_call *call = arg;

    (void)count; /* the caller's own */
    call->done(ids, err != NULL ? err->text : NULL, call->arg);
    free(call);
}

static void add_jobs(void *arg, const char *queue, const char *name,
                     const struct wf_new_job *jobs, size_t count, wf_jobs_added *done,
                     void *done_arg)
{
    const struct wf_adapter *adapter = arg;
    struct add_jobs_call *call = wf_alloc(sizeof(*call));
    struct bw_add *adds = wf_alloc(count * sizeof(*adds));
    struct bw_error err = { 0 };
    int rc;

    assert(adapter->producer != NULL);
    for (size_t i = 0; i < count; i++)
        adds[i] = (struct bw_add){ .prefix = adapter->prefix,
                                   .queue = queue,
                                   .name = name,
                                   .data = jobs[i].data,
                                   .data_len = strlen(jobs[i].data),
                                   .opts = jobs[i].opts,
                                   .opts_len = strlen(jobs[i].opts) };
    call->done = done;
    call->arg = done_arg;
    rc = bw_queue_add_bulk(adapter->producer, adds, count, adapter->effects.clock,
                           ADD_TIMEOUT_MS, jobs_added, call, &err);
    free(adds);
    if (rc == BW_OK)
        return;
    done(NULL, err.text, done_arg);
    free(call);
}

static void hold(void *arg, const char *queue, bool held, unsigned let)
{
    struct bw_worker *worker = ((struct wf_adapter *)arg)->worker;

    /* it is the handler's own queue, which the worker has */
    (void)bw_worker_hold(worker, queue, held);
    if (let > 0)
        (void)bw_worker_let(worker, queue, let);
}

/* --- the worker's threads */

static void post(void *arg, struct bw_task *task)
{
    bw_worker_post(((struct wf_adapter *)arg)->worker, task);
}

static void post_after(void *arg, struct bw_task *task, int64_t delay_ms)
{
    bw_worker_post_after(((struct wf_adapter *)arg)->worker, task, delay_ms);
}

static void hurry(void *arg, struct bw_task *task)
{
    bw_worker_hurry(((struct wf_adapter *)arg)->worker, task);
}

/* --- */

static void put_off(struct bw_job *job, int64_t until_ms, bool unstarted)
{
    bw_job_put_off(job, (struct bw_wall){ until_ms }, unstarted);
}

static const struct wf_job_effects job_effects = {
    .id = bw_job_id,
    .prefix = bw_job_prefix,
    .name = bw_job_name,
    .data = bw_job_data,
    .timestamp = bw_job_timestamp,
    .attempts = bw_job_attempts,
    .attempts_made = bw_job_attempts_made,
    .attempts_started = bw_job_attempts_started,
    .log = bw_job_log,
    .lock_held = bw_job_lock_held,
    .cancelled = bw_job_cancelled,
    .revoked = bw_job_revoked,
    .complete = bw_job_complete,
    .fail = bw_job_fail,
    .move_to_delayed = bw_job_move_to_delayed,
    .put_off = put_off,
    .hand_back = bw_job_hand_back,
};

struct wf_adapter *wf_adapter_create(struct bw_worker *worker, struct pg_pool *pg,
                                     struct bw_redis *redis, struct tg_client *telegram,
                                     struct web_client *web, const struct bw_clock *clock)
{
    struct wf_adapter *adapter = wf_alloc(sizeof(*adapter));

    adapter->worker = worker;
    adapter->pg = pg;
    adapter->redis = redis;
    adapter->telegram = telegram;
    adapter->web = web;
    for (int i = 0; i < WF_SQL_COUNT; i++) {
        const struct wf_statement *statement = wf_store_statement((enum wf_sql)i);

        adapter->statements[i] = (struct pg_statement){ .name = statement->name,
                                                        .sql = statement->text,
                                                        .params = statement->params };
        adapter->plans[i] =
            (struct pg_statement){ .name = wf_printf("%s_plan", statement->name),
                                   .sql = wf_printf("explain %s", statement->text),
                                   .params = statement->params };
    }
    adapter->effects = (struct wf_effects){ .job = &job_effects,
                                            .batch_create = batch_create,
                                            .batch_add = batch_add,
                                            .batch_submit = batch_submit,
                                            .batch_outcome = batch_outcome,
                                            .batch_sqlstate = batch_sqlstate,
                                            .batch_message = batch_message,
                                            .batch_refused = batch_refused,
                                            .db_reachable = db_reachable,
                                            .batch_add_plan = batch_add_plan,
                                            .batch_rows = batch_rows,
                                            .batch_value = batch_value,
                                            .batch_destroy = batch_destroy,
                                            .redis = redis_send,
                                            .redis_since = redis_since,
                                            .telegram = telegram_send,
                                            .http = http_send,
                                            .cancel = cancel,
                                            .add_job = add_job,
                                            .add_jobs = add_jobs,
                                            .hold = hold,
                                            .post = post,
                                            .post_after = post_after,
                                            .hurry = hurry,
                                            .clock = clock,
                                            .arg = adapter };
    return adapter;
}

void wf_adapter_produce(struct wf_adapter *adapter, struct bw_redis *redis,
                        const char *prefix)
{
    adapter->producer = redis;
    adapter->prefix = prefix;
}

void wf_adapter_destroy(struct wf_adapter **adapterp)
{
    for (int i = 0; *adapterp != NULL && i < WF_SQL_COUNT; i++) {
        free((char *)(uintptr_t)(*adapterp)->plans[i].name);
        free((char *)(uintptr_t)(*adapterp)->plans[i].sql);
    }
    free(*adapterp);
    *adapterp = NULL;
}

const struct wf_effects *wf_adapter_effects(const struct wf_adapter *adapter)
{
    return &adapter->effects;
}

unsigned wf_adapter_pending(const struct wf_adapter *adapter)
{
    return atomic_load_explicit(&adapter->unawaited, memory_order_acquire);
}
