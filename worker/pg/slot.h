/* A batch in flight, and how it ends. For the parts of a connection only. */
#ifndef WORKER_PG_SLOT_H
#define WORKER_PG_SLOT_H

#include "pg/session.h"

/* Borrowed: the slot `index` places behind the one the server works on. */
struct pg_slot *pg_slot_at(struct pg_link *link, size_t index);
/* An empty slot at the end; there must be room. */
struct pg_slot *pg_slot_push(struct pg_link *link);
/* The first slot is answered: settles its batch, if it has one, and removes the slot. */
void pg_slot_finish(struct pg_link *link, struct bw_mono now, struct pg_queue *finished);
/* The same for a slot whose answer will never be complete; link->error says why. */
void pg_slot_drop(struct pg_link *link, struct bw_mono now, struct pg_queue *finished);
/* Gives the batch of a slot back before its answer, which will be dropped. */
void pg_slot_orphan(struct pg_link *link, struct pg_slot *slot, struct bw_mono now,
                    struct pg_queue *finished);
/* The server works on what nobody waits for any more. */
bool pg_slot_orphan_leads(const struct pg_link *link);

#endif
