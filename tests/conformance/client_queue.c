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

const struct client_op client_queue_ops[] = {
    { "add", add },
    { "pause", pause_queue },
    { "resume", resume_queue },
    { NULL, NULL },
};
