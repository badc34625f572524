#include "pg/link.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/assert.h"
#include "pg/answer.h"
#include "pg/request.h"
#include "pg/slot.h"

void pg_link_init(struct pg_link *link, const struct pg_link_settings *settings)
{
    memset(link, 0, sizeof *link);
    link->settings = settings;
}

void pg_link_fini(struct pg_link *link)
{
    BW_ASSERT(link->pg == NULL && link->count == 0);
    pg_prepared_fini(&link->prepared);
    free(link->values);
    memset(link, 0, sizeof *link);
}

/* Gives up the connection and what is in flight; link->error says why. */
static void give_up(struct pg_link *link, struct pg_queue *finished)
{
    BW_ASSERT(link->state != PG_LINK_CLOSED);
    while (link->count > 0)
        pg_slot_drop(link, link->orphan_since, finished);
    BW_ASSERT(link->orphans == 0);
    PQfinish(link->pg);
    link->pg = NULL;
    pg_prepared_fini(&link->prepared);
    link->state = PG_LINK_CLOSED;
    link->retired = false;
    link->cancelled = false;
    link->cancel = PG_CANCEL_NONE;
}

void pg_link_close(struct pg_link *link, const char *reason, struct pg_queue *finished)
{
    if (link->state == PG_LINK_CLOSED)
        return;
    pg_error_text(link->error, sizeof link->error, NULL, NULL, reason);
    give_up(link, finished);
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

    BW_ASSERT(link->state == PG_LINK_CLOSED);
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
    link->poll_in = true;
    link->poll_out = false;
    link->state = PG_LINK_SETTING_UP;
    if (PQsetnonblocking(link->pg, 1) != 0 || PQenterPipelineMode(link->pg) != 1) {
        pg_link_close(link, PQerrorMessage(link->pg), finished);
        return;
    }
    if (link->settings->url->unnamed)
        link->state = PG_LINK_READY;
    else if (!pg_request_send(link, NULL, now))
        give_up(link, finished);
}

static void connect_further(struct pg_link *link, struct bw_mono now,
                            struct pg_queue *finished)
{
    BW_ASSERT(link->pg != NULL && link->count == 0); /* nothing is sent before */
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
    bool alive;

    if (link->state == PG_LINK_CLOSED)
        return;
    if (link->state == PG_LINK_CONNECTING) {
        connect_further(link, now, finished);
        return;
    }
    alive = pg_answer_receive(link, now, finished);
    if (alive && link->poll_out)
        alive = pg_request_flush(link);
    if (!alive)
        give_up(link, finished);
}

/* --- sending */

bool pg_link_is_free(const struct pg_link *link)
{
    return link->state == PG_LINK_READY && !link->retired && link->orphans == 0 &&
           link->cancel == PG_CANCEL_NONE && link->count < PG_LINK_SLOTS;
}

bool pg_link_is_stuck(const struct pg_link *link)
{
    return pg_slot_orphan_leads(link);
}

void pg_link_send(struct pg_link *link, struct pg_batch *batch, struct bw_mono now,
                  struct pg_queue *finished)
{
    BW_ASSERT(pg_link_is_free(link) && batch->count > 0);
    if (!pg_request_send(link, batch, now))
        give_up(link, finished);
}

/* --- deadlines */

static struct bw_mono connect_deadline(const struct pg_link *link)
{
    return bw_mono_add_ms(link->opened_at, link->settings->connect_timeout_ms);
}

bool pg_link_hasten(struct pg_link *link, uint64_t ticket, struct bw_mono now)
{
    for (size_t i = 0; i < link->count; i++) {
        struct pg_batch *batch = pg_slot_at(link, i)->batch;

        if (batch != NULL && batch->ticket == ticket) {
            batch->deadline = now;
            return true;
        }
    }
    return false;
}

void pg_link_expire(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    if ((link->state == PG_LINK_CONNECTING || link->state == PG_LINK_SETTING_UP) &&
        !bw_mono_before(now, connect_deadline(link))) {
        pg_link_close(link, "connecting took too long", finished);
        return;
    }
    for (size_t i = 0; i < link->count; i++) {
        struct pg_slot *slot = pg_slot_at(link, i);

        if (slot->batch != NULL && !bw_mono_before(now, slot->batch->deadline))
            pg_slot_orphan(link, slot, now, finished);
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
