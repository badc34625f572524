/* PostgreSQL: a pool of connections in pipeline mode, driven by one I/O thread. The only
 * user of libpq; its types stay in worker/pg/.
 *
 * Work comes as a batch: statements that are sent together, run in order in one implicit
 * transaction (all or nothing) and come back together: one round trip, however many
 * statements. Statements are prepared once a connection, by name, where the server's
 * pooler allows it (`pgbouncer=true` in the URL: unnamed statements). Every wait has a
 * deadline. Connections are opened as needed, replaced when they break, and again and
 * again tried, with back-off up to 1 s, when the server is away. */
#ifndef WORKER_PG_POOL_H
#define WORKER_PG_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/stats.h>

struct pg_pool;

struct pg_options {
    /* postgresql://… as Prisma takes it: its own parameters (schema, connection_limit,
     * pool_timeout, pgbouncer …) are understood or skipped. */
    const char *url;
    unsigned connections;       /* 0: connection_limit of the URL, else 4 */
    int64_t connect_timeout_ms; /* 0: connect_timeout of the URL, else 5000 */
    const struct bw_log *log;   /* or NULL */
};

/* A statement, static and constant. Parameters are $1…; all are passed as text. */
struct pg_statement {
    const char *name; /* unique in the program */
    const char *sql;
    unsigned params;
};

enum pg_outcome {
    PG_OK,
    /* A statement failed; nothing of the batch was done: sqlstate and message say why. */
    PG_FAILED,
    /* Not reachable, cut off, serialization failure, deadlock, no connection free before
     * the deadline: the same batch may succeed later. pg_batch_sent() tells whether it
     * can have been done. */
    PG_TRANSIENT,
    /* The batch's deadline passed before an answer; cancelled on the server. Unless
     * pg_batch_sent() is false it may have been done all the same. Also after
     * pg_pool_cancel(). */
    PG_TIMED_OUT
};

/* One batch. New: pg_batch_create(); belongs to the caller until submitted, then to the
 * pool until `done` is called, then to the caller again, who reads the results and
 * destroys or reuses it (pg_batch_clear). */
struct pg_batch;

BW_MUSTCHECK int pg_batch_create(struct pg_batch **batchp);
void pg_batch_clear(struct pg_batch *batch);
void pg_batch_destroy(struct pg_batch **batchp);

/* Adds a statement with its parameters (copied; NULL is SQL NULL). Returns its index (≥
 * 0), or BW_ENOMEM. */
BW_MUSTCHECK int pg_batch_add(struct pg_batch *batch,
                              const struct pg_statement *statement,
                              const char *const *params, size_t count);
size_t pg_batch_count(const struct pg_batch *batch);

/* Hands the batch over. `done` is called exactly once, on the pool's thread: it must not
 * block; hand the batch on and return. Any thread. Takes the batch always. Returns a
 * ticket for pg_pool_cancel(), never 0. */
uint64_t pg_pool_submit(struct pg_pool *pool, struct pg_batch *batch, int64_t timeout_ms,
                        void (*done)(struct pg_batch *batch, void *arg), void *arg);

/* The batch ends now, as if its deadline had passed: one that is not sent is dropped, one
 * under way is cancelled on the server, and no other batch of its connection is harmed.
 * `done` is called soon, as ever. A ticket whose batch was given back, or is about to be,
 * does nothing. Any thread; does not wait. BW_ENOMEM: the deadline stands. */
BW_MUSTCHECK int pg_pool_cancel(struct pg_pool *pool, uint64_t ticket);

/* Results; valid after `done` until clear or destroy. */
enum pg_outcome pg_batch_outcome(const struct pg_batch *batch);
bool pg_batch_sent(const struct pg_batch *batch); /* false: surely nothing was done */
const char *
pg_batch_sqlstate(const struct pg_batch *batch); /* "" unless PG_FAILED or transient */
/* The statement that was refused; NULL: none, or the end of the transaction was. */
const struct pg_statement *pg_batch_refused(const struct pg_batch *batch);
const char *
pg_batch_message(const struct pg_batch *batch); /* without values of parameters */
size_t pg_batch_rows(const struct pg_batch *batch, size_t index);
uint64_t pg_batch_affected(const struct pg_batch *batch, size_t index);
/* Borrowed; NULL for SQL NULL. Columns count from 0. */
const char *pg_batch_value(const struct pg_batch *batch, size_t index, size_t row,
                           size_t column);

/* New. Connects in the background. BW_EINVAL for a URL that cannot be understood, naming
 * the part, never the password. */
BW_MUSTCHECK int pg_pool_create(struct pg_pool **poolp, const struct pg_options *options,
                                struct bw_error *err);
/* Fails what is queued or running (PG_TRANSIENT), ends the thread. Blocks at most until
 * the running callback returns. */
void pg_pool_destroy(struct pg_pool **poolp);

/* As the rows of <bulwark/stats.h>. */
#define PG_FIGURES(X)                                                                    \
    X(FLAG, reachable, "reachable", "pg_reachable", NULL, NULL,                          \
      "PostgreSQL can be used")                                                          \
    X(COUNT, connections, "connections", "pg_connections", NULL, NULL,                   \
      "Connections open")                                                                \
    X(COUNT, busy, "busy", "pg_busy", NULL, NULL, "Connections with work")               \
    X(COUNT, queued, "queued", "pg_queued", NULL, NULL,                                  \
      "Batches that wait for a connection")                                              \
    X(TOTAL, round_trips, "roundTrips", "pg_round_trips", NULL, NULL,                    \
      "Batches answered")                                                                \
    X(TOTAL, statements, "statements", "pg_statements", NULL, NULL,                      \
      "Statements answered")                                                             \
    X(TOTAL, reconnects, "reconnects", "pg_reconnects", NULL, NULL,                      \
      "Connections made again")

struct pg_stats {
    PG_FIGURES(BW_FIGURE_MEMBER)
};
void pg_pool_stats(struct pg_pool *pool, struct pg_stats *stats);

#endif
