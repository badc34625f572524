/* One connection to PostgreSQL in pipeline mode: the only place
 * that drives libpq (its results are read in batch.c).
 *
 * Belongs to the pool's thread. Nothing here blocks, save a name lookup while connecting.
 * Batches that come to an end, by an answer, a lost connection or their deadline, are put
 * on the `finished` queue given, settled, and with `again` set when nothing was done and
 * one more try is due. */
#ifndef WORKER_PG_LINK_H
#define WORKER_PG_LINK_H

#include "pg/session.h"

void pg_link_init(struct pg_link *link, const struct pg_link_settings *settings);
void pg_link_fini(struct pg_link *link);

/* Starts to connect; the state tells how far it is. Only when closed. */
void pg_link_open(struct pg_link *link, struct bw_mono now);
/* Gives up the connection and what is in flight. `reason` is kept in `error`. */
void pg_link_close(struct pg_link *link, const char *reason, struct pg_queue *finished);

/* What to poll for; -1 when closed. */
int pg_link_fd(const struct pg_link *link, short *events);
/* Does what can be done without blocking after poll reported something. */
void pg_link_turn(struct pg_link *link, struct bw_mono now, struct pg_queue *finished);

/* True when a batch may be sent now. */
bool pg_link_is_free(const struct pg_link *link);
/* Sends a batch; only when free. */
void pg_link_send(struct pg_link *link, struct pg_batch *batch, struct bw_mono now,
                  struct pg_queue *finished);
/* Moves the deadline of the batch with this ticket to `now`. False: it is not here. */
bool pg_link_hasten(struct pg_link *link, uint64_t ticket, struct bw_mono now);
/* Gives back what is past its deadline. */
void pg_link_expire(struct pg_link *link, struct bw_mono now, struct pg_queue *finished);
/* The earliest deadline in flight, if it is before `*at`. */
void pg_link_next_deadline(const struct pg_link *link, struct bw_mono *at);
/* True when the server is busy with what nobody waits for any more. */
bool pg_link_is_stuck(const struct pg_link *link);
/* The server process's number. */
int pg_link_backend(const struct pg_link *link);

#endif
