#include "integration/workflow/wf_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>

#include <bulwark/thread.h>

#include "pg/pool.h"
#include "telegram/client.h"
#include "workflow/handler.h"

#define STOP_MS 15000

/* --- servers */

static const char project_sql[] =
    "insert into projects (id, name, webhook_secret, updated_at)"
    " values ('P', 'Demo', 'hook-P', now());"
    "insert into bot_settings (id, project_id, bot_token, bot_username, updated_at)"
    " values ('bs', 'P', '111:AAA', 'DemoBot', now())";

static void must(int rc, const struct bw_error *err)
{
    if (rc != BW_OK)
        fail_msg("%s", err->text);
}

void wf_rig_open(struct wf_rig *rig)
{
    struct bw_error err;

    *rig = (struct wf_rig){ 0 };
    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), 0);
    pg_server_start(&rig->pg, WORKFLOW_SCHEMA);
    redis_server_start(&rig->redis, NULL);
    redis_server_start(&rig->keys, NULL);
    bot_api_start(&rig->bot);
    must(bw_redis_options_parse(&rig->redis_options, rig->redis.url, &err), &err);
    must(bw_redis_options_parse(&rig->keys_options, rig->keys.url, &err), &err);
}

void wf_rig_close(struct wf_rig *rig)
{
    wf_rig_down(rig);
    bw_redis_options_fini(&rig->redis_options);
    bw_redis_options_fini(&rig->keys_options);
    bot_api_stop(&rig->bot);
    redis_server_stop(&rig->redis);
    redis_server_stop(&rig->keys);
    pg_server_stop(&rig->pg);
    curl_global_cleanup();
}

char *wf_rig_text(struct wf_rig *rig, const char *sql)
{
    return pg_server_text(&rig->pg, sql);
}

void wf_rig_sql(struct wf_rig *rig, const char *sql)
{
    free(pg_server_text(&rig->pg, sql));
}

void wf_rig_clean(struct wf_rig *rig)
{
    wf_rig_sql(rig,
               "truncate projects, workflow_executions, scheduled_workflow_runs cascade");
    wf_rig_sql(rig, project_sql);
    free(redis_server_text(&rig->redis, "FLUSHALL"));
    free(redis_server_text(&rig->keys, "FLUSHALL"));
    bot_api_reset(&rig->bot);
}

/* --- the worker */

static void write_line(void *arg, enum bw_log_level level, const char *message,
                       const struct bw_log_field *fields, size_t count)
{
    (void)arg;
    (void)fprintf(stderr, "%d %s", level, message);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text != NULL)
            (void)fprintf(stderr, " %s=%s", fields[i].key, fields[i].text);
        else
            (void)fprintf(stderr, " %s=%lld", fields[i].key, (long long)fields[i].number);
    }
    (void)fputc('\n', stderr);
}

/* BULWARK_TEST_LOG=debug or info shows what the worker says. */
static const struct bw_log_sink *log_sink(const struct wf_rig *rig)
{
    static struct bw_log_sink sink = { .write = write_line };
    const char *wanted = getenv("BULWARK_TEST_LOG");

    if (wanted == NULL || rig->sink != NULL)
        return rig->sink;
    sink.level = strcmp(wanted, "debug") == 0 ? BW_LOG_DEBUG : BW_LOG_INFO;
    return &sink;
}

static void clients_up(struct wf_rig *rig)
{
    struct pg_options pg = { .url = rig->pg.url, .connections = 4, .log = &rig->log };
    struct tg_options telegram = { .api_url = rig->bot.url, .log = &rig->log };
    struct bw_error err;

    must(pg_pool_create(&rig->pool, &pg, &err), &err);
    must(tg_client_create(&rig->telegram, &telegram, &err), &err);
}

static void handler_up(struct wf_rig *rig)
{
    const struct wk_handler_type *type = &workflow_handler_type;
    struct wk_handler_env env = { .worker = rig->worker,
                                  .pg = rig->pool,
                                  .telegram = rig->telegram,
                                  .cache = rig->cache,
                                  .prefix = "bull",
                                  .queue = WF_RIG_QUEUE,
                                  .options = &rig->queue,
                                  .workflow = rig->config,
                                  .log = &rig->log,
                                  .clock = rig->clock };
    struct bw_error err;

    must(type->create(&env, NULL, &rig->handler, &err), &err);
    must(
        bw_worker_add_queue(rig->worker, &rig->queue, &type->handler, rig->handler, &err),
        &err);
}

static void worker_create(struct wf_rig *rig)
{
    struct bw_worker_options options = { .redis = &rig->redis_options,
                                         .log = log_sink(rig),
                                         .processors = 2 };
    struct bw_error err;

    rig->log = (struct bw_log){ 0 };
    if (options.log != NULL)
        bw_log_init(&rig->log, options.log);
    must(bw_worker_create(&rig->worker, &options, &err), &err);
    must(bw_worker_redis(rig->worker, &rig->keys_options, &rig->cache, &err), &err);
    must(bw_worker_redis(rig->worker, NULL, &rig->adder, &err), &err);
}

/* Does somebody listen there? A test may have halted it. */
static bool is_up(const struct redis_server *server)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(server->port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool up;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    up = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    (void)close(fd); /* nothing was written to it */
    return up;
}

static void worker_start(struct wf_rig *rig)
{
    struct timespec pause = { .tv_nsec = 10000000 };
    struct bw_error err;

    must(bw_worker_start(rig->worker, &err), &err);
    for (int i = 0; i < 1000 && !bw_redis_is_ready(rig->adder); i++)
        (void)nanosleep(&pause, NULL);
    for (int i = 0; i < 1000 && !bw_redis_is_ready(rig->cache) && is_up(&rig->keys); i++)
        (void)nanosleep(&pause, NULL);
}

void wf_rig_up(struct wf_rig *rig, json_t *config)
{
    rig->config = config;
    bw_queue_options_init(&rig->queue);
    rig->queue.name = WF_RIG_QUEUE;
    rig->queue.concurrency = 16;
    worker_create(rig);
    clients_up(rig);
    handler_up(rig);
    if (rig->held)
        assert_int_equal(bw_worker_hold(rig->worker, WF_RIG_QUEUE, true), BW_OK);
    worker_start(rig);
    workflow_handler_type.start(rig->handler);
}

void wf_rig_up_idle(struct wf_rig *rig)
{
    worker_create(rig);
    worker_start(rig);
}

static void handler_down(struct wf_rig *rig)
{
    if (rig->handler == NULL)
        return;
    assert_true(workflow_handler_type.stop(rig->handler, STOP_MS));
    tg_client_destroy(&rig->telegram);
    pg_pool_destroy(&rig->pool);
}

void wf_rig_down(struct wf_rig *rig)
{
    if (rig->worker == NULL)
        return;
    bw_worker_drain(rig->worker, 3000);
    (void)bw_worker_wait(rig->worker, NULL); /* how it ends is for other tests */
    handler_down(rig);
    bw_worker_destroy(&rig->worker);
    if (rig->handler != NULL)
        workflow_handler_type.destroy(rig->handler);
    rig->handler = NULL;
    json_decref(rig->config);
    rig->config = NULL;
}

void wf_rig_twin(const struct wf_rig *rig, struct wf_rig *twin, json_t *config)
{
    *twin = *rig;
    twin->worker = NULL;
    twin->handler = NULL;
    wf_rig_up(twin, config);
}

void wf_rig_twin_down(struct wf_rig *twin)
{
    wf_rig_down(twin);
}

/* --- jobs */

struct added {
    struct bw_mutex mutex; /* guards the rest */
    struct bw_cond cond;
    bool done;
    char *id;
    struct bw_error err;
};

static void on_added(const char *id, const struct bw_error *err, void *arg)
{
    struct added *added = arg;

    bw_mutex_lock(&added->mutex);
    added->done = true;
    added->id = id != NULL ? strdup(id) : NULL;
    if (err != NULL)
        added->err = *err;
    bw_cond_signal(&added->cond);
    bw_mutex_unlock(&added->mutex);
}

char *wf_rig_add(struct wf_rig *rig, const char *name, const json_t *data,
                 const char *opts)
{
    char *text = json_dumps(data, JSON_COMPACT), *id;

    assert_non_null(text);
    id = wf_rig_add_text(rig, name, text, opts);
    free(text);
    return id;
}

char *wf_rig_add_text(struct wf_rig *rig, const char *name, const char *text,
                      const char *opts)
{
    struct bw_add add = {
        .queue = WF_RIG_QUEUE, .name = name, .data = text, .opts = opts
    };
    struct added added = { .id = NULL };
    struct bw_error err;

    add.data_len = strlen(text);
    add.opts_len = opts != NULL ? strlen(opts) : 0;
    bw_mutex_init(&added.mutex);
    bw_cond_init(&added.cond);
    must(bw_queue_add(rig->adder, &add, NULL, 20000, on_added, &added, &err), &err);
    bw_mutex_lock(&added.mutex);
    while (!added.done)
        bw_cond_wait(&added.cond, &added.mutex);
    bw_mutex_unlock(&added.mutex);
    bw_cond_fini(&added.cond);
    bw_mutex_fini(&added.mutex);
    if (added.id == NULL)
        fail_msg("add: %s", added.err.text);
    return added.id;
}

/* One look at a job: its result when it is over, else NULL. */
static char *outcome(struct wf_rig *rig, const char *id)
{
    char *finished =
        redis_server_text(&rig->redis, "HGET bull:" WF_RIG_QUEUE ":%s finishedOn", id);
    char *reason, *result = NULL;

    if (finished != NULL) {
        reason = redis_server_text(&rig->redis,
                                   "HGET bull:" WF_RIG_QUEUE ":%s failedReason", id);
        result = redis_server_text(&rig->redis,
                                   "HGET bull:" WF_RIG_QUEUE ":%s returnvalue", id);
        if (result == NULL && asprintf(&result, "failed: %s", reason) < 0)
            abort();
        free(reason);
    }
    free(finished);
    return result;
}

char *wf_rig_wait(struct wf_rig *rig, const char *id, int64_t timeout_ms)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);
    char *result;

    while ((result = outcome(rig, id)) == NULL) {
        if (!bw_mono_before(bw_mono_now(NULL), deadline))
            fail_msg("job %s was not finished in time", id);
        (void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    }
    return result;
}

json_t *wf_rig_data(const json_t *update)
{
    static unsigned number;
    char execution[32];
    json_t *data;

    (void)snprintf(execution, sizeof(execution), "execution-%u", ++number);
    data = json_pack("{s:s, s:s, s:s, s:{s:O}}", "type", "heavy_workflow_execution",
                     "projectId", "P", "executionId", execution, "context", "update",
                     update);
    assert_non_null(data);
    return data;
}

char *wf_rig_update(struct wf_rig *rig, const json_t *update)
{
    json_t *data = wf_rig_data(update);
    char *id = wf_rig_add(rig, "heavy_workflow_execution", data, NULL);
    char *result = wf_rig_wait(rig, id, 60000);

    free(id);
    json_decref(data);
    return result;
}

/* --- fixtures */

static char *quoted(const json_t *value, const char *when_absent)
{
    char *text = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
                               : strdup(when_absent);
    char *out = malloc(2 * strlen(text) + 3), *to = out;

    *to++ = '\'';
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'')
            *to++ = '\'';
        *to++ = *at;
    }
    *to++ = '\'';
    *to = '\0';
    free(text);
    return out;
}

void wf_rig_workflow(struct wf_rig *rig, const char *id, const json_t *workflow)
{
    char *nodes = quoted(json_object_get(workflow, "nodes"), "[]");
    char *edges = quoted(json_object_get(workflow, "connections"), "[]");
    char *variables = quoted(json_object_get(workflow, "variables"), "[]");
    char *settings = quoted(json_object_get(workflow, "settings"), "{}");
    char *sql;

    if (asprintf(
            &sql,
            "insert into workflows (id, project_id, name, is_active, connections, "
            "updated_at)"
            " values ('%s', 'P', '%s', true, %s, now()); insert into workflow_versions"
            " (id, workflow_id, version, nodes, entry_node_id, variables, settings,"
            "  is_active, created_at)"
            " values ('v-%s', '%s', 1, %s, '%s', %s, %s, true,"
            "  now() at time zone 'UTC' - interval '1 hour')",
            id, id, edges, id, id, nodes,
            json_string_value(json_object_get(workflow, "entryNodeId")), variables,
            settings) < 0)
        abort();
    wf_rig_sql(rig, sql);
    free(sql);
    free(nodes);
    free(edges);
    free(variables);
    free(settings);
}

/* --- figures: this test's own end of the handler's stats */

struct wk_metrics {
    const char *name;
    uint64_t sum;
};

void wk_metrics_counter(struct wk_metrics *metrics, const char *name, const char *help,
                        const char *label, const char *label_value, uint64_t value)
{
    (void)help;
    (void)label;
    (void)label_value;
    if (strcmp(metrics->name, name) == 0)
        metrics->sum += value;
}

void wk_metrics_gauge(struct wk_metrics *metrics, const char *name, const char *help,
                      const char *label, const char *label_value, double value)
{
    wk_metrics_counter(metrics, name, help, label, label_value, (uint64_t)value);
}

uint64_t wf_rig_figure(struct wf_rig *rig, const char *name)
{
    struct wk_metrics metrics = { name, 0 };

    workflow_handler_type.stats(rig->handler, &metrics);
    return metrics.sum;
}
