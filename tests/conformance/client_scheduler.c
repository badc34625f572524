/* Job schedulers; ops_scheduler.mjs has BullMQ's. */
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* Whether there is an iteration, not which: its id holds the time. */
static void on_upsert(const char *id, const struct bw_error *err, void *arg)
{
    struct client *client = arg;

    if (err != NULL)
        client_refuse(client, err);
    else
        client_reply(client, json_boolean(id != NULL));
}

/* {id, repeat, template} → whether an iteration is pending */
static void upsert(struct client *client, const char *queue, const json_t *args)
{
    const json_t *repeat = json_object_get(args, "repeat");
    const json_t *job = json_object_get(args, "template");
    char *data = client_json(job, "data");
    char *opts = client_json(job, "opts");
    struct bw_scheduler scheduler = {
        .prefix = client->prefix,
        .queue = queue,
        .id = client_text(args, "id"),
        .pattern = client_text(repeat, "pattern"),
        .every = client_number(repeat, "every", 0),
        .tz = client_text(repeat, "tz"),
        .offset = client_number(repeat, "offset", 0),
        .start_date = client_number(repeat, "startDate", 0),
        .end_date = client_number(repeat, "endDate", 0),
        .limit = client_number(repeat, "limit", 0),
        .immediately = client_flag(repeat, "immediately"),
        .name = client_text(job, "name"),
        .data = data,
        .data_len = data != NULL ? strlen(data) : 0,
        .opts = opts,
        .opts_len = opts != NULL ? strlen(opts) : 0,
        .strict = true,
    };
    struct bw_error err = { .code = BW_OK };
    int rc = bw_scheduler_upsert(client->redis, &scheduler, client->clock, CLIENT_CALL_MS,
                                 on_upsert, client, &err);

    client_called(client, rc, &err);
    free(data);
    free(opts);
}

/* The reply 0: it was there. */
static void on_removed(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    struct client *client = arg;

    if (err != NULL)
        client_refuse(client, err);
    else
        client_reply(client, json_boolean(bw_reply_integer(reply) == 0));
}

/* {id} → whether there was one */
static void remove_scheduler(struct client *client, const char *queue, const json_t *args)
{
    client_called(client,
                  bw_scheduler_remove(client->redis, client->prefix, queue,
                                      client_text(args, "id"), CLIENT_CALL_MS, on_removed,
                                      client),
                  NULL);
}

/* {id} → the scheduler, or null */
static void get(struct client *client, const char *queue, const json_t *args)
{
    client_called(client,
                  bw_scheduler_get(client->redis, client->prefix, queue,
                                   client_text(args, "id"), CLIENT_CALL_MS,
                                   client_on_json, client),
                  NULL);
}

/* {first, last, ascending} → the schedulers */
static void list(struct client *client, const char *queue, const json_t *args)
{
    client_called(client,
                  bw_scheduler_list(client->redis, client->prefix, queue,
                                    client_number(args, "first", 0),
                                    client_number(args, "last", -1),
                                    !client_flag(args, "ascending"), CLIENT_CALL_MS,
                                    client_on_json, client),
                  NULL);
}

/* {} → their number */
static void count(struct client *client, const char *queue, const json_t *args)
{
    (void)args;
    client_called(client,
                  bw_scheduler_count(client->redis, client->prefix, queue, CLIENT_CALL_MS,
                                     client_on_reply, client),
                  NULL);
}

const struct client_op client_scheduler_ops[] = {
    { "upsertScheduler", upsert }, { "removeScheduler", remove_scheduler },
    { "getScheduler", get },       { "listSchedulers", list },
    { "countSchedulers", count },  { NULL, NULL },
};
