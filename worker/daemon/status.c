#include "daemon/status.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bulwark/time.h>

#include "daemon/app.h"
#include "base/metrics.h"
#include "pg/pool.h"
#include "telegram/client.h"
#include "base/version.h"

/* The reactor turns at least each second; a machine under load may be late, a dead loop
 * is. */
#define TURN_MAX_MS 10000
#define WHY_MAX     512

/* ---- verdicts */

static int64_t turn_age(const struct wk_app *app, const struct bw_worker_stats *stats)
{
    int64_t last = stats->last_turn_ms != 0 ? stats->last_turn_ms : app->started_ms;

    return bw_wall_now(NULL).ms - last;
}

json_t *wk_status_health(struct wk_app *app, bool *ok)
{
    struct bw_worker_stats stats;
    int64_t age;

    bw_worker_stats(app->worker, &stats);
    age = turn_age(app, &stats);
    *ok = age <= TURN_MAX_MS && !stats.deaf;
    return json_pack("{s:s, s:I}", "status",
                     age > TURN_MAX_MS ? "stuck"
                     : stats.unheard   ? "deaf: no wait for new jobs is answered"
                     : stats.deaf      ? "deaf: no fetch is answered"
                     /* Not for a restart to mend: Redis refuses. */
                     : stats.waits_refused
                         ? "slow: Redis refuses waits for new jobs, only polls find them"
                         : "ok",
                     "lastTurnMs", (json_int_t)age);
}

static bool pg_is_reachable(const struct wk_app *app)
{
    struct pg_stats stats;

    if (app->pg == NULL)
        return true;
    pg_pool_stats(app->pg, &stats);
    return stats.reachable;
}

/* The worker's order of queues is its own. NULL: no such queue. */
static const struct wk_instance *find_instance(const struct wk_app *app,
                                               const char *queue)
{
    for (size_t i = 0; i < app->instance_count; i++) {
        if (strcmp(app->config->queues.items[i].name, queue) == 0)
            return &app->instances[i];
    }
    return NULL;
}

/* Why a queue's handler takes no jobs; false: it does. */
static bool why_held(const struct wk_app *app, const struct bw_queue_stats *queue,
                     char *text, size_t size)
{
    const struct wk_instance *instance = find_instance(app, queue->name);

    if (instance != NULL && instance->type->why_held != NULL)
        return instance->type->why_held(instance->state, text, size);
    if (queue->held)
        (void)snprintf(text, size, "no processor is ready"); /* fits */
    return queue->held;
}

json_t *wk_status_ready(struct wk_app *app, bool *ok)
{
    json_t *reasons = json_array();
    struct bw_worker_stats stats;
    struct bw_queue_stats queue;
    char why[WHY_MAX];
    int failed = 0;

    bw_worker_stats(app->worker, &stats);
    if (!stats.connected)
        failed |= json_array_append_new(reasons, json_string("redis is not reachable"));
    if (!pg_is_reachable(app))
        failed |=
            json_array_append_new(reasons, json_string("postgresql is not reachable"));
    for (size_t i = 0; bw_worker_queue_stats(app->worker, i, &queue); i++) {
        if (why_held(app, &queue, why, sizeof(why)))
            failed |= json_array_append_new(
                reasons, json_sprintf("queue %s: %s", queue.name, why));
    }
    if (stats.draining || __atomic_load_n(&app->draining, __ATOMIC_RELAXED))
        failed |= json_array_append_new(reasons, json_string("draining"));
    *ok = failed == 0 && json_array_size(reasons) == 0;
    return json_pack("{s:s, s:o}", "status", *ok ? "ready" : "unready", "reasons",
                     reasons);
}

/* ---- /status */

static json_t *queue_json(const struct wk_app *app, const struct bw_queue_stats *stats,
                          const struct wk_instance *instance)
{
    struct wk_metrics metrics = { 0 };
    json_t *figures = NULL, *held = NULL;
    char why[WHY_MAX];

    if (instance == NULL)
        return NULL;
    if (why_held(app, stats, why, sizeof(why)))
        held = json_string(why);
    if (instance->type->stats != NULL) {
        instance->type->stats(instance->state, &metrics);
        figures = wk_metrics_json(&metrics);
        wk_metrics_fini(&metrics);
    }
    return json_pack(
        "{s:s, s:s, s:i, s:i, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, "
        "s:I, s:o*, s:o*}",
        "name", stats->name, "handler", instance->type->name, "concurrency",
        (int)stats->concurrency, "inFlight", (int)stats->in_flight, "quiet",
        (int)stats->quiet, "paused", (int)stats->paused, "unheardMs",
        (json_int_t)stats->unheard_ms, "completed", (json_int_t)stats->completed,
        "failed", (json_int_t)stats->failed, "retried", (json_int_t)stats->retried,
        "delayed", (json_int_t)stats->delayed, "putBack", (json_int_t)stats->put_back,
        "stalled", (json_int_t)stats->stalled, "locksLost", (json_int_t)stats->locks_lost,
        "lastFetchMs", (json_int_t)stats->last_fetch_ms, "lastJobMs",
        (json_int_t)stats->last_job_ms, "lastRenewMs", (json_int_t)stats->last_renew_ms,
        "held", held, "figures", figures);
}

static json_t *queues_json(struct wk_app *app)
{
    json_t *queues = json_array();
    struct bw_queue_stats stats;

    for (size_t i = 0; bw_worker_queue_stats(app->worker, i, &stats); i++) {
        if (json_array_append_new(
                queues, queue_json(app, &stats, find_instance(app, stats.name))) != 0) {
            json_decref(queues);
            return NULL;
        }
    }
    return queues;
}

static json_t *redis_json(const struct bw_worker_stats *stats)
{
    return json_pack(
        "{s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I}", "connected", (int)stats->connected,
        "deaf", (int)stats->deaf, "waitsRefused", (int)stats->waits_refused,
        "commandHeardMs", (json_int_t)stats->command_heard_ms, "blockingHeardMs",
        (json_int_t)stats->blocking_heard_ms, "reconnects", (json_int_t)stats->reconnects,
        "scriptCalls", (json_int_t)stats->script_calls, "lastTurnMs",
        (json_int_t)stats->last_turn_ms);
}

static json_t *pg_json(struct pg_pool *pool)
{
    struct pg_stats stats;

    if (pool == NULL)
        return NULL;
    pg_pool_stats(pool, &stats);
    return json_pack(
        "{s:b, s:i, s:i, s:i, s:I, s:I, s:I}", "reachable", (int)stats.reachable,
        "connections", (int)stats.connections, "busy", (int)stats.busy, "queued",
        (int)stats.queued, "roundTrips", (json_int_t)stats.round_trips, "statements",
        (json_int_t)stats.statements, "reconnects", (json_int_t)stats.reconnects);
}

static json_t *telegram_json(struct tg_client *client)
{
    struct tg_stats stats;

    if (client == NULL)
        return NULL;
    tg_client_stats(client, &stats);
    return json_pack(
        "{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "inFlight", (int)stats.in_flight,
        "calls", (json_int_t)stats.calls, "ok", (json_int_t)stats.ok, "refused",
        (json_int_t)stats.refused, "limited", (json_int_t)stats.limited, "notSent",
        (json_int_t)stats.not_sent, "unknown", (json_int_t)stats.unknown, "retries",
        (json_int_t)stats.retries, "fallbacks", (json_int_t)stats.fallbacks);
}

json_t *wk_status_json(struct wk_app *app)
{
    struct bw_worker_stats stats;

    bw_worker_stats(app->worker, &stats);
    return json_pack(
        "{s:s, s:i, s:I, s:b, s:o, s:o*, s:o*, s:o}", "version", WK_VERSION, "pid",
        (int)getpid(), "startedMs", (json_int_t)app->started_ms, "draining",
        (int)(stats.draining || __atomic_load_n(&app->draining, __ATOMIC_RELAXED)),
        "redis", redis_json(&stats), "postgresql", pg_json(app->pg), "telegram",
        telegram_json(app->telegram), "queues", queues_json(app));
}

/* ---- /metrics */

static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    (void)fclose(file); /* it was only read */
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double cpu_seconds(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void process_metrics(struct wk_metrics *out, struct wk_app *app)
{
    wk_metrics_gauge(out, "info", "What runs", "version", WK_VERSION, 1);
    wk_metrics_gauge(out, "start_time_seconds", "Start of the process since the epoch",
                     NULL, NULL, (double)app->started_ms / 1000.0);
    wk_metrics_gauge(out, "resident_memory_bytes", "Resident memory", NULL, NULL,
                     resident_bytes());
    wk_metrics_gauge(out, "cpu_seconds", "Processor time used", NULL, NULL,
                     cpu_seconds());
}

static void worker_metrics(struct wk_metrics *out, struct wk_app *app)
{
    struct bw_worker_stats stats;

    bw_worker_stats(app->worker, &stats);
    wk_metrics_gauge(out, "redis_connected", "Redis can be used", NULL, NULL,
                     stats.connected ? 1 : 0);
    wk_metrics_gauge(out, "draining", "The worker takes no more jobs and ends", NULL,
                     NULL, stats.draining ? 1 : 0);
    wk_metrics_gauge(out, "last_turn_seconds", "Last turn of the reactor since the epoch",
                     NULL, NULL, (double)stats.last_turn_ms / 1000.0);
    wk_metrics_gauge(out, "deaf",
                     "No fetch, or no wait for new jobs, is answered on links that work",
                     NULL, NULL, stats.deaf ? 1 : 0);
    wk_metrics_gauge(out, "waits_refused",
                     "Redis refuses waits for new jobs: only polls find them", NULL, NULL,
                     stats.waits_refused ? 1 : 0);
    wk_metrics_gauge(out, "redis_heard_age_seconds", "Since Redis was heard",
                     "connection", "command", (double)stats.command_heard_ms / 1000.0);
    wk_metrics_gauge(out, "redis_heard_age_seconds", "Since Redis was heard",
                     "connection", "blocking", (double)stats.blocking_heard_ms / 1000.0);
    wk_metrics_counter(out, "redis_reconnects", "Connections to Redis made again", NULL,
                       NULL, stats.reconnects);
    wk_metrics_counter(out, "script_calls", "Calls of the queue's scripts", NULL, NULL,
                       stats.script_calls);
}

static void queue_metrics(struct wk_metrics *out, const struct bw_queue_stats *stats)
{
    const struct {
        const char *name, *help;
        uint64_t value;
    } counters[] = {
        { "jobs_completed", "Jobs completed", stats->completed },
        { "jobs_failed", "Jobs failed for good", stats->failed },
        { "jobs_retried", "Jobs put back for another attempt", stats->retried },
        { "jobs_delayed", "Jobs put back with a delay", stats->delayed },
        { "jobs_put_back", "Jobs put back unfinished at a drain", stats->put_back },
        { "jobs_stalled", "Stalled jobs found", stats->stalled },
        { "locks_lost", "Jobs whose lock was lost", stats->locks_lost },
    };

    out->queue = stats->name;
    wk_metrics_gauge(out, "concurrency", "Jobs that may run at once", NULL, NULL,
                     stats->concurrency);
    wk_metrics_gauge(out, "in_flight", "Jobs running", NULL, NULL, stats->in_flight);
    wk_metrics_gauge(out, "quiet", "Fetching is stopped on this worker", NULL, NULL,
                     stats->quiet ? 1 : 0);
    wk_metrics_gauge(out, "queue_paused", "The queue is paused for all workers", NULL,
                     NULL, stats->paused ? 1 : 0);
    wk_metrics_gauge(out, "last_fetch_seconds", "Last answered fetch since the epoch",
                     NULL, NULL, (double)stats->last_fetch_ms / 1000.0);
    wk_metrics_gauge(out, "last_job_seconds",
                     "Last fetch that brought a job since the epoch", NULL, NULL,
                     (double)stats->last_job_ms / 1000.0);
    wk_metrics_gauge(out, "last_renew_seconds", "Last answered renewal since the epoch",
                     NULL, NULL, (double)stats->last_renew_ms / 1000.0);
    wk_metrics_gauge(out, "unheard_seconds",
                     "Time that a drained queue has waited without an answer of Redis",
                     NULL, NULL, (double)stats->unheard_ms / 1000.0);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        wk_metrics_counter(out, counters[i].name, counters[i].help, NULL, NULL,
                           counters[i].value);
}

static void pg_metrics(struct wk_metrics *out, struct pg_pool *pool)
{
    struct pg_stats stats;

    if (pool == NULL)
        return;
    pg_pool_stats(pool, &stats);
    wk_metrics_gauge(out, "pg_reachable", "PostgreSQL can be used", NULL, NULL,
                     stats.reachable ? 1 : 0);
    wk_metrics_gauge(out, "pg_connections", "Connections open", NULL, NULL,
                     stats.connections);
    wk_metrics_gauge(out, "pg_busy", "Connections with work", NULL, NULL, stats.busy);
    wk_metrics_gauge(out, "pg_queued", "Batches that wait for a connection", NULL, NULL,
                     stats.queued);
    wk_metrics_counter(out, "pg_round_trips", "Batches answered", NULL, NULL,
                       stats.round_trips);
    wk_metrics_counter(out, "pg_statements", "Statements answered", NULL, NULL,
                       stats.statements);
    wk_metrics_counter(out, "pg_reconnects", "Connections made again", NULL, NULL,
                       stats.reconnects);
}

static void telegram_metrics(struct wk_metrics *out, struct tg_client *client)
{
    struct tg_stats stats;

    if (client == NULL)
        return;
    tg_client_stats(client, &stats);
    {
        const struct {
            const char *outcome;
            uint64_t value;
        } outcomes[] = { { "ok", stats.ok },
                         { "refused", stats.refused },
                         { "limited", stats.limited },
                         { "not_sent", stats.not_sent },
                         { "unknown", stats.unknown } };

        for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
            wk_metrics_counter(out, "telegram_calls", "Bot API calls ended", "outcome",
                               outcomes[i].outcome, outcomes[i].value);
    }
    wk_metrics_gauge(out, "telegram_in_flight", "Bot API calls running", NULL, NULL,
                     stats.in_flight);
    wk_metrics_counter(out, "telegram_retries", "Bot API calls repeated", NULL, NULL,
                       stats.retries);
    wk_metrics_counter(out, "telegram_fallbacks",
                       "Messages sent without markup in the end", NULL, NULL,
                       stats.fallbacks);
}

int wk_status_metrics(struct wk_app *app, struct bw_buf *out)
{
    struct wk_metrics metrics = { 0 };
    struct bw_queue_stats stats;
    int rc;

    process_metrics(&metrics, app);
    worker_metrics(&metrics, app);
    pg_metrics(&metrics, app->pg);
    telegram_metrics(&metrics, app->telegram);
    for (size_t i = 0; bw_worker_queue_stats(app->worker, i, &stats); i++) {
        const struct wk_instance *instance = find_instance(app, stats.name);

        queue_metrics(&metrics, &stats);
        if (instance != NULL && instance->type->stats != NULL)
            instance->type->stats(instance->state, &metrics);
    }
    rc = metrics.incomplete ? BW_ENOMEM : wk_metrics_text(&metrics, out);
    wk_metrics_fini(&metrics);
    return rc;
}
