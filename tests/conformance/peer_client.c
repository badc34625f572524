/* The program around the operations of client.h. Its first line on stdin is {"redis",
 * "line"}; it says "ready" once it is connected, answers one request after the other and
 * ends with stdin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define READY_MS   5000
#define ANSWER_MS  20000
#define DRAIN_MS   5000
#define LINE_BYTES (1 << 20)

static _Noreturn void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "peer_client: %s: %s\n", what, why);
    _exit(1);
}

/* --- answers */

static void give(struct client *client, json_t *line)
{
    if (line == NULL)
        die("answer", "out of memory");
    bw_mutex_lock(&client->mutex);
    if (client->answer != NULL)
        die("answer", "an operation answers twice");
    client->answer = line;
    bw_cond_signal(&client->answered);
    bw_mutex_unlock(&client->mutex);
}

void client_reply(struct client *client, json_t *result)
{
    give(client, json_pack("{s:o}", "ok", result != NULL ? result : json_null()));
}

void client_refuse(struct client *client, const struct bw_error *err)
{
    int code = err != NULL ? err->code : BW_EINVAL;

    if (code == BW_EIO || code == BW_ETIMEDOUT || code == BW_ECLOSED)
        die("connection", err->text);
    if (getenv("PEER_DEBUG") != NULL && err != NULL)
        (void)fprintf(stderr, "peer_client: refused: %s\n", err->text);
    if (code <= BW_EJOB_MISSING && code >= BW_EJOB_NO_SLOT)
        give(client, json_pack("{s:i}", "refused", code - BW_EJOB_MISSING - 1));
    else
        give(client, json_pack("{s:b}", "refused", 1));
}

void client_called(struct client *client, int rc, const struct bw_error *err)
{
    if (rc == BW_OK)
        return;
    if (err == NULL)
        client_refuse(client,
                      &(struct bw_error){ .code = rc, .text = "the call was refused" });
    else
        client_refuse(client, err);
}

static json_t *reply_value(const struct bw_reply *reply)
{
    json_t *list;
    const char *text;
    size_t len;

    switch (bw_reply_kind(reply)) {
    case BW_REPLY_INTEGER:
        return json_integer(bw_reply_integer(reply));
    case BW_REPLY_STRING:
        text = bw_reply_text(reply, &len);
        return json_stringn(text, len);
    case BW_REPLY_ARRAY:
        list = json_array();
        for (size_t i = 0; i < bw_reply_count(reply); i++)
            (void)json_array_append_new(list, reply_value(bw_reply_at(reply, i)));
        return list;
    default:
        return json_null();
    }
}

void client_on_reply(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    if (err != NULL)
        client_refuse(arg, err);
    else
        client_reply(arg, reply_value(reply));
}

void client_on_done(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    (void)reply;
    if (err != NULL)
        client_refuse(arg, err);
    else
        client_reply(arg, NULL);
}

void client_on_id(const char *id, const struct bw_error *err, void *arg)
{
    if (err != NULL)
        client_refuse(arg, err);
    else
        client_reply(arg, json_string(id));
}

void client_on_json(const char *json, size_t len, const struct bw_error *err, void *arg)
{
    json_t *value;

    if (err != NULL) {
        client_refuse(arg, err);
        return;
    }
    value = json_loadb(json, len, JSON_DECODE_ANY, NULL);
    if (value == NULL)
        die("answer", "the library gave text that is not JSON");
    client_reply(arg, value);
}

/* --- arguments */

int64_t client_number(const json_t *args, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(args, key);

    return json_is_number(value) ? (int64_t)json_number_value(value) : otherwise;
}

const char *client_text(const json_t *args, const char *key)
{
    return json_string_value(json_object_get(args, key));
}

bool client_flag(const json_t *args, const char *key)
{
    return json_is_true(json_object_get(args, key));
}

char *client_json(const json_t *args, const char *key)
{
    const json_t *value = json_object_get(args, key);
    char *text = NULL;

    if (value != NULL) {
        text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (text == NULL)
            die("arguments", "out of memory");
    }
    return text;
}

/* --- the program */

static json_t *read_line(void)
{
    static char line[LINE_BYTES];
    json_error_t err;
    json_t *value;

    if (fgets(line, (int)sizeof line, stdin) == NULL)
        return NULL;
    value = json_loads(line, 0, &err);
    if (value == NULL)
        die("request", err.text);
    return value;
}

static void print_line(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    if (text == NULL)
        die("answer", "out of memory");
    (void)puts(text);
    (void)fflush(stdout);
    free(text);
}

static const struct client_op *const tables[] = { client_queue_ops, client_flow_ops,
                                                  client_scheduler_ops };

static const struct client_op *find(const char *name)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct client_op *op = tables[i]; op->name != NULL; op++) {
            if (strcmp(op->name, name) == 0)
                return op;
        }
    }
    return NULL;
}

/* New reference. */
static json_t *names(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct client_op *op = tables[i]; op->name != NULL; op++)
            (void)json_array_append_new(list, json_string(op->name));
    }
    return list;
}

/* New reference. */
static json_t *await_answer(struct client *client, const char *name)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), ANSWER_MS);
    json_t *line;

    bw_mutex_lock(&client->mutex);
    while (client->answer == NULL) {
        if (!bw_cond_wait_until(&client->answered, &client->mutex, deadline))
            die("no answer", name);
    }
    line = client->answer;
    client->answer = NULL;
    bw_mutex_unlock(&client->mutex);
    return line;
}

/* New reference. */
static json_t *serve(struct client *client, const json_t *request)
{
    const char *name = client_text(request, "op");
    const struct client_op *op = name != NULL ? find(name) : NULL;

    if (op == NULL)
        return json_pack("{s:s?}", "unknown", name);
    client->prefix = client_text(request, "prefix");
    op->run(client, client_text(request, "queue"), json_object_get(request, "args"));
    return await_answer(client, name);
}

static void connect_to(struct bw_worker **workerp, struct bw_redis **redisp,
                       const char *url)
{
    struct bw_redis_options redis;
    struct bw_worker_options options = { .redis = &redis, .processors = 1 };
    struct bw_error err;

    if (bw_redis_options_parse(&redis, url, &err) != BW_OK ||
        bw_worker_create(workerp, &options, &err) != BW_OK ||
        bw_worker_redis(*workerp, NULL, redisp, &err) != BW_OK ||
        bw_worker_start(*workerp, &err) != BW_OK)
        die("redis", err.text);
    bw_redis_options_fini(&redis);
    for (int ms = 0; !bw_redis_is_ready(*redisp); ms++) {
        if (ms == READY_MS)
            die("redis", "does not answer");
        (void)usleep(1000);
    }
}

int main(void)
{
    json_t *config = read_line();
    struct client client = { .redis = NULL };
    struct bw_worker *worker;
    struct bw_error err;
    json_t *request;
    json_t *answer;

    if (config == NULL)
        return 0; /* never needed */
    bw_mutex_init(&client.mutex);
    bw_cond_init(&client.answered);
    client.line = (int)client_number(config, "line", 6);
    connect_to(&worker, &client.redis, client_text(config, "redis"));
    answer = json_pack("{s:o}", "ops", names());
    print_line(answer);
    json_decref(answer);
    while ((request = read_line()) != NULL) {
        answer = serve(&client, request);
        print_line(answer);
        json_decref(answer);
        json_decref(request);
    }
    bw_worker_drain(worker, DRAIN_MS);
    (void)bw_worker_wait(worker, &err);
    bw_worker_destroy(&worker);
    bw_cond_fini(&client.answered);
    bw_mutex_fini(&client.mutex);
    json_decref(config);
    return 0;
}
