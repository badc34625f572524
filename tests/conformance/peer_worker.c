/* Our side of the conformance tests: what node_worker.mjs is for BullMQ.
 *
 * One line of JSON on stdin is the configuration: {"redis", "prefix", "queue", "gates",
 * "options", "add"}. With "add" the program adds these jobs, prints the list of their ids
 * (null where one was refused) and ends. Otherwise it prints "ready", works until stdin
 * ends, and says "stopping" once it was told. The handler runs the script in the job's
 * data; interpreter.mjs says how one reads. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bulwark/bulwark.h>

#define DRAIN_MS   10000
#define ADD_MS     5000
#define LINE_BYTES (1 << 20)

static _Noreturn void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "peer_worker: %s: %s\n", what, why);
    exit(1);
}

/* --- options in BullMQ's spelling */

static int64_t number(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? (int64_t)json_number_value(value) : otherwise;
}

static void read_keep(const json_t *options, const char *key, struct bw_keep *keep)
{
    const json_t *value = json_object_get(options, key);

    if (value == NULL)
        return;
    keep->set = true;
    keep->count = number(value, "count", -1);
    keep->age = number(value, "age", -1);
    keep->limit = number(value, "limit", -1);
}

static void read_options(const json_t *config, struct bw_queue_options *o)
{
    const json_t *given = json_object_get(config, "options");
    const json_t *limiter = json_object_get(given, "limiter");

    bw_queue_options_init(o);
    o->name = json_string_value(json_object_get(config, "queue"));
    o->prefix = json_string_value(json_object_get(config, "prefix"));
    o->concurrency = (unsigned)number(given, "concurrency", o->concurrency);
    o->lock_duration = number(given, "lockDuration", o->lock_duration);
    o->lock_renew_time = number(given, "lockRenewTime", o->lock_duration / 2);
    o->stalled_interval = number(given, "stalledInterval", o->stalled_interval);
    o->max_stalled_count = number(given, "maxStalledCount", o->max_stalled_count);
    o->max_started_attempts =
        number(given, "maxStartedAttempts", o->max_started_attempts);
    o->drain_delay = number(given, "drainDelay", o->drain_delay / 1000) * 1000;
    o->limiter_max = number(limiter, "max", o->limiter_max);
    o->limiter_duration = number(limiter, "duration", o->limiter_duration);
    o->maximum_rate_limit_delay =
        number(given, "maximumRateLimitDelay", o->maximum_rate_limit_delay);
    o->metrics_max_data_points = number(json_object_get(given, "metrics"),
                                        "maxDataPoints", o->metrics_max_data_points);
    o->worker_name = json_string_value(json_object_get(given, "name"));
    o->strict = json_is_true(json_object_get(given, "strict"));
    read_keep(given, "removeOnComplete", &o->remove_on_complete);
    read_keep(given, "removeOnFail", &o->remove_on_fail);
}

/* --- the handler */

struct script {
    struct bw_job *job; /* NULL once answered */
    const char *gates;
    const json_t *args; /* of the operation that runs */
};

static const char *text_arg(const struct script *s)
{
    const char *text = json_string_value(json_array_get(s->args, 1));

    if (text == NULL)
        die("script", "an operation lacks its text");
    return text;
}

static int64_t number_arg(const struct script *s, size_t at)
{
    return (int64_t)json_number_value(json_array_get(s->args, at));
}

static void must(int rc, const char *what)
{
    if (rc != BW_OK)
        die(what, bw_code_name(rc));
}

static void do_progress(struct script *s)
{
    must(bw_job_update_progress(s->job, text_arg(s), strlen(text_arg(s))), "progress");
}

static void do_log(struct script *s)
{
    must(bw_job_add_log(s->job, text_arg(s), strlen(text_arg(s))), "log");
}

static void do_data(struct script *s)
{
    must(bw_job_update_data(s->job, text_arg(s), strlen(text_arg(s))), "data");
}

/* Waits for a file, or for the worker to give the job up. */
static void do_gate(struct script *s)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s", s->gates, text_arg(s));
    while (access(path, F_OK) != 0 && !bw_job_cancelled(s->job))
        (void)usleep(3000);
}

static struct bw_job *answered(struct script *s)
{
    struct bw_job *job = s->job;

    s->job = NULL;
    return job;
}

static void do_return(struct script *s)
{
    bw_job_complete(answered(s), text_arg(s), strlen(text_arg(s)));
}

static void do_nothing(struct script *s)
{
    bw_job_complete(answered(s), NULL, 0);
}

static void do_garbage(struct script *s)
{
    bw_job_complete(answered(s), "{oops", 5);
}

/* Fails with a stack trace as an error of JavaScript has one. */
static void fail_as(struct script *s, const char *kind, struct bw_job_failure failure)
{
    struct bw_buf stack = BW_BUF_INIT;

    failure.message = text_arg(s);
    must(bw_buf_addf(&stack, "%s: %s\n    at peer_worker", kind, failure.message),
         "stack");
    failure.stack = bw_buf_text(&stack);
    bw_job_fail(answered(s), &failure);
    bw_buf_fini(&stack);
}

static void do_fail(struct script *s)
{
    fail_as(s, "Error", (struct bw_job_failure){ 0 });
}

static void do_backoff(struct script *s)
{
    fail_as(s, "CustomBackoff",
            (struct bw_job_failure){ .has_delay = true, .delay_ms = number_arg(s, 2) });
}

static void do_unrecoverable(struct script *s)
{
    fail_as(s, "UnrecoverableError", (struct bw_job_failure){ .unrecoverable = true });
}

static void do_blank(struct script *s)
{
    struct bw_job_failure failure = { .message = NULL };

    bw_job_fail(answered(s), &failure);
}

static void do_delay(struct script *s)
{
    bw_job_move_to_delayed(answered(s), number_arg(s, 1));
}

static void do_wait(struct script *s)
{
    bw_job_move_to_wait(answered(s));
}

static void do_limit(struct script *s)
{
    bw_job_rate_limit(answered(s), number_arg(s, 1));
}

/* --- what it asks of Redis: a thread of its own waits for the callback */

struct asked {
    struct bw_mutex mutex;
    struct bw_cond done_cond;
    bool done, yes; /* with what follows, under the mutex */
    int code;
    char text[BW_ERROR_TEXT_MAX];
    char *json; /* freed by the asker */
};

static void asked_init(struct asked *asked)
{
    *asked = (struct asked){ .done = false };
    bw_mutex_init(&asked->mutex);
    bw_cond_init(&asked->done_cond);
}

static void tell(struct asked *asked, bool yes, char *json, const struct bw_error *err)
{
    bw_mutex_lock(&asked->mutex);
    asked->yes = yes;
    asked->json = json;
    asked->code = err != NULL ? err->code : BW_OK;
    (void)snprintf(asked->text, sizeof asked->text, "%s", err != NULL ? err->text : "");
    asked->done = true;
    bw_cond_signal(&asked->done_cond);
    bw_mutex_unlock(&asked->mutex);
}

static void await(struct asked *asked, int called, const char *what)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), 15000);

    must(called, what);
    bw_mutex_lock(&asked->mutex);
    while (!asked->done) {
        if (!bw_cond_wait_until(&asked->done_cond, &asked->mutex, deadline))
            die(what, "no answer");
    }
    bw_mutex_unlock(&asked->mutex);
    bw_cond_fini(&asked->done_cond);
    bw_mutex_fini(&asked->mutex);
}

static void on_yes(bool yes, const struct bw_error *err, void *arg)
{
    tell(arg, yes, NULL, err);
}

static void on_json(const char *json, size_t len, const struct bw_error *err, void *arg)
{
    tell(arg, false, json != NULL ? strndup(json, len) : NULL, err);
}

static void on_child(const char *id, const struct bw_error *err, void *arg)
{
    (void)id;
    tell(arg, err == NULL, NULL, err);
}

/* Completes with what was read, its members in their order. */
static void return_json(struct script *s, struct asked *asked, const char *what)
{
    json_t *value;
    char *text;

    must(asked->code, what);
    value = json_loads(asked->json, JSON_DECODE_ANY, NULL);
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    if (text == NULL)
        die(what, "no JSON");
    bw_job_complete(answered(s), text, strlen(text));
    free(text);
    json_decref(value);
    free(asked->json);
}

static void do_values(struct script *s)
{
    struct asked asked;

    asked_init(&asked);
    await(&asked, bw_job_children_values(s->job, on_json, &asked), "values");
    return_json(s, &asked, "values");
}

static void do_ignored(struct script *s)
{
    struct asked asked;

    asked_init(&asked);
    await(&asked, bw_job_ignored_failures(s->job, on_json, &asked), "ignored");
    return_json(s, &asked, "ignored");
}

static void do_counts(struct script *s)
{
    struct asked asked;

    asked_init(&asked);
    await(&asked, bw_job_dependency_counts(s->job, on_json, &asked), "counts");
    return_json(s, &asked, "counts");
}

static void do_state(struct script *s)
{
    struct asked asked;

    asked_init(&asked);
    await(&asked, bw_job_state(s->job, on_json, &asked), "state");
    return_json(s, &asked, "state");
}

static void do_extend(struct script *s)
{
    struct asked asked;

    asked_init(&asked);
    await(&asked, bw_job_extend_lock(s->job, number_arg(s, 1), on_yes, &asked), "extend");
    must(asked.code, "extend");
    if (!asked.yes)
        die("extend", "the lock is not held");
}

static void do_children(struct script *s)
{
    const char *child = json_string_value(json_array_get(s->args, 1));
    struct asked asked;

    asked_init(&asked);
    await(&asked, bw_job_move_to_waiting_children(s->job, child, on_yes, &asked),
          "children");
    if (asked.yes) {
        (void)answered(s);
    } else if (asked.code != BW_OK) {
        char message[32];
        struct bw_job_failure failure = { .message = message, .stack = "Error" };

        (void)snprintf(message, sizeof message, "refused %d",
                       asked.code - BW_EJOB_MISSING - 1);
        bw_job_fail(answered(s), &failure);
    }
}

/* Fails with what the library says, as an exception that passes on. */
static void do_await_children(struct script *s)
{
    struct asked asked;

    asked_init(&asked);
    await(&asked, bw_job_move_to_waiting_children(s->job, NULL, on_yes, &asked),
          "awaitChildren");
    if (asked.yes) {
        (void)answered(s);
    } else if (asked.code != BW_OK) {
        struct bw_job_failure failure = { .message = asked.text, .stack = asked.text };

        bw_job_fail(answered(s), &failure);
    }
}

/* {"id", "queue"} of the job joins the options. */
static char *child_options(struct script *s)
{
    json_t *opts = json_loads(json_string_value(json_array_get(s->args, 4)), 0, NULL);
    char *text;

    if (json_object_set_new(opts, "parent",
                            json_pack("{s:s, s:s}", "id", bw_job_id(s->job), "queue",
                                      bw_job_queue_key(s->job))) != 0)
        die("child", "out of memory");
    text = json_dumps(opts, JSON_COMPACT);
    json_decref(opts);
    return text;
}

static void do_child(struct script *s)
{
    char *opts = child_options(s);
    const char *data = json_string_value(json_array_get(s->args, 3));
    struct bw_add add = {
        .prefix = bw_job_prefix(s->job),
        .queue = text_arg(s),
        .name = json_string_value(json_array_get(s->args, 2)),
        .data = data,
        .data_len = strlen(data),
        .opts = opts,
        .opts_len = strlen(opts),
    };
    struct bw_error err;
    struct asked asked;

    asked_init(&asked);
    await(&asked,
          bw_queue_add(bw_job_redis(s->job), &add, NULL, 15000, on_child, &asked, &err),
          "child");
    must(asked.code, "child");
    free(opts);
}

static const struct {
    const char *name;
    void (*run)(struct script *s);
} operations[] = {
    { "progress", do_progress },
    { "log", do_log },
    { "data", do_data },
    { "gate", do_gate },
    { "return", do_return },
    { "nothing", do_nothing },
    { "garbage", do_garbage },
    { "fail", do_fail },
    { "backoff", do_backoff },
    { "unrecoverable", do_unrecoverable },
    { "blank", do_blank },
    { "delay", do_delay },
    { "wait", do_wait },
    { "limit", do_limit },
    { "child", do_child },
    { "children", do_children },
    { "awaitChildren", do_await_children },
    { "values", do_values },
    { "ignored", do_ignored },
    { "counts", do_counts },
    { "state", do_state },
    { "extend", do_extend },
};

static void run_operation(struct script *s)
{
    const char *name = json_string_value(json_array_get(s->args, 0));

    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (name != NULL && strcmp(operations[i].name, name) == 0) {
            operations[i].run(s);
            return;
        }
    }
    die("unknown operation", name != NULL ? name : "(not a text)");
}

/* The step for this start of the job: the last one when there are no more. */
static const json_t *step_of(const json_t *data, unsigned started)
{
    const json_t *steps = json_object_get(data, "do");
    size_t count = json_array_size(steps);

    if (count == 0)
        die("script", "no steps");
    return json_array_get(steps, (started < count ? started : count) - 1);
}

static void process(struct bw_job *job, void *arg)
{
    struct script s = { .job = job, .gates = arg };
    size_t len;
    const char *text = bw_job_data(job, &len);
    json_t *data = json_loadb(text, len, 0, NULL);
    const json_t *step = step_of(data, bw_job_attempts_started(job));

    for (size_t i = 0; s.job != NULL; i++) {
        s.args = json_array_get(step, i);
        if (s.args == NULL)
            die("script", "the step has no end");
        run_operation(&s);
    }
    json_decref(data);
}

/* --- adding */

struct adding {
    struct bw_mutex mutex;
    struct bw_cond done_cond;
    bool done;  /* both under the mutex */
    json_t *id; /* null when the add failed */
};

static void added(const char *id, const struct bw_error *err, void *arg)
{
    struct adding *adding = arg;

    bw_mutex_lock(&adding->mutex);
    adding->id = err == NULL ? json_string(id) : json_null();
    adding->done = true;
    bw_cond_signal(&adding->done_cond);
    bw_mutex_unlock(&adding->mutex);
}

/* New reference: the id, or null. */
static json_t *add_one(struct bw_redis *redis, const json_t *config, const json_t *job)
{
    struct adding adding = { .done = false };
    const json_t *opts = json_object_get(job, "opts");
    const json_t *data_value = json_object_get(job, "data");
    char *data = data_value != NULL
                     ? json_dumps(data_value, JSON_COMPACT | JSON_ENCODE_ANY)
                     : NULL;
    char *opts_text = opts != NULL ? json_dumps(opts, JSON_COMPACT) : NULL;
    struct bw_add add = {
        .prefix = json_string_value(json_object_get(config, "prefix")),
        .queue = json_string_value(json_object_get(config, "queue")),
        .name = json_string_value(json_object_get(job, "name")),
        .data = data,
        .data_len = data != NULL ? strlen(data) : 0,
        .opts = opts_text,
        .opts_len = opts_text != NULL ? strlen(opts_text) : 0,
    };
    struct bw_error err;

    bw_mutex_init(&adding.mutex);
    bw_cond_init(&adding.done_cond);
    if (bw_queue_add(redis, &add, NULL, ADD_MS, added, &adding, &err) != BW_OK)
        added(NULL, &err, &adding);
    bw_mutex_lock(&adding.mutex);
    while (!adding.done)
        bw_cond_wait(&adding.done_cond, &adding.mutex);
    bw_mutex_unlock(&adding.mutex);
    bw_cond_fini(&adding.done_cond);
    bw_mutex_fini(&adding.mutex);
    free(data);
    free(opts_text);
    return adding.id;
}

static void add_all(struct bw_redis *redis, const json_t *config)
{
    const json_t *list = json_object_get(config, "add");
    json_t *ids = json_array();
    size_t i;
    const json_t *job;

    for (i = 0; i < ADD_MS && !bw_redis_is_ready(redis); i++)
        (void)usleep(1000);
    json_array_foreach(list, i, job)
    {
        if (json_array_append_new(ids, add_one(redis, config, job)) != 0)
            die("ids", "out of memory");
    }
    char *text = json_dumps(ids, JSON_COMPACT);
    (void)puts(text);
    (void)fflush(stdout);
    free(text);
    json_decref(ids);
}

/* --- the program */

static void write_line(void *arg, enum bw_log_level level, const char *message,
                       const struct bw_log_field *fields, size_t count)
{
    (void)arg;
    (void)fprintf(stderr, "peer_worker: %s", message);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text != NULL)
            (void)fprintf(stderr, " %s=%s", fields[i].key, fields[i].text);
        else
            (void)fprintf(stderr, " %s=%lld", fields[i].key, (long long)fields[i].number);
    }
    (void)fprintf(stderr, " (level %d)\n", (int)level);
}

static json_t *read_config(void)
{
    static char line[LINE_BYTES];
    json_error_t err;
    json_t *config;

    if (fgets(line, (int)sizeof line, stdin) == NULL)
        exit(0); /* never needed */
    config = json_loads(line, 0, &err);
    if (config == NULL)
        die("configuration", err.text);
    return config;
}

static void create(struct bw_worker **workerp, const json_t *config)
{
    static struct bw_log_sink sink = { .level = BW_LOG_ERROR, .write = write_line };
    const char *url = json_string_value(json_object_get(config, "redis"));
    struct bw_redis_options redis;
    struct bw_error err;
    struct bw_worker_options options = { .redis = &redis, .log = &sink };

    if (getenv("PEER_DEBUG") != NULL)
        sink.level = BW_LOG_DEBUG;
    if (bw_redis_options_parse(&redis, url, &err) != BW_OK)
        die("redis", err.text);
    options.processors =
        (unsigned)number(json_object_get(config, "options"), "concurrency", 1);
    if (bw_worker_create(workerp, &options, &err) != BW_OK)
        die("worker", err.text);
    bw_redis_options_fini(&redis);
}

static void prepare_work(struct bw_worker *worker, const json_t *config, char *gates)
{
    struct bw_queue_options options;
    struct bw_handler handler = { .process = process };
    struct bw_error err;

    read_options(config, &options);
    if (bw_worker_add_queue(worker, &options, &handler, gates, &err) != BW_OK)
        die("queue", err.text);
}

static void say(const char *word)
{
    (void)puts(word);
    (void)fflush(stdout);
}

static void work_until_stdin_ends(void)
{
    say("ready");
    while (getchar() != EOF)
        continue;
}

int main(void)
{
    json_t *config = read_config();
    char *gates = strdup(json_string_value(json_object_get(config, "gates")));
    bool adds = json_object_get(config, "add") != NULL;
    struct bw_worker *worker;
    struct bw_redis *redis = NULL;
    struct bw_error err;
    enum bw_worker_end end;

    create(&worker, config);
    if (!adds)
        prepare_work(worker, config, gates);
    else if (bw_worker_redis(worker, NULL, &redis, &err) != BW_OK)
        die("connection", err.text);
    if (bw_worker_start(worker, &err) != BW_OK)
        die("start", err.text);
    if (adds)
        add_all(redis, config);
    else
        work_until_stdin_ends();
    bw_worker_drain(worker, DRAIN_MS);
    if (!adds)
        say("stopping");
    end = bw_worker_wait(worker, &err);
    bw_worker_destroy(&worker);
    free(gates);
    json_decref(config);
    return end == BW_END_DRAINED ? 0 : 1;
}
