#include "daemon/status.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bulwark/time.h>

#include "daemon/app.h"
#include "base/figures.h"
#include "base/metrics.h"
#include "pg/pool.h"
#include "telegram/client.h"
#include "base/version.h"

/* The reactor turns at least each second; a machine under load may be late, a dead loop
 * is. */
#define TURN_MAX_MS 10000
#define WHY_MAX     512

/* ---- figures */

#define TABLE(name, ROWS) static const struct wk_figure name[] = { ROWS(WK_FIGURE) }
#define OWNER             struct bw_queue_stats
TABLE(queue_settings, BW_QUEUE_SETTINGS);
TABLE(queue_figures, BW_QUEUE_FIGURES);
#undef OWNER
#define OWNER struct bw_worker_stats
TABLE(worker_figures, BW_WORKER_FIGURES);
#undef OWNER
#define OWNER struct pg_stats
TABLE(pg_figures, PG_FIGURES);
#undef OWNER
#define OWNER struct tg_stats
TABLE(telegram_figures, TG_FIGURES);
#undef OWNER

#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])

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

static json_t *whole_or_null(json_t *object, bool whole)
{
    if (whole)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *queue_json(const struct wk_app *app, const struct bw_queue_stats *stats,
                          const struct wk_instance *instance)
{
    struct wk_metrics metrics = { 0 };
    json_t *figures = NULL, *held = NULL, *object;
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
    object = json_pack("{s:s, s:s, s:o*, s:o*}", "name", stats->name, "handler",
                       instance->type->name, "held", held, "figures", figures);
    return whole_or_null(object, wk_figures_json(ROWS(queue_settings), stats, object) &&
                                     wk_figures_json(ROWS(queue_figures), stats, object));
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

static json_t *figures_json(const struct wk_figure *rows, size_t count, const void *base)
{
    json_t *object = json_object();

    return whole_or_null(object, wk_figures_json(rows, count, base, object));
}

static json_t *pg_json(struct pg_pool *pool)
{
    struct pg_stats stats;

    if (pool == NULL)
        return NULL;
    pg_pool_stats(pool, &stats);
    return figures_json(ROWS(pg_figures), &stats);
}

static json_t *telegram_json(struct tg_client *client)
{
    struct tg_stats stats;

    if (client == NULL)
        return NULL;
    tg_client_stats(client, &stats);
    return figures_json(ROWS(telegram_figures), &stats);
}

json_t *wk_status_json(struct wk_app *app)
{
    struct bw_worker_stats stats;

    bw_worker_stats(app->worker, &stats);
    return json_pack(
        "{s:s, s:i, s:I, s:b, s:o, s:o*, s:o*, s:o}", "version", WK_VERSION, "pid",
        (int)getpid(), "startedMs", (json_int_t)app->started_ms, "draining",
        (int)(stats.draining || __atomic_load_n(&app->draining, __ATOMIC_RELAXED)),
        "redis", figures_json(ROWS(worker_figures), &stats), "postgresql",
        pg_json(app->pg), "telegram", telegram_json(app->telegram), "queues",
        queues_json(app));
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

static void parts_metrics(struct wk_metrics *out, struct wk_app *app)
{
    struct bw_worker_stats worker;
    struct pg_stats pg;
    struct tg_stats telegram;

    bw_worker_stats(app->worker, &worker);
    wk_figures_metrics(ROWS(worker_figures), &worker, out);
    if (app->pg != NULL) {
        pg_pool_stats(app->pg, &pg);
        wk_figures_metrics(ROWS(pg_figures), &pg, out);
    }
    if (app->telegram != NULL) {
        tg_client_stats(app->telegram, &telegram);
        wk_figures_metrics(ROWS(telegram_figures), &telegram, out);
    }
}

int wk_status_metrics(struct wk_app *app, struct bw_buf *out)
{
    struct wk_metrics metrics = { 0 };
    struct bw_queue_stats stats;
    int rc;

    process_metrics(&metrics, app);
    parts_metrics(&metrics, app);
    for (size_t i = 0; bw_worker_queue_stats(app->worker, i, &stats); i++) {
        const struct wk_instance *instance = find_instance(app, stats.name);

        metrics.queue = stats.name;
        wk_figures_metrics(ROWS(queue_settings), &stats, &metrics);
        wk_figures_metrics(ROWS(queue_figures), &stats, &metrics);
        if (instance != NULL && instance->type->stats != NULL)
            instance->type->stats(instance->state, &metrics);
    }
    rc = metrics.incomplete ? BW_ENOMEM : wk_metrics_text(&metrics, out);
    wk_metrics_fini(&metrics);
    return rc;
}

/* ---- the log */

static void log_figures(const struct wk_app *app, const char *message,
                        const struct wk_figure *rows, size_t count, const void *base)
{
    struct bw_log_field fields[WK_FIGURES_MAX] = { 0 };

    (void)wk_figures_fields(rows, count, base, fields, 0); /* a zeroed one ends them */
    if (bw_log_enabled(&app->log, BW_LOG_INFO))
        bw_log_write(&app->log, BW_LOG_INFO, fields, message);
}

static void log_queue(const struct wk_app *app, const struct bw_queue_stats *stats)
{
    struct bw_log_field fields[WK_FIGURES_MAX] = { bw_text("queue", stats->name) };
    size_t end = wk_figures_fields(ROWS(queue_settings), stats, fields, 1);

    (void)wk_figures_fields(ROWS(queue_figures), stats, fields, end);
    if (bw_log_enabled(&app->log, BW_LOG_INFO))
        bw_log_write(&app->log, BW_LOG_INFO, fields, "state: queue");
}

void wk_status_log(struct wk_app *app)
{
    struct bw_worker_stats worker;
    struct bw_queue_stats queue;
    struct pg_stats pg;
    struct tg_stats telegram;

    bw_worker_stats(app->worker, &worker);
    log_figures(app, "state: reactor", ROWS(worker_figures), &worker);
    if (app->cache != NULL)
        bw_log(&app->log, BW_LOG_INFO, "state: cache connection",
               bw_num("connected", bw_redis_is_ready(app->cache)));
    for (size_t i = 0; bw_worker_queue_stats(app->worker, i, &queue); i++)
        log_queue(app, &queue);
    if (app->pg != NULL) {
        pg_pool_stats(app->pg, &pg);
        log_figures(app, "state: postgresql", ROWS(pg_figures), &pg);
    }
    if (app->telegram != NULL) {
        tg_client_stats(app->telegram, &telegram);
        log_figures(app, "state: telegram", ROWS(telegram_figures), &telegram);
    }
}
