#include "workflow/handler.h"

#include <stdlib.h>
#include <time.h>

#include "workflow/adapter.h"
#include "workflow/engine/engine.h"
#include "workflow/jobs/foreign.h"
#include "workflow/jobs/kinds.h"
#include "workflow/jobs/scan.h"
#include "workflow/run/run_keys.h"
#include "workflow/base/mem.h"
#include "workflow/needs.h"
#include "workflow/run/run.h"
#include "workflow/run/under_way.h"

struct instance {
    struct web_client *web;
    struct wf_adapter *adapter;
    struct wf_engine *engine;
    struct wf_foreign *foreign;
    struct wf_scan *scan; /* or NULL */
    struct bw_log log;
};

/* A connection to the queue's Redis that is used without being asked by a job. */
static int connect_queue(struct instance *instance, const struct wk_handler_env *env,
                         struct bw_error *err)
{
    struct wf_foreign_options options = { .worker = env->worker,
                                          .prefix = env->prefix,
                                          .queue = env->queue,
                                          .log = &instance->log };
    int rc = bw_worker_redis(env->worker, NULL, &options.redis, err);

    if (rc != BW_OK)
        return rc;
    wf_adapter_produce(instance->adapter, options.redis, env->prefix);
    instance->foreign = wf_foreign_create(&options);
    return instance->foreign != NULL ? BW_OK
                                     : bw_error_set(err, BW_ENOMEM, "out of memory");
}

static int create(const struct wk_handler_env *env, const json_t *settings,
                  void **instancep, struct bw_error *err)
{
    struct instance *instance = wf_alloc(sizeof(*instance));
    struct wf_engine_options options = { .queue = env->queue,
                                         .config = json_is_object(env->workflow)
                                                       ? env->workflow
                                                       : NULL };
    int rc;

    (void)settings; /* the plain name has none; "workflow" of the configuration is for all
                     */
    bw_log_child(&instance->log, env->log, "handler", "workflow");
    rc = web_client_create(&instance->web, err);
    if (rc != BW_OK) {
        free(instance);
        return rc;
    }
    instance->adapter = wf_adapter_create(env->worker, env->pg, env->cache, env->telegram,
                                          instance->web, env->clock);
    options.effects = wf_adapter_effects(instance->adapter);
    options.log = &instance->log;
    rc = wf_engine_create(&instance->engine, &options, err);
    if (rc == BW_OK)
        rc = connect_queue(instance, env, err);
    if (rc != BW_OK) {
        wf_foreign_destroy(&instance->foreign);
        wf_engine_destroy(&instance->engine);
        wf_adapter_destroy(&instance->adapter);
        web_client_destroy(&instance->web);
        free(instance);
        return rc;
    }
    if (wf_scan_is_wanted(instance->engine))
        instance->scan = wf_scan_create(instance->engine);
    *instancep = instance;
    return BW_OK;
}

static void start(void *arg)
{
    struct instance *instance = arg;

    if (instance->scan != NULL)
        wf_engine_watch(instance->engine, wf_scan_tick, instance->scan);
    wf_foreign_start(instance->foreign);
}

static void process(struct bw_job *job, void *arg)
{
    struct instance *instance = arg;

    wf_kinds_start(instance->engine, job);
}

/* What its run waits for is given up. Besides, a run asks bw_job_cancelled() at each node
 * and before each message. */
static void cancel(struct bw_job *job, void *arg)
{
    wf_under_way_stop(((struct instance *)arg)->engine, job);
}

static void event(const struct bw_event *what, void *arg)
{
    struct wf_engine *engine = ((struct instance *)arg)->engine;

    if (what->job == NULL)
        return;
    if (what->kind == BW_EVENT_COMPLETED ||
        (what->kind == BW_EVENT_FAILED && what->is_final))
        wf_checkpoint_end(engine, what->job);
    else if (what->kind == BW_EVENT_FAILED)
        wf_checkpoint_outlive(engine, what->job, what->retry_ms);
}

static bool stop(void *arg, int64_t timeout_ms)
{
    struct instance *instance = arg;
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);

    if (!wf_foreign_stop(instance->foreign, deadline))
        return false;
    if (instance->scan != NULL)
        wf_scan_stop(instance->scan);
    if (!wf_engine_stop(instance->engine, timeout_ms))
        return false;
    while (wf_adapter_pending(instance->adapter) > 0) {
        if (!bw_mono_before(bw_mono_now(NULL), deadline))
            return false;
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 },
                        NULL); /* woken early: asks again */
    }
    return true;
}

static void destroy(void *arg)
{
    struct instance *instance = arg;

    web_client_destroy(&instance->web);
    wf_foreign_destroy(&instance->foreign);
    wf_scan_destroy(&instance->scan);
    wf_engine_destroy(&instance->engine);
    wf_adapter_destroy(&instance->adapter);
    free(instance);
}

static bool why_held(void *arg, char *text, size_t size)
{
    return wf_trouble_text(((struct instance *)arg)->engine, text, size);
}

static uint64_t read_counter(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void refused_stats(const struct wf_counters *counters, struct wk_metrics *metrics)
{
#define X(field, reason)                                                                 \
    wk_metrics_counter(metrics, "workflow_telegram_refused",                             \
                       "Calls of the Bot API that were refused for good", "reason",      \
                       reason, read_counter(&counters->field));
    WF_REFUSALS(X)
#undef X
}

static void held_stats(struct wf_engine *engine, struct wk_metrics *metrics)
{
    for (int i = 0; i < WF_HELD_COUNT; i++) {
        enum wf_held_reason reason = (enum wf_held_reason)i;

        wk_metrics_gauge(
            metrics, "workflow_held",
            "1 while no job is taken for this reason; of token the projects that wait",
            "reason", wf_held_label(reason),
            (double)wf_held_count(&engine->held, reason, wf_engine_mono(engine)));
    }
}

static void stats(void *arg, struct wk_metrics *metrics)
{
    static const char *const classes[WF_CACHE_CLASSES] = { "version", "project",
                                                           "waiting", "variables" };
    struct wf_engine *engine = ((struct instance *)arg)->engine;
    const struct wf_counters *counters = &engine->counters;

#define X(field, name, help)                                                             \
    wk_metrics_counter(metrics, name, help, NULL, NULL, read_counter(&counters->field));
    WF_COUNTERS(X)
#undef X
    refused_stats(counters, metrics);
    held_stats(engine, metrics);
    wk_metrics_gauge(metrics, "foreign_workers",
                     "Workers of another kind that wait for the queue's jobs", NULL, NULL,
                     wf_foreign_seen(((struct instance *)arg)->foreign));
    for (size_t i = 0; i < WF_CACHE_CLASSES; i++) {
        wk_metrics_counter(metrics, "workflow_cache_hits", "Found in a cache", "class",
                           classes[i], read_counter(&counters->hits[i]));
        wk_metrics_counter(metrics, "workflow_cache_misses", "Not found in a cache",
                           "class", classes[i], read_counter(&counters->misses[i]));
    }
}

const struct wk_handler_type workflow_handler_type = {
    .name = "workflow",
    .needs_pg = true,
    .needs_telegram = true,
    .needs_cache = true,
    .probe_pg = wf_needs_check,
    .create = create,
    .start = start,
    .handler = { .process = process, .cancel = cancel, .event = event },
    .stop = stop,
    .destroy = destroy,
    .stats = stats,
    .why_held = why_held,
};
