#include "pg/answer.h"

#include <stdio.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/assert.h"
#include "pg/slot.h"

/* One NULL ends a statement's results; so many in a row end nothing. */
enum { NOTHING_MAX = 8 };

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
    slot->batch->refused = statement;
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
        struct pg_slot *slot = pg_slot_at(link, i);

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

    if (slot->batch != NULL && slot->at >= skipped) {
        BW_ASSERT(slot->at - skipped < slot->batch->count);
        entry = &slot->batch->entries[slot->at - skipped];
    }
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

static bool fail(struct pg_link *link, const char *reason)
{
    pg_error_text(link->error, sizeof link->error, NULL, NULL, reason);
    return false;
}

/* False as pg_answer_receive(). */
static bool take_sync(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    struct pg_slot *slot = pg_slot_at(link, 0);

    if (slot->prepare_at < slot->prepare_count) {
        slot->prepare_at++;
        slot->at = 0;
        return true;
    }
    if (link->state == PG_LINK_SETTING_UP) {
        bool failed = slot->failed;

        BW_ASSERT(slot->batch == NULL && link->count == 1); /* nothing else is sent yet */
        pg_slot_finish(link, now, finished);
        if (failed)
            return fail(link, "the session's settings were refused");
        link->state = PG_LINK_READY;
        return true;
    }
    link->answers++;
    link->statements += slot->statements;
    pg_slot_finish(link, now, finished);
    return true;
}

/* The server ends the connection, and says why. Takes the result. */
static bool take_end(struct pg_link *link, struct pg_slot *slot, PGresult *result)
{
    if (PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL && !slot->failed) {
        slot->failed = true;
        note_error(link, slot, NULL, result);
    }
    (void)fail(link, PQresultErrorMessage(result));
    PQclear(result);
    return false;
}

/* Takes the result; NULL ends the results of one statement. False as
 * pg_answer_receive(). */
static bool take_result(struct pg_link *link, PGresult *result, struct bw_mono now,
                        struct pg_queue *finished)
{
    struct pg_slot *slot = pg_slot_at(link, 0);
    bool preparing = slot->prepare_at < slot->prepare_count;
    size_t expected = preparing ? 1 : slot->statements;

    if (result == NULL) {
        if (slot->at < expected)
            slot->at++;
        return true;
    }
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        return take_sync(link, now, finished);
    }
    if (is_lost(result))
        return take_end(link, slot, result);
    if (slot->at < expected && !preparing) {
        take_answer(link, slot, result);
        return true;
    }
    if (slot->at >= expected)
        take_commit_error(link, slot, result);
    else
        take_prepare(link, slot, result);
    PQclear(result);
    return true;
}

bool pg_answer_receive(struct pg_link *link, struct bw_mono now,
                       struct pg_queue *finished)
{
    bool alive = PQconsumeInput(link->pg) == 1;
    unsigned nothing = 0; /* in a row */

    /* What came before the end is an answer like any other. But libpq may lose a
     * connection amid a pipeline and then answer NULL, not busy, for ever. */
    while (link->count > 0 && nothing < NOTHING_MAX && PQisBusy(link->pg) == 0) {
        PGresult *result = PQgetResult(link->pg);

        nothing = result == NULL ? nothing + 1 : 0;
        if (!take_result(link, result, now, finished))
            return false;
    }
    if (!alive || nothing == NOTHING_MAX || PQstatus(link->pg) == CONNECTION_BAD)
        return fail(link, PQerrorMessage(link->pg));
    return true;
}
