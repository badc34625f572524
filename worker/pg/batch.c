#include "pg/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/assert.h"

#define PARAMS_MAX 65535 /* the protocol's */

int pg_batch_create(struct pg_batch **batchp)
{
    *batchp = calloc(1, sizeof **batchp);
    return *batchp != NULL ? BW_OK : BW_ENOMEM;
}

void pg_batch_forget(struct pg_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        PQclear(batch->entries[i].result);
        batch->entries[i].result = NULL;
    }
    batch->outcome = PG_OK;
    batch->sent = false;
    batch->again = false;
    batch->sqlstate[0] = '\0';
    batch->message[0] = '\0';
}

void pg_batch_clear(struct pg_batch *batch)
{
    pg_batch_forget(batch);
    batch->count = 0;
    batch->params_count = 0;
    batch->sends = 0;
    bw_buf_clear(&batch->text);
}

void pg_batch_destroy(struct pg_batch **batchp)
{
    struct pg_batch *batch = *batchp;

    if (batch == NULL)
        return;
    *batchp = NULL;
    pg_batch_forget(batch);
    free(batch->entries);
    free(batch->params);
    bw_buf_fini(&batch->text);
    free(batch);
}

/* The array with room for `more` elements beyond `used`; NULL, and the array unchanged,
 * when memory is out. */
static void *with_room(void *array, size_t *cap, size_t used, size_t more, size_t size)
{
    size_t wanted = *cap > 0 ? *cap : 8;
    void *grown;

    BW_ASSERT(used <= *cap);
    while (wanted - used < more)
        wanted *= 2;
    if (wanted == *cap)
        return array;
    grown = reallocarray(array, wanted, size);
    if (grown != NULL)
        *cap = wanted;
    return grown;
}

static int make_room(struct pg_batch *batch, size_t params)
{
    struct pg_entry *entries = with_room(batch->entries, &batch->entries_cap,
                                         batch->count, 1, sizeof *batch->entries);
    size_t *offsets;

    if (entries == NULL)
        return BW_ENOMEM;
    batch->entries = entries;
    offsets = with_room(batch->params, &batch->params_cap, batch->params_count, params,
                        sizeof *batch->params);
    if (offsets == NULL)
        return BW_ENOMEM;
    batch->params = offsets;
    return BW_OK;
}

static int add_params(struct pg_batch *batch, const char *const *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = batch->text.len;

        if (params[i] == NULL)
            at = PG_NULL_PARAM;
        else if (bw_buf_add(&batch->text, params[i], strlen(params[i]) + 1) != BW_OK)
            return BW_ENOMEM;
        batch->params[batch->params_count++] = at;
    }
    return BW_OK;
}

int pg_batch_add(struct pg_batch *batch, const struct pg_statement *statement,
                 const char *const *params, size_t count)
{
    size_t params_count = batch->params_count;
    size_t text_len = batch->text.len;

    if (count != statement->params || count > PARAMS_MAX || batch->count >= INT32_MAX)
        return BW_EINVAL;
    if (make_room(batch, count) != BW_OK)
        return BW_ENOMEM;
    if (add_params(batch, params, count) != BW_OK) {
        batch->params_count = params_count;
        batch->text.len = text_len;
        return BW_ENOMEM;
    }
    batch->entries[batch->count] = (struct pg_entry){ statement, params_count, NULL };
    return (int)batch->count++;
}

size_t pg_batch_count(const struct pg_batch *batch)
{
    return batch->count;
}

const char *pg_batch_param(const struct pg_batch *batch, const struct pg_entry *entry,
                           size_t index)
{
    size_t at;

    BW_ASSERT(index < entry->statement->params);
    BW_ASSERT(entry->first + index < batch->params_count);
    at = batch->params[entry->first + index];

    return at != PG_NULL_PARAM ? batch->text.data + at : NULL;
}

void pg_batch_settle(struct pg_batch *batch, enum pg_outcome outcome, bool sent,
                     const char *sqlstate, const char *message)
{
    BW_ASSERT(outcome != PG_OK);
    batch->outcome = outcome;
    batch->sent = sent;
    batch->refused = NULL;
    (void)snprintf(batch->sqlstate, sizeof batch->sqlstate, "%s",
                   sqlstate != NULL ? sqlstate : ""); /* five characters, always */
    (void)snprintf(batch->message, sizeof batch->message, "%s",
                   message != NULL ? message : ""); /* cut where it is too long */
}

/* --- results */

enum pg_outcome pg_batch_outcome(const struct pg_batch *batch)
{
    return batch->outcome;
}

bool pg_batch_sent(const struct pg_batch *batch)
{
    return batch->sent;
}

const char *pg_batch_sqlstate(const struct pg_batch *batch)
{
    return batch->sqlstate;
}

const struct pg_statement *pg_batch_refused(const struct pg_batch *batch)
{
    return batch->refused;
}

const char *pg_batch_message(const struct pg_batch *batch)
{
    return batch->message;
}

static const PGresult *result_at(const struct pg_batch *batch, size_t index)
{
    return index < batch->count ? batch->entries[index].result : NULL;
}

size_t pg_batch_rows(const struct pg_batch *batch, size_t index)
{
    const PGresult *result = result_at(batch, index);

    return result != NULL ? (size_t)PQntuples(result) : 0;
}

uint64_t pg_batch_affected(const struct pg_batch *batch, size_t index)
{
    const PGresult *result = result_at(batch, index);

    /* PQcmdTuples wants a mutable result but only reads it. */
    return result != NULL ? strtoull(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10)
                          : 0;
}

const char *pg_batch_value(const struct pg_batch *batch, size_t index, size_t row,
                           size_t column)
{
    const PGresult *result = result_at(batch, index);

    if (result == NULL || row >= (size_t)PQntuples(result) ||
        column >= (size_t)PQnfields(result) || PQgetisnull(result, (int)row, (int)column))
        return NULL;
    return PQgetvalue(result, (int)row, (int)column);
}

/* --- queue */

void pg_queue_add(struct pg_queue *queue, struct pg_batch *batch)
{
    BW_ASSERT((queue->count == 0) == (queue->first == NULL));
    batch->next = NULL;
    if (queue->last != NULL)
        queue->last->next = batch;
    else
        queue->first = batch;
    queue->last = batch;
    queue->count++;
}

void pg_queue_add_first(struct pg_queue *queue, struct pg_batch *batch)
{
    batch->next = queue->first;
    queue->first = batch;
    if (queue->last == NULL)
        queue->last = batch;
    queue->count++;
}

struct pg_batch *pg_queue_take(struct pg_queue *queue)
{
    struct pg_batch *batch = queue->first;

    if (batch == NULL)
        return NULL;
    BW_ASSERT(queue->count > 0);
    queue->first = batch->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    batch->next = NULL;
    return batch;
}

void pg_queue_move(struct pg_queue *to, struct pg_queue *from)
{
    BW_ASSERT(to != from);
    if (from->first == NULL)
        return;
    if (to->last != NULL)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->count += from->count;
    *from = (struct pg_queue){ 0 };
}
