/* One connection to PostgreSQL in pipeline mode: the only place
 * that drives libpq (its results are read in batch.c).
 *
 * Belongs to the pool's thread. Nothing here blocks, save a name lookup while connecting.
 * Batches that come to an end, by an answer, a lost connection or their deadline, are put
 * on the `finished` queue given, settled, and with `again` set when nothing was done and
 * one more try is due. */
#ifndef WORKER_PG_LINK_H
#define WORKER_PG_LINK_H

#include <bulwark/time.h>

#include "pg/batch.h"
#include "pg/prepared.h"
#include "pg/sqlstate.h"
#include "pg/url.h"

#define PG_LINK_SLOTS 16 /* batches in flight on one connection */

struct pg_conn; /* libpq's */

struct pg_link_settings {
    const struct pg_url *url; /* with everything the connection needs */
    const char *search_path;  /* or NULL */
    int64_t connect_timeout_ms;
};

enum pg_link_state {
    PG_LINK_CLOSED,
    PG_LINK_CONNECTING,
    PG_LINK_SETTING_UP, /* connected, the session's settings are on their way */
    PG_LINK_READY
};

enum pg_link_cancel { PG_CANCEL_NONE, PG_CANCEL_WANTED, PG_CANCEL_SENT };

/* A batch in flight. The server answers in order: first each PREPARE with a sync of its
 * own, so that one that fails harms no other, then the statements and their sync. */
struct pg_slot {
    struct pg_batch *batch; /* NULL: the session's settings, or given back */
    const struct pg_statement **prepares;
    size_t prepare_count, prepare_at;
    size_t statements, at;
    bool front;    /* a statement of ours, with the settings, goes before the batch's */
    bool orphan;   /* given back; what is answered is dropped */
    bool complete; /* its sync was handed over: it may be done although no answer comes */
    bool prepare_failed; /* the batch's sqlstate and message say why */
    bool failed;         /* an error was answered: nothing of it is done */
    enum pg_error_kind kind;
};

struct pg_link {
    const struct pg_link_settings *settings;
    struct pg_conn *pg;
    enum pg_link_state state;
    bool poll_out; /* wait until the socket takes data, too */
    bool poll_in;
    bool retired;   /* to be closed once nothing is in flight */
    bool cancelled; /* a cancel request was sent; it may hit a neighbour */
    enum pg_link_cancel cancel;
    struct bw_mono opened_at;
    struct bw_mono orphan_since; /* the head has been an orphan since */
    struct bw_mono ask_at;       /* when to ask (again) for its cancellation */
    struct pg_prepared prepared;
    struct pg_slot slots[PG_LINK_SLOTS];
    size_t head, count, orphans;
    const char **values; /* room for the parameters of one statement */
    size_t values_cap;
    uint64_t answers, statements;  /* batches answered, and their statements */
    char error[PG_BATCH_TEXT_MAX]; /* why it was closed last */
};

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
