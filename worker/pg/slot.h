/* The parts a connection is made of, for its own sources only: link.c (its life), slot.c
 * (a batch in flight and how it ends), request.c (what is sent), answer.c (what comes
 * back). */
#ifndef WORKER_PG_SLOT_H
#define WORKER_PG_SLOT_H

#include "pg/link.h"

/* Borrowed: the slot `index` places behind the one the server works on. */
struct pg_slot *pg_slot_at(struct pg_link *link, size_t index);
/* An empty slot at the end; there must be room. */
struct pg_slot *pg_slot_push(struct pg_link *link);
/* The first slot is answered: settles its batch, if it has one, and removes the slot. */
void pg_slot_finish(struct pg_link *link, struct bw_mono now, struct pg_queue *finished);
/* The same for a slot whose answer will never be complete; link->error says why. */
void pg_slot_drop(struct pg_link *link, struct bw_mono now, struct pg_queue *finished);

/* Each may close the connection. */
void pg_link_flush(struct pg_link *link, struct pg_queue *finished);
void pg_link_receive(struct pg_link *link, struct bw_mono now, struct pg_queue *finished);

/* Sends what the slot holds; a slot without a batch is that of the session's settings.
 * False: libpq refused, and the connection is to be closed. */
BW_MUSTCHECK bool pg_link_send_slot(struct pg_link *link, struct pg_slot *slot,
                                    struct bw_mono now);

#endif
