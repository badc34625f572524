/* What the pool sees of a batch. Belongs to one thread at a time, as pool.h says. */
#ifndef WORKER_PG_BATCH_H
#define WORKER_PG_BATCH_H

#include <bulwark/buf.h>
#include <bulwark/time.h>

#include "pg/pool.h"

#define PG_BATCH_TEXT_MAX 512

struct pg_result; /* libpq's */

struct pg_entry {
    const struct pg_statement *statement;
    size_t first; /* its first parameter in `params` */
    struct pg_result *result;
};

struct pg_batch {
    struct pg_batch *next; /* in a pg_queue */

    struct pg_entry *entries;
    size_t count, entries_cap;
    size_t *params; /* offsets into `text`; PG_NULL_PARAM is SQL NULL */
    size_t params_count, params_cap;
    struct bw_buf text; /* the values, each ended by a NUL */

    uint64_t ticket; /* of this submission */
    struct bw_mono deadline;
    void (*done)(struct pg_batch *batch, void *arg);
    void *arg;

    enum pg_outcome outcome;
    bool sent;
    bool again;     /* nothing was done and the pool should send it once more */
    unsigned sends; /* how often it was sent */
    const struct pg_statement *refused; /* the one that failed, or NULL */
    char sqlstate[6];
    char message[PG_BATCH_TEXT_MAX];
};

#define PG_NULL_PARAM SIZE_MAX

/* Borrowed until the batch changes; NULL is SQL NULL. */
const char *pg_batch_param(const struct pg_batch *batch, const struct pg_entry *entry,
                           size_t index);
/* Drops results and the outcome, keeps the statements. */
void pg_batch_forget(struct pg_batch *batch);
/* `sqlstate` and `message` NULL: none. `message` may be cut. */
void pg_batch_settle(struct pg_batch *batch, enum pg_outcome outcome, bool sent,
                     const char *sqlstate, const char *message);

/* A list of batches; a zeroed struct is empty. */
struct pg_queue {
    struct pg_batch *first, *last;
    size_t count;
};

void pg_queue_add(struct pg_queue *queue, struct pg_batch *batch);
void pg_queue_add_first(struct pg_queue *queue, struct pg_batch *batch);
/* NULL when empty. */
struct pg_batch *pg_queue_take(struct pg_queue *queue);
/* Moves all of `from` to the end of `to`. */
void pg_queue_move(struct pg_queue *to, struct pg_queue *from);

#endif
