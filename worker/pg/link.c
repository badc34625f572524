#include "pg/link.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#define SENDS_MAX                                                                        \
    3 /* how often one batch is sent when the server surely did nothing of it */

/* Per session. The last setting makes a server notice that we hung up amid a long
 * statement. */
static const char setup_sql[] =
    "select set_config('TimeZone', 'UTC', false), "
    "set_config('search_path', coalesce($1, current_setting('search_path')), false), "
    "case when current_setting('server_version_num')::int >= 140000 "
    "then set_config('client_connection_check_interval', '1s', false) end";

/* Per transaction, where a pooler gives each transaction another session. */
static const char front_sql[] =
    "select set_config('TimeZone', 'UTC', true), "
    "set_config('search_path', coalesce($1, current_setting('search_path')), true), "
    "set_config('statement_timeout', $2, true)";

void pg_link_init(struct pg_link *link, const struct pg_link_settings *settings)
{
    memset(link, 0, sizeof *link);
    link->settings = settings;
}

void pg_link_fini(struct pg_link *link)
{
    assert(link->pg == NULL && link->count == 0);
    pg_prepared_fini(&link->prepared);
    free(link->values);
    memset(link, 0, sizeof *link);
}

/* --- slots */

static struct pg_slot *slot_at(struct pg_link *link, size_t index)
{
    return &link->slots[(link->head + index) % PG_LINK_SLOTS];
}

static struct pg_slot *slot_push(struct pg_link *link)
{
    struct pg_slot *slot;

    assert(link->count < PG_LINK_SLOTS);
    slot = slot_at(link, link->count++);
    memset(slot, 0, sizeof *slot);
    return slot;
}

static void slot_pop(struct pg_link *link, struct bw_mono now)
{
    struct pg_slot *slot = slot_at(link, 0);

    if (slot->orphan)
        link->orphans--;
    free(slot->prepares);
    memset(slot, 0, sizeof *slot);
    link->head = (link->head + 1) % PG_LINK_SLOTS;
    link->count--;
    link->orphan_since = now;
    link->ask_at = now;
    if (link->count == 0)
        link->cancelled = false;
    if (!pg_link_is_stuck(link) && link->cancel == PG_CANCEL_WANTED)
        link->cancel = PG_CANCEL_NONE;
}

bool pg_link_is_stuck(const struct pg_link *link)
{
    return link->count > 0 && link->slots[link->head].orphan;
}

/* --- how a batch ends */

static void forget_names(struct pg_link *link, const struct pg_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        pg_prepared_remove(&link->prepared, batch->entries[i].statement);
}

static bool may_go_again(const struct pg_link *link, const struct pg_slot *slot)
{
    if (slot->batch->sends >= SENDS_MAX)
        return false;
    return slot->kind == PG_ERROR_UNPREPARED || slot->kind == PG_ERROR_STALE ||
           (slot->kind == PG_ERROR_CANCELLED && link->cancelled);
}

/* An error was answered: nothing of the batch was done. */
static void settle_failed(struct pg_link *link, struct pg_slot *slot)
{
    struct pg_batch *batch = slot->batch;

    batch->sent = false;
    batch->again = may_go_again(link, slot);
    switch (slot->kind) {
    case PG_ERROR_TRANSIENT:
        batch->outcome = PG_TRANSIENT;
        return;
    case PG_ERROR_CANCELLED:
        batch->outcome = link->cancelled ? PG_TRANSIENT : PG_TIMED_OUT;
        return;
    case PG_ERROR_UNPREPARED:
        forget_names(link, batch);
        batch->outcome = PG_FAILED;
        return;
    case PG_ERROR_STALE:
        link->retired = true;
        batch->outcome = strcmp(batch->sqlstate, "25006") == 0 ? PG_TRANSIENT : PG_FAILED;
        return;
    case PG_ERROR_PERMANENT:
        break;
    }
    batch->outcome = PG_FAILED;
}

static void finish_slot(struct pg_link *link, struct bw_mono now,
                        struct pg_queue *finished)
{
    struct pg_slot *slot = slot_at(link, 0);
    struct pg_batch *batch = slot->batch;

    if (batch != NULL && slot->failed) {
        settle_failed(link, slot);
    } else if (batch != NULL) {
        batch->outcome = PG_OK;
        batch->sent = true;
    }
    if (batch != NULL)
        pg_queue_add(finished, batch);
    slot_pop(link, now);
}

/* The connection is gone before the slot's answer was complete. */
static void drop_slot(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    struct pg_slot *slot = slot_at(link, 0);

    if (slot->batch != NULL && !slot->failed) {
        bool complete = slot->complete;

        pg_batch_forget(slot->batch);
        pg_batch_settle(slot->batch, PG_TRANSIENT, complete, NULL, link->error);
        pg_queue_add(finished, slot->batch);
        slot->batch = NULL;
    }
    finish_slot(link, now, finished);
}

void pg_link_close(struct pg_link *link, const char *reason, struct pg_queue *finished)
{
    if (link->state == PG_LINK_CLOSED)
        return;
    pg_error_text(link->error, sizeof link->error, NULL, NULL, reason);
    while (link->count > 0)
        drop_slot(link, link->orphan_since, finished);
    PQfinish(link->pg);
    link->pg = NULL;
    pg_prepared_fini(&link->prepared);
    link->state = PG_LINK_CLOSED;
    link->retired = false;
    link->cancelled = false;
    link->cancel = PG_CANCEL_NONE;
}

/* --- sending */

static void flush(struct pg_link *link, struct pg_queue *finished)
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
    struct pg_slot *slot = slot_push(link);

    slot->batch = batch;
    slot->front = link->settings->url->unnamed;
    slot->statements = batch->count + (slot->front ? 1 : 0);
    batch->sends++;
    if (!fits_values(link, batch) ||
        (!link->settings->url->unnamed && !collect_prepares(link, slot))) {
        pg_link_close(link, "out of memory", finished);
        return;
    }
    if (!send_slot(link, slot, now))
        pg_link_close(link, PQerrorMessage(link->pg), finished);
    else
        flush(link, finished);
}

/* --- receiving */

static bool is_lost(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    if (PQresultStatus(result) != PGRES_FATAL_ERROR)
        return false;
    return PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL ||
           (severity != NULL && strcmp(severity, "ERROR") != 0);
}

static bool just_prepared(const struct pg_slot *slot,
                          const struct pg_statement *statement)
{
    for (size_t i = 0; i < slot->prepare_count; i++)
        if (slot->prepares[i] == statement)
            return true;
    return false;
}

static void note_error(struct pg_link *link, struct pg_slot *slot,
                       const struct pg_statement *statement, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *name = statement != NULL ? statement->name : "transaction";

    slot->kind = pg_error_kind(sqlstate);
    if (slot->kind == PG_ERROR_STALE && strcmp(sqlstate, "0A000") == 0 &&
        (link->settings->url->unnamed || statement == NULL ||
         just_prepared(slot, statement)))
        slot->kind =
            PG_ERROR_PERMANENT; /* a fresh plan: the statement itself is at fault */
    if (slot->batch == NULL)
        return;
    (void)snprintf(slot->batch->sqlstate, sizeof slot->batch->sqlstate, "%s",
                   sqlstate != NULL ? sqlstate : ""); /* five characters, always */
    pg_error_text(slot->batch->message, sizeof slot->batch->message, name, sqlstate,
                  message != NULL ? message : "unknown error");
}

static bool uses(const struct pg_batch *batch, const struct pg_statement *statement)
{
    for (size_t i = 0; batch != NULL && i < batch->count; i++)
        if (batch->entries[i].statement == statement)
            return true;
    return false;
}

/* Tells every batch in flight that counts on the name why it will not find it. */
static void note_prepare_error(struct pg_link *link, const struct pg_statement *statement,
                               const PGresult *result)
{
    for (size_t i = 0; i < link->count; i++) {
        struct pg_slot *slot = slot_at(link, i);

        if (slot->prepare_failed || !uses(slot->batch, statement))
            continue;
        slot->prepare_failed = true;
        note_error(link, slot, statement, result);
    }
}

/* A name that is there already (42P05) is as good as prepared. */
static void take_prepare(struct pg_link *link, struct pg_slot *slot,
                         const PGresult *result)
{
    const struct pg_statement *statement = slot->prepares[slot->prepare_at];
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (PQresultStatus(result) == PGRES_COMMAND_OK ||
        (sqlstate != NULL && strcmp(sqlstate, "42P05") == 0))
        return;
    pg_prepared_remove(&link->prepared, statement);
    note_prepare_error(link, statement, result);
}

static bool is_unprepared(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return pg_error_kind(sqlstate) == PG_ERROR_UNPREPARED;
}

/* Takes the result. */
static void take_answer(struct pg_link *link, struct pg_slot *slot, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    size_t skipped = slot->front ? 1 : 0;
    struct pg_entry *entry = NULL;

    if (slot->batch != NULL && slot->at >= skipped)
        entry = &slot->batch->entries[slot->at - skipped];
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (entry != NULL && entry->result == NULL) {
            entry->result = result;
            return;
        }
    } else if (status != PGRES_PIPELINE_ABORTED && status != PGRES_EMPTY_QUERY &&
               !slot->failed) {
        slot->failed = true;
        if (!slot->prepare_failed || !is_unprepared(result))
            note_error(link, slot, entry != NULL ? entry->statement : NULL, result);
    }
    PQclear(result);
}

/* What is checked only at the end of the transaction fails after every statement was
 * answered. */
static void take_commit_error(struct pg_link *link, struct pg_slot *slot,
                              const PGresult *result)
{
    if (PQresultStatus(result) != PGRES_FATAL_ERROR || slot->failed)
        return;
    slot->failed = true;
    note_error(link, slot, NULL, result);
}

static void take_sync(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    struct pg_slot *slot = slot_at(link, 0);

    if (slot->prepare_at < slot->prepare_count) {
        slot->prepare_at++;
        slot->at = 0;
        return;
    }
    if (link->state == PG_LINK_SETTING_UP) {
        bool failed = slot->failed;

        finish_slot(link, now, finished);
        if (failed)
            pg_link_close(link, "the session's settings were refused", finished);
        else
            link->state = PG_LINK_READY;
        return;
    }
    link->answers++;
    link->statements += slot->statements;
    finish_slot(link, now, finished);
}

/* Takes the result; NULL ends the results of one statement. */
static void take_result(struct pg_link *link, PGresult *result, struct bw_mono now,
                        struct pg_queue *finished)
{
    struct pg_slot *slot = slot_at(link, 0);
    bool preparing = slot->prepare_at < slot->prepare_count;
    size_t expected = preparing ? 1 : slot->statements;

    if (result == NULL) {
        if (slot->at < expected)
            slot->at++;
        return;
    }
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        take_sync(link, now, finished);
    } else if (is_lost(result)) {
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

        if (sqlstate != NULL && !slot->failed) {
            slot->failed = true;
            note_error(link, slot, NULL, result);
        }
        pg_link_close(link, PQresultErrorMessage(result), finished);
        PQclear(result);
    } else if (slot->at >= expected) {
        take_commit_error(link, slot, result);
        PQclear(result);
    } else if (preparing) {
        take_prepare(link, slot, result);
        PQclear(result);
    } else {
        take_answer(link, slot, result);
    }
}

static void receive(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    bool alive = PQconsumeInput(link->pg) == 1;

    /* What came before the end is an answer like any other. */
    while (link->pg != NULL && link->count > 0 && PQisBusy(link->pg) == 0)
        take_result(link, PQgetResult(link->pg), now, finished);
    if (link->pg != NULL && (!alive || PQstatus(link->pg) == CONNECTION_BAD))
        pg_link_close(link, PQerrorMessage(link->pg), finished);
}

/* --- connecting */

static void drop_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

void pg_link_open(struct pg_link *link, struct bw_mono now)
{
    const struct pg_url *url = link->settings->url;

    assert(link->state == PG_LINK_CLOSED);
    link->opened_at = now;
    link->pg = PQconnectStartParams(url->keys, (const char *const *)url->values, 0);
    link->state = PG_LINK_CONNECTING;
    link->poll_out = true;
    link->poll_in = false;
    if (link->pg == NULL || PQstatus(link->pg) == CONNECTION_BAD) {
        pg_link_close(link, link->pg != NULL ? PQerrorMessage(link->pg) : "out of memory",
                      &(struct pg_queue){ 0 });
        return;
    }
    (void)PQsetNoticeReceiver(link->pg, drop_notice,
                              NULL); /* the former one is libpq's */
}

static void set_up(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    struct pg_slot *slot;

    link->poll_in = true;
    link->poll_out = false;
    link->state = PG_LINK_SETTING_UP;
    if (PQsetnonblocking(link->pg, 1) != 0 || PQenterPipelineMode(link->pg) != 1) {
        pg_link_close(link, PQerrorMessage(link->pg), finished);
        return;
    }
    if (link->settings->url->unnamed) {
        link->state = PG_LINK_READY;
        return;
    }
    slot = slot_push(link);
    slot->statements = 1;
    slot->front = true;
    if (!send_slot(link, slot, now))
        pg_link_close(link, PQerrorMessage(link->pg), finished);
    else
        flush(link, finished);
}

static void connect_further(struct pg_link *link, struct bw_mono now,
                            struct pg_queue *finished)
{
    switch (PQconnectPoll(link->pg)) {
    case PGRES_POLLING_OK:
        set_up(link, now, finished);
        return;
    case PGRES_POLLING_READING:
        link->poll_in = true;
        link->poll_out = false;
        return;
    case PGRES_POLLING_WRITING:
        link->poll_in = false;
        link->poll_out = true;
        return;
    default:
        pg_link_close(link, PQerrorMessage(link->pg), finished);
    }
}

int pg_link_fd(const struct pg_link *link, short *events)
{
    if (link->pg == NULL)
        return -1;
    *events = (short)((link->poll_in ? POLLIN : 0) | (link->poll_out ? POLLOUT : 0));
    return PQsocket(link->pg);
}

void pg_link_turn(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    if (link->state == PG_LINK_CONNECTING) {
        connect_further(link, now, finished);
        return;
    }
    if (link->pg != NULL)
        receive(link, now, finished);
    if (link->pg != NULL && link->poll_out)
        flush(link, finished);
}

/* --- deadlines */

static struct bw_mono connect_deadline(const struct pg_link *link)
{
    return bw_mono_add_ms(link->opened_at, link->settings->connect_timeout_ms);
}

static void expire_slot(struct pg_link *link, struct pg_slot *slot, struct bw_mono now,
                        struct pg_queue *finished)
{
    struct pg_batch *batch = slot->batch;

    slot->batch = NULL;
    slot->orphan = true;
    link->orphans++;
    if (slot == slot_at(link, 0))
        link->orphan_since = link->ask_at = now;
    pg_batch_forget(batch);
    pg_batch_settle(batch, PG_TIMED_OUT, !slot->failed, NULL,
                    "the deadline passed before the answer");
    pg_queue_add(finished, batch);
}

void pg_link_expire(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    if ((link->state == PG_LINK_CONNECTING || link->state == PG_LINK_SETTING_UP) &&
        !bw_mono_before(now, connect_deadline(link))) {
        pg_link_close(link, "connecting took too long", finished);
        return;
    }
    for (size_t i = 0; i < link->count; i++) {
        struct pg_slot *slot = slot_at(link, i);

        if (slot->batch != NULL && !bw_mono_before(now, slot->batch->deadline))
            expire_slot(link, slot, now, finished);
    }
}

void pg_link_next_deadline(const struct pg_link *link, struct bw_mono *at)
{
    if (link->state == PG_LINK_CONNECTING || link->state == PG_LINK_SETTING_UP) {
        struct bw_mono deadline = connect_deadline(link);

        if (bw_mono_before(deadline, *at))
            *at = deadline;
        return;
    }
    for (size_t i = 0; i < link->count; i++) {
        const struct pg_slot *slot = &link->slots[(link->head + i) % PG_LINK_SLOTS];

        if (slot->batch != NULL && bw_mono_before(slot->batch->deadline, *at))
            *at = slot->batch->deadline;
    }
}

int pg_link_backend(const struct pg_link *link)
{
    return link->pg != NULL ? PQbackendPID(link->pg) : 0;
}
