#include <stdio.h>
#include <stdlib.h>

#include <libpq-fe.h>

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

void pg_link_flush(struct pg_link *link, struct pg_queue *finished)
{
    int rc = PQflush(link->pg);

    if (rc < 0)
        pg_link_close(link, PQerrorMessage(link->pg), finished);
    else
        link->poll_out = rc > 0;
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

    for (size_t i = 0; i < statement->params; i++)
        link->values[i] = pg_batch_param(batch, entry, i);
    if (link->settings->url->unnamed)
        return PQsendQueryParams(link->pg, statement->sql, (int)statement->params, NULL,
                                 link->values, NULL, NULL, 0) == 1;
    return PQsendQueryPrepared(link->pg, statement->name, (int)statement->params,
                               link->values, NULL, NULL, 0) == 1;
}

bool pg_link_send_slot(struct pg_link *link, struct pg_slot *slot, struct bw_mono now)
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
        slot->prepares[slot->prepare_count++] = statement;
    }
    return true;
}

bool pg_link_is_free(const struct pg_link *link)
{
    return link->state == PG_LINK_READY && !link->retired && link->orphans == 0 &&
           link->cancel == PG_CANCEL_NONE && link->count < PG_LINK_SLOTS;
}

void pg_link_send(struct pg_link *link, struct pg_batch *batch, struct bw_mono now,
                  struct pg_queue *finished)
{
    struct pg_slot *slot = pg_slot_push(link);

    slot->batch = batch;
    slot->front = link->settings->url->unnamed;
    slot->statements = batch->count + (slot->front ? 1 : 0);
    batch->sends++;
    if (!fits_values(link, batch) ||
        (!link->settings->url->unnamed && !collect_prepares(link, slot))) {
        pg_link_close(link, "out of memory", finished);
        return;
    }
    if (!pg_link_send_slot(link, slot, now))
        pg_link_close(link, PQerrorMessage(link->pg), finished);
    else
        pg_link_flush(link, finished);
}
