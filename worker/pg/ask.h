/* One batch for PostgreSQL, from a command that has nothing else to do. */
#ifndef WORKER_ASK_H
#define WORKER_ASK_H

#include "pg/pool.h"

#define WK_ASK_TIMEOUT_MS 10000

/* Opens a connection, sends the batch, closes; blocks for WK_ASK_TIMEOUT_MS at most.
 * BW_EINVAL: the URL is wrong; BW_EIO: the batch failed or the server is away. */
BW_MUSTCHECK int wk_ask_pg(const char *url, const struct bw_log *log,
                           struct pg_batch *batch, struct bw_error *err);

#endif
