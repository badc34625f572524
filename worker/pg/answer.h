/* What comes back over a connection. For its parts only. */
#ifndef WORKER_PG_ANSWER_H
#define WORKER_PG_ANSWER_H

#include "pg/session.h"

/* Reads and takes what is there. False: the connection is to be closed, and link->error
 * says why. */
BW_MUSTCHECK bool pg_answer_receive(struct pg_link *link, struct bw_mono now,
                                    struct pg_queue *finished);

#endif
