/* What the parts of a connection share: link.c (its life), answer.c (what comes back),
 * request.c (what is sent), slot.c (a batch in flight and how it ends). Each calls those
 * behind it; only link.c opens and closes. */
#ifndef WORKER_PG_SESSION_H
#define WORKER_PG_SESSION_H

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
    /* NULL: the session's settings, or given back. */
    struct pg_batch *batch;
    const struct pg_statement **prepares;
    size_t prepare_count, prepare_at;
    size_t statements, at;
    /* A statement of ours, with the settings, goes before the batch's. */
    bool front;
    /* Given back; what is answered is dropped. */
    bool orphan;
    /* Its sync was handed over: it may be done although no answer comes. */
    bool complete;
    /* The batch's sqlstate and message say why. */
    bool prepare_failed;
    /* An error was answered: nothing of it is done. */
    bool failed;
    enum pg_error_kind kind;
};

struct pg_link {
    const struct pg_link_settings *settings;
    struct pg_conn *pg;
    enum pg_link_state state;
    /* Wait until the socket takes data, or has some. */
    bool poll_out, poll_in;
    /* To be closed once nothing is in flight. */
    bool retired;
    /* A cancel request was sent; it may hit a neighbour. */
    bool cancelled;
    enum pg_link_cancel cancel;
    struct bw_mono opened_at;
    /* The head has been an orphan since. */
    struct bw_mono orphan_since;
    /* When to ask (again) for its cancellation. */
    struct bw_mono ask_at;
    struct pg_prepared prepared;
    struct pg_slot slots[PG_LINK_SLOTS];
    size_t head, count, orphans;
    /* Room for the parameters of one statement. */
    const char **values;
    size_t values_cap;
    /* Batches answered, and their statements. */
    uint64_t answers, statements;
    /* Why it was closed last, or is to be. */
    char error[PG_BATCH_TEXT_MAX];
};

#endif
