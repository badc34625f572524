/* Job schedulers; ops_scheduler.mjs has BullMQ's. */
#include "client.h"

const struct client_op client_scheduler_ops[] = {
    { NULL, NULL },
};
