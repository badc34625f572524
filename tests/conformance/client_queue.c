/* Operations on a queue and its jobs; ops_queue.mjs has BullMQ's. */
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* {name, data, opts} → the id */
static void add(struct client *client, const char *queue, const json_t *args)
{
    char *data = client_json(args, "data");
    char *opts = client_json(args, "opts");
    struct bw_add job = {
        .prefix = client->prefix,
        .queue = queue,
        .name = client_text(args, "name"),
        .data = data,
        .data_len = data != NULL ? strlen(data) : 0,
        .opts = opts,
        .opts_len = opts != NULL ? strlen(opts) : 0,
        .line = client->line,
    };
    struct bw_error err = { .code = BW_OK };
    int rc = bw_queue_add(client->redis, &job, client->clock, CLIENT_CALL_MS,
                          client_on_id, client, &err);

    client_called(client, rc, &err);
    free(data);
    free(opts);
}

/* {} → null */
static void pause_queue(struct client *client, const char *queue, const json_t *args)
{
    (void)args;
    client_called(client,
                  bw_queue_pause(client->redis, client->prefix, queue, CLIENT_CALL_MS,
                                 client_on_done, client),
                  NULL);
}

static void resume_queue(struct client *client, const char *queue, const json_t *args)
{
    (void)args;
    client_called(client,
                  bw_queue_resume(client->redis, client->prefix, queue, CLIENT_CALL_MS,
                                  client_on_done, client),
                  NULL);
}

/* --- the administrator's */

static struct bw_queue_at at_of(struct client *client, const char *queue)
{
    return (struct bw_queue_at){ .redis = client->redis,
                                 .prefix = client->prefix,
                                 .queue = queue,
                                 .clock = client->clock,
                                 .timeout_ms = CLIENT_CALL_MS,
                                 .strict = true,
                                 .line = client->line };
}

/* null, whatever the number */
static void on_changed(int64_t number, const struct bw_error *err, void *arg)
{
    (void)number;
    if (err != NULL)
        client_refuse(arg, err);
    else
        client_reply(arg, NULL);
}

static void on_number(int64_t number, const struct bw_error *err, void *arg)
{
    if (err != NULL)
        client_refuse(arg, err);
    else
        client_reply(arg, json_integer(number));
}

/* {id, delay} → null */
static void change_delay(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(client,
                  bw_admin_change_delay(&at, client_text(args, "id"),
                                        client_number(args, "delay", 0), on_changed,
                                        client),
                  NULL);
}

/* {id, priority, lifo} → null */
static void change_priority(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(client,
                  bw_admin_change_priority(&at, client_text(args, "id"),
                                           client_number(args, "priority", 0),
                                           client_flag(args, "lifo"), on_changed, client),
                  NULL);
}

/* {id} → null */
static void promote(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(
        client, bw_admin_promote(&at, client_text(args, "id"), on_changed, client), NULL);
}

/* {id, state, resetAttemptsMade, resetAttemptsStarted} → null */
static void reprocess(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(
        client,
        bw_admin_reprocess(&at, client_text(args, "id"), client_text(args, "state"),
                           client_flag(args, "resetAttemptsMade"),
                           client_flag(args, "resetAttemptsStarted"), on_changed, client),
        NULL);
}

/* {id, alone} → 1, or 0: locked */
static void remove_job(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(client,
                  bw_admin_remove(&at, client_text(args, "id"),
                                  !client_flag(args, "alone"), on_number, client),
                  NULL);
}

/* {id} → null */
static void remove_children(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(
        client,
        bw_admin_remove_children(&at, client_text(args, "id"), on_changed, client), NULL);
}

/* {delayed} → null */
static void drain(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(client,
                  bw_admin_drain(&at, client_flag(args, "delayed"), on_changed, client),
                  NULL);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a),
                  json_string_value(*(json_t *const *)b));
}

/* The ids, sorted. */
static void on_cleaned(const char *json, size_t len, const struct bw_error *err,
                       void *arg)
{
    json_t *ids, *sorted = json_array(), *items[1000];
    size_t count;

    if (err != NULL) {
        json_decref(sorted);
        client_refuse(arg, err);
        return;
    }
    ids = json_loadb(json, len, 0, NULL);
    count = json_array_size(ids);
    for (size_t i = 0; i < count && i < 1000; i++)
        items[i] = json_array_get(ids, i);
    qsort(items, count, sizeof *items, by_text);
    for (size_t i = 0; i < count && i < 1000; i++)
        (void)json_array_append(sorted, items[i]); /* compared: a lack is seen */
    json_decref(ids);
    client_reply(arg, sorted);
}

/* {grace, limit, state} → ids, sorted */
static void clean(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(client,
                  bw_admin_clean(&at, client_text(args, "state"),
                                 client_number(args, "grace", 0),
                                 client_number(args, "limit", 0), on_cleaned, client),
                  NULL);
}

/* {force, count} → null */
static void obliterate(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(client,
                  bw_admin_obliterate(&at, client_number(args, "count", 0),
                                      client_flag(args, "force"), on_changed, client),
                  NULL);
}

/* {state, count, timestamp} → null */
static void retry_jobs(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(client,
                  bw_admin_retry_jobs(
                      &at, client_text(args, "state"), client_number(args, "count", 0),
                      client_number(args, "timestamp", 0), on_changed, client),
                  NULL);
}

/* {count} → null */
static void promote_jobs(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(
        client,
        bw_admin_promote_jobs(&at, client_number(args, "count", 0), on_changed, client),
        NULL);
}

/* --- reading */

#define MOST_NAMES 16

/* {types} → {type: number}; 5.x tells of `paused` whenever it is asked for what waits. */
static void counts(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);
    const json_t *types = json_object_get(args, "types");
    const char *names[MOST_NAMES + 2] = { NULL };
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(types) && count < MOST_NAMES; i++) {
        names[count] = json_string_value(json_array_get(types, i));
        if (client->line == 5 && strcmp(names[count], "waiting") == 0)
            names[++count] = "paused";
        count++;
    }
    client_called(client, bw_admin_counts(&at, names, client_on_json, client), NULL);
}

/* {types: [type], start, end, ascending} → ids */
static void ranges(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(
        client,
        bw_admin_job_ids(
            &at, json_string_value(json_array_get(json_object_get(args, "types"), 0)),
            client_number(args, "start", 0), client_number(args, "end", -1),
            client_flag(args, "ascending"), client_on_json, client),
        NULL);
}

/* {priorities} → {priority: number} */
static void counts_per_priority(struct client *client, const char *queue,
                                const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);
    const json_t *list = json_object_get(args, "priorities");
    int64_t priorities[MOST_NAMES];
    size_t count =
        json_array_size(list) < MOST_NAMES ? json_array_size(list) : MOST_NAMES;

    for (size_t i = 0; i < count; i++)
        priorities[i] = json_integer_value(json_array_get(list, i));
    client_called(
        client,
        bw_admin_counts_per_priority(&at, priorities, count, client_on_json, client),
        NULL);
}

/* At most 1: how long it lasts exactly is not to be compared. */
static void on_ttl(int64_t number, const struct bw_error *err, void *arg)
{
    on_number(number < 1 ? number : 1, err, arg);
}

/* {max} → 1, or what it is if there is no limit */
static void rate_limit_ttl(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(client,
                  bw_admin_limit_ttl(&at, client_number(args, "max", -1), on_ttl, client),
                  NULL);
}

static void on_metrics(const char *json, size_t len, const struct bw_error *err,
                       void *arg)
{
    json_t *all;

    if (err != NULL) {
        client_refuse(arg, err);
        return;
    }
    all = json_loadb(json, len, 0, NULL);
    client_reply(arg, json_pack("{s:O, s:O, s:O}", "count", json_object_get(all, "count"),
                                "data", json_object_get(all, "data"), "points",
                                json_object_get(all, "points")));
    json_decref(all);
}

/* {of, start, end} → {count, data, points} */
static void metrics(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);

    client_called(client,
                  bw_admin_metrics(&at, client_text(args, "of"),
                                   client_number(args, "start", 0),
                                   client_number(args, "end", -1), on_metrics, client),
                  NULL);
}

static void on_text(const char *text, size_t len, const struct bw_error *err, void *arg)
{
    if (err != NULL)
        client_refuse(arg, err);
    else
        client_reply(arg, json_stringn(text, len));
}

/* {labels} → text */
static void prometheus(struct client *client, const char *queue, const json_t *args)
{
    struct bw_queue_at at = at_of(client, queue);
    char *labels = client_json(args, "labels");

    client_called(client, bw_admin_prometheus(&at, labels, on_text, client), NULL);
    free(labels);
}

const struct client_op client_queue_ops[] = {
    { "add", add },
    { "pause", pause_queue },
    { "resume", resume_queue },
    { "changeDelay", change_delay },
    { "changePriority", change_priority },
    { "promote", promote },
    { "reprocess", reprocess },
    { "remove", remove_job },
    { "removeUnprocessedChildren", remove_children },
    { "drain", drain },
    { "clean", clean },
    { "obliterate", obliterate },
    { "retryJobs", retry_jobs },
    { "promoteJobs", promote_jobs },
    { "counts", counts },
    { "ranges", ranges },
    { "countsPerPriority", counts_per_priority },
    { "rateLimitTtl", rate_limit_ttl },
    { "metrics", metrics },
    { "prometheus", prometheus },
    { NULL, NULL },
};
