#include "pg/request.h"

#include <stdio.h>
#include <stdlib.h>

#include <libpq-fe.h>

#include "base/assert.h"
#include "pg/slot.h"

/* Per session. Our statements read few rows, and compiling one takes the server longer
 * than running it. The last setting makes a server notice that we hung up amid a long
 * statement. */
static const char setup_sql[] =
    "select set_config('TimeZone', 'UTC', false), set_config('jit', 'off', false), "
    "set_config('search_path', coalesce($1, current_setting('search_path')), false), "
    "case when current_setting('server_version_num')::int >= 140000 "
    "then set_config('client_connection_check_interval', '1s', false) end";

/* Per transaction, where a pooler gives each transaction another session. */
static const char front_sql[] =
    "select set_config('TimeZone', 'UTC', true), set_config('jit', 'off', true), "
    "set_config('search_path', coalesce($1, current_setting('search_path')), true), "
    "set_config('statement_timeout', $2, true)";

static bool fail(struct pg_link *link, const char *reason)
{
    pg_error_text(link->error, sizeof link->error, NULL, NULL, reason);
    return false;
}

bool pg_request_flush(struct pg_link *link)
{
    int rc = PQflush(link->pg);

    if (rc < 0)
        return fail(link, PQerrorMessage(link->pg));
    link->poll_out = rc > 0;
    return true;
}

static bool send_settings(struct pg_link *link, const struct pg_batch *batch,
                          struct bw_mono now)
{
    char left[24];
    const char *values[] = { link->settings->search_path, left };
    int64_t ms = 0;

    if (batch == NULL)
        return PQsendQueryParams(link->pg, setup_sql, 1, NULL, values, NULL, NULL, 0) ==
               1;
    ms = bw_mono_ms_until(now, batch->deadline);
    (void)snprintf(left, sizeof left, "%lld", (long long)(ms > 0 ? ms : 1)); /* fits */
    return PQsendQueryParams(link->pg, front_sql, 2, NULL, values, NULL, NULL, 0) == 1;
}

static bool send_prepares(struct pg_link *link, const struct pg_slot *slot)
{
    for (size_t i = 0; i < slot->prepare_count; i++) {
        const struct pg_statement *statement = slot->prepares[i];

        if (PQsendPrepare(link->pg, statement->name, statement->sql, 0, NULL) != 1 ||
            PQpipelineSync(link->pg) != 1)
            return false;
    }
    return true;
}

static bool send_statement(struct pg_link *link, const struct pg_batch *batch,
                           const struct pg_entry *entry)
{
    const struct pg_statement *statement = entry->statement;

    BW_ASSERT(statement->params <= link->values_cap);
    for (size_t i = 0; i < statement->params; i++)
        link->values[i] = pg_batch_param(batch, entry, i);
    if (link->settings->url->unnamed)
        return PQsendQueryParams(link->pg, statement->sql, (int)statement->params, NULL,
                                 link->values, NULL, NULL, 0) == 1;
    return PQsendQueryPrepared(link->pg, statement->name, (int)statement->params,
                               link->values, NULL, NULL, 0) == 1;
}

static bool send_slot(struct pg_link *link, struct pg_slot *slot, struct bw_mono now)
{
    if (!send_prepares(link, slot))
        return false;
    if (slot->front && !send_settings(link, slot->batch, now))
        return false;
    for (size_t i = 0; slot->batch != NULL && i < slot->batch->count; i++)
        if (!send_statement(link, slot->batch, &slot->batch->entries[i]))
            return false;
    slot->complete = true; /* from here on it may reach the server */
    return PQpipelineSync(link->pg) == 1;
}

static bool fits_values(struct pg_link *link, const struct pg_batch *batch)
{
    size_t wanted = 1;
    const char **values;

    for (size_t i = 0; i < batch->count; i++)
        if (batch->entries[i].statement->params > wanted)
            wanted = batch->entries[i].statement->params;
    if (wanted <= link->values_cap)
        return true;
    values = reallocarray(link->values, wanted, sizeof *values);
    if (values == NULL)
        return false;
    link->values = values;
    link->values_cap = wanted;
    return true;
}

/* Notes which statements are to be prepared; false when memory is out. */
static bool collect_prepares(struct pg_link *link, struct pg_slot *slot)
{
    const struct pg_batch *batch = slot->batch;

    for (size_t i = 0; i < batch->count; i++) {
        const struct pg_statement *statement = batch->entries[i].statement;

        if (pg_prepared_has(&link->prepared, statement))
            continue;
        if (slot->prepares == NULL)
            slot->prepares = calloc(batch->count, sizeof *slot->prepares);
        if (slot->prepares == NULL ||
            pg_prepared_add(&link->prepared, statement) != BW_OK)
            return false;
        BW_ASSERT(slot->prepare_count < batch->count);
        slot->prepares[slot->prepare_count++] = statement;
    }
    return true;
}

/* Says what the slot holds, and makes room for it; false when memory is out. */
static bool fill_slot(struct pg_link *link, struct pg_slot *slot, struct pg_batch *batch)
{
    bool unnamed = link->settings->url->unnamed;

    slot->batch = batch;
    slot->front = batch == NULL || unnamed;
    slot->statements = (slot->front ? 1 : 0) + (batch != NULL ? batch->count : 0);
    if (batch == NULL)
        return true;
    batch->sends++;
    return fits_values(link, batch) && (unnamed || collect_prepares(link, slot));
}

bool pg_request_send(struct pg_link *link, struct pg_batch *batch, struct bw_mono now)
{
    struct pg_slot *slot = pg_slot_push(link);

    if (!fill_slot(link, slot, batch))
        return fail(link, "out of memory");
    BW_ASSERT(slot->statements > 0); /* else no answer would end the slot */
    if (!send_slot(link, slot, now))
        return fail(link, PQerrorMessage(link->pg));
    return pg_request_flush(link);
}
