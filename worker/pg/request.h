/* What is sent over a connection. For its parts only. */
#ifndef WORKER_PG_REQUEST_H
#define WORKER_PG_REQUEST_H

#include "pg/session.h"

/* Both false: the connection is to be closed, and link->error says why. */

/* Takes the batch into a slot and sends it; NULL: the session's settings. */
BW_MUSTCHECK bool pg_request_send(struct pg_link *link, struct pg_batch *batch,
                                  struct bw_mono now);
/* Writes what the socket takes. */
BW_MUSTCHECK bool pg_request_flush(struct pg_link *link);

#endif
