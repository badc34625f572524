/* Flows; ops_flow.mjs has BullMQ's. */
#include "client.h"

/* {id} → {"processed", "unprocessed", "ignored", "failed"} */
static void dependency_counts(struct client *client, const char *queue,
                              const json_t *args)
{
    client_called(client,
                  bw_flow_dependency_counts(client->redis, client->prefix, queue,
                                            client_text(args, "id"), CLIENT_CALL_MS,
                                            client_on_json, client),
                  NULL);
}

const struct client_op client_flow_ops[] = {
    { "dependencyCounts", dependency_counts },
    { NULL, NULL },
};
