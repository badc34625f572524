#include "integration/worker_rig.h"

#include <stdio.h>
#include <time.h>

/* --- life */

void rig_open(struct rig *rig, const char *const *extra)
{
    struct bw_error err;

    memset(rig, 0, sizeof *rig);
    redis_server_start(&rig->server, extra);
    if (bw_redis_options_parse(&rig->redis, rig->server.url, &err) != BW_OK)
        fail_msg("%s", err.text);
}

void rig_close(struct rig *rig)
{
    if (rig->worker != NULL)
        (void)rig_stop(rig, 2000); /* how it ends is of no interest here */
    bw_redis_options_fini(&rig->redis);
    redis_server_stop(&rig->server);
}

/* Lines of the worker, for whoever looks into a failing test: BULWARK_TEST_LOG=1. */
static void write_line(void *arg, enum bw_log_level level, const char *message,
                       const struct bw_log_field *fields, size_t count)
{
    char line[1024];
    size_t at = 0;

    (void)arg;
    for (size_t i = 0; i < count && at < sizeof line; i++) {
        const struct bw_log_field *field = &fields[i];
        int n = field->text != NULL ? snprintf(line + at, sizeof line - at, " %s=%s",
                                               field->key, field->text)
                                    : snprintf(line + at, sizeof line - at, " %s=%lld",
                                               field->key, (long long)field->number);

        at += n > 0 ? (size_t)n : 0;
    }
    line[at < sizeof line ? at : sizeof line - 1] = '\0';
    (void)fprintf(stderr, "%lld %d %s%s\n", (long long)rig_wall_ms(), level, message,
                  line);
}

static const struct bw_log_sink *log_sink(void)
{
    static struct bw_log_sink sink = { .write = write_line };
    const char *wanted = getenv("BULWARK_TEST_LOG");

    if (wanted == NULL)
        return NULL;
    sink.level = strcmp(wanted, "debug") == 0 ? BW_LOG_DEBUG : BW_LOG_INFO;
    return &sink;
}

struct bw_queue_options rig_options(const char *name, unsigned concurrency)
{
    struct bw_queue_options options;

    bw_queue_options_init(&options);
    options.name = name;
    options.concurrency = concurrency;
    return options;
}

void rig_add_queue(struct rig *rig, const struct bw_queue_options *options,
                   const struct bw_handler *handler, void *arg)
{
    struct bw_error err;

    if (bw_worker_add_queue(rig->worker, options, handler, arg, &err) != BW_OK)
        fail_msg("%s", err.text);
}

void rig_worker(struct rig *rig, const struct bw_queue_options *options,
                const struct bw_handler *handler, void *arg)
{
    struct bw_queue_options defaults = rig_options(QUEUE, 4);
    struct bw_worker_options worker = {
        .redis = &rig->redis,
        .log = log_sink(),
        .processors = rig->processors,
    };
    struct bw_error err;

    assert_null(rig->worker);
    if (bw_worker_create(&rig->worker, &worker, &err) != BW_OK)
        fail_msg("%s", err.text);
    rig_add_queue(rig, options != NULL ? options : &defaults, handler, arg);
}

void rig_start(struct rig *rig)
{
    struct bw_error err;

    if (bw_worker_start(rig->worker, &err) != BW_OK)
        fail_msg("%s", err.text);
}

void rig_run(struct rig *rig, const struct bw_queue_options *options,
             const struct bw_handler *handler, void *arg)
{
    rig_worker(rig, options, handler, arg);
    rig_start(rig);
}

enum bw_worker_end rig_stop(struct rig *rig, int64_t timeout_ms)
{
    enum bw_worker_end end;
    struct bw_error err;

    bw_worker_drain(rig->worker, timeout_ms);
    end = bw_worker_wait(rig->worker, &err);
    bw_worker_destroy(&rig->worker);
    return end;
}

/* --- jobs */

void rig_add(struct rig *rig, const char *queue, unsigned count, const char *opts)
{
    static const char script[] =
        "local p = KEYS[1] "
        "for i = 1, tonumber(ARGV[1]) do "
        "  local id = redis.call('INCR', p .. 'id') "
        "  redis.call('HSET', p .. id, 'name', 'test', 'data', '{\"n\":' .. id .. '}', "
        "             'opts', ARGV[2], 'timestamp', ARGV[3], 'delay', 0, 'priority', 0) "
        "  redis.call('LPUSH', p .. 'wait', id) "
        "end "
        "redis.call('ZADD', p .. 'marker', 0, '0') "
        "return redis.call('LLEN', p .. 'wait')";

    (void)rig_int(rig, "EVAL %s 1 bull:%s: %u %s %lld", script, queue, count,
                  opts != NULL ? opts : "{\"attempts\":0}", (long long)rig_wall_ms());
}

/* --- looking */

int64_t rig_wall_ms(void)
{
    return bw_wall_now(NULL).ms;
}

void rig_nap(void)
{
    struct timespec pause = { .tv_nsec = 2000000 };

    (void)nanosleep(&pause, NULL); /* cut short is as good */
}

struct bw_queue_stats rig_stats(struct rig *rig, const char *queue)
{
    struct bw_queue_stats stats;

    for (size_t i = 0; bw_worker_queue_stats(rig->worker, i, &stats); i++) {
        if (strcmp(stats.name, queue) == 0)
            return stats;
    }
    fail_msg("no queue %s", queue);
    return stats;
}

struct bw_worker_stats rig_worker_stats(struct rig *rig)
{
    struct bw_worker_stats stats;

    bw_worker_stats(rig->worker, &stats);
    return stats;
}

void rig_compare(char *text, const char *expected, const char *file, int line)
{
    if (expected == NULL ? text != NULL : text == NULL || strcmp(text, expected) != 0)
        fail_msg("%s:%d: %s, not %s", file, line, text != NULL ? text : "nil",
                 expected != NULL ? expected : "nil");
    free(text);
}

int rig_count_clients(struct rig *rig, const char *needle)
{
    char *list = rig_text(rig, "CLIENT LIST");
    int count = 0;

    assert_non_null(list);
    for (const char *at = list; (at = strstr(at, needle)) != NULL; at++)
        count++;
    free(list);
    return count;
}

/* --- handlers */

static void complete(struct bw_job *job, void *arg)
{
    static const char ok[] = "{\"ok\":true}";

    (void)arg;
    bw_job_complete(job, ok, sizeof ok - 1);
}

const struct bw_handler rig_noop_inline = { .process = complete, .inline_ = true };
const struct bw_handler rig_noop = { .process = complete };

static void keep(struct bw_job *job, void *arg)
{
    struct rig_keeper *keeper = arg;

    bw_mutex_lock(&keeper->mutex);
    assert_true(keeper->count < sizeof keeper->jobs / sizeof keeper->jobs[0]);
    keeper->jobs[keeper->count++] = job;
    bw_mutex_unlock(&keeper->mutex);
}

static void keep_cancelled(struct bw_job *job, void *arg)
{
    struct rig_keeper *keeper = arg;

    (void)job;
    bw_mutex_lock(&keeper->mutex);
    keeper->cancelled++;
    bw_mutex_unlock(&keeper->mutex);
}

static void note_last(const struct bw_event *event, void *arg)
{
    struct rig_keeper *keeper = arg;

    bw_mutex_lock(&keeper->mutex);
    keeper->told_last |= event->kind == BW_EVENT_LAST;
    bw_mutex_unlock(&keeper->mutex);
}

const struct bw_handler rig_keep = { .process = keep, .cancel = keep_cancelled };
const struct bw_handler rig_keep_until_last = { .process = keep,
                                                .cancel = keep_cancelled,
                                                .event = note_last };

void rig_keeper_init(struct rig_keeper *keeper)
{
    memset(keeper, 0, sizeof *keeper);
    bw_mutex_init(&keeper->mutex);
}

void rig_keeper_fini(struct rig_keeper *keeper)
{
    bw_mutex_fini(&keeper->mutex);
}

unsigned rig_keeper_count(struct rig_keeper *keeper)
{
    unsigned count;

    bw_mutex_lock(&keeper->mutex);
    count = keeper->count;
    bw_mutex_unlock(&keeper->mutex);
    return count;
}

unsigned rig_keeper_cancelled(struct rig_keeper *keeper)
{
    unsigned count;

    bw_mutex_lock(&keeper->mutex);
    count = keeper->cancelled;
    bw_mutex_unlock(&keeper->mutex);
    return count;
}

bool rig_keeper_told_last(struct rig_keeper *keeper)
{
    bool told;

    bw_mutex_lock(&keeper->mutex);
    told = keeper->told_last;
    bw_mutex_unlock(&keeper->mutex);
    return told;
}

/* The caller has the mutex. */
static struct bw_job *take_at(struct rig_keeper *keeper, unsigned at)
{
    struct bw_job *job = keeper->jobs[at];

    keeper->count--;
    memmove(keeper->jobs + at, keeper->jobs + at + 1,
            (keeper->count - at) * sizeof keeper->jobs[0]);
    return job;
}

struct bw_job *rig_keeper_take(struct rig_keeper *keeper)
{
    struct bw_job *job = NULL;

    bw_mutex_lock(&keeper->mutex);
    if (keeper->count > 0)
        job = take_at(keeper, 0);
    bw_mutex_unlock(&keeper->mutex);
    return job;
}

static struct bw_job *take_if_kept(struct rig_keeper *keeper, const char *id)
{
    struct bw_job *job = NULL;

    bw_mutex_lock(&keeper->mutex);
    for (unsigned i = 0; i < keeper->count && job == NULL; i++) {
        if (strcmp(bw_job_id(keeper->jobs[i]), id) == 0)
            job = take_at(keeper, i);
    }
    bw_mutex_unlock(&keeper->mutex);
    return job;
}

struct bw_job *rig_keeper_take_id(struct rig_keeper *keeper, const char *id)
{
    int64_t deadline = rig_wall_ms() + PATIENCE_MS;
    struct bw_job *job;

    while ((job = take_if_kept(keeper, id)) == NULL) {
        if (rig_wall_ms() > deadline)
            fail_msg("job %s did not come", id);
        rig_nap();
    }
    return job;
}

static void fail_job(struct bw_job *job, void *arg)
{
    bw_job_fail(job, arg);
}

const struct bw_handler rig_fail = { .process = fail_job, .inline_ = true };

/* --- state of tests */

int rig_setup_with(void **state, const char *const *extra)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    rig_open(rig, extra);
    *state = rig;
    return 0;
}

int rig_setup(void **state)
{
    return rig_setup_with(state, NULL);
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;

    rig_close(rig);
    free(rig);
    return 0;
}

int keeping_setup(void **state)
{
    struct keeping_rig *keeping = calloc(1, sizeof *keeping);

    assert_non_null(keeping);
    rig_open(&keeping->rig, NULL);
    rig_keeper_init(&keeping->keeper);
    *state = keeping;
    return 0;
}

int keeping_teardown(void **state)
{
    struct keeping_rig *keeping = *state;

    rig_close(&keeping->rig);
    rig_keeper_fini(&keeping->keeper);
    free(keeping);
    return 0;
}
